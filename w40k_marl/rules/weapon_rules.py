"""Weapon rules for ``weapon_rules="full"``: their additions to an attack, and the cost of
HAZARDOUS.

The World fields that activate them are 0 in the reference setting. Formulas: docs/weapon_rules.md.
"""

from __future__ import annotations

from ..compiler.decorators import compiled
from .dice import HAZARD, WOUND, WOUND_REROLL, roll
from .events import HAZARD_ROLLED, REROLLED, record
from .hexes import distance
from .state import FIGHT, MAX_WEAPONS, MELEE, NOBODY, RANGED, Game, World
from .units import hex_of, is_alive, is_marked, wound

CRITICAL = 6
"""The unmodified face that triggers LETHAL HITS, SUSTAINED HITS and DEVASTATING WOUNDS."""

HAZARD_DAMAGE = 3


@compiled
def within_half_range(world: World, game: Game, unit: int, kind: int, slot: int, target: int) -> bool:
    """Return True if the target is within half the weapon's range; the half is not rounded."""
    return bool(2 * distance(hex_of(game, unit), hex_of(game, target)) <= world.range[unit, kind, slot])


@compiled
def further_attacks(world: World, game: Game, unit: int, kind: int, slot: int, target: int) -> int:
    """RAPID_FIRE:X: return X extra attacks if the target is within half range, else 0; 0 for
    NOBODY.
    """
    extra = int(world.rapid_fire[unit, kind, slot])
    if extra == 0 or target == NOBODY:
        return 0
    return extra if within_half_range(world, game, unit, kind, slot, target) else 0


@compiled
def further_damage(world: World, game: Game, unit: int, kind: int, slot: int, target: int) -> int:
    """MELTA:X: return X extra damage if the target is within half range, else 0."""
    extra = int(world.melta[unit, kind, slot])
    if extra == 0:
        return 0
    return extra if within_half_range(world, game, unit, kind, slot, target) else 0


@compiled
def hit_target(world: World, game: Game, unit: int, kind: int, slot: int) -> int:
    """Return the roll needed to hit: ATK, or with HEAVY one less for a unit that has not moved.

    It is never below 2: a 1 always misses.
    """
    needed = int(world.hit[unit, kind, slot])
    if world.heavy[unit, kind, slot] == 0:
        return needed
    if is_marked(world, game.moved, unit) or is_marked(world, game.advanced, unit):
        return needed
    return max(2, needed - 1)


@compiled
def roll_to_wound(world: World, game: Game, unit: int, kind: int, slot: int, target: int, needed: int) -> int:
    """Roll to wound; TWIN LINKED rolls a failed die once more, and the second roll counts."""
    face = roll(game, 6, WOUND)
    if face >= needed or world.twin_linked[unit, kind, slot] == 0:
        return face
    record(game, REROLLED, unit, target, slot + kind * MAX_WEAPONS, face)
    return roll(game, 6, WOUND_REROLL)


@compiled
def suffer_hazards(world: World, game: Game, unit: int) -> None:
    """HAZARDOUS: roll a die for each such weapon used in the ending activation; a 1 costs 3 hit
    points.
    """
    kind = MELEE if game.phase == FIGHT else RANGED
    for slot in range(world.weapon_count[unit, kind]):
        if (int(game.hazards) >> slot) & 1 and is_alive(world, game, unit):
            face = roll(game, 6, HAZARD)
            damage = HAZARD_DAMAGE if face == 1 else 0
            record(game, HAZARD_ROLLED, unit, 0, slot + kind * MAX_WEAPONS, face, damage)
            if damage > 0:
                wound(world, game, unit, damage, unit)
