"""Checks that a record from outside is a state of a game, before any other rule uses its numbers.

The rules use hexes, units, slots and weapons of a record as indices, and loop until a pool is
empty, without checks of their own. A record without a fault keeps every index inside its array, and
every legal game from it ends.
"""

from __future__ import annotations

from ..compiler.decorators import compiled, entry_point
from .bits import NOTHING, BitSet, bit, has
from .board import Board, open_hexes
from .event_rows import rows_can_be_read
from .fight import stage_of
from .objectives import result_of
from .open_activation import activation_fits, active_fits, intents_fit, targets_fit
from .state import (
    ACTIVE_SIDE,
    CHARGE,
    CHARGERS,
    COMMAND,
    FIGHT,
    MAX_EVENTS,
    MOVE,
    NO_STAGE,
    NOBODY,
    RANGED,
    SHOOT,
    UNDECIDED,
    UNSET,
    Game,
    Games,
    World,
    Worlds,
)
from .turn import summarise
from .units import engaged, side_of, slot_of

MOST_STEPS = 1 << 30
"""Exclusive limit of steps and dice of a record, so that neither counter overflows in a continued
game.
"""

(
    SOUND,
    IN_COURSE,
    IN_STEPS,
    IN_DICE,
    IN_UNITS,
    IN_HEXES,
    IN_WEAPONS,
    IN_CONTROL,
    IN_POINTS,
    IN_MARKS,
    IN_POOLS,
    IN_STAGE,
    IN_RESULT,
    IN_ACTIVE,
    IN_ACTIVATION,
    IN_TARGETS,
    IN_INTENTS,
    IN_EVENTS,
    IN_SUMMARY,
) = range(19)

FAULTS: dict[int, tuple[str, str]] = {
    IN_COURSE: ("turn", "a turn, side and phase of a game"),
    IN_STEPS: ("steps", f"steps and dice from 0 to {MOST_STEPS - 1}, and a seed from 0 to 2**63 - 1"),
    IN_DICE: ("recording", "a game that rolls its own dice"),
    IN_UNITS: ("hit_points", "1 hit point to all for living units of the scenario, 0 for all others"),
    IN_HEXES: ("hexes", "an open hex for every unit of the scenario, and none for two living ones"),
    IN_WEAPONS: ("selected_weapon", "weapon slots that the units have"),
    IN_CONTROL: ("control", "0, 1 or 2 for objectives of the scenario, 0 for others"),
    IN_POINTS: ("victory_points", "victory points that can be scored by this turn"),
    IN_MARKS: ("moved", "marks that units of the scenario can have in this phase"),
    IN_POOLS: ("pool", "living units that may act in this phase, at least one until the game is over"),
    IN_STAGE: ("fight_stage", "the stage that follows from the pools"),
    IN_RESULT: ("winner", "the winner that follows from points and units at the end, before it none"),
    IN_ACTIVE: ("active", "a unit of the pool of the side to act, or -1"),
    IN_ACTIVATION: ("attacks_left", "an open activation as the rules leave it, or nothing of one"),
    IN_TARGETS: ("targets", "the targets of the active unit"),
    IN_INTENTS: ("intent", "intents and details that the scenario has"),
    IN_EVENTS: ("events", "events of units, weapons and hexes of the scenario"),
    IN_SUMMARY: ("summary", "the summary of the record"),
}
"""For each fault, the field to report and the expected value."""


@entry_point
def first_fault(worlds: Worlds, board: Board, games: Games, row: int) -> int:
    """Return the first fault of a row's record, or SOUND if it is a state of a game of this world.

    The record does not change. The order matters: each check relies on the earlier ones and uses
    only numbers that they have checked.
    """
    world, game = worlds[0], games[row]
    fault = _fault_of_numbers(world, board, game)
    if fault == SOUND:
        fault = _fault_of_play(world, board, game)
    if fault == SOUND:
        scratch = games[row : row + 1].copy()
        if not targets_fit(world, board, game, scratch[0]):
            fault = IN_TARGETS
        else:
            summarise(scratch[0])
            for field in range(len(game.summary)):
                if scratch[0].summary[field] != game.summary[field]:
                    fault = IN_SUMMARY
    return fault


