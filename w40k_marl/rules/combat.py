"""Hit, wound, save and damage: the dice of an attack, and estimates for choices of weapons and
targets.

The dice and the exact expectation use the same target numbers. Two estimates that choose weapons
and order target lists are rules of the game with their own formulas (spec 06 H-3, 04 R-12). They
differ from the expectation in known cases, and the order of their operations is part of the rule.
"""

from __future__ import annotations

from ..compiler.decorators import compiled
from .dice import ATTACKS, DAMAGE, HIT, SAVE, WOUND, amount, expected_amount, roll
from .events import ATTACKED, record
from .state import ELITE, LEADER, MAX_WEAPONS, RANGED, SWARM, TROOP, Game, World
from .units import is_alive, wound
from .weapon_rules import CRITICAL, further_attacks, further_damage, hit_target, roll_to_wound

NO_INVULNERABLE_SAVE = 7
NEVER_DIES = 100.0


@compiled
def wound_target(strength: int, toughness: int) -> int:
    """Return the roll needed to wound (spec 05 rule 28)."""
    if strength >= 2 * toughness:
        return 2
    if strength > toughness:
        return 3
    if strength == toughness:
        return 4
    if 2 * strength <= toughness:
        return 6
    return 5


@compiled
def save_target(armor_save: int, armor_penetration: int, invulnerable_save: int) -> int:
    """Return the roll needed to save, from 2 to 6: a 6 always saves (spec 05 rule 29)."""
    invulnerable = invulnerable_save if invulnerable_save > 0 else NO_INVULNERABLE_SAVE
    return max(2, min(armor_save - armor_penetration, invulnerable, 6))


@compiled
def success(needed: int) -> float:
    """Return the probability that a D6 shows at least ``needed``, for 1 to 7."""
    return (7 - needed) / 6


@compiled
def attack(world: World, game: Game, attacker: int, kind: int, slot: int, target: int) -> None:
    """Roll one attack; each die only if the one before it succeeded (spec 04 R-55, 05 rule 27)."""
    if world.changes_attacks[attacker, kind, slot]:
        _attack_by_rules(world, game, attacker, kind, slot, target)
        return
    wound_roll = save_roll = damage = 0
    hit_roll = roll(game, 6, HIT)
    if hit_roll >= world.hit[attacker, kind, slot]:
        wound_roll = roll(game, 6, WOUND)
        if wound_roll >= wound_target(int(world.strength[attacker, kind, slot]), int(world.toughness[target])):
            save_roll = roll(game, 6, SAVE)
            if save_roll < save_against(world, attacker, kind, slot, target):
                fixed, dice = (
                    int(world.damage[attacker, kind, slot]),
                    int(world.damage_dice[attacker, kind, slot]),
                )
                damage = amount(game, fixed, dice, DAMAGE)
    weapon = slot + kind * MAX_WEAPONS
    record(game, ATTACKED, attacker, target, weapon, hit_roll, wound_roll, save_roll, damage)
    if damage > 0:
        wound(world, game, target, damage, attacker)


@compiled
def _attack_by_rules(world: World, game: Game, attacker: int, kind: int, slot: int, target: int) -> None:
    """``attack`` for a weapon with active weapon rules: the hit, then the extra hits of SUSTAINED
    HITS.

    Extra hits have no hit roll, so they are never critical. They end when the target dies.
    """
    if world.hazardous[attacker, kind, slot]:
        game.hazards = int(game.hazards) | (1 << slot)
    hit_roll = 0
    if world.torrent[attacker, kind, slot] == 0:
        hit_roll = roll(game, 6, HIT)
        if hit_roll < hit_target(world, game, attacker, kind, slot):
            record(game, ATTACKED, attacker, target, slot + kind * MAX_WEAPONS, hit_roll)
            return
    lethal = hit_roll == CRITICAL and world.lethal_hits[attacker, kind, slot] != 0
    _resolve_hit(world, game, attacker, kind, slot, target, hit_roll, lethal)
    if hit_roll == CRITICAL:
        for _ in range(world.sustained_hits[attacker, kind, slot]):
            if is_alive(world, game, target):
                _resolve_hit(world, game, attacker, kind, slot, target, 0, False)


@compiled
def _resolve_hit(
    world: World, game: Game, attacker: int, kind: int, slot: int, target: int, hit_roll: int, wounded: bool
) -> None:
    """Resolve wound, save and damage of one hit.

    If ``wounded`` is True, no wound roll is made. A roll that was not made is recorded as 0.
    """
    wound_roll = save_roll = damage = 0
    if not wounded:
        needed = wound_target(int(world.strength[attacker, kind, slot]), int(world.toughness[target]))
        wound_roll = roll_to_wound(world, game, attacker, kind, slot, target, needed)
        wounded = wound_roll >= needed
    if wounded:
        if wound_roll != CRITICAL or world.devastating_wounds[attacker, kind, slot] == 0:
            save_roll = roll(game, 6, SAVE)
        if save_roll < save_against(world, attacker, kind, slot, target):
            fixed, dice = int(world.damage[attacker, kind, slot]), int(world.damage_dice[attacker, kind, slot])
            damage = amount(game, fixed, dice, DAMAGE) + further_damage(world, game, attacker, kind, slot, target)
    weapon = slot + kind * MAX_WEAPONS
    record(game, ATTACKED, attacker, target, weapon, hit_roll, wound_roll, save_roll, damage)
    if damage > 0:
        wound(world, game, target, damage, attacker)


