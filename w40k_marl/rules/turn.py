"""The phase machine: the sequence of phases, and the beginning and end of activations (spec 02)."""

from __future__ import annotations

from ..compiler.decorators import compiled
from .bits import NOTHING, BitSet, bit
from .board import Board
from .charge import charge_pool, list_chargeable
from .events import PHASE_BEGAN, SELECTED, record
from .fight import after_fighting, begin_fight, fighting_pool, fighting_side, list_opponents, mark_fought
from .movement import movement_pool
from .objectives import decide_winner, score
from .shooting import begin_shooting, list_targets
from .state import (
    CHARGE,
    COMMAND,
    FIGHT,
    INTENT_DUE,
    INTENT_SETTLED,
    MOVE,
    NO_LOCK,
    NO_STAGE,
    NOBODY,
    SHOOT,
    SUMMARY_ACTIVE,
    SUMMARY_OVER,
    SUMMARY_PHASE,
    SUMMARY_POINTS,
    SUMMARY_SIDE,
    SUMMARY_TURN,
    SUMMARY_TURN_SIDE,
    SUMMARY_WINNER,
    UNSET,
    Game,
    World,
)
from .units import mark, side_of, slot_of
from .weapon_rules import suffer_hazards


@compiled
def acting_side(game: Game) -> int:
    """Return the side whose unit acts next: the owner of the turn, or in the fight phase also the
    other.
    """
    return fighting_side(game) if game.phase == FIGHT else int(game.side)


@compiled
def eligible(game: Game) -> BitSet:
    """Return the units of the acting side that may be activated now."""
    return fighting_pool(game) if game.phase == FIGHT else game.pool[game.side]


@compiled
def begin_turn(world: World, board: Board, game: Game, side: int) -> None:
    """Begin the command phase: clear all marks of both sides and score; no unit acts in it (spec 02
    4.1).
    """
    game.side = side
    _enter(game, COMMAND)
    for marked in (game.moved, game.fled, game.shot, game.advanced, game.charged, game.fought):
        marked[:] = NOTHING
    score(world, board, game, COMMAND)


@compiled
def _enter(game: Game, phase: int) -> None:
    game.phase = phase
    game.fight_stage = NO_STAGE
    game.alternation = UNSET
    game.pool[:] = NOTHING
    game.chargers = NOTHING
    record(game, PHASE_BEGAN, 0, 0, int(game.turn), int(game.side) + 1, phase)


@compiled
def _begin_next_phase(world: World, board: Board, game: Game) -> None:
    """Begin the next phase and build its pool, which may be empty."""
    if game.phase == FIGHT:
        _end_turn(world, board, game)
    elif game.phase == COMMAND:
        _enter(game, MOVE)
        game.pool[game.side] = movement_pool(world, board, game, int(game.side))
    elif game.phase == MOVE:
        _enter(game, SHOOT)
        begin_shooting(world, board, game)
    elif game.phase == SHOOT:
        _enter(game, CHARGE)
        game.pool[game.side] = charge_pool(world, board, game)
    else:
        _enter(game, FIGHT)
        begin_fight(world, game)


@compiled
def _end_turn(world: World, board: Board, game: Game) -> None:
    """Pass to the other side, or end the game after the second player's last turn (spec 02 section
    3).
    """
    if game.side == 0:
        begin_turn(world, board, game, 1)
    elif game.turn < world.max_turns:
        game.turn += 1
        begin_turn(world, board, game, 0)
    else:
        score(world, board, game, FIGHT)
        decide_winner(world, game)


@compiled
def proceed(world: World, board: Board, game: Game) -> None:
    """Begin phases until a unit may act or the game is over; do nothing while an activation is
    open.
    """
    while game.active == NOBODY and not game.over and eligible(game) == NOTHING:
        _begin_next_phase(world, board, game)


@compiled
def summarise(game: Game) -> None:
    """Write the summary of the game, which callers read after every step."""
    summary = game.summary
    summary[SUMMARY_SIDE] = acting_side(game)
    summary[SUMMARY_OVER] = game.over
    summary[SUMMARY_WINNER] = game.winner
    summary[SUMMARY_TURN] = game.turn
    summary[SUMMARY_TURN_SIDE] = game.side
    summary[SUMMARY_PHASE] = game.phase
    summary[SUMMARY_ACTIVE] = game.active
    summary[SUMMARY_POINTS] = game.victory_points[0]
    summary[SUMMARY_POINTS + 1] = game.victory_points[1]


@compiled
def activate(world: World, board: Board, game: Game, unit: int) -> None:
    """Open the activation of an eligible unit and list its targets."""
    game.active = unit
    game.intent_stage = INTENT_DUE if world.intents else INTENT_SETTLED
    game.target_count = 0
    record(game, SELECTED, unit)
    if game.phase == SHOOT:
        list_targets(world, board, game, unit)
    elif game.phase == CHARGE:
        list_chargeable(world, board, game, unit)
    elif game.phase == FIGHT:
        list_opponents(world, game, unit)


@compiled
def close_activation(game: Game) -> None:
    """Reset all fields of the open activation."""
    game.active = NOBODY
    game.intent_stage = INTENT_SETTLED
    game.target = NOBODY
    game.target_count = 0
    game.targets[:] = NOBODY
    game.started = 0
    game.weapon_chosen = 0
    game.has_attacked = 0
    game.attacks_left = 0
    game.fired = 0
    game.pistol_lock = NO_LOCK
    game.hazards = 0


@compiled
def end_activation(world: World, game: Game) -> None:
    """Roll hazards, mark what the unit has done and remove it from its pool; then call ``proceed``.

    A unit that dies of a hazard ends its activation in the same way.
    """
    unit = int(game.active)
    if game.hazards:
        suffer_hazards(world, game, unit)
    if game.phase == FIGHT:
        mark_fought(world, game, unit)
        after_fighting(world, game, unit)
    else:
        if game.phase == SHOOT and game.has_attacked:
            mark(world, game.shot, unit)
        game.pool[side_of(world, unit)] &= ~bit(slot_of(world, unit))
    close_activation(game)
