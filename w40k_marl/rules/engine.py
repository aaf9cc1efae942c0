"""The interface of the compiled rules: reset, mask and step for one game at a time.

Python calls only these functions during a game.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from . import events
from .actions import (
    ADVANCE,
    CHARGE_ACTION,
    FIGHT_ACTION,
    FIRST_TARGET,
    MICRO_COUNT,
    WAIT,
    action_count,
    is_legal,
    write_mask,
)
from .bits import NOTHING, bit, has
from .board import Board, columns, open_hexes
from .charge import charge, nearest_listed
from .dice import DEPLOYMENT_STREAM, uniform
from .fight import fight
from .hexes import MAX_ROWS, column_of, hex_at, row_of
from .intents import INTENT_COUNT, intend, name_detail
from .movement import move_by_strategy
from .shooting import advance, shoot, stop_shooting
from .state import DECIDED_BY_AGENT, FIGHT, NOBODY, RANGED, SHOOT, Game, Games, World, Worlds
from .turn import acting_side, activate, begin_turn, close_activation, end_activation, proceed, summarise
from .units import side_of

# results of a step
ACCEPTED, GAME_IS_OVER, NOT_AN_ACTION, NOT_LEGAL, NO_ROOM_TO_DEPLOY = range(5)


# what a call does with a game; one function does all, because they share nearly all machine code
STEP, RESET, LOOK = range(3)


def reset(worlds: Worlds, board: Board, games: Games, row: int, seed: np.uint64) -> int:
    """Start the game of a row from its world and seed, and proceed to the first decision.

    Returns ACCEPTED, or NO_ROOM_TO_DEPLOY where a random deployment finds no free hex for some unit.
    """
    games[row].seed = seed
    return apply_to_row(worlds, board, games, row, RESET, NOBODY)


def step(worlds: Worlds, board: Board, games: Games, row: int, action: int) -> int:
    """Apply an action of the acting side, or refuse it and change nothing.

    ``action`` counts the select block first, then the micro block, then those of intents. Returns ACCEPTED,
    GAME_IS_OVER, NOT_AN_ACTION or NOT_LEGAL.
    """
    return apply_to_row(worlds, board, games, row, STEP, action)


@compiled
def _start(world: World, board: Board, game: Game) -> int:
    """``reset`` for one record."""
    _clear(game)
    if not _deploy(world, board, game):
        return NO_ROOM_TO_DEPLOY
    for side in range(2):
        for slot in range(world.unit_count[side]):
            unit = side * world.units_per_side + slot
            game.alive[side] |= bit(slot)
            game.hit_points[unit] = world.hit_points[unit]
            game.selected_weapon[unit] = 0 if world.weapon_count[unit, RANGED] > 0 else -1
    game.turn = 1
    begin_turn(world, board, game, 0)
    return ACCEPTED


@compiled
def _clear(game: Game) -> None:
    """Clear a row, except the seed, which belongs to the next game."""
    game.dice_rolled = NOTHING
    game.recorded_count = game.recorded_used = game.recording = game.dice_refused = 0
    game.steps = game.over = game.winner = game.win_method = 0
    game.victory_points[:] = 0
    game.control[:] = 0
    game.hit_points[:] = 0
    game.hexes[:] = 0
    game.alive[:] = NOTHING
    game.combi_blocked[:] = 0
    game.may_advance = NOTHING
    game.intent[:] = NOBODY
    game.intent_detail[:] = NOBODY
    game.events[:] = 0
    events.clear(game)
    close_activation(game)


@compiled
def _deploy(world: World, board: Board, game: Game) -> bool:
    """Put each unit on its authored hex, or on a uniform draw from its zone (spec 01 4.4, 4.5, D9).

    Returns False if a zone has no free hex left.
    """
    if not world.random_deployment:
        for index in range(world.roster_size):
            unit = world.roster[index]
            game.hexes[unit] = world.start[unit]
        return True
    free = open_hexes(board).copy()
    for index in range(world.roster_size):
        unit = int(world.roster[index])
        hex_id = _draw_hex(world, board, game, free, side_of(world, unit), index)
        if hex_id < 0:
            return False
        game.hexes[unit] = hex_id
        free[column_of(hex_id)] &= ~bit(row_of(hex_id))
    return True


@compiled
def _draw_hex(world: World, board: Board, game: Game, free: NDArray[np.uint64], side: int, draw: int) -> int:
    """Return a free hex of a side's zone, all equally likely; -1 if there is none."""
    zone = world.zone[side]
    candidates = np.empty(columns(board) * MAX_ROWS, dtype=np.int64)
    count = 0
    for column in range(zone[0], zone[1] + 1):
        for row in range(zone[2], zone[3] + 1):
            if has(free[column], row):
                candidates[count] = hex_at(column, row)
                count += 1
    if count == 0:
        return -1
    return int(candidates[uniform(game.seed, DEPLOYMENT_STREAM, np.uint64(draw), count)])


