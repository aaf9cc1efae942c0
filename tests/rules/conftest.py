"""A table to play on: a game set up from a listed position, played by action names, with scripted dice.

    table = play("^1 Intercessor 4,10", "v2 Hormagaunt 16,10", walls="10,7 9,9")
    table.skip_to("shoot")
    table.play("1", 4, "hit 5, wound 2 | hit 1")

``^`` is a unit of player 1, ``v`` one of player 2, as the text board draws them. Micro actions are numbers: 0 to 3
move, 4 to 8 target slots, 9 charge, 10 fight, 11 wait, 12 advance. Dice name what each is rolled for; a table that has
been given dice rolls no others, and complains about dice it did not need.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba import config

from w40k_marl.content.definitions import GameRules
from w40k_marl.content.game_rules import load_game_rules
from w40k_marl.content.scenario import build_scenario
from w40k_marl.content.world import build_setting
from w40k_marl.env.events import Event, describe_event
from w40k_marl.rules import board as board_tables
from w40k_marl.rules import engine, replay
from w40k_marl.rules.dice import PURPOSES
from w40k_marl.rules.state import FIGHT_STAGES, NOBODY, PHASES, WIN_METHODS, new_games
from w40k_marl.rules.turn import acting_side, eligible

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
WAIT, ADVANCE, CHARGE, FIGHT = 11, 12, 9, 10
Hex = tuple[int, int]


def hexes(text: str) -> list[list[int]]:
    """``"10,7 9,9"`` as a list of pairs."""
    return [[int(number) for number in pair.split(",")] for pair in text.split()]


def unit_entry(line: str) -> dict[str, Any]:
    """``"^1 Intercessor 4,10"`` as a unit of a scenario file."""
    sign, kind, place = line.split()
    col, row = hexes(place)[0]
    return {"id": sign[1:], "unit_type": kind, "player": "^v".index(sign[0]) + 1, "col": col, "row": row}


def parse_dice(text: str) -> list[tuple[str, int]]:
    """``"hit 5, wound 2 | save 3"`` as purposes and faces; ``|`` only helps the reader."""
    rolls = [part.split() for part in text.replace("|", ",").split(",") if part.strip()]
    return [(purpose, int(face)) for purpose, face in rolls]


class Table:
    """One game, its units by id and its actions by number."""

    def __init__(
        self,
        *units: str,
        board: Hex = (25, 21),
        walls: str = "",
        objectives: dict[str, str] | None = None,
        decisions: str = "reference",
        types: dict[str, Any] | None = None,
        weapons: dict[str, Any] | None = None,
        scoring: list[dict[str, Any]] | None = None,
        max_turns: int | None = None,
        capacity: Hex = (16, 8),
        seed: int = 0,
        weapon_rules: str = "reference",
    ) -> None:
        cols, rows = board
        corner = f"0,{rows - 1}"
        data: dict[str, Any] = {
            "board": {"cols": cols, "rows": rows},
            "units": [unit_entry(line) for line in units],
            "wall_hexes": hexes(walls),
            "objectives": [
                {"id": name, "hexes": hexes(where)} for name, where in (objectives or {"corner": corner}).items()
            ],
            "custom_unit_types": types or {},
            "custom_weapons": weapons or {},
            "primary_objectives": [entry["id"] for entry in scoring] if scoring else "objectives_control",
            "primary_objective_configs": scoring or [],
        }
        rules: GameRules = load_game_rules(None)
        self.setting = build_setting(
            build_scenario(data, name="table"),
            rules,
            units_per_side=capacity[0],
            objectives=capacity[1],
            decisions=decisions,
            max_turns=max_turns,
            weapon_rules=weapon_rules,
        )
        self.units_per_side = capacity[0]
        self.games = new_games(1, *capacity)
        assert engine.reset(*self.arguments, np.uint64(seed)) == engine.ACCEPTED

    # --- where things are -------------------------------------------------------------------------------------

    @property
    def arguments(self) -> tuple[Any, Any, Any, int]:
        """World, board, games, row: what the functions of the rules take first."""
        return self.setting.worlds, self.setting.board, self.games, 0

    @property
    def game(self) -> Any:
        return self.games[0]

    def number(self, unit: str) -> int:
        return self.setting.number_of[unit]

    def id(self, number: int) -> str:
        unit = self.setting.units[number]
        assert unit is not None
        return unit.id

    def ids(self, numbers: Iterable[int]) -> list[str]:
        return [self.id(int(number)) for number in numbers]

    def members(self, side: int, members: Any) -> list[str]:
        base = side * self.units_per_side
        return [self.id(base + slot) for slot in range(self.units_per_side) if int(members) >> slot & 1]

    def hex(self, unit: str) -> Hex:
        place = int(self.game.hexes[self.number(unit)])
        return place >> 6, place & 63

    def hp(self, unit: str) -> int:
        return int(self.game.hit_points[self.number(unit)])

    def living(self) -> list[str]:
        return self.members(0, self.game.alive[0]) + self.members(1, self.game.alive[1])

    def marked(self, mark: str) -> list[str]:
        marks = getattr(self.game, mark)
        return self.members(0, marks[0]) + self.members(1, marks[1])

    def control(self) -> list[int]:
        return [int(self.game.control[index]) for index in range(len(self.setting.scenario.objectives))]

    def points(self) -> tuple[int, int]:
        return int(self.game.victory_points[0]), int(self.game.victory_points[1])

    def selected_weapon(self, unit: str) -> int:
        return int(self.game.selected_weapon[self.number(unit)])

    @property
    def over(self) -> bool:
        return bool(self.game.over)

    @property
    def result(self) -> tuple[int, str]:
        return int(self.game.winner), WIN_METHODS[int(self.game.win_method)]

    @property
    def phase(self) -> str:
        return PHASES[int(self.game.phase)]

    @property
    def stage(self) -> str:
        return FIGHT_STAGES[int(self.game.fight_stage)]

    @property
    def turn(self) -> int:
        return int(self.game.turn)

    @property
    def player(self) -> int:
        """Whose turn it is."""
        return int(self.game.side) + 1

    @property
    def where(self) -> tuple[int, int, str]:
        """Turn, player and phase."""
        return self.turn, self.player, self.phase

    def pool(self) -> list[str]:
        return [] if self.over else self.members(acting_side(self.game), eligible(self.game))

    def actions(self) -> list[int]:
        """Every legal action, as the engine numbers them."""
        mask = np.empty(self.units_per_side + 13, dtype=np.int8)
        engine.legal_mask(self.setting.worlds, self.games, 0, mask)
        return [int(action) for action in np.flatnonzero(mask)]

    def mask(self) -> set[int]:
        """The legal micro actions of the active unit."""
        assert self.game.active != NOBODY, "select a unit first"
        return {action - self.units_per_side for action in self.actions()}

    def targets(self) -> list[str]:
        """The active unit's target list, in slot order."""
        return self.ids(self.game.targets[: self.game.target_count])

    def events(self, *names: str) -> list[Event]:
        """Events of the last step, all or those of some names."""
        rows = self.game.events[: self.game.event_count]
        found = [describe_event(self.setting, row.tolist()) for row in rows]
        return [event for event in found if not names or event["event"] in names]

    def destinations(self, unit: str, reach: int | None = None) -> list[Hex]:
        """Where a unit may move, or advance with a roll, in path order."""
        if reach is None:
            found = replay.move_destinations(*self.arguments, self.number(unit))
        else:
            found = replay.advance_destinations(*self.arguments, self.number(unit), reach)
        return [(int(place) >> 6, int(place) & 63) for place in found]

    def shooting_list(self, unit: str) -> list[str]:
        """The target list of a unit at this moment, while nobody is active."""
        return self.ids(replay.shooting_targets(*self.arguments, self.number(unit)))

    # --- playing ----------------------------------------------------------------------------------------------

    def try_step(self, action: int) -> int:
        return int(engine.step(*self.arguments, action))

    def step(self, action: int) -> None:
        answer = self.try_step(action)
        assert answer == engine.ACCEPTED, f"action {action} refused ({answer}), legal: {self.actions()}"

    def select(self, unit: str) -> None:
        self.step(self.number(unit) % self.units_per_side)

    def act(self, micro: int, dice: str | None = None) -> list[Event]:
        """A micro action of the active unit, with exactly these dice if any are given; returns the events."""
        if dice is not None:
            self.script(dice)
        self.step(self.units_per_side + micro)
        if dice is not None:
            self.all_dice_used()
        return self.events()

    def play(self, unit: str, micro: int, dice: str | None = None) -> list[Event]:
        """Select a unit, then act."""
        self.select(unit)
        return self.act(micro, dice)

    def script(self, dice: str) -> None:
        rolls = parse_dice(dice)
        faces = np.array([face for _, face in rolls], dtype=np.int8)
        purposes = np.array([PURPOSES.index(purpose) for purpose, _ in rolls], dtype=np.int8)
        replay.record_dice(self.games, 0, faces, purposes)

    def all_dice_used(self) -> None:
        refused = PURPOSES[int(self.game.dice_refused)]
        assert not refused, f"a die for {refused} that was not scripted"
        assert self.game.recorded_used == self.game.recorded_count, "scripted dice were not rolled"

    def skip_to(self, phase: str, player: int | None = None, turn: int | None = None) -> None:
        """Wait (or fight) with every unit until a phase begins; at least one step is not needed."""
        while not self.over:
            if phase == self.phase and player in (None, self.player) and turn in (None, self.turn):
                return
            self.skip_one()
        raise AssertionError(f"the game ended before {turn=} {player=} {phase=}")

    def skip_one(self) -> None:
        """The first legal unit waits, or fights where it cannot."""
        if self.game.active == NOBODY:
            self.step(self.actions()[0])
        self.act(WAIT if WAIT in self.mask() else FIGHT)

    def finish(self) -> None:
        """Wait to the end of the game."""
        while not self.over:
            self.skip_one()

    def strike(self, unit: str, target: str, dice: str, slot: int = 0) -> None:
        """One melee attack, forced as a replay does."""
        self._forced(
            dice, lambda: replay.force_strike(self.setting.worlds, self.games, 0, slot, self.number(target)), unit
        )

    def shot(self, unit: str, target: str, dice: str) -> None:
        """One shot with the weapon chosen last, forced as a replay does."""
        self._forced(dice, lambda: replay.force_shot(self.setting.worlds, self.games, 0, self.number(target)), unit)

    def _forced(self, dice: str, choice: Callable[[], int], unit: str) -> None:
        assert replay.force_activation(*self.arguments, self.number(unit)) == replay.DONE
        self.script(dice)
        assert replay.ANSWERS[choice()] == "done"
        self.all_dice_used()

    def end(self) -> None:
        """End the open activation, forced as a replay does."""
        assert replay.force_end(*self.arguments) == replay.DONE


