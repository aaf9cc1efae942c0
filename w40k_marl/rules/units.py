"""Where units stand, who touches whom, and what leaves the game when a unit dies."""

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
"""Two sets of roster slots, one for each side."""


@compiled
def side_of(world: World, unit: int) -> int:
    """0 for a unit of player 1, 1 for a unit of player 2."""
    return 1 if unit >= world.units_per_side else 0


@compiled
def slot_of(world: World, unit: int) -> int:
    """The unit's place in its side's roster."""
    return unit - side_of(world, unit) * int(world.units_per_side)


@compiled
def is_alive(world: World, game: Game, unit: int) -> bool:
    """Whether the unit is in the game."""
    return has(game.alive[side_of(world, unit)], slot_of(world, unit))


@compiled
def hex_of(game: Game, unit: int) -> int:
    """The hex on which the unit stands, or stood when it died."""
    return int(game.hexes[unit])


@compiled
def units_touching(world: World, game: Game, side: int, hex_id: int) -> BitSet:
    """The living units of a side that touch a hex."""
    touching = NOTHING
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        if has(game.alive[side], slot) and adjacent(hex_id, hex_of(game, base + slot)):
            touching |= bit(slot)
    return touching


@compiled
def engaged(world: World, game: Game, unit: int) -> bool:
    """Whether a living enemy touches the unit."""
    return units_touching(world, game, 1 - side_of(world, unit), hex_of(game, unit)) != NOTHING


@compiled
def mark(world: World, marks: UnitSets, unit: int) -> None:
    """Enter a unit into a pair of sets, one for each side."""
    marks[side_of(world, unit)] |= bit(slot_of(world, unit))


@compiled
def is_marked(world: World, marks: UnitSets, unit: int) -> bool:
    """Whether a unit is in a pair of sets."""
    return has(marks[side_of(world, unit)], slot_of(world, unit))


@compiled
def leave_pools(world: World, game: Game, unit: int) -> None:
    """Take a unit out of every activation pool."""
    side = side_of(world, unit)
    member = bit(slot_of(world, unit))
    game.pool[side] &= ~member
    if side == game.side:
        game.chargers &= ~member


@compiled
def wound(world: World, game: Game, unit: int, damage: int, by: int) -> None:
    """Take hit points from a unit; at none left it dies at once and leaves every pool (spec 05 rule 31)."""
    left = max(0, int(game.hit_points[unit]) - damage)
    game.hit_points[unit] = left
    if left == 0:
        game.alive[side_of(world, unit)] &= ~bit(slot_of(world, unit))
        leave_pools(world, game, unit)
        record(game, DIED, unit, by)
