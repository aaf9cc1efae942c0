"""A game from a drawn position, played by unit ids, with given dice.

>>> table = Table("^1 Intercessor 4,10", "v2 Carnifex 12,10", walls="10,7") >>>
table.skip_to("shoot") >>> table.play("1", 4, "hit 5, wound 6, save 2 | hit 5, wound 2 | hit 1 | hit
1")

``^`` marks a unit of player 1, ``v`` a unit of player 2, as on the text board. ``docs/testing.md``
has more examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ..content.scenario import build_scenario
from ..env.events import Event, describe_event
from ..env.loading import prepare_scenario
from ..env.options import GameKeywords, GameOptions
from ..rules import engine
from ..rules.actions import FIGHT_ACTION, MICRO_COUNT, WAIT
from ..rules.board import Board
from ..rules.dice import PURPOSES
from ..rules.state import FIGHT_STAGES, NOBODY, PHASES, WIN_METHODS, Games, Worlds, new_games
from ..rules.turn import acting_side, eligible
from . import forcing

Hex = tuple[int, int]
"""Column and row."""


class Table:
    """One game set up from a position.

    Units are identified by their ids, micro actions by their numbers: 0 to 3 move, 4 to 8 target
    slots, 9 charge, 10 fight, 11 wait, 12 advance. Every method that plays raises AssertionError if
    the action is illegal, if a die is rolled that was not given, or if a given die was not rolled.
    """

    def __init__(
        self,
        *units: str,
        board: Hex = (25, 21),
        walls: str = "",
        objectives: Mapping[str, str] | None = None,
        types: Mapping[str, Any] | None = None,
        weapons: Mapping[str, Any] | None = None,
        scoring: Sequence[dict[str, Any]] | None = None,
        seed: int = 0,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Set up the position and begin the game.

                ``units`` are lines ``"^ID TYPE COLUMN,ROW"``; ``walls`` and the hexes of each of the
        ``objectives`` are pairs such as ``"10,7 9,9"``. ``types``, ``weapons`` and ``scoring`` are
        entries of a scenario file, ``options`` are those of ``GameOptions``, with
        ``decisions="reference"`` by default. Raises ContentError if the position is not a valid
        scenario or does not fit the options.
        """
        cols, rows = board
        corner = f"0,{rows - 1}"
        data: dict[str, Any] = {
            "board": {"cols": cols, "rows": rows},
            "units": [_unit_entry(line) for line in units],
            "wall_hexes": _hexes(walls),
            "objectives": [
                {"id": name, "hexes": _hexes(pairs)} for name, pairs in (objectives or {"corner": corner}).items()
            ],
            "custom_unit_types": dict(types or {}),
            "custom_weapons": dict(weapons or {}),
            "primary_objectives": [entry["id"] for entry in scoring] if scoring else "objectives_control",
            "primary_objective_configs": list(scoring or []),
        }
        keywords: GameKeywords = {"decisions": "reference", **options}
        game_options = GameOptions.of(**keywords)
        self.setting = prepare_scenario(build_scenario(data, name="table"), game_options).setting
        self.units_per_side = game_options.layout.units_per_side
        self.games: Games = new_games(1, self.units_per_side, game_options.layout.objectives)
        _expect(engine.reset(*self.arguments, np.uint64(seed)) == engine.ACCEPTED, "no room to deploy the units")

    # --- the position ---------------------------------------------------------------------------------------

    @property
    def arguments(self) -> tuple[Worlds, Board, Games, int]:
        """World, board, games and index of the game: the first arguments of the functions in ``forcing``."""
        return self.setting.worlds, self.setting.board, self.games, 0

    @property
    def game(self) -> Any:
        """The record of the game (``rules.state``)."""
        return self.games[0]

    def number(self, unit: str) -> int:
        """Number of a unit in the arrays of the rules."""
        return self.setting.number_of[unit]

    def id(self, number: int) -> str:
        """Id of a unit number. Raises AssertionError for an empty slot."""
        unit = self.setting.units[number]
        if unit is None:
            raise AssertionError(f"unit number {number}: expected a unit, got an empty slot")
        return unit.id

    def ids(self, numbers: Iterable[int]) -> list[str]:
        """Ids of several unit numbers."""
        return [self.id(int(number)) for number in numbers]

    def members(self, side: int, members: Any) -> list[str]:
        """Ids of the units of a side (0 or 1) in a set of roster slots, given as bits."""
        base = side * self.units_per_side
        return [self.id(base + slot) for slot in range(self.units_per_side) if int(members) >> slot & 1]

    def hex(self, unit: str) -> Hex:
        """Column and row of a unit."""
        hex_id = int(self.game.hexes[self.number(unit)])
        return hex_id >> 6, hex_id & 63

    def hp(self, unit: str) -> int:
        """Hit points of a unit."""
        return int(self.game.hit_points[self.number(unit)])

    def living(self) -> list[str]:
        """Ids of the living units, player 1's first."""
        return self.members(0, self.game.alive[0]) + self.members(1, self.game.alive[1])

    def marked(self, mark: str) -> list[str]:
        """Ids of the units in one of the record's sets, such as ``"charged"``."""
        marks = getattr(self.game, mark)
        return self.members(0, marks[0]) + self.members(1, marks[1])

    def control(self) -> list[int]:
        """Player who controls each objective: 0 none, 1 or 2."""
        return [int(self.game.control[index]) for index in range(len(self.setting.scenario.objectives))]

    def points(self) -> tuple[int, int]:
        """Victory points of both players."""
        return int(self.game.victory_points[0]), int(self.game.victory_points[1])

    def selected_weapon(self, unit: str) -> int:
        """Slot of the ranged weapon that a unit has selected."""
        return int(self.game.selected_weapon[self.number(unit)])

    @property
    def over(self) -> bool:
        """True if the game has ended."""
        return bool(self.game.over)

    @property
    def result(self) -> tuple[int, str]:
        """Winner (0 for a draw) and the method that decided the game."""
        return int(self.game.winner), WIN_METHODS[int(self.game.win_method)]

    @property
    def phase(self) -> str:
        """Name of the phase."""
        return PHASES[int(self.game.phase)]

    @property
    def stage(self) -> str:
        """Name of the stage of the fight phase."""
        return FIGHT_STAGES[int(self.game.fight_stage)]

    @property
    def turn(self) -> int:
        """Number of the turn, from 1."""
        return int(self.game.turn)

    @property
    def player(self) -> int:
        """Player (1 or 2) whose turn it is."""
        return int(self.game.side) + 1

    @property
    def where(self) -> tuple[int, int, str]:
        """Turn, player and phase."""
        return self.turn, self.player, self.phase

    def pool(self) -> list[str]:
        """Ids of the units in the activation pool; empty if the game is over."""
        return [] if self.over else self.members(acting_side(self.game), eligible(self.game))

    def actions(self) -> list[int]:
        """Every legal action in the engine's numbering, ascending."""
        mask = np.empty(self.units_per_side + MICRO_COUNT, dtype=np.int8)
        engine.legal_mask(self.setting.worlds, self.games, 0, mask)
        return [int(action) for action in np.flatnonzero(mask)]

    def mask(self) -> set[int]:
        """The legal micro actions of the active unit. Raises AssertionError if no unit is active."""
        _expect(self.game.active != NOBODY, "select a unit first")
        return {action - self.units_per_side for action in self.actions()}

    def targets(self) -> list[str]:
        """The active unit's target list, in slot order."""
        return self.ids(self.game.targets[: self.game.target_count])

    def events(self, *names: str) -> list[Event]:
        """Events of the last step: all, or those with one of these names."""
        rows = self.game.events[: self.game.event_count]
        found = [describe_event(self.setting, row.tolist()) for row in rows]
        return [event for event in found if not names or event["event"] in names]

    def destinations(self, unit: str, reach: int | None = None) -> list[Hex]:
        """Hexes where a unit may move, or advance if ``reach`` is its roll, in path order."""
        found: NDArray[np.int64]
        if reach is None:
            found = forcing.move_destinations(*self.arguments, self.number(unit))
        else:
            found = forcing.advance_destinations(*self.arguments, self.number(unit), reach)
        return [(int(hex_id) >> 6, int(hex_id) & 63) for hex_id in found]

    def shooting_list(self, unit: str) -> list[str]:
        """Target list that a unit would have now; no unit may be active."""
        return self.ids(forcing.shooting_targets(*self.arguments, self.number(unit)))

    # --- play -----------------------------------------------------------------------------------------------

    def try_step(self, action: int) -> int:
        """Take an action in the engine's numbering; return ``engine.ACCEPTED`` or the reason for
        rejection.
        """
        return int(engine.step(*self.arguments, action))

    def step(self, action: int) -> None:
        """Take a legal action in the engine's numbering."""
        result = self.try_step(action)
        _expect(result == engine.ACCEPTED, f"action {action} refused ({result}), legal: {self.actions()}")

    def select(self, unit: str) -> None:
        """Select a unit: opens its activation."""
        self.step(self.number(unit) % self.units_per_side)

    def act(self, micro: int, dice: str | None = None) -> list[Event]:
        """Take a micro action of the active unit, with exactly these dice if given; return the
        events.
        """
        if dice is not None:
            self.script(dice)
        self.step(self.units_per_side + micro)
        if dice is not None:
            self.all_dice_used()
        return self.events()

    def play(self, unit: str, micro: int, dice: str | None = None) -> list[Event]:
        """Select a unit, then act; return the events of the action."""
        self.select(unit)
        return self.act(micro, dice)

    def script(self, dice: str) -> None:
        """Set the next dice, such as ``"hit 5, wound 2 | save 3"``; from now on no other dice are
        rolled.
        """
        rolls = _parse_dice(dice)
        faces = np.array([face for _, face in rolls], dtype=np.int8)
        purposes = np.array([PURPOSES.index(purpose) for purpose, _ in rolls], dtype=np.int8)
        forcing.record_dice(self.games, 0, faces, purposes)

    def all_dice_used(self) -> None:
        """Raise AssertionError unless exactly the dice of ``script`` were rolled."""
        refused = PURPOSES[int(self.game.dice_refused)]
        _expect(not refused, f"a die for {refused} was rolled that was not given")
        _expect(self.game.recorded_used == self.game.recorded_count, "some of the given dice were not rolled")

    def skip_to(self, phase: str, player: int | None = None, turn: int | None = None) -> None:
        """Wait (or fight) with every unit until the phase, the player's turn or the turn begins."""
        while not self.over:
            if phase == self.phase and player in (None, self.player) and turn in (None, self.turn):
                return
            self.skip_one()
        raise AssertionError(f"the game ended before {turn=} {player=} {phase=}")

    def skip_one(self) -> None:
        """Wait with the first unit of the pool, or fight if it cannot wait."""
        if self.game.active == NOBODY:
            self.step(self.actions()[0])
        self.act(WAIT if WAIT in self.mask() else FIGHT_ACTION)

    def finish(self) -> None:
        """Wait to the end of the game."""
        while not self.over:
            self.skip_one()

    # --- forced choices -------------------------------------------------------------------------------------

    def strike(self, unit: str, target: str, dice: str, slot: int = 0) -> None:
        """Force one melee attack with the weapon in a slot, with exactly these dice."""
        worlds, _, games, row = self.arguments
        self._forced(dice, lambda: forcing.force_strike(worlds, games, row, slot, self.number(target)), unit)

    def shot(self, unit: str, target: str, dice: str) -> None:
        """Force one shot with the weapon chosen last, with exactly these dice."""
        worlds, _, games, row = self.arguments
        self._forced(dice, lambda: forcing.force_shot(worlds, games, row, self.number(target)), unit)

    def _forced(self, dice: str, choice: Callable[[], int], unit: str) -> None:
        opened = forcing.force_activation(*self.arguments, self.number(unit))
        _expect(opened == forcing.DONE, f"activation of {unit}: {forcing.RESULTS[opened]}")
        self.script(dice)
        result = choice()
        _expect(result == forcing.DONE, forcing.RESULTS[result])
        self.all_dice_used()

    def move(self, col: int, row: int) -> None:
        """Force the active unit to move to a hex it can reach."""
        result = forcing.force_move(*self.arguments, col * 64 + row)
        _expect(result == forcing.DONE, f"move to {col},{row}: {forcing.RESULTS[result]}")

    def end(self) -> None:
        """Force the end of the open activation."""
        result = forcing.force_end(*self.arguments)
        _expect(result == forcing.DONE, forcing.RESULTS[result])


