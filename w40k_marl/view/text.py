"""The board as text: two lines for each row of hexes, odd columns half a hex lower.

``^7`` is unit 7 of player 1, ``v7`` of player 2, ``###`` a wall, ``:3:`` a free hex of objective 3;
``!`` follows the active unit. A board that is wider than the text is drawn in parts, one below the
other.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import numpy as np

from ..content.types import Unit
from ..content.world import Setting
from ..rules.bits import has
from ..rules.state import FIGHT_STAGES, NO_STAGE, NOBODY, PHASES, WIN_METHODS, Game
from ..rules.turn import acting_side, eligible

WIDTH = 80
"""Columns of a usual terminal; the default board with 25 columns of hexes takes 79."""

_MARKS = ("moved", "fled", "advanced", "shot", "charged", "fought")
_CELL = 3  # text columns per hex column; a line shows every second hex, so a hex has twice this width
_LABEL = 4  # text columns for a row number
_SIDES = "^v"

Cells = dict[tuple[int, int], str]


def draw(setting: Setting, game: Game, width: int = WIDTH) -> str:
    """Return a game as a text board with headline, objectives and rosters, at most ``width``
    columns wide.
    """
    above = _wrapped(_headline(setting, game, width), width)
    below = _wrapped([*_objectives(setting, game), *_rosters(setting, game)], width)
    return "\n".join([*above, *_board(setting, game, width), *below])


def _wrapped(lines: list[str], width: int) -> list[str]:
    parts = (textwrap.wrap(line, width, subsequent_indent="    ", break_on_hyphens=False) for line in lines)
    return [part for line in parts for part in line]


def _headline(setting: Setting, game: Game, width: int) -> list[str]:
    """Return turn, phase and victory points: one line, or two if one is too short."""
    points = f"victory points {game.victory_points[0]} : {game.victory_points[1]}"
    place = f"{setting.scenario.name}, turn {game.turn} of {setting.world.max_turns}, player {game.side + 1}"
    if game.over:
        winner = f"player {game.winner} wins" if game.winner else "nobody wins"
        state = f"over, {winner} by {WIN_METHODS[int(game.win_method)]}"
    else:
        stage = "" if game.fight_stage == NO_STAGE else f" ({FIGHT_STAGES[int(game.fight_stage)]})"
        state = f"{PHASES[int(game.phase)]} phase{stage}, player {acting_side(game) + 1} to act"
    whole = f"{place}: {state}, {points}"
    return [whole] if len(whole) <= width else [f"{place}: {state}", points]


def _board(setting: Setting, game: Game, width: int) -> Iterator[str]:
    """Return the lines of the board, as many columns of hexes side by side as the width allows."""
    scenario, cells = setting.scenario, _cells(setting, game)
    longest = max((len(text) for text in cells.values()), default=0)
    cell = max(_CELL, longest // 2 + 1)  # at least one blank between two hexes of a line
    side_by_side = max(2, (width - _LABEL) // cell // 2 * 2)
    if scenario.cols * cell + _LABEL <= width:
        side_by_side = scenario.cols
    for first in range(0, scenario.cols, side_by_side):
        yield from _part(cells, range(first, min(first + side_by_side, scenario.cols)), scenario.rows, cell)


def _cells(setting: Setting, game: Game) -> Cells:
    """Return the content of each hex that is not empty, by column and row."""
    scenario = setting.scenario
    cells = {place: f":{objective.id[:1]}:" for objective in scenario.objectives for place in objective.hexes}
    cells.update(dict.fromkeys(scenario.walls, "###"))
    for number, unit in _living(setting, game):
        place = int(game.hexes[number])
        active = "!" if number == game.active else ""
        cells[place >> 6, place & 63] = f"{_SIDES[unit.player - 1]}{unit.id}{active}"
    return cells


def _part(cells: Cells, cols: range, rows: int, cell: int) -> Iterator[str]:
    """Return the lines of some columns, with column numbers above and row numbers at the side."""
    numbered = cols if len(str(cols[-1])) < cell else cols[::2]
    yield (" " * _LABEL + "".join(f"{col:<{cell * numbered.step}}" for col in numbered)).rstrip()
    for half in range(2 * rows):
        row, lower = divmod(half, 2)
        label = " " * _LABEL if lower else f"{row:>3} "
        hexes = (f"{cells.get((col, row), '.'):<{2 * cell}}" for col in cols if col & 1 == lower)
        yield (label + " " * (cell * lower) + "".join(hexes)).rstrip()


def _living(setting: Setting, game: Game) -> list[tuple[int, Unit]]:
    units = enumerate(setting.units)
    return [(number, unit) for number, unit in units if unit and game.hit_points[number] > 0]


def _objectives(setting: Setting, game: Game) -> list[str]:
    held = ("nobody", "player 1", "player 2")
    names = [
        f"{objective.id} {objective.name}: {held[int(game.control[index])]}"
        for index, objective in enumerate(setting.scenario.objectives)
    ]
    return ["objectives  " + ", ".join(names)]


def _rosters(setting: Setting, game: Game) -> list[str]:
    per_side = int(setting.world.units_per_side)
    choosing = not game.over and game.active == NOBODY
    width = max(5, *(len(unit.id) + 2 for unit in setting.units if unit))
    lines = []
    for number, unit in enumerate(setting.units):
        if unit is None:
            continue
        side, slot = divmod(number, per_side)
        marks = [mark for mark in _MARKS if has(getattr(game, mark)[side], slot)]
        if choosing and side == acting_side(game) and has(np.uint64(eligible(game)), slot):
            marks.append("may act")
        hit_points = int(game.hit_points[number])
        health = f"{hit_points}/{unit.type.hit_points}" if hit_points else "dead"
        name = f"{_SIDES[side]}{unit.id}"
        lines.append(f"{name:<{width}}{unit.type.name:<28}{health:<6}{', '.join(marks)}".rstrip())
    return lines
