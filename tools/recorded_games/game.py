"""A recorded game on our engine: forced choices, dice by purpose, our state in the recording's
terms.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w40k_marl.content.types import Weapon
from w40k_marl.content.world import Setting
from w40k_marl.env.loading import prepare_scenario
from w40k_marl.env.options import GameOptions
from w40k_marl.observe.layout import Layout
from w40k_marl.rules import engine
from w40k_marl.rules.board import Board
from w40k_marl.rules.dice import PURPOSES
from w40k_marl.rules.events import ATTACKED
from w40k_marl.rules.state import (
    FIGHT_STAGES,
    MAX_UNITS_PER_SIDE,
    MAX_WEAPONS,
    MELEE,
    NOBODY,
    PHASES,
    WIN_METHODS,
    Game,
    Games,
    Worlds,
    new_games,
)
from w40k_marl.testing import forcing

from .trace import Json, Trace, game_rules_of, scenario_of

MARKS = ("moved", "fled", "advanced", "charged", "fought")
"""The marks that are compared; *shot* is not among them (D1)."""

_SMALL, _SMALL_OBJECTIVES = 16, 8


class ReplayedGame:
    """Our engine at the start of a recorded game, with ``decisions="reference"``."""

    def __init__(self, trace: Trace) -> None:
        """Build board, units and weapons from the header and reset."""
        scenario = scenario_of(trace.header)
        largest = max(sum(unit.player == player for unit in scenario.units) for player in (1, 2))
        small = largest <= _SMALL and len(scenario.objectives) <= _SMALL_OBJECTIVES
        units, objectives = (_SMALL, _SMALL_OBJECTIVES) if small else (MAX_UNITS_PER_SIDE, MAX_UNITS_PER_SIDE)
        options = GameOptions(
            game_rules=game_rules_of(trace.header), layout=Layout(units, objectives), decisions="reference"
        )
        self.setting: Setting = prepare_scenario(scenario, options).setting
        self.games: Games = new_games(1, units, objectives)
        self.board: Board = self.setting.board
        if not trace.header["scenario"]["walls_stop_movement"]:
            self.board = without_walls(self.board)
        engine.reset(*self.arguments, np.uint64(0))
        self.objective_ids = [objective.id for objective in scenario.objectives]

    def copy(self, board: Board | None = None) -> ReplayedGame:
        """Return a copy for further play, on another board if one is given; this game does not
        change.
        """
        twin = copy.copy(self)
        twin.games = self.games.copy()
        twin.board = self.board if board is None else board
        return twin

    @property
    def arguments(self) -> tuple[Worlds, Board, Games, int]:
        """The first arguments of most functions of the rules."""
        return self.setting.worlds, self.board, self.games, 0

    @property
    def game(self) -> Game:
        """The one row."""
        return self.games[0]

    def number(self, unit_id: str) -> int:
        """Return the number of a unit; -1 for an id that is not in the game."""
        return self.setting.number_of.get(unit_id, -1)

    def id_of(self, number: int) -> str | None:
        """Return the id of a unit, None for NOBODY."""
        unit = self.setting.units[number] if number != NOBODY else None
        return None if unit is None else unit.id

    def ids(self, numbers: Iterable[int]) -> list[str]:
        """Ids of units."""
        return [str(self.id_of(int(number))) for number in numbers]

    def numbers(self, side: int, slots: int) -> list[int]:
        """Numbers of a set of units of a side, in roster order."""
        first = side * int(self.setting.world.units_per_side)
        return [first + slot for slot in range(slots.bit_length()) if slots >> slot & 1]

    def members(self, side: int, slots: int) -> list[str]:
        """Ids of a set of units of a side, in roster order."""
        return self.ids(self.numbers(side, slots))

    def living(self, side: int) -> list[int]:
        """Numbers of the living units of a side, in roster order."""
        return self.numbers(side, int(self.game.alive[side]))

    def listed_targets(self) -> list[str]:
        """Ids of the active unit's targets, in slot order."""
        return self.ids(self.game.targets[: self.game.target_count])

    def weapons(self, unit_id: str, kind: int) -> tuple[Weapon, ...]:
        """The ranged or melee weapons of a unit, by slot."""
        unit = self.setting.units[self.number(unit_id)]
        if unit is None:
            return ()
        return unit.type.melee if kind == MELEE else unit.type.ranged

    def hand_out(self, draws: list[Json]) -> None:
        """Give these recorded dice to the engine, each for its purpose."""
        faces = np.array([min(draw["v"], 127) for draw in draws], dtype=np.int8)
        purposes = np.array([PURPOSES.index(draw["for"]) for draw in draws], dtype=np.int8)
        forcing.record_dice(self.games, 0, faces, purposes)

    def dice_problem(self) -> str | None:
        """Return the problem with the last dice: one was refused, or some were not used."""
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
        """Return the fields that level A compares, in the recording's terms."""
        game = self.game
        return {
            "turn": int(game.turn),
            "player": int(game.side) + 1,
            "phase": PHASES[int(game.phase)],
            "fight_sub": None if game.fight_stage == 0 or game.over else FIGHT_STAGES[int(game.fight_stage)],
            "units": {unit.id: self._unit(number) for number, unit in enumerate(self.setting.units) if unit},
            "marks": {mark: sorted(self._marked(getattr(game, mark))) for mark in MARKS},
            "control": {
                objective: int(game.control[index]) or None for index, objective in enumerate(self.objective_ids)
            },
            "vp": {"1": int(game.victory_points[0]), "2": int(game.victory_points[1])},
            "game_over": bool(game.over),
        }

    def result(self) -> tuple[int | None, str | None]:
        """Return winner (-1 for a draw) and method in the recording's terms; (None, None) during a
        game.
        """
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

    def _marked(self, marks: NDArray[np.uint64]) -> list[str]:
        return self.members(0, int(marks[0])) + self.members(1, int(marks[1]))


def without_walls(board: Board) -> Board:
    """Return the same board with every hex open; sight does not change (D8)."""
    opened = board.copy()
    opened[-2] = opened[-1]
    opened.setflags(write=False)  # the rules are compiled for read-only boards
    return opened


def recorded_state(state: Json, objective_ids: list[str]) -> dict[str, Any]:
    """Return the same fields of a recorded state; an objective not yet evaluated has no controller."""
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