@entry_point
def apply_to_row(worlds: Worlds, board: Board, games: Games, row: int, what: int, action: int) -> int:
    """``apply`` to the game of a row."""
    return apply(worlds[0], board, games[row], what, action)


@compiled
def apply(world: World, board: Board, game: Game, what: int, action: int) -> int:
    """STEP applies an action, RESET starts the game with the seed that stands in its record, LOOK changes nothing.

    Returns the answer of ``step`` or ``reset``; ``action`` counts for STEP alone.
    """
    if what == LOOK:
        return ACCEPTED
    if what == RESET:
        answer = _start(world, board, game)
    else:
        answer = _refusal(world, game, action)
        if answer == ACCEPTED:
            game.steps += 1
            _carry_out(world, board, game, action)
    if answer == ACCEPTED:
        proceed(world, board, game)
        summarise(game)
    return answer


@compiled
def _refusal(world: World, game: Game, action: int) -> int:
    """Return ACCEPTED if the action is legal now, else the reason why it is not."""
    if game.over:
        return GAME_IS_OVER
    if action < 0 or action >= action_count(world, game):
        return NOT_AN_ACTION
    return ACCEPTED if is_legal(world, game, action) else NOT_LEGAL


@compiled
def _carry_out(world: World, board: Board, game: Game, action: int) -> None:
    """Apply a legal action, without its consequences for phases, which ``proceed`` handles."""
    units = int(world.units_per_side)
    unit, intents = int(game.active), units + MICRO_COUNT
    events.clear(game)
    if action < units:
        activate(world, board, game, acting_side(game) * units + action)
    elif action >= intents + INTENT_COUNT:
        name_detail(world, game, unit, action - intents - INTENT_COUNT)
    elif action >= intents:
        intend(world, game, unit, action - intents)
    elif _act(world, board, game, unit, action - units):
        end_activation(world, game)


@compiled
def _act(world: World, board: Board, game: Game, unit: int, micro: int) -> bool:
    """Apply a legal micro action; return True if the activation is over."""
    if micro == WAIT:
        if game.phase == SHOOT:
            stop_shooting(world, game, unit)
        else:
            events.record(game, events.WAITED, unit)
        return True
    if micro == ADVANCE:
        return advance(world, board, game, unit, NOBODY)
    if micro < FIRST_TARGET:
        move_by_strategy(world, board, game, unit, micro)
        return True
    target = _target_of(world, game, unit, micro)
    if game.phase == SHOOT:
        return shoot(world, board, game, unit, target)
    if game.phase == FIGHT:
        return fight(world, game, unit, target)
    if target == NOBODY:
        events.record(game, events.PASSED, unit)
    else:
        charge(world, board, game, unit, target)
    return True


@compiled
def _target_of(world: World, game: Game, unit: int, micro: int) -> int:
    """Return the enemy of a target action; NOBODY if the list is empty."""
    if micro == CHARGE_ACTION and world.decisions == DECIDED_BY_AGENT:
        return nearest_listed(game, unit)
    if micro == CHARGE_ACTION or micro == FIGHT_ACTION:
        return int(game.targets[0]) if game.target_count > 0 else NOBODY
    return int(game.targets[micro - FIRST_TARGET])


@entry_point
def legal_mask(worlds: Worlds, games: Games, row: int, mask: NDArray[np.int8]) -> None:
    """Write the acting side's mask, shape ``(action_count,)``, int8 of 0 and 1; all 0 if the game
    is over.
    """
    write_mask(worlds[0], games[row], mask)


@entry_point
def side_to_act(games: Games, row: int) -> int:
    """Return the acting side, 0 or 1."""
    return acting_side(games[row])
