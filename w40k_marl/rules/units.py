"""Positions and contacts of units, and the consequences of a death."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled
from .bits import NOTHING, BitSet, bit, has
from .events import DIED, record
from .hexes import adjacent
from .state import Game, World

UnitSets: TypeAlias = NDArray[np.uint64]
"""Two sets of roster slots, one per side."""


@compiled
def side_of(world: World, unit: int) -> int:
    """Return 0 for a unit of player 1, 1 for a unit of player 2."""
    return 1 if unit >= world.units_per_side else 0


@compiled
def slot_of(world: World, unit: int) -> int:
    """Return the index of the unit in the roster of its side."""
    return unit - side_of(world, unit) * int(world.units_per_side)


@compiled
def is_alive(world: World, game: Game, unit: int) -> bool:
    """Return True if the unit is alive."""
    return has(game.alive[side_of(world, unit)], slot_of(world, unit))


@compiled
def hex_of(game: Game, unit: int) -> int:
    """Return the hex of the unit; for a dead unit, the hex where it died."""
    return int(game.hexes[unit])


@compiled
def units_touching(world: World, game: Game, side: int, hex_id: int) -> BitSet:
    """Return the living units of a side that touch a hex."""
    touching = NOTHING
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        if has(game.alive[side], slot) and adjacent(hex_id, hex_of(game, base + slot)):
            touching |= bit(slot)
    return touching


@compiled
def engaged(world: World, game: Game, unit: int) -> bool:
    """Return True if a living enemy touches the unit."""
    return units_touching(world, game, 1 - side_of(world, unit), hex_of(game, unit)) != NOTHING


@compiled
def mark(world: World, marks: UnitSets, unit: int) -> None:
    """Add a unit to a pair of sets."""
    marks[side_of(world, unit)] |= bit(slot_of(world, unit))


@compiled
def is_marked(world: World, marks: UnitSets, unit: int) -> bool:
    """Return True if the unit is in a pair of sets."""
    return has(marks[side_of(world, unit)], slot_of(world, unit))


@compiled
def leave_pools(world: World, game: Game, unit: int) -> None:
    """Remove a unit from every activation pool."""
    side = side_of(world, unit)
    member = bit(slot_of(world, unit))
    game.pool[side] &= ~member
    if side == game.side:
        game.chargers &= ~member


@compiled
def wound(world: World, game: Game, unit: int, damage: int, by: int) -> None:
    """Take hit points from a unit; at 0 it dies at once and leaves every pool (spec 05 rule 31)."""
    left = max(0, int(game.hit_points[unit]) - damage)
    game.hit_points[unit] = left
    if left == 0:
        game.alive[side_of(world, unit)] &= ~bit(slot_of(world, unit))
        leave_pools(world, game, unit)
        record(game, DIED, unit, by)