@compiled
def _fault_of_numbers(world: World, board: Board, game: Game) -> int:
    """Return a fault of fields that can be checked separately."""
    if not _course_fits(world, game):
        return IN_COURSE
    if not (0 <= game.steps < MOST_STEPS and game.dice_rolled < MOST_STEPS and not has(game.seed, 63)):
        return IN_STEPS
    if not _rolls_its_own_dice(game):
        return IN_DICE
    if not _units_fit(world, game):
        return IN_UNITS
    if not _hexes_fit(world, board, game):
        return IN_HEXES
    if not _weapons_fit(world, game):
        return IN_WEAPONS
    for objective in range(len(game.control)):
        if not 0 <= game.control[objective] <= (2 if objective < world.objective_count else 0):
            return IN_CONTROL
    for side in range(2):
        if not 0 <= game.victory_points[side] <= _most_points(world, game, side):
            return IN_POINTS
    if not (0 <= game.event_count <= MAX_EVENTS and game.events_lost >= 0):
        return IN_EVENTS
    if (game.events_lost > 0 and game.event_count < MAX_EVENTS) or not rows_can_be_read(world, board, game):
        return IN_EVENTS
    return SOUND


@compiled
def _fault_of_play(world: World, board: Board, game: Game) -> int:
    """Return a fault of fields that must agree with each other."""
    if not _marks_fit(world, game):
        return IN_MARKS
    if not _pools_fit(world, game):
        return IN_POOLS
    if not _stage_fits(game):
        return IN_STAGE
    if not _result_fits(world, game):
        return IN_RESULT
    if not active_fits(world, game):
        return IN_ACTIVE
    if not activation_fits(world, game):
        return IN_ACTIVATION
    if not intents_fit(world, game):
        return IN_INTENTS
    return SOUND


@compiled
def _course_fits(world: World, game: Game) -> bool:
    """Return True if flags, turn, side and phase are in range; the command phase never waits for an
    action.
    """
    return bool(
        1 <= game.turn <= world.max_turns
        and 0 <= game.side <= 1
        and COMMAND < game.phase <= FIGHT
        and 0 <= game.over <= 1
        and (not game.over or (game.turn == world.max_turns and game.side == 1 and game.phase == FIGHT))
    )


@compiled
def _rolls_its_own_dice(game: Game) -> bool:
    """Return True if the record contains no recorded dice of a replay."""
    for index in range(len(game.recorded)):
        if game.recorded[index] != 0 or game.recorded_purpose[index] != 0:
            return False
    return bool(game.recorded_count == 0 and game.recorded_used == 0 and game.recording == 0 and game.dice_refused == 0)


# --- units -------------------------------------------------------------------------------------------------


@compiled
def _roster(world: World, side: int) -> BitSet:
    """Return the slots of a side that contain a unit of the scenario."""
    slots = NOTHING
    for slot in range(world.unit_count[side]):
        slots |= bit(slot)
    return slots


@compiled
def _units_fit(world: World, game: Game) -> bool:
    """Return True if hit points are in range and exactly the units with hit points are alive."""
    units = int(world.units_per_side)
    for side in range(2):
        if game.alive[side] & ~_roster(world, side) != NOTHING:
            return False
        for slot in range(units):
            left = int(game.hit_points[side * units + slot])
            full = int(world.hit_points[side * units + slot]) if slot < world.unit_count[side] else 0
            if not 0 <= left <= full or has(game.alive[side], slot) != (left > 0):
                return False
    return True


@compiled
def _hexes_fit(world: World, board: Board, game: Game) -> bool:
    """Return True if every unit is on an open hex (dead units too) and no two living units share
    one.
    """
    ground = open_hexes(board)
    free = ground.copy()
    units = int(world.units_per_side)
    for unit in range(2 * units):
        side, hex_id = side_of(world, unit), int(game.hexes[unit])
        if slot_of(world, unit) >= world.unit_count[side]:
            if hex_id != 0:
                return False
            continue
        if not 0 <= hex_id < 64 * len(ground) or not has(ground[hex_id >> 6], hex_id & 63):
            return False
        if has(game.alive[side], slot_of(world, unit)):
            if not has(free[hex_id >> 6], hex_id & 63):
                return False
            free[hex_id >> 6] &= ~bit(hex_id & 63)
    return True


@compiled
def _weapons_fit(world: World, game: Game) -> bool:
    """Return True if each unit with ranged weapons has one selected, and only combi profiles are
    blocked.
    """
    for unit in range(2 * int(world.units_per_side)):
        selected, count = int(game.selected_weapon[unit]), int(world.weapon_count[unit, RANGED])
        exists = slot_of(world, unit) < world.unit_count[side_of(world, unit)]
        if exists and count > 0:
            if not 0 <= selected < count:
                return False
        elif selected != (NOBODY if exists else 0):
            return False
        shut = int(game.combi_blocked[unit])
        for slot in range(count):
            if world.combi_group[unit, RANGED, slot] != 0:
                shut &= ~(1 << slot)
        if shut != 0:
            return False
    return True


