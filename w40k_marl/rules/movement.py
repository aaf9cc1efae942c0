"""The movement phase, and the path search that it shares with advances (spec 03).

A move may neither cross a hex next to an enemy nor stop on one. A unit that starts next to an enemy
flees by moving.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled
from .bits import NOTHING, BitSet, bit, has
from .board import Board
from .dice import choose
from .events import MOVED, NO_DESTINATION, record
from .hexes import NOWHERE, distance
from .pathfinding import as_set, closest_to, farthest_from, first_of, hexes_of, path_order, touches, unthreatened
from .state import Game, World
from .units import engaged, hex_of, mark, side_of

AGGRESSIVE, TACTICAL, DEFENSIVE, RANDOM = range(4)
STRATEGIES = ("aggressive", "tactical", "defensive", "random")


@compiled
def movement_pool(world: World, board: Board, game: Game, side: int) -> BitSet:
    """Return the living units with at least one free neighbour hex (spec 03 rule 6)."""
    pool = NOTHING
    free = unthreatened(world, board, game, side)
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        if has(game.alive[side], slot) and touches(board, free, hex_of(game, base + slot)):
            pool |= bit(slot)
    return pool


@compiled
def destinations(world: World, board: Board, game: Game, unit: int, reach: int) -> NDArray[np.int64]:
    """Return the hexes that a unit reaches in ``reach`` steps by moving, in path order (spec 03
    rule 8).
    """
    return path_order(hex_of(game, unit), reach, unthreatened(world, board, game, side_of(world, unit)))


@compiled
def choose_destination(
    world: World, board: Board, game: Game, unit: int, strategy: int, order: NDArray[np.int64]
) -> int:
    """Return the hex of a non-empty ``order`` for a strategy; path order decides ties (spec 03 rule
    12).
    """
    enemies = 1 - side_of(world, unit)
    if game.alive[enemies] == NOTHING:
        return order[0]
    if strategy == RANDOM:
        return order[choose(game, len(order))]
    if strategy == TACTICAL:
        return _most_enemies_in_range(world, game, unit, order)
    enemy_hexes = hexes_of(world, board, game, enemies)
    candidates = as_set(board, order)
    if strategy == AGGRESSIVE:
        return first_of(order, closest_to(board, enemy_hexes, candidates))
    return first_of(order, farthest_from(board, enemy_hexes, candidates))


@compiled
def _most_enemies_in_range(world: World, game: Game, unit: int, order: NDArray[np.int64]) -> int:
    """Return the hex with most enemies within the longest range of the unit's ranged weapons."""
    best, best_count = order[0], 0
    reach = int(world.longest_range[unit])
    enemies = 1 - side_of(world, unit)
    base = enemies * world.units_per_side
    for hex_id in order:
        count = 0
        for slot in range(world.unit_count[enemies]):
            if has(game.alive[enemies], slot) and distance(hex_id, hex_of(game, base + slot)) <= reach:
                count += 1
        if count > best_count:
            best, best_count = hex_id, count
    return best


@compiled
def move(world: World, game: Game, unit: int, destination: int) -> None:
    """Put a unit on a hex and mark it moved, and fled if an enemy touched it (spec 03 rule 13)."""
    start = hex_of(game, unit)
    fled = engaged(world, game, unit)
    game.hexes[unit] = destination
    mark(world, game.moved, unit)
    if fled:
        mark(world, game.fled, unit)
    record(game, MOVED, unit, 0, start, destination, 1 if fled else 0)


@compiled
def move_by_strategy(world: World, board: Board, game: Game, unit: int, strategy: int) -> None:
    """Micro actions 0 to 3: move by a strategy, or stay if no hex is free (spec 03 rule 11)."""
    order = destinations(world, board, game, unit, int(world.move[unit]))
    if len(order) == 0:
        record(game, NO_DESTINATION, unit)
        return
    move(world, game, unit, choose_destination(world, board, game, unit, strategy, order))


@compiled
def may_move_to(world: World, board: Board, game: Game, unit: int, destination: int) -> bool:
    """Return True if the hex is among the current destinations of the unit."""
    if destination == NOWHERE:
        return False
    for hex_id in destinations(world, board, game, unit, int(world.move[unit])):
        if hex_id == destination:
            return True
    return False
