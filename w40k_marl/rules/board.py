"""One board's tables, computed once per wall set: open hexes, sight, objectives of each hex.

A board is one array of 64-bit words, shape ``(columns * 64 + 2, columns + 1)``: row ``h`` holds the hexes that
hex ``h`` sees, a word for each column, and last the set of objectives that hex ``h`` belongs to; the last two
rows hold the open hexes (on the board, no wall) and all hexes of the board.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from .bits import NOTHING, BitSet, bit, has
from .hexes import distance, hex_at

Board: TypeAlias = NDArray[np.uint64]
"""The tables of one board, as the module docstring describes them."""

HexSet: TypeAlias = NDArray[np.uint64]
"""A set of hexes: a word for each column, bit ``r`` for row ``r``."""

_BOARDS_KEPT = 16
_boards: OrderedDict[tuple[object, ...], Board] = OrderedDict()


@compiled
def columns(board: Board) -> int:
    """Number of columns of the board."""
    return board.shape[1] - 1


@compiled
def open_hexes(board: Board) -> HexSet:
    """The hexes that are on the board and no wall."""
    return board[board.shape[0] - 2, : board.shape[1] - 1]


@compiled
def all_hexes(board: Board) -> HexSet:
    """The hexes of the board, walls included."""
    return board[board.shape[0] - 1, : board.shape[1] - 1]


@compiled
def sees(board: Board, viewer: int, seen: int) -> bool:
    """Whether a unit on hex ``viewer`` has line of sight to hex ``seen`` (spec 04 R-2)."""
    return has(board[viewer, seen >> 6], seen & 63)


@compiled
def objectives_at(board: Board, hex_id: int) -> BitSet:
    """The objectives that a hex belongs to."""
    return board[hex_id, board.shape[1] - 1]


@compiled
def _cube_round(x: float, y: float, z: float) -> tuple[int, int]:
    """Nearest hex of fractional cube coordinates as ``(x, z)``; ties go to the even integer."""
    rx, ry, rz = np.rint(x), np.rint(y), np.rint(z)
    ex, ey, ez = abs(rx - x), abs(ry - y), abs(rz - z)
    if ex > ey and ex > ez:
        rx = -ry - rz
    elif ey <= ez:
        rz = -rx - ry
    return int(rx), int(rz)


@compiled
def line_is_clear(walls: HexSet, a: int, b: int) -> bool:
    """Whether no hex strictly between ``a`` and ``b`` is a wall: one ray, in IEEE doubles (spec 04 R-2).

    The order of the operations is part of the rule: it decides how rounding errors fall.
    """
    ax, az = a >> 6, (a & 63) - (a >> 7)
    bx, bz = b >> 6, (b & 63) - (b >> 7)
    ay, by = -ax - az, -bx - bz
    steps = distance(a, b)
    for i in range(1, steps):
        t = i / steps
        x, z = _cube_round(ax + t * (bx - ax), ay + t * (by - ay), az + t * (bz - az))
        row = z + (x - (x & 1)) // 2
        if 0 <= x < len(walls) and 0 <= row < 64 and has(walls[x], row):
            return False
    return True


@entry_point
def _fill_sight(board: Board, rows: int, walls: HexSet) -> None:
    """Write, for every hex, the set of hexes it sees."""
    cols = board.shape[1] - 1
    walled_columns, walled_rows = _walls_before(walls, rows)
    for a_col in range(cols):
        for a_row in range(rows):
            a = hex_at(a_col, a_row)
            for b_col in range(cols):
                open_columns = walled_columns[max(a_col, b_col) + 1] == walled_columns[min(a_col, b_col)]
                for b_row in range(rows):
                    # a line leaves the rows between its ends by one at most
                    first, last = max(0, min(a_row, b_row) - 1), min(rows, max(a_row, b_row) + 2)
                    open_rows = walled_rows[last] == walled_rows[first]
                    if open_columns or open_rows or line_is_clear(walls, a, hex_at(b_col, b_row)):
                        board[a, b_col] |= bit(b_row)


@compiled
def _walls_before(walls: HexSet, rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many columns before each column, and rows before each row, hold a wall."""
    columns_before = np.zeros(len(walls) + 1, dtype=np.int64)
    rows_before = np.zeros(rows + 1, dtype=np.int64)
    in_any_column = NOTHING
    for column in range(len(walls)):
        in_any_column |= walls[column]
        columns_before[column + 1] = columns_before[column] + (1 if walls[column] != NOTHING else 0)
    for row in range(rows):
        rows_before[row + 1] = rows_before[row] + (1 if has(in_any_column, row) else 0)
    return columns_before, rows_before


def _fill_everything_visible(board: Board, rows: int) -> None:
    cols = board.shape[1] - 1
    board[: cols * 64, :cols] = np.uint64(2**rows - 1)


def _build(
    cols: int, rows: int, walls: Iterable[tuple[int, int]], objectives: Sequence[Sequence[tuple[int, int]]]
) -> Board:
    board: Board = np.zeros((cols * 64 + 2, cols + 1), dtype=np.uint64)
    wall_words: HexSet = np.zeros(cols, dtype=np.uint64)
    for col, row in walls:
        wall_words[col] |= np.uint64(1 << row)
    board[-1, :cols] = np.uint64(2**rows - 1)
    board[-2, :cols] = board[-1, :cols] & ~wall_words
    if wall_words.any():
        _fill_sight(board, rows, wall_words)
    else:
        _fill_everything_visible(board, rows)
    for index, hexes in enumerate(objectives):
        for col, row in hexes:
            board[col * 64 + row, cols] |= np.uint64(1 << index)
    board.setflags(write=False)
    return board


def make_board(
    cols: int, rows: int, walls: frozenset[tuple[int, int]], objectives: Sequence[Sequence[tuple[int, int]]]
) -> Board:
    """Tables of a board, read-only; the last few boards are kept.

    ``walls`` are the walls in force, ``objectives`` the hexes of each objective, all as ``(column, row)``.
    """
    key = (cols, rows, walls, tuple(tuple(hexes) for hexes in objectives))
    board = _boards.get(key)
    if board is None:
        board = _boards[key] = _build(cols, rows, walls, objectives)
        if len(_boards) > _BOARDS_KEPT:
            _boards.popitem(last=False)
    _boards.move_to_end(key)
    return board
