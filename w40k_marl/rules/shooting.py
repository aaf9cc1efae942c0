"""The shooting phase: legal shooters, targets and weapons, and the course of an activation (spec
04).

A unit out of contact may also advance, and may then shoot with ASSAULT weapons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled
from .bits import NOTHING, BitSet, bit, has
from .board import Board, sees
from .combat import attack, kill_score, number_of_attacks, shooting_priority
from .dice import ADVANCE_MOVE, roll
from .events import ADVANCE_BLOCKED, ADVANCED, STOPPED_SHOOTING, WAITED, record
from .hexes import distance
from .movement import destinations
from .pathfinding import holds, threat_zone
from .state import (
    DECIDED_BY_AGENT,
    NO_PISTOLS,
    NOBODY,
    PISTOLS_ONLY,
    RANGED,
    Game,
    World,
)
from .units import engaged, hex_of, is_alive, is_marked, mark, side_of, slot_of

_OUT_OF_REACH = 1 << 20


# --- legal targets
# -----------------------------------------------------------------------------------------


@compiled
def engaged_enemies(world: World, board: Board, game: Game, side: int) -> BitSet:
    """Return the enemies that touch a unit of ``side``; only this unit's pistols may fire at them
    (R-3).
    """
    zone = threat_zone(world, board, game, 1 - side)
    locked = NOTHING
    base = (1 - side) * world.units_per_side
    for slot in range(world.unit_count[1 - side]):
        if has(game.alive[1 - side], slot) and holds(zone, hex_of(game, base + slot)):
            locked |= bit(slot)
    return locked


@compiled
def _nearest_targets(world: World, board: Board, game: Game, unit: int, locked: BitSet) -> tuple[int, int]:
    """Return the distances of the nearest legal enemy in sight for a pistol and for any other
    weapon.
    """
    for_pistols = for_others = _OUT_OF_REACH
    enemies = 1 - side_of(world, unit)
    base = enemies * world.units_per_side
    here = hex_of(game, unit)
    for slot in range(world.unit_count[enemies]):
        if not has(game.alive[enemies], slot):
            continue
        there = hex_of(game, base + slot)
        away = distance(here, there)
        if away > 1 and (has(locked, slot) or away >= for_others or not sees(board, here, there)):
            continue
        for_pistols = min(for_pistols, away)
        if away > 1:
            for_others = away
    return for_pistols, for_others


@compiled
def usable_weapons(
    world: World, board: Board, game: Game, unit: int, advanced: bool, in_contact: bool, locked: BitSet
) -> int:
    """Return the ranged slots that could fire at an enemy now, as bits (R-10, K14)."""
    usable = 0
    for_pistols, for_others = _nearest_targets(world, board, game, unit, locked)
    shut = int(game.fired) | int(game.combi_blocked[unit])
    for slot in range(world.weapon_count[unit, RANGED]):
        pistol = world.pistol[unit, RANGED, slot] != 0
        if (
            (shut >> slot) & 1
            or (advanced and world.assault[unit, RANGED, slot] == 0)
            or (in_contact and not pistol)
            or (game.pistol_lock == PISTOLS_ONLY and not pistol)
            or (game.pistol_lock == NO_PISTOLS and pistol)
        ):
            continue
        nearest = for_pistols if pistol else for_others
        if nearest <= world.range[unit, RANGED, slot]:
            usable |= 1 << slot
    return usable


@compiled
def usable_now(world: World, board: Board, game: Game, unit: int, locked: BitSet) -> int:
    """Return the usable weapons for the current marks and contacts of the unit."""
    advanced = is_marked(world, game.advanced, unit)
    return usable_weapons(world, board, game, unit, advanced, engaged(world, game, unit), locked)


@compiled
def first_slot(slots: int) -> int:
    """Return the lowest slot of a set of slots, or -1 if it is empty."""
    slot = 0
    while slots:
        if slots & 1:
            return slot
        slots >>= 1
        slot += 1
    return -1


@compiled
def legal_targets(world: World, board: Board, game: Game, unit: int, slots: int, locked: BitSet) -> BitSet:
    """Return the enemies in sight that a weapon of ``slots`` reaches (R-11)."""
    legal = NOTHING
    reach, pistols = 0, False
    for slot in range(world.weapon_count[unit, RANGED]):
        if (slots >> slot) & 1:
            reach = max(reach, int(world.range[unit, RANGED, slot]))
            pistols = pistols or world.pistol[unit, RANGED, slot] != 0
    enemies = 1 - side_of(world, unit)
    base = enemies * world.units_per_side
    here = hex_of(game, unit)
    for slot in range(world.unit_count[enemies]):
        if not has(game.alive[enemies], slot):
            continue
        there = hex_of(game, base + slot)
        away = distance(here, there)
        allowed = pistols if away <= 1 else not has(locked, slot)
        if allowed and away <= reach and sees(board, here, there):
            legal |= bit(slot)
    return legal


@compiled
def _weapon_reaches(world: World, board: Board, game: Game, unit: int, slot: int, target: int) -> bool:
    locked = engaged_enemies(world, board, game, side_of(world, unit))
    return has(legal_targets(world, board, game, unit, 1 << slot, locked), slot_of(world, target))


# --- the target list ---------------------------------------------------------------------------------------


@compiled
def list_targets(world: World, board: Board, game: Game, unit: int) -> None:
    """Write the unit's legal targets in the order of the target actions (R-11, R-12).

    After an advance contacts are not checked, because the unit cannot have any.
    """
    game.target_count = 0
    locked = engaged_enemies(world, board, game, side_of(world, unit))
    advanced = is_marked(world, game.advanced, unit)
    in_contact = not advanced and engaged(world, game, unit)
    slots = usable_weapons(world, board, game, unit, advanced, in_contact, locked)
    if slots == 0:
        return
    legal = legal_targets(world, board, game, unit, slots, locked)
    base = (1 - side_of(world, unit)) * int(world.units_per_side)
    for slot in range(world.unit_count[1 - side_of(world, unit)]):
        if has(legal, slot):
            _insert_target(world, game, unit, base + slot)


@compiled
def _insert_target(world: World, game: Game, unit: int, enemy: int) -> None:
    """Insert an enemy behind all listed enemies that do not come after it."""
    place = int(game.target_count)
    while place > 0 and _comes_before(world, game, unit, enemy, int(game.targets[place - 1])):
        game.targets[place] = game.targets[place - 1]
        place -= 1
    game.targets[place] = enemy
    game.target_count += 1


@compiled
def _comes_before(world: World, game: Game, unit: int, a: int, b: int) -> bool:
    """Return True if enemy ``a`` precedes enemy ``b``: priority, preferred kind, distance."""
    danger_a, match_a = shooting_priority(world, game, unit, a)
    danger_b, match_b = shooting_priority(world, game, unit, b)
    if danger_a != danger_b:
        return danger_a < danger_b
    if match_a != match_b:
        return match_a < match_b
    here = hex_of(game, unit)
    return distance(here, hex_of(game, a)) < distance(here, hex_of(game, b))


@compiled
def drop_lost_targets(world: World, board: Board, game: Game, unit: int, slots: int) -> None:
    """Keep the listed enemies that are still legal for a weapon of ``slots``, in the same order."""
    locked = engaged_enemies(world, board, game, side_of(world, unit))
    legal = legal_targets(world, board, game, unit, slots, locked)
    kept = 0
    for index in range(game.target_count):
        enemy = int(game.targets[index])
        if has(legal, slot_of(world, enemy)):
            game.targets[kept] = enemy
            kept += 1
    game.target_count = kept


# --- the phase and its activations -------------------------------------------------------------------------


@compiled
def begin_shooting(world: World, board: Board, game: Game) -> None:
    """Select each unit's first usable weapon, then fill the pool (R-20, R-21).

    A unit out of contact may always act: it can at least advance.
    """
    side = int(game.side)
    locked = engaged_enemies(world, board, game, side)
    game.may_advance = NOTHING
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        if not has(game.alive[side], slot):
            continue
        unit = base + slot
        in_contact = engaged(world, game, unit)
        usable = usable_weapons(world, board, game, unit, False, in_contact, locked)
        if usable:
            game.selected_weapon[unit] = first_slot(usable)
        if has(game.fled[side], slot):
            continue
        if not in_contact:
            game.may_advance |= bit(slot)
        if usable or not in_contact:
            game.pool[side] |= bit(slot)


@compiled
def may_still_advance(world: World, game: Game, unit: int) -> bool:
    """Return True if action 12 is legal.

    The unit was out of contact at the beginning of the phase, has not advanced and has not fired.
    """
    side = side_of(world, unit)
    return (
        has(game.may_advance, slot_of(world, unit))
        and not has(game.advanced[side], slot_of(world, unit))
        and not game.has_attacked
    )


@compiled
def start_activation(world: World, board: Board, game: Game, unit: int) -> None:
    """Begin with the first shot or advance: reset the combi choice and select a weapon (R-30)."""
    if game.started:
        return
    game.started = 1
    game.combi_blocked[unit] = 0
    if game.target_count > 0:
        locked = engaged_enemies(world, board, game, side_of(world, unit))
        usable = usable_weapons(world, board, game, unit, False, engaged(world, game, unit), locked)
        if usable:
            game.selected_weapon[unit] = first_slot(usable)


@compiled
def best_weapon(world: World, board: Board, game: Game, unit: int, target: int) -> int:
    """Return the usable ranged slot with the greatest kill score, the lowest on ties (R-43, R-44).

    If agents decide, only weapons that reach the target are considered; else all usable ones (K14).
    """
    locked = engaged_enemies(world, board, game, side_of(world, unit))
    usable = usable_now(world, board, game, unit, locked)
    best, best_score = -1, -1.0
    for slot in range(world.weapon_count[unit, RANGED]):
        if not (usable >> slot) & 1:
            continue
        if world.decisions == DECIDED_BY_AGENT and not _weapon_reaches(world, board, game, unit, slot, target):
            continue
        score = kill_score(world, game, unit, RANGED, slot, target)
        if score > best_score:
            best, best_score = slot, score
    return best


@compiled
def fire_once(world: World, game: Game, unit: int, slot: int, target: int) -> None:
    """Fire one shot and update the weapons that may follow (R-45, R-47)."""
    game.selected_weapon[unit] = slot
    attack(world, game, unit, RANGED, slot, target)
    game.has_attacked = 1
    game.pistol_lock = PISTOLS_ONLY if world.pistol[unit, RANGED, slot] else NO_PISTOLS
    group = world.combi_group[unit, RANGED, slot]
    if group:
        blocked = int(game.combi_blocked[unit])
        for other in range(world.weapon_count[unit, RANGED]):
            if world.combi_group[unit, RANGED, other] == group:
                blocked = blocked & ~(1 << other) if other == slot else blocked | (1 << other)
        game.combi_blocked[unit] = blocked


@compiled
def shoot(world: World, board: Board, game: Game, unit: int, target: int) -> bool:
    """Fire at a target until the agent must choose or the activation is over; return True if it is
    over.

    If agents decide, shots stay on the chosen target; else every shot after the first goes to the
    first enemy of the list (R-50).
    """
    start_activation(world, board, game, unit)
    game.target = target
    while True:
        if not game.weapon_chosen:
            first = int(game.target)
            choose_weapon(world, game, unit, best_weapon(world, board, game, unit, first), first)
        if game.attacks_left > 0:
            fire_once(world, game, unit, int(game.selected_weapon[unit]), int(game.target))
            game.attacks_left -= 1
        if not targets_for_the_next_shot(world, board, game, unit):
            if game.attacks_left > 0:
                record(game, STOPPED_SHOOTING, unit, 0, int(game.attacks_left))
            return True
        if world.decisions != DECIDED_BY_AGENT:
            game.target = game.targets[0]
        elif not game.weapon_chosen or not _is_listed(game, int(game.target)):
            game.target = NOBODY
            return False


@compiled
def choose_weapon(world: World, game: Game, unit: int, slot: int, target: int) -> None:
    """Select a weapon and roll its number of attacks, at the distance of its first target (or
    NOBODY).
    """
    game.selected_weapon[unit] = slot
    game.weapon_chosen = 1
    game.attacks_left = number_of_attacks(world, game, unit, RANGED, slot, target)


@compiled
def targets_for_the_next_shot(world: World, board: Board, game: Game, unit: int) -> bool:
    """Update the target list, and switch to another weapon if this one is used up (R-48, R-49).

    Returns False if the activation is over.
    """
    selected = int(game.selected_weapon[unit])
    agent_decides = world.decisions == DECIDED_BY_AGENT
    used_up = game.attacks_left == 0
    if used_up:
        game.fired = int(game.fired) | (1 << selected)
    locked = engaged_enemies(world, board, game, side_of(world, unit))
    usable = usable_now(world, board, game, unit, locked)
    if used_up and usable == 0:
        return False
    if not used_up and agent_decides:
        usable = 1 << selected  # the remaining shots belong to the chosen weapon
    drop_lost_targets(world, board, game, unit, usable)
    if used_up and agent_decides:
        game.weapon_chosen = 0
    elif used_up:
        first = int(game.targets[0]) if game.target_count > 0 else NOBODY
        choose_weapon(world, game, unit, first_slot(usable), first)
    return bool(game.target_count > 0)


@compiled
def _is_listed(game: Game, target: int) -> bool:
    for index in range(game.target_count):
        if game.targets[index] == target:
            return True
    return False


@compiled
def stop_shooting(world: World, game: Game, unit: int) -> None:
    """Action 11: wait, or give up the remaining shots (R-60)."""
    if game.has_attacked:
        record(game, STOPPED_SHOOTING, unit, 0, int(game.attacks_left))
    else:
        record(game, WAITED, unit)


# --- advance -----------------------------------------------------------------------------------------------


@compiled
def advance(world: World, board: Board, game: Game, unit: int, forced: int) -> bool:
    """Action 12: roll, move towards the nearest enemy; return True if the activation is over (R-70
    to R-75).

    ``forced`` is the destination in a replay, or -1. A forced hex out of reach changes only the
    dice; the caller detects it because the unit is not on that hex.
    """
    start_activation(world, board, game, unit)
    reach = roll(game, int(world.advance_dice_sides), ADVANCE_MOVE)
    order = destinations(world, board, game, unit, reach)
    if len(order) == 0:
        record(game, ADVANCE_BLOCKED, unit, 0, reach)
        return True
    destination = _towards_nearest_enemy(world, game, unit, order)
    if forced >= 0:
        destination = -1
        for hex_id in order:
            if hex_id == forced:
                destination = forced
        if destination < 0:
            return False
    record(game, ADVANCED, unit, 0, hex_of(game, unit), destination, reach)
    game.hexes[unit] = destination
    mark(world, game.advanced, unit)
    list_targets(world, board, game, unit)
    locked = engaged_enemies(world, board, game, side_of(world, unit))
    usable = usable_weapons(world, board, game, unit, True, False, locked)
    if usable:
        game.selected_weapon[unit] = first_slot(usable)
    return bool(game.target_count == 0 or usable == 0)


@compiled
def _towards_nearest_enemy(world: World, game: Game, unit: int, order: NDArray[np.int64]) -> int:
    """Return the hex nearest to the currently nearest enemy; path and roster order decide ties
    (R-73).
    """
    enemies = 1 - side_of(world, unit)
    here = hex_of(game, unit)
    nearest, nearest_distance = NOBODY, _OUT_OF_REACH
    for slot in range(world.unit_count[enemies]):
        enemy = enemies * int(world.units_per_side) + slot
        if is_alive(world, game, enemy) and distance(here, hex_of(game, enemy)) < nearest_distance:
            nearest, nearest_distance = enemy, distance(here, hex_of(game, enemy))
    best, best_distance = int(order[0]), _OUT_OF_REACH
    if nearest == NOBODY:
        return best
    for hex_id in order:
        away = distance(hex_id, hex_of(game, nearest))
        if away < best_distance:
            best, best_distance = int(hex_id), away
    return best