def weapon_entry(
    attacks: int | str = 1,
    hit: int = 3,
    strength: int = 4,
    ap: int = 0,
    damage: int | str = 1,
    range: int | None = None,  # noqa: A002 - the word of the rules
    rules: tuple[str, ...] = (),
    combi: str | None = None,
) -> dict[str, Any]:
    """Return a weapon of ``custom_weapons`` in a scenario file: a melee weapon unless ``range`` is given."""
    entry: dict[str, Any] = {
        "display_name": "test weapon",
        "NB": attacks,
        "ATK": hit,
        "STR": strength,
        "AP": ap,
        "DMG": damage,
        "WEAPON_RULES": list(rules),
    }
    if range is not None:
        entry["RNG"] = range
    if combi is not None:
        entry["COMBI_WEAPON"] = combi
    return entry


def _expect(holds: bool, problem: str) -> None:
    """Raise AssertionError unless the condition holds; unlike ``assert`` also under ``python -O``."""
    if not holds:
        raise AssertionError(problem)


def _hexes(text: str) -> list[list[int]]:
    """``"10,7 9,9"`` as a list of pairs."""
    return [[int(number) for number in pair.split(",")] for pair in text.split()]


def _unit_entry(line: str) -> dict[str, Any]:
    """``"^1 Intercessor 4,10"`` as a unit of a scenario file."""
    sign, unit_type, pair = line.split()
    ((col, row),) = _hexes(pair)
    player = "^v".index(sign[0]) + 1
    return {"id": sign[1:], "unit_type": unit_type, "player": player, "col": col, "row": row}


def _parse_dice(text: str) -> list[tuple[str, int]]:
    """``"hit 5, wound 2 | save 3"`` as purposes and faces; ``|`` separates like a comma."""
    rolls = [part.split() for part in text.replace("|", ",").split(",") if part.strip()]
    return [(purpose, int(face)) for purpose, face in rolls]
