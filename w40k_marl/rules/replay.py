"""What a replay may force: which unit, which hex, which target, which weapon, which dice. Nothing else.

Each function checks the choice and then calls the same rules that play calls; hits, wounds, deaths, marks, pools,
phases and scores follow from the rules alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import events
from .bits import has
from .board import Board
from .charge import charge
from .compiled import compiled, entry_point
from .fight import strike_once
from .hexes import adjacent
from .movement import destinations, may_move_to, move
from .objectives import evaluate_control
from .shooting import advance, choose_weapon, fire_once, list_targets, may_still_advance, start_activation
from .state import CHARGE, FIGHT, MELEE, MOVE, NOBODY, RANGED, SHOOT, Game, Games, World, Worlds
from .turn import acting_side, activate, eligible, end_activation
from .units import engaged, hex_of, is_alive, side_of, slot_of

# what a forced choice answers
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
ANSWERS = (
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
    """Hand out these faces, at most 8, each only for its purpose; from now on no other dice are rolled."""
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
    """Open the activation of an eligible unit; one that is open already stays as it is."""
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


@compiled
def _refusal(game: Game, phase: int) -> int:
    """Why the open activation cannot act in a phase, or DONE."""
    if game.active == NOBODY:
        return NOT_ACTIVE
    return DONE if game.phase == phase else WRONG_PHASE


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
    end_activation(world, board, game)
    return DONE


@entry_point
def force_advance(worlds: Worlds, board: Board, games: Games, row: int, destination: int) -> int:
    """Roll the active unit's advance and move it to ``destination``, or nowhere (-1) where no hex is free."""
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
        end_activation(world, board, game)
    return DONE


@entry_point
def force_charge(worlds: Worlds, board: Board, games: Games, row: int, target: int) -> int:
    """Charge a target with the active unit; where it ends follows from the dice."""
    world, game = worlds[0], games[row]
    refusal = _refusal(game, CHARGE)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    for index in range(game.target_count):
        if game.targets[index] == target:
            charge(world, board, game, unit, target)
            end_activation(world, board, game)
            return DONE
    return NOT_A_TARGET


@entry_point
def force_weapon(worlds: Worlds, board: Board, games: Games, row: int, slot: int) -> int:
    """Choose a ranged slot for the active unit's next shots; a dice-valued number of attacks is rolled now."""
    world, game = worlds[0], games[row]
    refusal = _refusal(game, SHOOT)
    if refusal != DONE:
        return refusal
    unit = int(game.active)
    if not 0 <= slot < world.weapon_count[unit, RANGED]:
        return NOT_A_WEAPON
    start_activation(world, board, game, unit)
    choose_weapon(world, game, unit, slot)
    return DONE


@entry_point
def force_shot(worlds: Worlds, games: Games, row: int, target: int) -> int:
    """One shot with the weapon chosen last; the unit's own target list is not asked (K14, D3)."""
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
    """One melee attack of the active unit with a melee slot at an enemy it touches."""
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


@entry_point
def force_end(worlds: Worlds, board: Board, games: Games, row: int) -> int:
    """End the open activation."""
    game = games[row]
    if game.active == NOBODY:
        return NOT_ACTIVE
    end_activation(worlds[0], board, game)
    return DONE


@entry_point
def force_control(worlds: Worlds, board: Board, games: Games, row: int) -> None:
    """Evaluate objective control now, once: the exception D21 of the parity contract."""
    evaluate_control(worlds[0], board, games[row])


@entry_point
def move_destinations(worlds: Worlds, board: Board, games: Games, row: int, unit: int) -> NDArray[np.int64]:
    """Where a unit may move now, in path order."""
    world = worlds[0]
    return destinations(world, board, games[row], unit, int(world.move[unit]))


@entry_point
def advance_destinations(
    worlds: Worlds, board: Board, games: Games, row: int, unit: int, reach: int
) -> NDArray[np.int64]:
    """Where an advance with this roll may go now, in path order."""
    return destinations(worlds[0], board, games[row], unit, reach)


@entry_point
def shooting_targets(worlds: Worlds, board: Board, games: Games, row: int, unit: int) -> NDArray[np.int64]:
    """The target list of a unit at this moment, on a game without open activation; the list is not kept."""
    game = games[row]
    list_targets(worlds[0], board, game, unit)
    listed = game.targets[: game.target_count].astype(np.int64)
    game.targets[:] = NOBODY
    game.target_count = 0
    return listed


@entry_point
def in_contact(worlds: Worlds, games: Games, row: int, unit: int) -> bool:
    """Whether an enemy touches the unit."""
    return engaged(worlds[0], games[row], unit)
