"""Compiled steps of environments, of one game and of many in one
call, with the view of the next player.

The kernels of many games pay each step and begin the next game of a row when one ends. They release
the interpreter lock and write only to the rows that they are given, so that blocks may run in
threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from ..compiler.prefetch import prefetch
from ..observe.encode import UNIT, encode, unit_blocks
from ..reward.terms import Amounts, count_result, count_step, remember
from ..reward.weights import Weights
from ..rules.actions import action_count, is_legal, write_mask
from ..rules.board import Board
from ..rules.dice import DICE_STREAM, philox, uniform
from ..rules.engine import ACCEPTED, NO_ROOM_TO_DEPLOY, RESET, STEP, apply
from ..rules.state import NOBODY, Game, Games, Rows, World, Worlds
from ..rules.turn import acting_side

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_CHOICES = np.uint64(0x5851F42D4C957F2D)  # sets the choices of random players apart from the dice

MOST_GAMES_WITHOUT_A_DECISION = 100
"""Limit of games in a row that end without a decision of the watching side."""


@entry_point(what="the rules", seconds=40)
def step_and_view(
    worlds: Worlds,
    board: Board,
    games: Games,
    row: int,
    what: int,
    action: int,
    side: int,
    observation: NDArray[np.float32],
    mask: NDArray[np.int8],
) -> int:
    """Apply ``engine.apply`` to a game and write the view of a
    side: faster than two separate calls.

    ``side`` is 0 or 1, or NOBODY for the side that is to act; ``observation`` float32
    (layout.observation_size,) holds zeros or an observation of the same scenario; ``mask`` int8
    (layout.action_count,) becomes all 0 for the side that is not to act, and after the end. With
    empty arrays no view is written. If the action is refused, nothing is written.
    """
    world, game = worlds[0], games[row]
    answer = apply(world, board, game, what, action)
    if answer == ACCEPTED and len(mask) > 0:
        acting = acting_side(game)
        watching = acting if side == NOBODY else side
        encode(world, board, game, watching, observation)
        if watching == acting:
            write_mask(world, game, mask)
        else:
            mask[:] = 0
    return answer


@compiled
def game_seed(base: np.uint64, row: int, episode: int) -> np.uint64:
    """Return the seed of a row's game ``episode``: a pure function
    of the batch's seed, row and episode.
    """
    high = (np.uint64(episode) ^ (base >> _HALF)) & _LOW
    low_word, high_word = philox(np.uint64(row), high, base & _LOW)
    return (high_word << _HALF | low_word) >> np.uint64(1)


@entry_point
def seed_of_row(base: np.uint64, row: int, episode: int) -> np.uint64:
    """Call ``game_seed`` from Python."""
    return game_seed(base, row, episode)


class BatchArrays(NamedTuple):
    """The arrays of a batch, one entry for each of its n rows;
    ``BatchEnv`` describes the public ones.
    """

    games: Games  # (n,)
    episodes: NDArray[np.int64]  # (n,) games begun in the row
    actions: NDArray[np.int64]  # (n,) to be applied
    observations: NDArray[np.float32]  # (n, observation_size)
    masks: NDArray[np.int8]  # (n, action_count)
    sides: NDArray[np.int8]  # (n,) side to act, 0 or 1
    units: NDArray[np.int16]  # (n,) number of the active unit, -1 while one is to be selected
    rewards: NDArray[np.float32]  # (n, 2)
    terms: NDArray[np.float64]  # (n, 2, TERM_COUNT) amounts; (0, 2, TERM_COUNT) if only the result is paid
    ended: NDArray[np.int64]  # (n,) games that ended in the call
    results: NDArray[np.int32]  # (n, 3) winner and victory points of the first of them
    watchers: NDArray[np.int8]  # (n,) the side whose final view is kept
    finals: NDArray[np.float32]  # (n, observation_size), its final view; (0, observation_size) if not kept
    final_games: Games  # (n,) the game as it ended; (0,) if not kept


@entry_point(what="the steps of batches", seconds=40)
def play_rows(
    worlds: Worlds,
    board: Board,
    arrays: BatchArrays,
    rows: Rows,
    what: int,
    base: np.uint64,
    others_play: bool,
    weights: Weights,
    before: Games,
) -> int:
    """STEP or RESET each of the rows, with legal actions, and write the next player's view.

    With ``others_play``, the side that is not the row's watcher plays random legal actions until
    the watcher is to act. If a game ends, it is paid and recorded in ``results``, and the next one
    begins. ``weights`` (2, TERM_COUNT) and ``before`` (1,), a game used as scratch memory, are
    empty if only the result is paid. Returns -1, or the first row without room to deploy.
    """
    world, first = worlds[0], what
    games, actions, rewards, ended, terms = arrays.games, arrays.actions, arrays.rewards, arrays.ended, arrays.terms
    observations, masks, sides, units = arrays.observations, arrays.masks, arrays.sides, arrays.units
    watchers, episodes = arrays.watchers, arrays.episodes  # taken out once: each access counts references
    for place, row in enumerate(rows):
        _fetch_next(world, games, observations, rows, place)
        game, what, action = games[row], first, actions[row]
        rewards[row, 0] = rewards[row, 1] = 0
        ended[row] = 0
        terms[row : row + 1] = 0
        while True:
            if what == RESET:
                _seed(game, base, row, episodes)
            counting = len(weights) > 0 and ended[row] == 0
            if _apply(world, board, game, what, action, counting, before, terms, row) == NO_ROOM_TO_DEPLOY:
                return row
            if game.over:
                if ended[row] == 0:
                    _end(world, board, game, row, arrays)
                ended[row] += 1
                what = RESET
            elif not others_play or acting_side(game) == watchers[row] or ended[row] > MOST_GAMES_WITHOUT_A_DECISION:
                break
            else:
                write_mask(world, game, masks[row])
                what, action = STEP, _random_action(game, masks[row])
        if len(weights) > 0:
            _weigh(weights, terms[row], rewards[row])
        _write_row(world, board, game, row, observations, masks, sides, units)
    return -1


@compiled
def _apply(
    world: World,
    board: Board,
    game: Game,
    what: int,
    action: int,
    counting: bool,
    before: Games,
    terms: NDArray[np.float64],
    row: int,
) -> int:
    """Call ``engine.apply``; with ``counting``, add the terms of a STEP, or the result after a
    RESET, to the row's terms.
    """
    if counting and what == STEP:
        remember(game, before[0])
    answer = apply(world, board, game, what, action)
    if counting and what == STEP:
        count_step(world, board, before[0], game, terms[row])
    elif counting:
        count_result(game, terms[row])
    return answer


@compiled
def _weigh(weights: Weights, amounts: Amounts, rewards: NDArray[np.float32]) -> None:
    """Write the reward of both players for the terms of a row."""
    for side in range(2):
        paid = 0.0
        for term in range(weights.shape[1]):
            paid += weights[0, term] * amounts[side, term] + weights[1, term] * amounts[1 - side, term]
        rewards[side] = paid


@compiled
def _seed(game: Game, base: np.uint64, row: int, episodes: NDArray[np.int64]) -> None:
    """Give a row the seed of its next game."""
    game.seed = game_seed(base, row, episodes[row])
    episodes[row] += 1


@compiled
def _fetch_next(world: World, games: Games, observations: NDArray[np.float32], rows: Rows, place: int) -> None:
    """Prefetch the record of the next row and the part of its
    observation that this scenario uses.
    """
    if place + 1 == len(rows):
        return
    row = rows[place + 1]
    prefetch(games, row * games.itemsize, games.itemsize)
    start, number = row * observations.shape[1] * observations.itemsize, observations.itemsize
    mine, enemies = unit_blocks(world, games[row])
    used = max(world.unit_count[0], world.unit_count[1]) * len(UNIT)
    prefetch(observations, start, (mine + used) * number)
    prefetch(observations, start + enemies * number, used * number)


@compiled
def _end(world: World, board: Board, game: Game, row: int, arrays: BatchArrays) -> None:
    """Pay a game that has ended and keep the requested final
    views, before the next game takes its row.
    """
    _pay(game, arrays.rewards[row], arrays.results[row])
    if len(arrays.finals) > 0:
        encode(world, board, game, arrays.watchers[row], arrays.finals[row])
    if len(arrays.final_games) > 0:
        arrays.final_games[row] = game


@compiled
def _random_action(game: Game, mask: NDArray[np.int8]) -> int:
    """Return a uniformly random legal action, from a random stream
    of the game that its dice do not use.
    """
    options = 0
    for action in range(len(mask)):
        options += mask[action]
    chosen = uniform(game.seed ^ _CHOICES, DICE_STREAM, np.uint64(game.steps), options)
    return _nth_legal(mask, chosen)


@compiled
def _nth_legal(mask: NDArray[np.int8], n: int) -> int:
    """Return the n-th legal action, counted from 0; -1 if there are fewer."""
    for action in range(len(mask)):
        if mask[action]:
            if n == 0:
                return action
            n -= 1
    return -1


@compiled
def _pay(game: Game, rewards: NDArray[np.float32], results: NDArray[np.int32]) -> None:
    """Write the result of a finished game."""
    if game.winner:
        rewards[game.winner - 1] = 1
        rewards[2 - game.winner] = -1
    results[0] = game.winner
    results[1] = game.victory_points[0]
    results[2] = game.victory_points[1]


@entry_point
def view_rows(worlds: Worlds, board: Board, arrays: BatchArrays, rows: Rows) -> None:
    """Write the observation and mask of the acting player of each of the rows."""
    for row in rows:
        game = arrays.games[row]
        _write_row(worlds[0], board, game, row, arrays.observations, arrays.masks, arrays.sides, arrays.units)


@compiled
def _write_row(
    world: World,
    board: Board,
    game: Game,
    row: int,
    observations: NDArray[np.float32],
    masks: NDArray[np.int8],
    sides: NDArray[np.int8],
    units: NDArray[np.int16],
) -> None:
    """Write observation, mask, side and active unit of the acting player of one row."""
    side = acting_side(game)
    sides[row] = side
    units[row] = game.active
    encode(world, board, game, side, observations[row])
    write_mask(world, game, masks[row])


@entry_point
def pick_rows(masks: NDArray[np.int8], rows: Rows, seed: np.uint64, turn: int, out: NDArray[np.int64]) -> None:
    """Write a uniformly random legal action of some rows; the same
    for the same ``seed`` and ``turn``.
    """
    for row in rows:
        mask = masks[row]
        options = 0
        for action in range(len(mask)):
            options += mask[action]
        word, _ = philox(np.uint64(row), np.uint64(turn) & _LOW, seed & _LOW)
        out[row] = _nth_legal(mask, int((word * np.uint64(options)) >> _HALF))


@entry_point
def first_illegal(worlds: Worlds, games: Games, rows: Rows, actions: NDArray[np.int64]) -> int:
    """Return the first row whose action is illegal or whose game has not begun or is over; -1 if
    there is none.
    """
    world = worlds[0]
    count = action_count(world, games[0])
    for row in rows:
        game, action = games[row], actions[row]
        if game.turn < 1 or game.over or not 0 <= action < count or not is_legal(world, game, action):
            return row
    return -1
