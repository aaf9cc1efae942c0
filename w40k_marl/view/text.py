"""The board as text: two lines for each row of hexes, odd columns half a hex lower.

``^7`` is unit 7 of player 1, ``v7`` of player 2, ``###`` a wall, ``:3:`` a free hex of objective 3; the active unit
is followed by ``!``.
"""

from __future__ import annotations

import numpy as np

from ..content.definitions import Unit
from ..content.world import Setting
from ..rules.bits import has
from ..rules.state import FIGHT_STAGES, NO_STAGE, NOBODY, PHASES, WIN_METHODS
from ..rules.turn import acting_side, eligible

_MARKS = ("moved", "fled", "advanced", "shot", "charged", "fought")
_CELL = 4


def draw(setting: Setting, game: np.record) -> str:
    """A game as a text board with headline, objectives and rosters."""
    return "\n".join([_headline(setting, game), *_board(setting, game), *_objectives(setting, game), *_rosters(setting, game)])


def _headline(setting: Setting, game: np.record) -> str:
    points = f"victory points {game.victory_points[0]} : {game.victory_points[1]}"
    place = f"{setting.scenario.name}, turn {game.turn} of {setting.world.max_turns}, player {game.side + 1}"
    if game.over:
        winner = f"player {game.winner} wins" if game.winner else "nobody wins"
        return f"{place}: over, {winner} by {WIN_METHODS[int(game.win_method)]}, {points}"
    stage = "" if game.fight_stage == NO_STAGE else f" ({FIGHT_STAGES[int(game.fight_stage)]})"
    return f"{place}: {PHASES[int(game.phase)]} phase{stage}, player {acting_side(game) + 1} to act, {points}"


def _board(setting: Setting, game: np.record) -> list[str]:
    """Lines of the board with column numbers above and row numbers at the side."""
    scenario = setting.scenario
    cells = {hex_: "###" for hex_ in scenario.walls}
    for objective in scenario.objectives:
        cells.update({hex_: f":{objective.id[:1]}:" for hex_ in objective.hexes if hex_ not in scenario.walls})
    for number, unit in _living(setting, game):
        place = int(game.hexes[number])
        cells[place >> 6, place & 63] = f"{'^v'[unit.player - 1]}{unit.id}{'!' if number == game.active else ''}"
    lines = ["    " + "".join(f"{col:^{_CELL}}" for col in range(scenario.cols)).rstrip()]
    for half in range(2 * scenario.rows):
        row, lower = divmod(half, 2)
        label = f"{row:>3} " if not lower and row < scenario.rows else "    "
        line = "".join(_cell(cells, col, row, lower, scenario.rows) for col in range(scenario.cols))
        lines.append((label + line).rstrip())
    return lines


def _cell(cells: dict[tuple[int, int], str], col: int, row: int, lower: int, rows: int) -> str:
    """Text of one column in one half-row: a hex's upper half, or blank where its neighbour column has its own."""
    if (col & 1) != lower or row >= rows:
        return " " * _CELL
    return f"{cells.get((col, row), '.'):^{_CELL}}"


def _living(setting: Setting, game: np.record) -> list[tuple[int, Unit]]:
    return [(number, unit) for number, unit in enumerate(setting.units) if unit and game.hit_points[number] > 0]


def _objectives(setting: Setting, game: np.record) -> list[str]:
    held = ("nobody", "player 1", "player 2")
    names = [
        f"{objective.id} {objective.name}: {held[int(game.control[index])]}"
        for index, objective in enumerate(setting.scenario.objectives)
    ]
    return ["objectives  " + ", ".join(names)]


def _rosters(setting: Setting, game: np.record) -> list[str]:
    per_side = int(setting.world.units_per_side)
    lines = []
    for number, unit in enumerate(setting.units):
        if unit is None:
            continue
        side, slot = divmod(number, per_side)
        marks = [mark for mark in _MARKS if has(getattr(game, mark)[side], slot)]
        if not game.over and game.active == NOBODY and side == acting_side(game) and has(eligible(game), slot):
            marks.append("may act")
        hit_points = int(game.hit_points[number])
        health = f"{hit_points}/{unit.type.hit_points}" if hit_points else "dead"
        lines.append(f"{'^v'[side]}{unit.id:<4}{unit.type.name:<28}{health:<6}{', '.join(marks)}".rstrip())
    return lines
