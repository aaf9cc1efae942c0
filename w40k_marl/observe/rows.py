"""Many games in one call: step every row of a block, restart those that ended, write what the next player sees.

The kernels release the interpreter lock and touch only the rows of their block, so that blocks may run in threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..rules.actions import write_mask
from ..rules.board import Board
from ..rules.compiled import compiled, entry_point
from ..rules.dice import philox
from ..rules.engine import ACCEPTED, apply, start
from ..rules.state import Game, Games, Worlds
from ..rules.turn import acting_side
from .encode import encode

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@compiled
def game_seed(base: np.uint64, row: int, episode: int) -> np.uint64:
    """Seed of a row's n-th game: a pure function of the batch's seed, the row and ``episode``."""
    high = (np.uint64(episode) ^ (base >> _HALF)) & _LOW
    low_word, high_word = philox(np.uint64(row), high, base & _LOW)
    return (high_word << _HALF | low_word) >> np.uint64(1)


@entry_point
def restart_rows(
    worlds: Worlds, board: Board, games: Games, first: int, last: int, base: np.uint64, episodes: NDArray[np.int64]
) -> int:
    """Begin a new game in rows ``first`` to ``last - 1``; returns the first row without room to deploy, or -1."""
    for row in range(first, last):
        seed = game_seed(base, row, episodes[row])
        if start(worlds[0], board, games[row], seed) != ACCEPTED:
            return row
        episodes[row] += 1
    return -1


@entry_point
def step_rows(
    worlds: Worlds,
    board: Board,
    games: Games,
    first: int,
    last: int,
    base: np.uint64,
    episodes: NDArray[np.int64],
    actions: NDArray[np.int64],
    rewards: NDArray[np.float32],
    ended: NDArray[np.bool_],
    results: NDArray[np.int32],
) -> None:
    """Apply a legal action to each row of the block; a game that ends is paid, noted and begun anew.

    ``rewards`` (n, 2), ``ended`` (n,), ``results`` (n, 3): winner and victory points of the game that just ended.
    """
    world = worlds[0]
    for row in range(first, last):
        game = games[row]
        apply(world, board, game, actions[row])
        rewards[row, 0] = rewards[row, 1] = 0
        ended[row] = game.over != 0
        if game.over:
            _pay(game, rewards[row], results[row])
            start(world, board, game, game_seed(base, row, episodes[row]))
            episodes[row] += 1


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
def view_rows(
    worlds: Worlds,
    board: Board,
    games: Games,
    first: int,
    last: int,
    observations: NDArray[np.float32],
    masks: NDArray[np.int8],
    sides: NDArray[np.int8],
    units: NDArray[np.int16],
) -> None:
    """Write, for each row of the block, what its acting player sees and may do.

    ``observations`` (n, observation_size), ``masks`` (n, action_count), ``sides`` (n,) 0 or 1, ``units`` (n,) the
    number of the active unit or -1 while one is to be selected.
    """
    world = worlds[0]
    for row in range(first, last):
        game = games[row]
        side = acting_side(game)
        sides[row] = side
        units[row] = game.active
        encode(world, board, game, side, observations[row])
        write_mask(world, game, masks[row])


@entry_point
def pick_rows(masks: NDArray[np.int8], first: int, last: int, seed: np.uint64, turn: int, out: NDArray[np.int64]) -> None:
    """Write a uniformly random legal action of each row; the same for the same ``seed`` and ``turn``."""
    for row in range(first, last):
        mask = masks[row]
        options = 0
        for action in range(len(mask)):
            options += mask[action]
        word, _ = philox(np.uint64(row), np.uint64(turn) & _LOW, seed & _LOW)
        chosen = int((word * np.uint64(options)) >> _HALF)
        for action in range(len(mask)):
            if mask[action]:
                if chosen == 0:
                    out[row] = action
                    break
                chosen -= 1


@entry_point
def first_illegal(masks: NDArray[np.int8], actions: NDArray[np.int64]) -> int:
    """The first row whose action its mask does not allow, or -1."""
    for row in range(len(actions)):
        action = actions[row]
        if action < 0 or action >= masks.shape[1] or masks[row, action] == 0:
            return row
    return -1
