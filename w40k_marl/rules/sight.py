"""Line of sight between all hexes of a board: the rule for one ray, and the table for all pairs.

Rays of one direction cross the same hexes relative to their start, for every start row. So the
table traces each direction once per column of viewers and tests its 64 rows as the bits of one
word. If a ray runs along the border of two hexes, rounding decides which hex it crosses; then each
row is tested separately.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from .bits import NOTHING, BitSet, bit, has
from .hexes import distance, hex_at

_Path: TypeAlias = NDArray[np.int64]
"""Hexes of a ray, int64 (hexes, 3): column and row relative to its start, and 1 if rounding
decides.
"""

_Walls: TypeAlias = NDArray[np.uint64]
"""Walls of a board: one word per column, bit ``r`` for row ``r``."""


@compiled
def _cube_round(x: float, y: float, z: float) -> tuple[int, int]:
    """Return the nearest hex of fractional cube coordinates as ``(x, z)``; ties go to the even
    integer.
    """
    rx, ry, rz = np.rint(x), np.rint(y), np.rint(z)
    ex, ey, ez = abs(rx - x), abs(ry - y), abs(rz - z)
    if ex > ey and ex > ez:
        rx = -ry - rz
    elif ey <= ez:
        rz = -rx - ry
    return int(rx), int(rz)


@compiled
def _wall_at_step(walls: _Walls, a: int, b: int, i: int, steps: int) -> bool:
    """Return True if a ray of ``steps`` steps crosses a wall at step ``i``, in IEEE doubles (spec
    04 R-2).

    The order of the operations is part of the rule: it determines the rounding errors.
    """
    ax, az = a >> 6, (a & 63) - (a >> 7)
    bx, bz = b >> 6, (b & 63) - (b >> 7)
    ay, by = -ax - az, -bx - bz
    t = i / steps
    x, z = _cube_round(ax + t * (bx - ax), ay + t * (by - ay), az + t * (bz - az))
    row = z + (x - (x & 1)) // 2
    return 0 <= x < len(walls) and 0 <= row < 64 and has(walls[x], row)


@compiled
def line_is_clear(walls: _Walls, a: int, b: int) -> bool:
    """Return True if no hex strictly between ``a`` and ``b`` is a wall: one ray (spec 04 R-2)."""
    steps = distance(a, b)
    for i in range(1, steps):
        if _wall_at_step(walls, a, b, i, steps):
            return False
    return True


@entry_point
def fill_sight(board: NDArray[np.uint64], rows: int, walls: _Walls) -> None:
    """Write, for every hex of a board, the set of hexes visible from it by ``line_is_clear``."""
    cols = board.shape[1] - 1
    path = np.empty((cols + 2 * rows, 3), dtype=np.int64)
    clear = np.empty((cols, 2 * rows), dtype=np.uint64)  # by column and direction: rows with a clear ray
    walled = _walled_columns_before(walls)
    whole = ~NOTHING >> np.uint64(64 - rows)
    for cols_away in range(1 - cols, cols):
        first, last = max(0, -cols_away), min(cols, cols - cols_away)
        for rows_away in range(1 - rows, rows):
            inside = whole & _shifted(whole, rows_away)
            for odd in range(2):
                length = _trace(odd, cols_away, rows_away, path)
                for col in range(first + ((first ^ odd) & 1), last, 2):
                    found = inside
                    if walled[max(col, col + cols_away) + 1] != walled[min(col, col + cols_away)]:
                        found = _clear_rows(walls, col, cols_away, rows_away, path[:length], inside)
                    clear[col, rows_away + rows - 1] = found
        for col in range(first, last):
            _write_column(board, rows, clear[col], col, cols_away)


@compiled
def _walled_columns_before(walls: _Walls) -> NDArray[np.int64]:
    """Return, for each column, the number of columns before it that contain a wall."""
    before = np.zeros(len(walls) + 1, dtype=np.int64)
    for column in range(len(walls)):
        before[column + 1] = before[column] + (1 if walls[column] != NOTHING else 0)
    return before


@compiled
def _shifted(members: BitSet, rows_away: int) -> BitSet:
    """Return the rows from which a member is ``rows_away`` rows further down."""
    if abs(rows_away) > 63:
        return NOTHING
    return members >> np.uint64(rows_away) if rows_away >= 0 else members << np.uint64(-rows_away)


@compiled
def _trace(odd: int, cols_away: int, rows_away: int, path: _Path) -> int:
    """Write the hexes strictly between the ends of a ray from an even (0) or odd (1) column.

    Returns their number. All arithmetic is in whole numbers: coordinates are multiples of 1 /
    steps. IEEE doubles find the same hexes, because their errors are far smaller than 1 / steps.
    Only if two roundings are equally far off, doubles may choose either.
    """
    end = odd + cols_away
    dx, dz = cols_away, rows_away - (end - (end & 1)) // 2
    steps = max(abs(dx), abs(dz), abs(dx + dz))
    for i in range(1, steps):
        x, z = i * dx, i * dz
        y = -x - z
        rx, ry, rz = _nearest(x, steps), _nearest(y, steps), _nearest(z, steps)
        ex, ey, ez = abs(rx * steps - x), abs(ry * steps - y), abs(rz * steps - z)
        largest = max(ex, ey, ez)
        exact = rx + ry + rz == 0 and 2 * largest < steps
        equal = (ex == largest) + (ey == largest) + (ez == largest)
        if ex > ey and ex > ez:
            rx = -ry - rz
        elif ey <= ez:
            rz = -rx - ry
        col = odd + rx
        path[i - 1, 0], path[i - 1, 1] = rx, rz + (col - (col & 1)) // 2
        path[i - 1, 2] = 1 if equal > 1 and not exact else 0
    return max(steps - 1, 0)


@compiled
def _nearest(numerator: int, steps: int) -> int:
    """Return the whole number nearest to ``numerator / steps``."""
    return (2 * numerator + steps) // (2 * steps)


@compiled
def _clear_rows(walls: _Walls, col: int, cols_away: int, rows_away: int, path: _Path, inside: BitSet) -> BitSet:
    """Return the rows of ``inside`` from which a ray of this direction, from column ``col``, meets
    no wall.
    """
    clear = inside
    for i in range(len(path)):
        if path[i, 2] == 0:
            clear &= ~_shifted(walls[col + path[i, 0]], path[i, 1])
            if clear == NOTHING:
                return clear
    for i in range(len(path)):
        if path[i, 2] != 0:
            doubtful = clear & _walls_near(walls, col + path[i, 0], path[i, 1])
            row = 0
            while doubtful != NOTHING:
                if has(doubtful, 0):
                    a, b = hex_at(col, row), hex_at(col + cols_away, row + rows_away)
                    if _wall_at_step(walls, a, b, i + 1, len(path) + 1):
                        clear &= ~bit(row)
                doubtful >>= np.uint64(1)
                row += 1
    return clear


@compiled
def _walls_near(walls: _Walls, col: int, rows_away: int) -> BitSet:
    """Return the rows with a wall at most one column and one row from the hex they refer to.

    This hex is in column ``col``, ``rows_away`` rows further down.
    """
    near = NOTHING
    for column in range(max(0, col - 1), min(len(walls), col + 2)):
        for row in range(rows_away - 1, rows_away + 2):
            near |= _shifted(walls[column], row)
    return near


@compiled
def _write_column(board: NDArray[np.uint64], rows: int, clear: NDArray[np.uint64], col: int, cols_away: int) -> None:
    """Write the hexes of the column ``cols_away`` further on that are visible from each hex of a
    column.

    ``clear`` is indexed by rows away.
    """
    for row in range(rows):
        seen = NOTHING
        for other in range(rows):
            seen |= ((clear[other - row + rows - 1] >> np.uint64(row)) & np.uint64(1)) << np.uint64(other)
        board[hex_at(col, row), col + cols_away] = seen
