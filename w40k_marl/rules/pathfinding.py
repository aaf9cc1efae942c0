"""Sets of hexes as column words, and the path search of move, advance and charge (spec 03 section
4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled
from .bits import NOTHING, ONE, BitSet, bit, has
from .board import Board, HexSet, all_hexes, columns, open_hexes
from .hexes import NEIGHBOUR_COLUMN, NEIGHBOUR_ROW, column_of, row_of
from .state import Game, World
from .units import hex_of


@compiled
def holds(hexes: HexSet, hex_id: int) -> bool:
    """Return True if a hex is in the set."""
    return has(hexes[column_of(hex_id)], row_of(hex_id))


@compiled
def any_in_both(a: HexSet, b: HexSet) -> bool:
    """Return True if two sets share a hex."""
    for column in range(len(a)):
        if a[column] & b[column] != NOTHING:
            return True
    return False


@compiled
def spread(hexes: HexSet, within: HexSet, out: HexSet) -> None:
    """Write into ``out`` the hexes of ``within`` that touch at least one hex of ``hexes``."""
    out[:] = NOTHING
    last = len(hexes) - 1
    for column in range(last + 1):
        word = hexes[column]
        if word == NOTHING:
            continue
        out[column] |= (word << ONE) | (word >> ONE)
        beside = word | (word << ONE if column & 1 else word >> ONE)
        if column > 0:
            out[column - 1] |= beside
        if column < last:
            out[column + 1] |= beside
    for column in range(last + 1):
        out[column] &= within[column]


@compiled
def hexes_of(world: World, board: Board, game: Game, side: int) -> HexSet:
    """Return the hexes of the living units of a side."""
    hexes = np.zeros(columns(board), dtype=np.uint64)
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        if has(game.alive[side], slot):
            hex_id = hex_of(game, base + slot)
            hexes[column_of(hex_id)] |= bit(row_of(hex_id))
    return hexes


@compiled
def threat_zone(world: World, board: Board, game: Game, side: int) -> HexSet:
    """Return the hexes of the board next to a living enemy of ``side`` (spec 01 1.10)."""
    zone = np.zeros(columns(board), dtype=np.uint64)
    spread(hexes_of(world, board, game, 1 - side), all_hexes(board), zone)
    return zone


@compiled
def unoccupied(world: World, board: Board, game: Game) -> HexSet:
    """Return the open hexes without a unit: a charge may pass and stop there."""
    free = open_hexes(board).copy()
    for side in range(2):
        taken = hexes_of(world, board, game, side)
        for column in range(len(free)):
            free[column] &= ~taken[column]
    return free


@compiled
def unthreatened(world: World, board: Board, game: Game, side: int) -> HexSet:
    """Return the open, unoccupied hexes not next to an enemy of ``side``: moves and advances use
    them.
    """
    free = unoccupied(world, board, game)
    zone = threat_zone(world, board, game, side)
    for column in range(len(free)):
        free[column] &= ~zone[column]
    return free


@compiled
def touches(board: Board, hexes: HexSet, hex_id: int) -> bool:
    """Return True if one of the six neighbours of a hex is in the set."""
    column, row = column_of(hex_id), row_of(hex_id)
    for direction in range(6):
        beside = column + NEIGHBOUR_COLUMN[direction]
        level = row + NEIGHBOUR_ROW[column & 1, direction]
        if 0 <= beside < columns(board) and 0 <= level < 64 and has(hexes[beside], level):
            return True
    return False


@compiled
def reachable(start: int, reach: int, free: HexSet) -> HexSet:
    """The hexes of ``free`` within ``reach`` steps of ``start``, each step inside ``free``."""
    reached = np.zeros_like(free)
    frontier = np.zeros_like(free)
    beyond = np.zeros_like(free)
    unseen = free.copy()
    frontier[column_of(start)] = bit(row_of(start))
    for _ in range(reach):
        spread(frontier, unseen, beyond)
        grew = NOTHING
        for column in range(len(free)):
            grew |= beyond[column]
            reached[column] |= beyond[column]
            unseen[column] &= ~beyond[column]
            frontier[column] = beyond[column]
        if grew == NOTHING:
            break
    return reached


@compiled
def path_order(start: int, reach: int, free: HexSet) -> NDArray[np.int64]:
    """Return the hexes within ``reach`` steps in the order of a breadth-first search (spec 03 rule
    8).

    Neighbours are visited N, NE, SE, S, SW, NW; this order decides the ties of every automatic
    choice. The result does not contain the start.
    """
    # an empty column on each side makes tests for the edge of the board unnecessary
    unseen = np.zeros(len(free) + 2, dtype=np.uint64)
    unseen[1:-1] = free
    unseen[column_of(start) + 1] &= ~bit(row_of(start))
    order = np.empty(len(free) * 64, dtype=np.int64)
    order[0] = start
    head, tail = 0, 1
    for _ in range(reach):
        layer_end = tail
        while head < layer_end:
            tail = _visit_neighbours(order[head], unseen, order, tail)
            head += 1
    return order[1:tail]


@compiled
def _visit_neighbours(hex_id: int, unseen: HexSet, order: NDArray[np.int64], tail: int) -> int:
    """Append the unseen neighbours of a hex to ``order``; return its new length.

    ``unseen`` has an extra column on each side. A bit that is shifted off its word is a hex off the
    board.
    """
    column, here = column_of(hex_id) + 1, bit(row_of(hex_id))
    north, south = here >> ONE, here << ONE
    odd = column_of(hex_id) & 1
    upper, lower = (here, south) if odd else (north, here)  # the two neighbours in the columns beside
    if (unseen[column] & (north | south)) | ((unseen[column - 1] | unseen[column + 1]) & (upper | lower)) == NOTHING:
        return tail
    below = hex_id + odd  # the lower neighbour's row, in this column
    tail = _visit(column, north, hex_id - 1, unseen, order, tail)
    tail = _visit(column + 1, upper, below + 63, unseen, order, tail)
    tail = _visit(column + 1, lower, below + 64, unseen, order, tail)
    tail = _visit(column, south, hex_id + 1, unseen, order, tail)
    tail = _visit(column - 1, lower, below - 64, unseen, order, tail)
    return _visit(column - 1, upper, below - 65, unseen, order, tail)


@compiled
def _visit(column: int, row: BitSet, hex_id: int, unseen: HexSet, order: NDArray[np.int64], tail: int) -> int:
    """Append one hex if it is unseen."""
    if unseen[column] & row != NOTHING:
        unseen[column] &= ~row
        order[tail] = hex_id
        return tail + 1
    return tail


@compiled
def first_of(order: NDArray[np.int64], goal: HexSet) -> int:
    """Return the first hex of ``order`` that is in ``goal``, or -1."""
    for hex_id in order:
        if holds(goal, hex_id):
            return hex_id
    return -1


@compiled
def as_set(board: Board, order: NDArray[np.int64]) -> HexSet:
    """Return the hexes of a list as a set."""
    hexes = np.zeros(columns(board), dtype=np.uint64)
    for hex_id in order:
        hexes[column_of(hex_id)] |= bit(row_of(hex_id))
    return hexes


@compiled
def closest_to(board: Board, targets: HexSet, candidates: HexSet) -> HexSet:
    """Return the candidates at the smallest straight distance from any target (both sets
    non-empty).

    The function grows a ball around the targets until it contains a candidate.
    """
    ball, grown = targets.copy(), np.zeros_like(targets)
    while not any_in_both(ball, candidates):
        _grow(board, ball, grown)
    return ball & candidates


@compiled
def farthest_from(board: Board, targets: HexSet, candidates: HexSet) -> HexSet:
    """Return the candidates at the greatest straight distance from their nearest target.

    Both sets must be non-empty.
    """
    ball, grown = targets.copy(), np.zeros_like(targets)
    remaining = candidates & ~ball
    while True:
        _grow(board, ball, grown)
        beyond = remaining & ~ball
        if not beyond.any():
            return remaining
        remaining = beyond


@compiled
def _grow(board: Board, ball: HexSet, grown: HexSet) -> None:
    """Add to ``ball`` every hex of the board that touches it; ``grown`` is scratch space."""
    spread(ball, all_hexes(board), grown)
    for column in range(len(ball)):
        ball[column] |= grown[column]
