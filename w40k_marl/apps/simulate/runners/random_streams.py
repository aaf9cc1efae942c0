"""Random numbers of each game: its own stream, which depends
only on the seed and the game's number.

So game k is the same with one worker or eight, on this machine or another.
"""

from __future__ import annotations

import numpy as np

GAMES, UNMEASURED, ROWS = range(3)
"""Purposes of a stream: the games of the report; games that are
played beside them; the rows of a batch.
"""

BLOCK = 512
SEEDS = 2**31


def stream(seed: int, purpose: int, number: int = 0) -> np.random.Generator:
    """Return the generator of one game, or of all rows of a batch."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, number)))


class Draws:
    """Uniform numbers from one generator, drawn in blocks, because a single draw of numpy costs as
    much as a step.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._block: list[float] = []

    def uniform(self) -> float:
        """Return a number from 0 to below 1."""
        if not self._block:
            self._block = self._generator.random(BLOCK).tolist()
        return self._block.pop()

    def below(self, count: int) -> int:
        """Return a whole number from 0 to ``count - 1``."""
        if not self._block:
            self._block = self._generator.random(BLOCK).tolist()
        return int(self._block.pop() * count)
