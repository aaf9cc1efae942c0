"""The board as text: two lines for each row of hexes, odd columns half a hex lower.

``^7`` is unit 7 of player 1, ``v7`` of player 2, ``###`` a wall, ``:3:`` a free hex of objective 3; the active unit
is followed by ``!``.
"""

from __future__ import annotations

import numpy as np

from ..content.definitions import Unit
from ..content.world import Setting
from ..rules.bits import has
from ..rules.state import FIGHT_STAGES, NO_STAGE, NOBODY, PHASES, WIN_METHODS, Game
from ..rules.turn import acting_side, eligible

_MARKS = ("moved", "fled", "advanced", "shot", "charged", "fought")
_CELL = 4
_SIDES = "^v"


def draw(setting: Setting, game: Game) -> str:
    """A game as a text board with headline, objectives and rosters."""
    parts = (_board(setting, game), _objectives(setting, game), _rosters(setting, game))
    return "\n".join([_headline(setting, game), *(line for part in parts for line in part)])


def _headline(setting: Setting, game: Game) -> str:
    points = f"victory points {game.victory_points[0]} : {game.victory_points[1]}"
    place = f"{setting.scenario.name}, turn {game.turn} of {setting.world.max_turns}, player {game.side + 1}"
    if game.over:
        winner = f"player {game.winner} wins" if game.winner else "nobody wins"
        return f"{place}: over, {winner} by {WIN_METHODS[int(game.win_method)]}, {points}"
    stage = "" if game.fight_stage == NO_STAGE else f" ({FIGHT_STAGES[int(game.fight_stage)]})"
    return f"{place}: {PHASES[int(game.phase)]} phase{stage}, player {acting_side(game) + 1} to act, {points}"


def _board(setting: Setting, game: Game) -> list[str]:
    """Lines of the board with column numbers above and row numbers at the side."""
    scenario = setting.scenario
    cells = {place: f":{objective.id[:1]}:" for objective in scenario.objectives for place in objective.hexes}
    cells.update(dict.fromkeys(scenario.walls, "###"))
    for number, unit in _living(setting, game):
        place = int(game.hexes[number])
        active = "!" if number == game.active else ""
        cells[place >> 6, place & 63] = f"{_SIDES[unit.player - 1]}{unit.id}{active}"
    lines = ["    " + "".join(f"{col:^{_CELL}}" for col in range(scenario.cols)).rstrip()]
    for half in range(2 * scenario.rows):
        row, lower = divmod(half, 2)
        label = f"{row:>3} " if not lower and row < scenario.rows else "    "
        line = "".join(_cell(cells, col, row, lower, scenario.rows) for col in range(scenario.cols))
        lines.append((label + line).rstrip())
    return lines


def _cell(cells: dict[tuple[int, int], str], col: int, row: int, lower: int, rows: int) -> str:
    """Text of one column in one half-row: a hex, or blank where the neighbouring columns have theirs."""
    if (col & 1) != lower or row >= rows:
        return " " * _CELL
    return f"{cells.get((col, row), '.'):^{_CELL}}"


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
        lines.append(f"{_SIDES[side]}{unit.id:<4}{unit.type.name:<28}{health:<6}{', '.join(marks)}".rstrip())
    return lines