@compiled
def save_against(world: World, attacker: int, kind: int, slot: int, target: int) -> int:
    """Return the roll that ``target`` needs to save against a weapon."""
    return save_target(
        int(world.armor_save[target]),
        int(world.armor_penetration[attacker, kind, slot]),
        int(world.invulnerable_save[target]),
    )


@compiled
def number_of_attacks(world: World, game: Game, unit: int, kind: int, slot: int, target: int) -> int:
    """Return the number of attacks of a weapon in this activation; roll the die of a D3 or D6.

    ``target`` is the first target, or NOBODY; only RAPID_FIRE uses it.
    """
    rolled = amount(game, int(world.attacks[unit, kind, slot]), int(world.attacks_dice[unit, kind, slot]), ATTACKS)
    return rolled + further_attacks(world, game, unit, kind, slot, target)


@compiled
def expected_attacks(world: World, unit: int, kind: int, slot: int) -> float:
    """Return the mean number of attacks of a weapon."""
    return expected_amount(int(world.attacks[unit, kind, slot]), int(world.attacks_dice[unit, kind, slot]))


@compiled
def expected_hit_damage(world: World, unit: int, kind: int, slot: int) -> float:
    """Return the mean damage of one unsaved wound of a weapon."""
    return expected_amount(int(world.damage[unit, kind, slot]), int(world.damage_dice[unit, kind, slot]))


@compiled
def _clip(probability: float) -> float:
    return min(1.0, max(0.0, probability))


@compiled
def expected_damage(
    attacks: int,
    attacks_dice: int,
    hit: int,
    strength: int,
    armor_penetration: int,
    damage: int,
    damage_dice: int,
    toughness: int,
    armor_save: int,
    invulnerable_save: int,
) -> float:
    """Return the mean damage of all attacks of a weapon against a target (spec 07 A.2).

    It is the expectation of the dice. Characteristics are as in ``World``: attacks and damage are a
    number, or dice of 3 or 6 if the second value is not 0. Range, sight and remaining hit points
    are ignored. The order of the products is part of the rule.
    """
    save = save_target(armor_save, armor_penetration, invulnerable_save)
    return (
        expected_amount(attacks, attacks_dice)
        * _clip(success(hit))
        * success(wound_target(strength, toughness))
        * success(8 - save)  # a save of 4+ fails as often as a roll of at least 8 - 4 succeeds
        * expected_amount(damage, damage_dice)
    )


@compiled
def kill_score(world: World, game: Game, unit: int, kind: int, slot: int, target: int) -> float:
    """Return the estimated share of the target's hit points that a weapon takes, at most 1 (spec 06
    H-3).

    It chooses the weapon of an attack. Unlike the dice, it ignores that a 6 always saves, and uses
    another chance for wounds on 6+.
    """
    strength, toughness = int(world.strength[unit, kind, slot]), int(world.toughness[target])
    hits = _clip((7 - int(world.hit[unit, kind, slot])) / 6)
    wounds = _estimated_wound_chance(strength, toughness, 2 / 6)
    armor = int(world.armor_save[target]) - int(world.armor_penetration[unit, kind, slot])
    fails = _clip((min(armor, int(world.invulnerable_save[target])) - 1) / 6)
    attacks = expected_attacks(world, unit, kind, slot)
    damage = attacks * (hits * wounds * fails) * expected_hit_damage(world, unit, kind, slot)
    left = int(game.hit_points[target])
    return 1.0 if damage >= left else damage / left


@compiled
def _estimated_wound_chance(strength: int, toughness: int, hopeless: float) -> float:
    """Return the chance to wound; ``hopeless`` is that of strength up to half the toughness."""
    if strength >= 2 * toughness:
        return 5 / 6
    if strength > toughness:
        return 4 / 6
    if strength == toughness:
        return 3 / 6
    if 2 * strength <= toughness:
        return hopeless
    return 2 / 6


@compiled
def _estimated_shooting(world: World, unit: int, slot: int, target: int) -> float:
    """Return the estimated unsaved wounds of a ranged weapon, without invulnerable saves (spec 04
    R-12).
    """
    if slot < 0:
        return 0.0
    chance = (7 - int(world.hit[unit, RANGED, slot])) / 6
    strength, toughness = int(world.strength[unit, RANGED, slot]), int(world.toughness[target])
    save = int(world.armor_save[target]) - int(world.armor_penetration[unit, RANGED, slot])
    fails = 1.0 if save > 6 else (save - 1) / 6
    return expected_attacks(world, unit, RANGED, slot) * (
        (chance * _estimated_wound_chance(strength, toughness, 1 / 6)) * fails
    )


@compiled
def shooting_priority(world: World, game: Game, unit: int, enemy: int) -> tuple[float, float]:
    """Return the first two sort keys of an enemy in a target list, smallest first (spec 04 R-12).

    The first is the danger of the enemy's selected weapon, times the time to kill the enemy. The
    second is whether the enemy is of the preferred kind.
    """
    threat = _estimated_shooting(world, enemy, int(game.selected_weapon[enemy]), unit)
    mine = _estimated_shooting(world, unit, int(game.selected_weapon[unit]), enemy)
    time_to_kill = int(game.hit_points[enemy]) / mine if mine > 0 else NEVER_DIES
    match = 1.0 if world.kind[enemy] == world.preferred_kind[unit] else 0.3
    return -(threat * time_to_kill) * 100, -70 * match


def kind_by_hit_points(hit_points: int) -> int:
    """Return the kind of a unit by its full hit points: swarm, troop, elite or leader (spec 04
    R-12).
    """
    for limit, kind in ((1, SWARM), (3, TROOP), (6, ELITE)):
        if hit_points <= limit:
            return kind
    return LEADER
