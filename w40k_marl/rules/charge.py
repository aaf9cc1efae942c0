"""The charge phase: move up to two dice of hexes into contact with an enemy (spec 05 part A).

A charge may pass next to enemies; only walls, units and the edge of the board block it. The dice
are rolled after the target is chosen.
"""

from __future__ import annotations

from ..compiler.decorators import compiled
from .bits import NOTHING, BitSet, bit, has
from .board import Board
from .dice import CHARGE_MOVE, roll
from .events import CHARGE_FAILED, CHARGED, record
from .hexes import adjacent, distance
from .pathfinding import any_in_both, path_order, reachable, threat_zone, touches, unoccupied
from .state import NOBODY, Game, World
from .units import engaged, hex_of, is_marked, mark, side_of

SEARCH_RANGE = 12
"""Path steps within which an enemy can be charged: the maximum of two dice."""


@compiled
def charge_pool(world: World, board: Board, game: Game) -> BitSet:
    """Return the units of the active side that may charge (spec 05 rule 2)."""
    pool = NOTHING
    side = int(game.side)
    free = unoccupied(world, board, game)
    contact = threat_zone(world, board, game, side)
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        if has(game.alive[side], slot) and _may_charge(world, game, base + slot):
            if any_in_both(reachable(hex_of(game, base + slot), SEARCH_RANGE, free), contact):
                pool |= bit(slot)
    return pool


@compiled
def _may_charge(world: World, game: Game, unit: int) -> bool:
    """Return True if marks and contacts allow a charge and an enemy is near enough in a straight
    line.
    """
    if is_marked(world, game.fled, unit) or engaged(world, game, unit):
        return False
    if is_marked(world, game.advanced, unit) and not world.charges_after_advance[unit]:
        return False
    enemies = 1 - side_of(world, unit)
    base = enemies * world.units_per_side
    for slot in range(world.unit_count[enemies]):
        if has(game.alive[enemies], slot):
            if distance(hex_of(game, unit), hex_of(game, base + slot)) <= SEARCH_RANGE + 1:
                return True
    return False


@compiled
def list_chargeable(world: World, board: Board, game: Game, unit: int) -> None:
    """Write the enemies that the unit may charge now, in roster order (spec 05 rule 6a)."""
    game.target_count = 0
    reached = reachable(hex_of(game, unit), SEARCH_RANGE, unoccupied(world, board, game))
    enemies = 1 - side_of(world, unit)
    base = enemies * int(world.units_per_side)
    for slot in range(world.unit_count[enemies]):
        if not has(game.alive[enemies], slot):
            continue
        there = hex_of(game, base + slot)
        if not adjacent(hex_of(game, unit), there) and touches(board, reached, there):
            game.targets[game.target_count] = base + slot
            game.target_count += 1


@compiled
def nearest_listed(game: Game, unit: int) -> int:
    """Return the listed enemy at the smallest straight distance; NOBODY if the list is empty.

    Roster order decides ties.
    """
    best, best_distance = NOBODY, 0
    for index in range(game.target_count):
        target = int(game.targets[index])
        away = distance(hex_of(game, unit), hex_of(game, target))
        if best == NOBODY or away < best_distance:
            best, best_distance = target, away
    return best


@compiled
def charge(world: World, board: Board, game: Game, unit: int, target: int) -> None:
    """Roll two dice and move to the first hex in path order that touches the target, if it is in
    reach.
    """
    reach = roll(game, 6, CHARGE_MOVE) + roll(game, 6, CHARGE_MOVE)
    destination = charge_destination(world, board, game, unit, target, reach)
    if destination < 0:
        record(game, CHARGE_FAILED, unit, target, reach)
        return
    record(game, CHARGED, unit, target, hex_of(game, unit), destination, reach)
    game.hexes[unit] = destination
    mark(world, game.charged, unit)


@compiled
def charge_destination(world: World, board: Board, game: Game, unit: int, target: int, reach: int) -> int:
    """Return the hex where a charge with this roll ends, or -1 if it fails (spec 05 rules 6d and
    6e).
    """
    for hex_id in path_order(hex_of(game, unit), reach, unoccupied(world, board, game)):
        if adjacent(hex_id, hex_of(game, target)):
            return hex_id
    return -1