def _sight_by_arrays(board: Any, rows: int, walls: Any) -> None:
    """What ``board.fill_sight`` writes, for all pairs of hexes at once: it is slow as ordinary Python."""
    cols = board.shape[1] - 1
    col, row = (axis.ravel() for axis in np.meshgrid(np.arange(cols), np.arange(rows), indexing="ij"))
    a = np.stack([col, -col - (row - (col >> 1)), row - (col >> 1)])[:, :, None].astype(float)  # cubes: x, y, z
    b = a.transpose(0, 2, 1)
    steps = np.abs(a - b).max(axis=0)
    blocked = np.zeros(steps.shape, dtype=bool)
    wall = np.array([[int(walls[c]) >> r & 1 for r in range(rows)] for c in range(cols)], dtype=bool)
    for i in range(1, int(steps.max())):
        v = a + (i / np.maximum(steps, 1)) * (b - a)
        x, y, z = np.rint(v)
        ex, ey, ez = np.abs(np.rint(v) - v)
        x, z = (
            np.where((ex > ey) & (ex > ez), -y - z, x).astype(int),
            np.where(~((ex > ey) & (ex > ez)) & (ey <= ez), -x - y, z).astype(int),
        )
        level = z + (x >> 1)
        inside = (x >= 0) & (x < cols) & (level >= 0) & (level < rows) & (i < steps)
        blocked[inside] |= wall[x[inside], level[inside]]
    for viewer, seen in np.argwhere(~blocked):
        board[col[viewer] * 64 + row[viewer], col[seen]] |= np.uint64(1 << int(row[seen]))


