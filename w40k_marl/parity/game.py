"""A recorded game set up on our engine: forced choices, dice by purpose, and our state in the recording's terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..content.world import Setting, build_setting
from ..rules import engine, replay
from ..rules.bits import has
from ..rules.dice import PURPOSES
from ..rules.events import ATTACKED
from ..rules.state import FIGHT_STAGES, MAX_UNITS_PER_SIDE, MAX_WEAPONS, NOBODY, PHASES, WIN_METHODS, Games, new_games
from .trace import Json, Trace, game_rules_of, scenario_of

MARKS = ("moved", "fled", "advanced", "charged", "fought")
"""The marks that the contract compares; *shot* is not among them (D1)."""

_SMALL, _SMALL_OBJECTIVES = 16, 8


class ReplayedGame:
    """Our engine at the start of a recorded game, with ``decisions="reference"``."""

    def __init__(self, trace: Trace) -> None:
        """Build board, units and weapons from the header and reset."""
        scenario = scenario_of(trace.header)
        largest = max(sum(unit.player == player for unit in scenario.units) for player in (1, 2))
        small = largest <= _SMALL and len(scenario.objectives) <= _SMALL_OBJECTIVES
        units, objectives = (_SMALL, _SMALL_OBJECTIVES) if small else (MAX_UNITS_PER_SIDE, MAX_UNITS_PER_SIDE)
        self.setting: Setting = build_setting(
            scenario,
            game_rules_of(trace.header),
            units_per_side=units,
            objectives=objectives,
            decisions="reference",
        )
        self.games: Games = new_games(1, units, objectives)
        self.arguments = (self.setting.worlds, self.setting.board, self.games, 0)
        engine.reset(*self.arguments, np.uint64(0))
        self.objective_ids = [objective.id for objective in scenario.objectives]

    @property
    def game(self) -> np.record:
        """The one row."""
        return self.games[0]  # type: ignore[no-any-return]

    def number(self, unit_id: str) -> int:
        """Number of a unit; -1 of an id that the game does not have."""
        return self.setting.number_of.get(unit_id, -1)

    def id_of(self, number: int) -> str | None:
        """Id of a unit, None of NOBODY."""
        unit = self.setting.units[number] if number != NOBODY else None
        return None if unit is None else unit.id

    def hand_out(self, draws: list[Json]) -> None:
        """Give the engine these recorded dice, each for its purpose."""
        faces = np.array([draw["v"] for draw in draws], dtype=np.int8)
        purposes = np.array([PURPOSES.index(draw["for"]) for draw in draws], dtype=np.int8)
        replay.record_dice(self.games, 0, faces, purposes)

    def dice_problem(self) -> str | None:
        """What went wrong with the dice handed out last: one refused, or some left over."""
        game = self.game
        if game.dice_refused:
            return f"a die for {PURPOSES[int(game.dice_refused)]} that was not recorded"
        left = int(game.recorded_count) - int(game.recorded_used)
        return f"{left} recorded dice not rolled" if left else None

    def last_attack(self) -> tuple[int, int, int, int, int, int, int] | None:
        """Attacker, target, weapon slot, hit, wound and save roll, damage of the attack just made."""
        events: NDArray[np.int16] = self.game.events[: self.game.event_count]
        for event in reversed(events):
            if event[0] == ATTACKED:
                _, unit, target, weapon, hit, wound, save, damage = (int(value) for value in event)
                return unit, target, weapon % MAX_WEAPONS, hit, wound, save, damage
        return None

    def state(self) -> dict[str, Any]:
        """What level A compares, in the recording's terms."""
        game = self.game
        return {
            "turn": int(game.turn),
            "player": int(game.side) + 1,
            "phase": PHASES[int(game.phase)],
            "fight_sub": None if game.fight_stage == 0 or game.over else FIGHT_STAGES[int(game.fight_stage)],
            "units": {unit.id: self._unit(number) for number, unit in enumerate(self.setting.units) if unit},
            "marks": {mark: sorted(self._members(getattr(game, mark))) for mark in MARKS},
            "control": {
                objective: int(game.control[index]) or None for index, objective in enumerate(self.objective_ids)
            },
            "vp": {"1": int(game.victory_points[0]), "2": int(game.victory_points[1])},
            "game_over": bool(game.over),
        }

    def result(self) -> tuple[int | None, str | None]:
        """Winner (-1 for a draw) and method as the recording names them; None twice while the game goes on."""
        game = self.game
        if not game.over:
            return None, None
        return int(game.winner) or -1, WIN_METHODS[int(game.win_method)]

    def _unit(self, number: int) -> tuple[int, int, int, bool]:
        """Column, row, hit points, alive."""
        game = self.game
        hex_id = int(game.hexes[number])
        alive = int(game.hit_points[number]) > 0
        return hex_id >> 6, hex_id & 63, int(game.hit_points[number]), alive

    def _members(self, marks: NDArray[np.uint64]) -> list[str]:
        per_side = int(self.setting.world.units_per_side)
        return [
            unit.id
            for number, unit in enumerate(self.setting.units)
            if unit and has(marks[number // per_side], number % per_side)
        ]


def recorded_state(state: Json, objective_ids: list[str]) -> dict[str, Any]:
    """The same fields of a recorded state; an objective not yet evaluated counts as nobody's."""
    return {
        "turn": state["turn"],
        "player": state["player"],
        "phase": state["phase"],
        "fight_sub": None if state["game_over"] else state["fight_sub"],
        "units": {row[0]: (row[1], row[2], row[3], bool(row[4])) for row in state["units"]},
        "marks": {mark: sorted(state["marks"][mark]) for mark in MARKS},
        "control": {objective: state["control"].get(objective) for objective in objective_ids},
        "vp": state["vp"],
        "game_over": state["game_over"],
    }
