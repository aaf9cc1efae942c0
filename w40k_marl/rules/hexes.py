"""Hexes of an odd-q board as single integers: ``column * 64 + row`` (spec 01 section 1).

Columns are vertical; odd columns lie half a hex lower. A board has at most 255 columns and 64 rows.
"""

from __future__ import annotations

import numpy as np

from ..compiler.decorators import compiled

MAX_COLUMNS = 255
MAX_ROWS = 64
NOWHERE = -1

# N, NE, SE, S, SW, NW (spec 01 1.6): searches visit neighbours in this order, which decides ties
NEIGHBOUR_COLUMN = np.array([0, 1, 1, 0, -1, -1], dtype=np.int64)
NEIGHBOUR_ROW = np.array([[-1, -1, 0, 1, 0, -1], [-1, 0, 1, 1, 1, 0]], dtype=np.int64)  # even, odd column


@compiled
def hex_at(column: int, row: int) -> int:
    """Return the hex of a column and a row."""
    return (column << 6) | row


@compiled
def column_of(hex_id: int) -> int:
    """Return the column of a hex."""
    return hex_id >> 6


@compiled
def row_of(hex_id: int) -> int:
    """Return the row of a hex."""
    return hex_id & 63


@compiled
def distance(a: int, b: int) -> int:
    """Return the steps between two hexes in a straight line, without walls and units (spec 01 1.5).

    It takes six integer operations. A table of all pairs would be slower: it does not fit the L1
    cache.
    """
    dx = (a >> 6) - (b >> 6)
    dz = ((a & 63) - (a >> 7)) - ((b & 63) - (b >> 7))
    return max(abs(dx), abs(dz), abs(dx + dz))


@compiled
def adjacent(a: int, b: int) -> bool:
    """Return True if two hexes touch or are equal; two living units never share a hex."""
    return distance(a, b) <= 1


def longest_distance(cols: int, rows: int) -> int:
    """Return the largest distance between two corners of a board, in steps (spec 07 A.1).

    It is 32 for 25 columns and 21 rows.
    """
    plain = getattr(distance, "py_func", distance)  # six calls for each scenario are not worth compiling
    corners = [(column << 6) | row for column in (0, cols - 1) for row in (0, rows - 1)]
    return max(int(plain(a, b)) for a in corners for b in corners)