@pytest.fixture(autouse=True, scope="session")
def _quick_boards() -> Iterator[None]:
    """Without the compiler, boards of more than 150 hexes are worked out by arrays; small ones by the rules."""
    if not config.DISABLE_JIT:
        yield
        return
    original = board_tables.fill_sight

    def fill(board: Any, rows: int, walls: Any) -> None:
        (original if (board.shape[1] - 1) * rows <= 150 else _sight_by_arrays)(board, rows, walls)

    board_tables.fill_sight = fill
    yield
    board_tables.fill_sight = original


@pytest.fixture
def play() -> type[Table]:
    """Set a position up: ``play("^1 Intercessor 4,10", "v2 Hormagaunt 16,10", decisions="agent")``."""
    return Table


def load_script(path: Path) -> ModuleType:
    """A program of this checkout as a module."""
    if path.stem in sys.modules:
        return sys.modules[path.stem]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def make_perft() -> ModuleType:
    """``make_perft.py`` as a module."""
    return load_script(HERE / "make_perft.py")


@pytest.fixture(scope="session")
def weapon() -> Callable[..., dict[str, Any]]:
    """A weapon entry of a scenario: ``weapon(range=12, attacks=2, hit=3, strength=4)``, the rest plain."""

    def entry(
        attacks: int | str = 1,
        hit: int = 3,
        strength: int = 4,
        ap: int = 0,
        damage: int | str = 1,
        range: int | None = None,  # noqa: A002
        rules: tuple[str, ...] = (),
        combi: str | None = None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = {
            "display_name": "test weapon",
            "NB": attacks,
            "ATK": hit,
            "STR": strength,
            "AP": ap,
            "DMG": damage,
            "WEAPON_RULES": list(rules),
        }
        if range is not None:
            found["RNG"] = range
        if combi is not None:
            found["COMBI_WEAPON"] = combi
        return found

    return entry


@pytest.fixture
def sight_by_arrays() -> Callable[[Any, int, Any], None]:
    """The stand-in for ``board.fill_sight`` where the compiler is off."""
    return _sight_by_arrays