@compiled
def _marks_fit(world: World, game: Game) -> bool:
    """Return True if only the side with the turn has marks, of this phase or earlier; both may have
    fought.
    """
    side = int(game.side)
    roster, others = _roster(world, side), _roster(world, 1 - side)
    for marks in (game.moved, game.fled, game.shot, game.advanced, game.charged):
        if marks[1 - side] != NOTHING or marks[side] & ~roster != NOTHING:
            return False
    if game.fought[side] & ~roster != NOTHING or game.fought[1 - side] & ~others != NOTHING:
        return False
    if game.fled[side] & ~game.moved[side] != NOTHING:
        return False
    if game.fled[side] & (game.shot[side] | game.advanced[side] | game.charged[side]) != NOTHING:
        return False
    if game.phase < SHOOT and game.shot[side] | game.advanced[side] != NOTHING:
        return False
    if game.phase < CHARGE and game.charged[side] != NOTHING:
        return False
    if game.phase < FIGHT and game.fought[0] | game.fought[1] != NOTHING:
        return False
    return bool(game.may_advance & ~(roster | others) == NOTHING)


# --- turn and result
# ---------------------------------------------------------------------------------------


@compiled
def _most_points(world: World, game: Game, side: int) -> int:
    """Return the most victory points that a side can have by now: the caps of its turns that have
    begun.
    """
    begun = int(game.turn) if game.side >= side else int(game.turn) - 1
    most = 0
    for scoring in range(world.scoring_count):
        most += max(0, begun - int(world.start_turn[scoring]) + 1) * int(world.max_points[scoring])
    return most


@compiled
def _pools_fit(world: World, game: Game) -> bool:
    """Return True if pools contain only living units that have not acted, of the right side.

    That is the side with the turn; in the fight phase, both sides.
    """
    side = int(game.side)
    for each in range(2):
        if game.pool[each] & ~game.alive[each] != NOTHING:
            return False
    if game.chargers & ~(game.alive[side] & game.charged[side] & ~game.fought[side]) != NOTHING:
        return False
    if game.phase == FIGHT:
        acted = game.charged[side] | game.fought[side]
        if game.pool[1 - side] & game.fought[1 - side] != NOTHING:
            return False
    else:
        if game.pool[1 - side] | game.chargers != NOTHING:
            return False
        acted = game.fled[side] | (game.charged[side] if game.phase == CHARGE else game.shot[side])
        if game.phase == MOVE:
            acted = game.moved[side]
        elif game.phase == SHOOT:
            acted |= _advanced_before(world, game)
            if not _may_advance_fits(world, game):
                return False
    if game.pool[side] & acted != NOTHING:
        return False
    waiting = game.pool[0] | game.pool[1] | game.chargers
    return bool((waiting == NOTHING) if game.over else (waiting != NOTHING))


@compiled
def _advanced_before(world: World, game: Game) -> BitSet:
    """Return the units that advanced in this phase, except the unit of the open activation."""
    advanced: BitSet = game.advanced[game.side]
    units, active = int(world.units_per_side), int(game.active)
    if 0 <= active < 2 * units and side_of(world, active) == game.side:
        advanced &= ~bit(slot_of(world, active))
    return advanced


@compiled
def _may_advance_fits(world: World, game: Game) -> bool:
    """Return True if the living units that may advance are out of contact and have not fled."""
    side = int(game.side)
    if game.may_advance & (game.fled[side] | ~_roster(world, side)) != NOTHING:
        return False
    for slot in range(world.unit_count[side]):
        if has(game.may_advance & game.alive[side], slot):
            if engaged(world, game, side * int(world.units_per_side) + slot):
                return False
    return True


@compiled
def _stage_fits(game: Game) -> bool:
    """Return True if stage and turn flag follow from the pools."""
    if not UNSET <= game.alternation <= ACTIVE_SIDE:
        return False
    if game.phase != FIGHT:
        return bool(game.fight_stage == NO_STAGE and game.alternation == UNSET)
    if game.fight_stage != stage_of(game):
        return False
    return bool(game.over or (game.alternation == UNSET) == (game.fight_stage == CHARGERS))


@compiled
def _result_fits(world: World, game: Game) -> bool:
    if not game.over:
        return bool(game.winner == 0 and game.win_method == UNDECIDED)
    winner, method = result_of(world, game)
    return bool(game.winner == winner and game.win_method == method)
