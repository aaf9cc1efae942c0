"""Forced choices: the caller sets the unit, hex, target, weapon or dice of a decision.

Each function checks the choice, then calls the same functions of the rules as a normal game. Hits,
wounds, deaths, pools, phases and scores follow only from the rules. The functions at the end return
information for choices. ``docs/testing.md`` shows examples.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from ..rules import events
from ..rules.bits import NOTHING, has
from ..rules.board import Board
from ..rules.charge import charge
from ..rules.combat import kill_score
from ..rules.fight import best_melee_weapon, list_opponents, strike_once
from ..rules.hexes import adjacent
from ..rules.movement import destinations, may_move_to, move
from ..rules.objectives import evaluate_control
from ..rules.pathfinding import path_order, unoccupied
from ..rules.shooting import (
    advance,
    begin_shooting,
    best_weapon,
    choose_weapon,
    engaged_enemies,
    fire_once,
    list_targets,
    may_still_advance,
    start_activation,
    targets_for_the_next_shot,
    usable_now,
)
from ..rules.state import CHARGE, FIGHT, MELEE, MOVE, NOBODY, RANGED, SHOOT, Game, Games, Worlds
from ..rules.turn import acting_side, activate, eligible, end_activation, proceed
from ..rules.units import engaged, hex_of, is_alive, side_of, slot_of

# results of a forced choice
(
    DONE,
    NOT_ELIGIBLE,
    NOT_ACTIVE,
    WRONG_PHASE,
    OUT_OF_REACH,
    NOT_A_TARGET,
    NOT_A_WEAPON,
    NOT_ALLOWED,
    NO_ATTACKS_LEFT,
) = range(9)
RESULTS = (
    "done",
    "the unit is not eligible",
    "no activation is open",
    "not in this phase",
    "the hex is out of reach",
    "not a living enemy in reach",
    "the unit has no such weapon",
    "the unit may not do that now",
    "the weapon has no attacks left",
)


@entry_point
def record_dice(games: Games, row: int, faces: NDArray[np.int8], purposes: NDArray[np.int8]) -> None:
    """Set the next dice, at most 8, each for one purpose; from now on no other dice are rolled."""
    game = games[row]
    game.recording = 1
    game.recorded_count = len(faces)
    game.recorded_used = 0
    game.dice_refused = 0
    for index in range(len(faces)):
        game.recorded[index] = faces[index]
        game.recorded_purpose[index] = purposes[index]


@entry_point
def force_activation(worlds: Worlds, board: Board, games: Games, row: int, unit: int) -> int:
    """Open the activation of an eligible unit; if it is already open, it does not change."""
    world, game = worlds[0], games[row]
    events.clear(game)
    if game.active == unit:
        return DONE
    if game.active != NOBODY:
        return NOT_ALLOWED
    if game.over or side_of(world, unit) != acting_side(game) or not has(eligible(game), slot_of(world, unit)):
        return NOT_ELIGIBLE
    activate(world, board, game, unit)
    return DONE


@entry_point
def _go_on(worlds: Worlds, board: Board, games: Games, row: int) -> None:
    """Run the phase machine to the next decision."""
    proceed(worlds[0], board, games[row])


def _going_on(choice: Callable[..., int]) -> Callable[..., int]:
    """Wrap a choice so that the phase machine runs after it; compiled separately, because it is
    large.
    """

    @wraps(choice)
    def forced(worlds: Worlds, board: Board, games: Games, row: int, *what: int) -> int:
        answer = choice(worlds, board, games, row, *what)
        if answer == DONE:
            _go_on(worlds, board, games, row)
        return answer

    return forced


@compiled
def _refusal(game: Game, phase: int) -> int:
    """Return DONE if the open activation can act in the phase, else the reason why it cannot."""
    if game.active == NOBODY:
        return NOT_ACTIVE
    return DONE if game.phase == phase else WRONG_PHASE


@_going_on
@entry_point
def force_move(worlds: Worlds, board: Board, games: Games, row: int, destination: int) -> int:
    """Move the active unit to one of its destinations and end its activation."""
    world, game = worlds[0], games[row]
    refusal = _refusal(game, MOVE)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    if not may_move_to(world, board, game, unit, destination):
        return OUT_OF_REACH
    move(world, game, unit, destination)
    end_activation(world, game)
    return DONE


@_going_on
@entry_point
def force_advance(worlds: Worlds, board: Board, games: Games, row: int, destination: int) -> int:
    """Roll the active unit's advance and move it to ``destination``, or nowhere (-1) if no hex is
    free.
    """
    world, game = worlds[0], games[row]
    refusal = _refusal(game, SHOOT)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    if not may_still_advance(world, game, unit):
        return NOT_ALLOWED
    before = hex_of(game, unit)
    over = advance(world, board, game, unit, destination)
    moved = hex_of(game, unit) != before
    if moved != (destination >= 0) or (moved and hex_of(game, unit) != destination):
        return OUT_OF_REACH
    if over:
        end_activation(world, game)
    return DONE


@_going_on
@entry_point
def force_charge(worlds: Worlds, board: Board, games: Games, row: int, target: int) -> int:
    """Charge a target with the active unit; the dice determine where the charge ends."""
    world, game = worlds[0], games[row]
    refusal = _refusal(game, CHARGE)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    for index in range(game.target_count):
        if game.targets[index] == target:
            charge(world, board, game, unit, target)
            end_activation(world, game)
            return DONE
    return NOT_A_TARGET


@entry_point
def force_weapon(worlds: Worlds, board: Board, games: Games, row: int, slot: int) -> int:
    """Choose a ranged slot for the active unit's next shots, and roll its number of attacks."""
    world, game = worlds[0], games[row]
    refusal = _refusal(game, SHOOT)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    if not 0 <= slot < world.weapon_count[unit, RANGED]:
        return NOT_A_WEAPON
    start_activation(world, board, game, unit)
    choose_weapon(world, game, unit, slot, NOBODY)
    return DONE


