"""Compiled parts of a step of many games: decisions without a policy, and the step limit of turns.

The rules are those of ``AECRunner``; a track holds the counts of a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....compiler.decorators import compiled, entry_point
from ....rules.dice import DICE_STREAM, uniform
from ....rules.state import Games, Rows

MICRO, OTHERS, CHOICES, DUE, USED, TURN, ACTED = range(7)
"""Fields of a track.

MICRO: micro actions; OTHERS: selections, intents and their details; CHOICES: selections that the
macro made; DUE: 1 if it is to make the next one; USED: micro actions of the player's turn TURN;
ACTED: 1 if the last action was a micro action.
"""

FIELDS = 7
_CHOICES = np.uint64(0xD1B54A32D192ED03)  # sets the choices of these players apart from all dice
_WORDS = 1 << 32


class Decisions(NamedTuple):
    """The decisions of players in each of n rows, and their settings."""

    tracks: NDArray[np.int64]  # (n, FIELDS)
    actions: NDArray[np.int64]  # (n,)
    uniforms: NDArray[np.float64]  # (n,) from 0 to 1: the draws of random actions
    free: NDArray[np.bool_]  # (n,) True if a policy may choose the action
    capped: NDArray[np.bool_]  # (n,) True if the last step has reached the cap
    macro_sides: int  # a bit for each side whose selections the macro makes
    macro_every: int  # micro actions between two of them
    micro_start: int  # of the layout
    micro_stop: int
    first: bool  # a free action is the first legal one, not a random one
    cap: int  # micro actions of a player's turn


@entry_point
def decide(games: Games, masks: NDArray[np.int8], sides: NDArray[np.int8], rows: Rows, decisions: Decisions) -> None:
    """Write an action for each row, and ``free``, True if a policy may choose it.

    Free are micro actions, intents, their details, and selections of the macro player; the action
    is then random by the row's ``uniforms``, or the first legal one. Other selections are the first
    of the pool.
    """
    tracks, actions, uniforms, free = decisions.tracks, decisions.actions, decisions.uniforms, decisions.free
    for row in rows:
        game, track = games[row], tracks[row]
        lowest, legal = -1, 0
        for action in range(masks.shape[1]):
            if masks[row, action] != 0:
                lowest = action if lowest < 0 else lowest
                legal += 1
        uniforms[row] = uniform(game.seed ^ _CHOICES, DICE_STREAM, np.uint64(game.steps), _WORDS) / _WORDS
        free[row] = True
        track[ACTED] = 0
        if lowest >= decisions.micro_stop:
            track[OTHERS] += 1
        elif lowest < decisions.micro_start:
            track[OTHERS] += 1
            free[row] = track[DUE] == 1 and (decisions.macro_sides >> np.int64(sides[row])) & 1 == 1
            if free[row]:
                track[CHOICES] += 1
                track[DUE] = 0
        else:
            _count_micro(game.turn * 2 + game.side, track, decisions.macro_every)
        actions[row] = lowest
        if free[row] and not decisions.first:
            left = int(uniforms[row] * legal)
            for action in range(lowest, masks.shape[1]):
                if masks[row, action] != 0:
                    if left == 0:
                        actions[row] = action
                        break
                    left -= 1


@compiled
def _count_micro(turn: int, track: NDArray[np.int64], macro_every: int) -> None:
    if track[USED] == 0:
        track[TURN] = turn
    track[ACTED] = 1
    track[MICRO] += 1
    if track[MICRO] % macro_every == 0:
        track[DUE] = 1


@entry_point
def follow(games: Games, rows: Rows, ended: NDArray[np.int64], decisions: Decisions) -> bool:
    """Write after a step which rows have reached the limit; return
    True if any row ended or reached it.
    """
    tracks, capped = decisions.tracks, decisions.capped
    some = False
    for row in rows:
        track, game = tracks[row], games[row]
        capped[row] = False
        if track[ACTED] == 1 and ended[row] == 0:
            track[USED] = track[USED] + 1 if game.turn * 2 + game.side == track[TURN] else 0
            capped[row] = track[USED] >= decisions.cap
        some = some or ended[row] != 0 or capped[row]
    return some


def begin(tracks: NDArray[np.int64], rows: Rows) -> None:
    """Reset the tracks of games that have just begun: a choice of the macro player is due."""
    tracks[rows] = 0
    tracks[rows, DUE] = 1
