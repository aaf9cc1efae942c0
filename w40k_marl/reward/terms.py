"""The terms of reward: their names, meanings and units, and their counts in a step, by side.

A step is counted from the game before and after it, and from the events of the acting unit. These
come first, so that they are in the buffer even if a long step loses later ones.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from ..rules.board import Board, objectives_at
from ..rules.events import ADVANCED, ATTACKED, CHARGED, MOVED, PHASE_BEGAN, WAITED
from ..rules.hexes import distance, hex_at
from ..rules.objectives import controlled
from ..rules.state import FIGHT, NOBODY, Game, Games, World, Worlds
from ..rules.units import hex_of, side_of

REWARD_TERMS = (
    ("win", "the game has ended and the player has won", "1"),
    ("lose", "the game has ended and the player has lost", "1"),
    ("draw", "the game has ended in a draw", "1"),
    ("victory_points", "victory points that the player scores", "victory points"),
    ("victory_points_conceded", "victory points that the opponent scores", "victory points"),
    ("objectives_captured", "objectives that come under the player's control", "objectives"),
    ("objectives_lost", "objectives that leave the player's control", "objectives"),
    ("objectives_held", "objectives controlled, each time the player's points are counted", "objectives"),
    ("progress", "by how much a unit that moves comes nearer to the next objective not controlled", "board lengths"),
    ("damage_dealt", "hit points that enemies lose by the player's actions, as a share of their VALUE", "VALUE"),
    ("damage_received", "hit points that own units lose, as a share of their VALUE", "VALUE"),
    ("attacks", "actions with which a unit shoots or fights, however often it attacks in them", "actions"),
    ("kills", "enemy units that fall by the player's actions", "units"),
    ("melee_kills", "those of the kills that are made in the fight phase", "units"),
    ("charges", "charges that reach their target", "actions"),
    ("objective_presence", "activations that end with the unit on an objective, controlled or not", "activations"),
    ("waiting", "activations given up without having done anything", "activations"),
)
"""Name, meaning and unit of each term; the order is that of all arrays of terms."""

TERM_NAMES = tuple(name for name, _, _ in REWARD_TERMS)
TERM_COUNT = len(REWARD_TERMS)

Amounts: TypeAlias = NDArray[np.float64]
"""Amounts of the terms, by side: shape ``(2, TERM_COUNT)``."""

(
    WIN,
    LOSE,
    DRAW,
    VICTORY_POINTS,
    VICTORY_POINTS_CONCEDED,
    OBJECTIVES_CAPTURED,
    OBJECTIVES_LOST,
    OBJECTIVES_HELD,
    PROGRESS,
    DAMAGE_DEALT,
    DAMAGE_RECEIVED,
    ATTACKS,
    KILLS,
    MELEE_KILLS,
    CHARGES,
    OBJECTIVE_PRESENCE,
    WAITING,
) = range(TERM_COUNT)


@compiled
def remember(game: Game, before: Game) -> None:
    """Copy the fields that ``count_step`` compares to ``before``; its other fields are not used."""
    before.turn = game.turn
    before.side = game.side
    before.phase = game.phase
    before.over = game.over
    before.active = game.active
    before.hit_points[:] = game.hit_points
    before.control[:] = game.control
    before.victory_points[:] = game.victory_points


@compiled
def count_step(world: World, board: Board, before: Game, game: Game, amounts: Amounts) -> None:
    """Add the amounts of a step: ``before`` is the game as ``remember`` copied it, ``game`` the
    game one step later.
    """
    count_result(game, amounts)
    _count_points(world, before, game, amounts)
    _count_control(world, before, game, amounts)
    _count_damage(world, before, game, amounts)
    unit = int(before.active)
    if unit != NOBODY:
        _count_deeds(world, board, before, game, unit, amounts[side_of(world, unit)])


@compiled
def count_result(game: Game, amounts: Amounts) -> None:
    """Add the result of a game that has ended, for both sides."""
    if not game.over:
        return
    if game.winner:
        amounts[game.winner - 1, WIN] += 1
        amounts[2 - game.winner, LOSE] += 1
    else:
        amounts[0, DRAW] += 1
        amounts[1, DRAW] += 1


@compiled
def _count_points(world: World, before: Game, game: Game, amounts: Amounts) -> None:
    """Add victory points, and the objectives held each time that points were counted.

    Units do not move between two countings in one step, so control is the same at both.
    """
    for side in range(2):
        points = float(game.victory_points[side] - before.victory_points[side])
        amounts[side, VICTORY_POINTS] += points
        amounts[1 - side, VICTORY_POINTS_CONCEDED] += points
        times = _times_counted(world, game, side) - _times_counted(world, before, side)
        if times > 0:
            amounts[side, OBJECTIVES_HELD] += times * controlled(world, game, side + 1)


@compiled
def _times_counted(world: World, game: Game, side: int) -> int:
    """Return the number of times that a side's points have been counted so far, over all scoring
    configurations.

    They are counted at the start of each own turn; in the last turn
    possibly at its end (spec 02 section 10).
    """
    begun = int(game.turn) if game.side >= side else int(game.turn) - 1
    total = 0
    for scoring in range(world.scoring_count):
        times = begun - int(world.start_turn[scoring]) + 1
        if side == 1 and begun == world.max_turns and world.last_scoring_phase[scoring] == FIGHT and not game.over:
            times -= 1
        total += max(0, times)
    return total


@compiled
def _count_control(world: World, before: Game, game: Game, amounts: Amounts) -> None:
    """Add the objectives that a side captured or lost."""
    for objective in range(world.objective_count):
        was, now = int(before.control[objective]), int(game.control[objective])
        if was != now:
            if now > 0:
                amounts[now - 1, OBJECTIVES_CAPTURED] += 1
            if was > 0:
                amounts[was - 1, OBJECTIVES_LOST] += 1


@compiled
def _count_damage(world: World, before: Game, game: Game, amounts: Amounts) -> None:
    """Add lost hit points, by VALUE. Damage to the acting unit's own side
    counts as received, but not as dealt.
    """
    actor = int(before.active)
    if actor == NOBODY:
        return
    acting = side_of(world, actor)
    for side in range(2):
        base = side * int(world.units_per_side)
        for unit in range(base, base + world.unit_count[side]):
            left = int(game.hit_points[unit])
            lost = int(before.hit_points[unit]) - left
            if lost <= 0:
                continue
            value = float(world.value[unit]) * lost / float(world.hit_points[unit])
            amounts[side, DAMAGE_RECEIVED] += value
            if side != acting:
                amounts[acting, DAMAGE_DEALT] += value
                if left == 0:
                    amounts[acting, KILLS] += 1
                    if before.phase == FIGHT:
                        amounts[acting, MELEE_KILLS] += 1


@compiled
def _count_deeds(world: World, board: Board, before: Game, game: Game, unit: int, amounts: NDArray[np.float64]) -> None:
    """Add the amounts of the acting unit's actions to its side's row ``(TERM_COUNT,)``."""
    attacked = 0
    for index in range(game.event_count):
        event = game.events[index]
        kind = int(event[0])
        if kind == PHASE_BEGAN:
            break
        if kind == ATTACKED:
            attacked = 1
        elif kind == WAITED:
            amounts[WAITING] += 1
        elif kind in (MOVED, ADVANCED, CHARGED):
            amounts[PROGRESS] += _progress(world, board, before, side_of(world, unit), int(event[3]), int(event[4]))
            if kind == CHARGED:
                amounts[CHARGES] += 1
    amounts[ATTACKS] += attacked
    if game.active == NOBODY and game.hit_points[unit] > 0 and objectives_at(board, hex_of(game, unit)):
        amounts[OBJECTIVE_PRESENCE] += 1


@compiled
def _progress(world: World, board: Board, before: Game, side: int, start: int, end: int) -> float:
    """Return the decrease in distance to the nearest objective that the side does not control, in
    board lengths.

    0 if the side controls all. It is a difference of a potential of the hex: as long as control
    does not change, moves that return to their start sum to 0 (Ng, Harada and Russell 1999).
    """
    wanted = np.uint64(0)
    for objective in range(world.objective_count):
        if before.control[objective] != side + 1:
            wanted |= np.uint64(1) << np.uint64(objective)
    if wanted == np.uint64(0):
        return 0.0
    length = int(world.max_range)
    from_start, from_end = length, length
    for column in range(world.cols):
        for row in range(world.rows):
            there = hex_at(column, row)
            if objectives_at(board, there) & wanted:
                from_start = min(from_start, distance(start, there))
                from_end = min(from_end, distance(end, there))
    return (from_start - from_end) / max(1, length)


@entry_point
def remember_row(games: Games, row: int, before: Games) -> None:
    """Call ``remember`` from Python; ``before`` is an array of one game."""
    remember(games[row], before[0])


@entry_point(what="rewards by terms", seconds=5)
def count_row(
    worlds: Worlds,
    board: Board,
    games: Games,
    row: int,
    before: Games,
    amounts: Amounts,
    weights: Amounts,
    paid: Amounts,
) -> None:
    """Set ``amounts`` to those of the last step, write their
    payment to ``paid``, and remember the game.

    ``weights`` and ``paid`` are ``(2, TERM_COUNT)``, as in ``reward.weights.contributions``.
    """
    amounts[:] = 0
    count_step(worlds[0], board, before[0], games[row], amounts)
    for side in range(2):
        for term in range(TERM_COUNT):
            paid[side, term] = weights[0, term] * amounts[side, term] + weights[1, term] * amounts[1 - side, term]
    remember(games[row], before[0])