@entry_point
def force_shot(worlds: Worlds, games: Games, row: int, target: int) -> int:
    """Fire a shot with the weapon chosen last, without a check of the target list (K14, D3)."""
    world, game = worlds[0], games[row]
    refusal = _refusal(game, SHOOT)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    if side_of(world, target) == side_of(world, unit) or not is_alive(world, game, target):
        return NOT_A_TARGET
    if game.attacks_left <= 0:
        return NO_ATTACKS_LEFT
    fire_once(world, game, unit, int(game.selected_weapon[unit]), target)
    game.attacks_left -= 1
    return DONE


@entry_point
def force_strike(worlds: Worlds, games: Games, row: int, slot: int, target: int) -> int:
    """Make one melee attack of the active unit against an enemy that it touches."""
    world, game = worlds[0], games[row]
    refusal = _refusal(game, FIGHT)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    if not 0 <= slot < world.weapon_count[unit, MELEE]:
        return NOT_A_WEAPON
    enemy = side_of(world, target) != side_of(world, unit) and is_alive(world, game, target)
    if not enemy or not adjacent(hex_of(game, unit), hex_of(game, target)):
        return NOT_A_TARGET
    strike_once(world, game, unit, slot, target)
    return DONE


@_going_on
@entry_point
def force_end(worlds: Worlds, board: Board, games: Games, row: int) -> int:
    """End the open activation."""
    game = games[row]
    if game.active == NOBODY:
        return NOT_ACTIVE
    end_activation(worlds[0], game)
    return DONE


@entry_point
def force_control(worlds: Worlds, board: Board, games: Games, row: int) -> None:
    """Evaluate objective control once, now: the exception D21 of the parity contract."""
    evaluate_control(worlds[0], board, games[row])


