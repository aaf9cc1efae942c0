"""Checks of the open activation in a record from outside: can the rules leave it between two
actions?

Part of ``validity.py``, which has already checked every other number that these functions use.
"""

from __future__ import annotations

from ..compiler.decorators import compiled
from .bits import NOTHING, bit, has
from .board import Board
from .charge import list_chargeable
from .fight import list_opponents
from .intents import ALLY, ATTRITION, INTENT_COUNT, NO_DETAIL, OBJECTIVE, detail_count, detail_kind, may_detail
from .shooting import engaged_enemies, legal_targets, list_targets, usable_now
from .state import (
    CHARGE,
    DECIDED_BY_AGENT,
    DETAIL_DUE,
    FIGHT,
    INTENT_DUE,
    INTENT_SETTLED,
    MELEE,
    NO_LOCK,
    NO_PISTOLS,
    NOBODY,
    PISTOLS_ONLY,
    RANGED,
    SHOOT,
    Game,
    World,
)
from .turn import acting_side, eligible
from .units import side_of, slot_of


@compiled
def active_fits(world: World, game: Game) -> bool:
    """Return True if the active unit is eligible, or if none is active and some unit is eligible.

    After the end of the game, no unit may be active.
    """
    active = int(game.active)
    if active == NOBODY:
        return bool(game.over or eligible(game) != NOTHING)
    if game.over or not 0 <= active < 2 * int(world.units_per_side) or side_of(world, active) != acting_side(game):
        return False
    return has(eligible(game), slot_of(world, active))


@compiled
def activation_fits(world: World, game: Game) -> bool:
    """Return True if the activation flags are consistent, and all are clear if no activation is
    open.
    """
    units = int(world.units_per_side)
    if not 0 <= game.target_count <= units or game.target != NOBODY:
        return False
    for index in range(units):
        if not NOBODY <= game.targets[index] < (0 if game.active == NOBODY else 2 * units):
            return False
    for flag in (game.started, game.weapon_chosen, game.has_attacked):
        if not 0 <= flag <= 1:
            return False
    if game.active == NOBODY and (game.target_count != 0 or game.started):
        return False
    if game.active != NOBODY and not _start_fits(world, game, int(game.active)):
        return False
    if not game.has_attacked:
        return bool(
            not game.weapon_chosen
            and game.attacks_left == 0
            and game.fired == 0
            and game.pistol_lock == NO_LOCK
            and game.hazards == 0
        )
    if game.active == NOBODY or game.target_count == 0 or world.decisions != DECIDED_BY_AGENT:
        return False  # an activation waits between attacks only if agents decide
    if game.phase == SHOOT:
        return _shots_fit(world, game, int(game.active))
    return bool(game.phase == FIGHT) and _strikes_fit(world, game, int(game.active))


@compiled
def _start_fits(world: World, game: Game, unit: int) -> bool:
    """Return True if ``started`` is set exactly when the unit has shot or advanced in a shooting
    phase.
    """
    if game.phase != SHOOT:
        return not game.started
    side, slot = side_of(world, unit), slot_of(world, unit)
    advanced = has(game.advanced[side], slot)
    if advanced and not has(game.may_advance, slot):
        return False
    return bool((game.started != 0) == (advanced or game.has_attacked != 0))


@compiled
def _most_attacks(world: World, unit: int, kind: int, slot: int) -> int:
    """Return the largest number of attacks that a weapon can make in an activation."""
    dice = int(world.attacks_dice[unit, kind, slot])
    return (dice if dice > 0 else int(world.attacks[unit, kind, slot])) + int(world.rapid_fire[unit, kind, slot])


@compiled
def _hazards_of(world: World, unit: int, kind: int, slots: int) -> int:
    """Return the hazardous weapons among ``slots``."""
    hazardous = 0
    for slot in range(world.weapon_count[unit, kind]):
        if (slots >> slot) & 1 and world.hazardous[unit, kind, slot] != 0:
            hazardous |= 1 << slot
    return hazardous


@compiled
def _shots_fit(world: World, game: Game, unit: int) -> bool:
    """Return True if the fields between two shots are consistent.

    Either the selected weapon has attacks left and is not marked as fired, or it has none left and
    is.
    """
    selected, fired, left = int(game.selected_weapon[unit]), int(game.fired), int(game.attacks_left)
    if selected < 0 or fired >> int(world.weapon_count[unit, RANGED]) != 0:
        return False
    if game.weapon_chosen:
        if (fired >> selected) & 1 or not 0 < left < _most_attacks(world, unit, RANGED, selected):
            return False
    elif left != 0 or not (fired >> selected) & 1:
        return False
    if game.hazards != _hazards_of(world, unit, RANGED, fired | (1 << selected)):
        return False
    return bool(game.pistol_lock == (PISTOLS_ONLY if world.pistol[unit, RANGED, selected] else NO_PISTOLS))


