"""The fight phase: chargers first, then both sides alternate, starting with the side without the
turn.

Spec 05 part B. Each unit in contact fights once; a unit whose enemies have died passes.
"""

from __future__ import annotations

from ..compiler.decorators import compiled
from .bits import NOTHING, BitSet, bit, has
from .combat import attack, kill_score, number_of_attacks
from .events import PASSED, record
from .state import (
    ACTIVE_SIDE,
    ALTERNATING_ACTIVE,
    ALTERNATING_OTHER,
    CHARGERS,
    CLEANUP_ACTIVE,
    CLEANUP_OTHER,
    DECIDED_BY_AGENT,
    MELEE,
    NO_STAGE,
    NOBODY,
    OTHER_SIDE,
    UNSET,
    Game,
    World,
)
from .units import engaged, hex_of, is_alive, mark, side_of, slot_of, units_touching


@compiled
def _fighters(world: World, game: Game, side: int) -> BitSet:
    """Return the living units of a side that are in contact and have not fought."""
    fighters = NOTHING
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        waiting = has(game.alive[side], slot) and not has(game.fought[side], slot)
        if waiting and engaged(world, game, base + slot):
            fighters |= bit(slot)
    return fighters


@compiled
def _build_alternating_pools(world: World, game: Game) -> None:
    """Fill the pools of both sides with the fighters that did not charge (spec 05 rules 13 and
    17b).
    """
    for side in range(2):
        game.pool[side] = _fighters(world, game, side) & ~game.charged[side]


@compiled
def begin_fight(world: World, game: Game) -> None:
    """Build the three pools from the current contacts (spec 05 rules 13 and 14)."""
    game.chargers = _fighters(world, game, int(game.side)) & game.charged[game.side]
    game.alternation = UNSET
    _build_alternating_pools(world, game)
    _set_stage(game)


@compiled
def stage_of(game: Game) -> int:
    """Return the stage of the fight, from the pools and the turn flag (spec 05 rule 16)."""
    mine = game.pool[game.side] != NOTHING
    others = game.pool[1 - game.side] != NOTHING
    if game.chargers != NOTHING:
        return CHARGERS
    if not mine and not others:
        return NO_STAGE
    if game.alternation == OTHER_SIDE and others:
        return ALTERNATING_OTHER
    if game.alternation == ACTIVE_SIDE and mine:
        return ALTERNATING_ACTIVE
    return CLEANUP_OTHER if others else CLEANUP_ACTIVE


@compiled
def _set_stage(game: Game) -> None:
    """Set the stage from the pools; the alternation begins with the side whose turn it is not."""
    waiting = game.pool[0] | game.pool[1]
    if game.alternation == UNSET and game.chargers == NOTHING and waiting != NOTHING:
        game.alternation = OTHER_SIDE
    game.fight_stage = stage_of(game)


@compiled
def fighting_side(game: Game) -> int:
    """Return the side of the next activation."""
    if game.fight_stage == ALTERNATING_OTHER or game.fight_stage == CLEANUP_OTHER:
        return 1 - int(game.side)
    return int(game.side)


@compiled
def fighting_pool(game: Game) -> BitSet:
    """Return the units that may have the next activation."""
    if game.fight_stage == CHARGERS:
        return game.chargers
    return game.pool[fighting_side(game)]


@compiled
def after_fighting(world: World, game: Game, unit: int) -> None:
    """Remove the unit from its pool and pass the activation on (spec 05 rule 17)."""
    side = side_of(world, unit)
    member = bit(slot_of(world, unit))
    if game.fight_stage == CHARGERS:
        game.chargers &= ~member
        if game.chargers == NOTHING:
            _build_alternating_pools(world, game)
    else:
        game.pool[side] &= ~member
    if game.alternation != UNSET and game.pool[0] != NOTHING and game.pool[1] != NOTHING:
        game.alternation = ACTIVE_SIDE if game.alternation == OTHER_SIDE else OTHER_SIDE
    _set_stage(game)


@compiled
def list_opponents(world: World, game: Game, unit: int) -> None:
    """Write the living enemies that touch the unit, in roster order."""
    game.target_count = 0
    enemies = 1 - side_of(world, unit)
    touching = units_touching(world, game, enemies, hex_of(game, unit))
    for slot in range(world.unit_count[enemies]):
        if has(touching, slot):
            game.targets[game.target_count] = enemies * int(world.units_per_side) + slot
            game.target_count += 1


@compiled
def best_melee_weapon(world: World, game: Game, unit: int, target: int) -> int:
    """Return the melee slot with the greatest kill score, the lowest on ties (spec 05 rule 26)."""
    best, best_score = -1, -1.0
    for slot in range(world.weapon_count[unit, MELEE]):
        score = kill_score(world, game, unit, MELEE, slot, target)
        if score > best_score:
            best, best_score = slot, score
    return best


@compiled
def strike_once(world: World, game: Game, unit: int, slot: int, target: int) -> None:
    """Make one melee attack."""
    attack(world, game, unit, MELEE, slot, target)
    game.has_attacked = 1


@compiled
def fight(world: World, game: Game, unit: int, target: int) -> bool:
    """Attack until the agent must choose or the activation is over; return True if it is over.

    The weapon is chosen before every attack; the first choice sets the number of attacks. If a
    target dies, the remaining attacks go against the next one (spec 05 rule 23).
    """
    if target == NOBODY or world.weapon_count[unit, MELEE] == 0:
        record(game, PASSED, unit)
        return True
    game.target = target
    if not game.weapon_chosen:
        game.weapon_chosen = 1
        first = best_melee_weapon(world, game, unit, target)
        game.attacks_left = number_of_attacks(world, game, unit, MELEE, first, target)
    while game.attacks_left > 0:
        strike_once(world, game, unit, best_melee_weapon(world, game, unit, int(game.target)), int(game.target))
        game.attacks_left -= 1
        list_opponents(world, game, unit)
        if game.target_count == 0:
            return True
        if world.decisions != DECIDED_BY_AGENT:
            game.target = game.targets[0]
        elif game.attacks_left > 0 and not is_alive(world, game, int(game.target)):
            game.target = NOBODY
            return False
    return True


@compiled
def mark_fought(world: World, game: Game, unit: int) -> None:
    """Mark a unit that has attacked; a unit that passed gets no mark (spec 05 rules 21 and 25)."""
    if game.has_attacked:
        mark(world, game.fought, unit)
