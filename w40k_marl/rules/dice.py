"""Dice of a game: a counter-based generator in the game's record, and recorded faces for replays.

Philox2x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, 2011): a
number is a pure function of seed, stream and counter, equal in every process, compiled or not.
"""

from __future__ import annotations

import numpy as np

from ..compiler.decorators import compiled
from .bits import ONE
from .state import MAX_RECORDED_DICE, Game

DICE_STREAM, DEPLOYMENT_STREAM = range(2)

# purposes of dice; a recording contains the purpose of each face
HIT, WOUND, SAVE, DAMAGE, ATTACKS, CHARGE_MOVE, ADVANCE_MOVE, CHOICE, WOUND_REROLL, HAZARD = range(1, 11)
PURPOSES = (
    "",
    "hit",
    "wound",
    "save",
    "damage",
    "num_attacks",
    "charge",
    "advance",
    "move_choice",
    "wound_reroll",
    "hazard",
)

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER = np.uint64(0xD256D193)
_KEY_STEP = np.uint64(0x9E3779B9)
_ROUNDS = 10


@compiled
def philox(counter_low: np.uint64, counter_high: np.uint64, key: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return two 32-bit words from a 64-bit counter and a 32-bit key; products fit 64 bits."""
    for _ in range(_ROUNDS):
        product = _MULTIPLIER * counter_low
        counter_low, counter_high = (product >> _HALF) ^ key ^ counter_high, product & _LOW
        key = (key + _KEY_STEP) & _LOW
    return counter_low, counter_high


@compiled
def uniform(seed: np.uint64, stream: int, counter: np.uint64, options: int) -> int:
    """Return a number from 0 to ``options - 1``, by multiply and shift (bias below ``options`` in
    2**32).
    """
    # the seed's upper 31 bits share the upper counter word with the stream's bit
    high = ((seed >> _HALF) << ONE | np.uint64(stream)) & _LOW
    word, _ = philox(counter & _LOW, high, seed & _LOW)
    return int((word * np.uint64(options)) >> _HALF)


@compiled
def roll(game: Game, sides: int, purpose: int) -> int:
    """Return a die from 1 to ``sides``: in a replay the next recorded face, else a new random
    number.
    """
    if game.recording:
        return _recorded_face(game, sides, purpose)
    face = uniform(game.seed, DICE_STREAM, game.dice_rolled, sides) + 1
    game.dice_rolled += ONE
    return face


@compiled
def _recorded_face(game: Game, sides: int, purpose: int) -> int:
    """Return the next face if it was recorded for this purpose; else set ``dice_refused``, return
    1.
    """
    used = int(game.recorded_used)
    if used < game.recorded_count and used < MAX_RECORDED_DICE and game.recorded_purpose[used] == purpose:
        face = int(game.recorded[used])
        if 1 <= face <= sides:
            game.recorded_used = used + 1
            return face
    if game.dice_refused == 0:
        game.dice_refused = purpose
    return 1


@compiled
def choose(game: Game, options: int) -> int:
    """Return an index from 0 to ``options - 1``; in a replay, a recorded index."""
    return roll(game, options, CHOICE) - 1


@compiled
def amount(game: Game, fixed: int, dice: int, purpose: int) -> int:
    """Return a characteristic that is a number, D3 (a D6 halved and rounded up) or D6 (spec 01
    8.2).
    """
    if dice == 0:
        return fixed
    face = roll(game, 6, purpose)
    return (face + 1) // 2 if dice == 3 else face


@compiled
def expected_amount(fixed: int, dice: int) -> float:
    """Return the mean of such a characteristic: D3 2.0, D6 3.5."""
    if dice == 0:
        return float(fixed)
    return 2.0 if dice == 3 else 3.5