@compiled
def _strikes_fit(world: World, game: Game, unit: int) -> bool:
    """Return True if the fields between two melee attacks are consistent: attacks are left.

    A fight activation waits only if its target has died.
    """
    most = 0
    for slot in range(world.weapon_count[unit, MELEE]):
        most = max(most, _most_attacks(world, unit, MELEE, slot))
    hazards = int(game.hazards)
    return bool(
        game.weapon_chosen
        and 0 < game.attacks_left < most
        and game.fired == 0
        and game.pistol_lock == NO_LOCK
        and hazards == _hazards_of(world, unit, MELEE, hazards)
    )


@compiled
def targets_fit(world: World, board: Board, game: Game, listed: Game) -> bool:
    """Return True if the target list equals the list that the rules build now.

    ``listed`` is a copy of the game; the function overwrites it. During a shooting activation the
    list only loses targets and keeps its first order.
    """
    if game.active == NOBODY:
        return True
    unit = int(game.active)
    listed.target_count = 0
    if game.phase == SHOOT:
        list_targets(world, board, listed, unit)
        if game.started:
            return _shooting_list_fits(world, board, game, int(listed.target_count), unit)
    elif game.phase == CHARGE:
        list_chargeable(world, board, listed, unit)
    elif game.phase == FIGHT:
        list_opponents(world, listed, unit)
    if game.target_count != listed.target_count:
        return False
    for index in range(game.target_count):
        if game.targets[index] != listed.targets[index]:
            return False
    return True


@compiled
def _shooting_list_fits(world: World, board: Board, game: Game, all_targets: int, unit: int) -> bool:
    """Return True if the list contains distinct enemies within reach of the remaining weapons.

    After an advance without a shot, it must contain all of them.
    """
    enemies = 1 - side_of(world, unit)
    locked = engaged_enemies(world, board, game, 1 - enemies)
    slots = 1 << int(game.selected_weapon[unit])
    if not game.weapon_chosen:
        slots = usable_now(world, board, game, unit, locked)
    legal = legal_targets(world, board, game, unit, slots, locked)
    for index in range(game.target_count):
        target = int(game.targets[index])
        if target < 0 or side_of(world, target) != enemies or not has(legal, slot_of(world, target)):
            return False
        legal &= ~bit(slot_of(world, target))
    if game.has_attacked:
        return True
    return bool(game.target_count == all_targets and all_targets > 0 and slots != 0)


# --- intents -----------------------------------------------------------------------------------------------


@compiled
def intents_fit(world: World, game: Game) -> bool:
    """Return True if both sides' intents are valid and the stage has a legal action."""
    for side in range(2):
        waits = game.intent_stage == DETAIL_DUE and game.active != NOBODY and side == side_of(world, int(game.active))
        if not _intent_fits(world, int(game.intent[side]), int(game.intent_detail[side]), side, waits):
            return False
    stage = int(game.intent_stage)
    if stage == INTENT_SETTLED:
        return bool(not world.intents or game.active == NOBODY or game.intent[acting_side(game)] != NOBODY)
    if not world.intents or game.active == NOBODY or game.started or game.has_attacked:
        return False
    if stage == INTENT_DUE:
        return True
    if stage == DETAIL_DUE:
        for detail in range(detail_count(world, game)):
            if may_detail(world, game, detail):
                return True
    return False


@compiled
def _intent_fits(world: World, intent: int, detail: int, side: int, waits: bool) -> bool:
    """Return True if an intent of a side (or NOBODY) fits its detail; ``waits``: it is due."""
    if intent == NOBODY or not world.intents:
        return intent == NOBODY and detail == NOBODY and not waits
    if not 0 <= intent < INTENT_COUNT:
        return False
    kind = detail_kind(intent)
    if waits or kind == NO_DETAIL:
        return detail == NOBODY and waits != (kind == NO_DETAIL)
    if kind == OBJECTIVE:
        last = int(world.objective_count) - 1
        return detail == last >= 0 if intent == ATTRITION else 0 <= detail <= last
    return bool(0 <= detail < world.unit_count[side if kind == ALLY else 1 - side])
