"""The terrain of a scenario: size of the board, walls, objective markers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import UNSET

from ..errors import ContentError
from .catalogue import load_board
from .schemas import BoardEntry, ObjectiveEntry, ScenarioFile
from .types import Hex, Objective


@dataclass(frozen=True, slots=True)
class Terrain:
    """A board with its walls and objectives."""

    cols: int
    rows: int
    walls: frozenset[Hex]
    objectives: tuple[Objective, ...]

    def holds(self, cell: Hex) -> bool:
        """Return True if a hex is on the board (spec 01 1.2); it may be a wall."""
        return 0 <= cell[0] < self.cols and 0 <= cell[1] < self.rows


def half_cells(cols: int, rows: int) -> Iterator[Hex]:
    """Return the hexes of odd columns in the last row, which lie half off the board (spec 01 1.3).

    They are always walls.
    """
    return ((col, rows - 1) for col in range(1, cols, 2))


def build_terrain(entry: ScenarioFile, file: str) -> Terrain:
    """Return the terrain of a scenario; the board supplies what is not given (spec 01 section 3).

    Raises ContentError if a hex is off the board, an objective id is repeated, or there is no
    objective.
    """
    board, prefix = (load_board(), "") if entry.board is UNSET else (entry.board, "board.")
    if entry.wall_hexes is UNSET:
        walls = _on_board(board.wall_hexes, board, file, f"{prefix}wall_hexes")
    else:
        walls = _on_board(entry.wall_hexes, board, file, "wall_hexes")
    objectives, key = _objective_entries(entry, board, prefix)
    if not objectives:
        raise ContentError(file, "objectives", "at least one objective", "none")
    return Terrain(
        cols=board.cols,
        rows=board.rows,
        walls=frozenset(walls) | frozenset(half_cells(board.cols, board.rows)),
        objectives=_objectives(objectives, board, file, key),
    )


def _objective_entries(entry: ScenarioFile, board: BoardEntry, prefix: str) -> tuple[list[ObjectiveEntry], str]:
    if entry.objectives is not UNSET:
        return entry.objectives, "objectives"
    if entry.objective_hexes is not UNSET:
        return entry.objective_hexes, "objective_hexes"
    return board.objectives, f"{prefix}objectives"


def _objectives(entries: list[ObjectiveEntry], board: BoardEntry, file: str, key: str) -> tuple[Objective, ...]:
    found: dict[str, Objective] = {}
    for index, entry in enumerate(entries):
        identity = str(entry.id)
        if identity in found:
            raise ContentError(file, f"{key}[{index}].id", "an id of its own", f'"{identity}" again')
        hexes = _on_board(entry.hexes, board, file, f"{key}[{index}].hexes")
        name = identity if entry.name is UNSET else entry.name
        found[identity] = Objective(identity, name, tuple(dict.fromkeys(hexes)))
    return tuple(found.values())


def _on_board(hexes: list[Hex], board: BoardEntry, file: str, key: str) -> list[Hex]:
    for index, (col, row) in enumerate(hexes):
        if not (0 <= col < board.cols and 0 <= row < board.rows):
            expected = f"a hex of the board of {board.cols} columns and {board.rows} rows"
            raise ContentError(file, f"{key}[{index}]", expected, f"[{col}, {row}]")
    return hexes
