"""The tables of a board, computed once per set of walls: open hexes, sight, objectives of each hex.

A board is one array of 64-bit words, shape ``(columns * 64 + 2, columns + 1)``. Row ``h`` contains
the hexes that are visible from hex ``h``, one word per column, and in the last word the set of
objectives of hex ``h``. The last two rows contain the open hexes (on the board and not a wall) and
all hexes of the board.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled
from .bits import BitSet, has
from .sight import fill_sight

Board: TypeAlias = NDArray[np.uint64]
"""The tables of one board, as the module docstring describes them."""

HexSet: TypeAlias = NDArray[np.uint64]
"""A set of hexes: a word for each column, bit ``r`` for row ``r``."""

_BOARDS_KEPT = 16
_boards: OrderedDict[tuple[object, ...], Board] = OrderedDict()


@compiled
def columns(board: Board) -> int:
    """Return the number of columns of the board."""
    return board.shape[1] - 1


@compiled
def open_hexes(board: Board) -> HexSet:
    """Return the hexes that are on the board and are not walls."""
    return board[board.shape[0] - 2, : board.shape[1] - 1]


@compiled
def all_hexes(board: Board) -> HexSet:
    """Return the hexes of the board, including walls."""
    return board[board.shape[0] - 1, : board.shape[1] - 1]


@compiled
def sees(board: Board, viewer: int, seen: int) -> bool:
    """Return True if hex ``seen`` is in line of sight from hex ``viewer`` (spec 04 R-2)."""
    return has(board[viewer, seen >> 6], seen & 63)


@compiled
def objectives_at(board: Board, hex_id: int) -> BitSet:
    """Return the set of objectives that contain a hex."""
    return board[hex_id, board.shape[1] - 1]


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
        fill_sight(board, rows, wall_words)
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
    """Return the tables of a board, read-only; the last 16 boards are cached.

    ``walls`` are all walls of the board, ``objectives`` the hexes of each objective, all as
    ``(column, row)``.
    """
    key = (cols, rows, walls, tuple(tuple(hexes) for hexes in objectives))
    board = _boards.get(key)
    if board is None:
        board = _boards[key] = _build(cols, rows, walls, objectives)
        if len(_boards) > _BOARDS_KEPT:
            _boards.popitem(last=False)
    _boards.move_to_end(key)
    return board