@entry_point
def move_destinations(worlds: Worlds, board: Board, games: Games, row: int, unit: int) -> NDArray[np.int64]:
    """Return the hexes to which a unit may move now, in path order."""
    world = worlds[0]
    return destinations(world, board, games[row], unit, int(world.move[unit]))


@entry_point
def advance_destinations(
    worlds: Worlds, board: Board, games: Games, row: int, unit: int, reach: int
) -> NDArray[np.int64]:
    """Return the hexes to which an advance with this roll may go now, in path order."""
    return destinations(worlds[0], board, games[row], unit, reach)


@entry_point
def shooting_targets(worlds: Worlds, board: Board, games: Games, row: int, unit: int) -> NDArray[np.int64]:
    """Return the current target list of a unit; no activation may be open, and the list is not
    stored.
    """
    game = games[row]
    list_targets(worlds[0], board, game, unit)
    listed: NDArray[np.int64] = game.targets[: game.target_count].astype(np.int64)
    game.targets[:] = NOBODY
    game.target_count = 0
    return listed


@entry_point
def in_contact(worlds: Worlds, games: Games, row: int, unit: int) -> bool:
    """Return True if an enemy touches the unit."""
    return engaged(worlds[0], games[row], unit)


# --- queries: some change the open activation, so call them on a copy of the row
# ----------------------------


@entry_point
def charge_destinations(
    worlds: Worlds, board: Board, games: Games, row: int, unit: int, target: int, reach: int
) -> NDArray[np.int64]:
    """Return the hexes where a charge with this roll may end, in path order; the rules take the
    first.
    """
    game = games[row]
    order = path_order(hex_of(game, unit), reach, unoccupied(worlds[0], board, game))
    kept = 0
    for hex_id in order:
        if adjacent(hex_id, hex_of(game, target)):
            order[kept] = hex_id
            kept += 1
    return order[:kept].copy()


@entry_point
def weapon_scores(worlds: Worlds, games: Games, row: int, unit: int, kind: int, target: int) -> NDArray[np.float64]:
    """Return the kill score of each weapon of a kind against a target, by slot."""
    world, game = worlds[0], games[row]
    scores = np.empty(int(world.weapon_count[unit, kind]), dtype=np.float64)
    for slot in range(len(scores)):
        scores[slot] = kill_score(world, game, unit, kind, slot, target)
    return scores


@entry_point
def best_slot(worlds: Worlds, board: Board, games: Games, row: int, kind: int, target: int) -> int:
    """Return the slot that the rules would choose for the active unit against a target."""
    world, game = worlds[0], games[row]
    if kind == MELEE:
        return best_melee_weapon(world, game, int(game.active), target)
    return best_weapon(world, board, game, int(game.active), target)


@entry_point
def usable_slots(worlds: Worlds, board: Board, games: Games, row: int) -> int:
    """Return the ranged slots that the active unit may use now, as bits of an integer."""
    world, game = worlds[0], games[row]
    unit = int(game.active)
    return usable_now(world, board, game, unit, engaged_enemies(world, board, game, side_of(world, unit)))


@entry_point
def begin_activation(worlds: Worlds, board: Board, games: Games, row: int) -> None:
    """Make the changes that precede the first shot or advance of the active unit."""
    start_activation(worlds[0], board, games[row], int(games[row].active))


@entry_point
def prepare_next_shot(worlds: Worlds, board: Board, games: Games, row: int) -> bool:
    """Update target list and weapon after a shot; return False if the activation is over."""
    return targets_for_the_next_shot(worlds[0], board, games[row], int(games[row].active))


@entry_point
def list_opponents_now(worlds: Worlds, games: Games, row: int) -> None:
    """Update the active unit's list of adjacent enemies after a melee attack."""
    list_opponents(worlds[0], games[row], int(games[row].active))


@entry_point
def begin_shooting_phase(worlds: Worlds, board: Board, games: Games, row: int) -> None:
    """Select weapons and build the pool of the shooting phase again."""
    games[row].pool[:] = NOTHING
    begin_shooting(worlds[0], board, games[row])
