"""Control of objectives, scoring, and the winner (spec 02 sections 9 to 11).

Control is evaluated only when points are scored, never in between.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled
from .bits import has
from .board import Board, objectives_at
from .events import CONTROL_CHANGED, GAME_OVER, SCORED, record
from .state import (
    AT_LEAST_ONE,
    AT_LEAST_TWO,
    BY_DRAW,
    BY_OBJECTIVES,
    BY_VALUE,
    OCCUPY,
    Game,
    World,
)
from .units import hex_of


@compiled
def control_sums(world: World, board: Board, game: Game) -> NDArray[np.int64]:
    """Return the objective control of living units on each objective, shape ``(objectives, 2)`` by
    side.
    """
    sums = np.zeros((world.objective_count, 2), dtype=np.int64)
    for side in range(2):
        base = side * world.units_per_side
        for slot in range(world.unit_count[side]):
            if not has(game.alive[side], slot):
                continue
            held = objectives_at(board, hex_of(game, base + slot))
            for objective in range(world.objective_count):
                if has(held, objective):
                    sums[objective, side] += int(world.objective_control[base + slot])
    return sums


@compiled
def evaluate_control(world: World, board: Board, game: Game) -> None:
    """Give each objective to the side with more objective control.

    At equal sums, a sticky objective keeps its controller and an occupy objective loses it.
    """
    sums = control_sums(world, board, game)
    for objective in range(world.objective_count):
        before = int(game.control[objective])
        after = before
        if sums[objective, 0] > sums[objective, 1]:
            after = 1
        elif sums[objective, 1] > sums[objective, 0]:
            after = 2
        elif world.control_method == OCCUPY:
            after = 0
        if after != before:
            game.control[objective] = after
            record(game, CONTROL_CHANGED, 0, 0, objective, after, before)


@compiled
def controlled(world: World, game: Game, player: int) -> int:
    """Return the number of objectives that a player controls."""
    total = 0
    for objective in range(world.objective_count):
        if game.control[objective] == player:
            total += 1
    return total


@compiled
def score(world: World, board: Board, game: Game, phase: int) -> None:
    """Score points for the player whose turn it is, if this phase scores (spec 02 section 10)."""
    player = int(game.side) + 1
    last = game.turn == world.max_turns and player == 2
    for scoring in range(world.scoring_count):
        moment = world.last_scoring_phase[scoring] if last else world.scoring_phase[scoring]
        if game.turn < world.start_turn[scoring] or phase != moment:
            continue
        evaluate_control(world, board, game)
        points = _points(world, scoring, controlled(world, game, player), controlled(world, game, 3 - player))
        game.victory_points[game.side] += points
        record(game, SCORED, 0, 0, player, points, int(game.turn))


@compiled
def _points(world: World, scoring: int, own: int, opponent: int) -> int:
    """Return the sum of the conditions that hold, at most the cap."""
    total = 0
    for index in range(world.condition_count[scoring]):
        condition = world.condition[scoring, index]
        if condition == AT_LEAST_ONE:
            holds = own >= 1
        elif condition == AT_LEAST_TWO:
            holds = own >= 2
        else:
            holds = own > opponent
        if holds:
            total += int(world.points[scoring, index])
    return min(total, int(world.max_points[scoring]))


@compiled
def living_value(world: World, game: Game, side: int) -> int:
    """Return the sum of VALUE over the living units of a side."""
    total = 0
    base = side * world.units_per_side
    for slot in range(world.unit_count[side]):
        if has(game.alive[side], slot):
            total += int(world.value[base + slot])
    return total


@compiled
def result_of(world: World, game: Game) -> tuple[int, int]:
    """Return winner (0: draw) and method from the current points and units (spec 02 section 11)."""
    margin = int(game.victory_points[0]) - int(game.victory_points[1])
    method = BY_OBJECTIVES
    if margin == 0:
        margin = living_value(world, game, 0) - living_value(world, game, 1)
        method = BY_VALUE if margin != 0 else BY_DRAW
    return 1 if margin > 0 else 2 if margin < 0 else 0, method


@compiled
def decide_winner(world: World, game: Game) -> None:
    """End the game. The winner has more victory points, or at equal points more living value; else
    a draw.
    """
    game.over = 1
    game.winner, game.win_method = result_of(world, game)
    record(game, GAME_OVER, 0, 0, int(game.winner), int(game.win_method))
