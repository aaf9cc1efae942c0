"""Where the chance of each game comes from: a stream of its own, a function of the seed and the game's number alone.

So game k is the same game whoever plays it: one worker or eight, here or on another machine.
"""

from __future__ import annotations

import numpy as np

GAMES, UNMEASURED, ROWS = range(3)
"""Purposes of a stream: the games of the report; games that are played beside them; the rows of a batch."""

BLOCK = 512
SEEDS = 2**31


def stream(seed: int, purpose: int, number: int = 0) -> np.random.Generator:
    """The generator of one game, or of all rows of a batch."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, number)))


class Draws:
    """Uniform numbers from one generator, drawn in blocks: numpy's single draws cost as much as a step."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._block: list[float] = []

    def uniform(self) -> float:
        """A number from 0 to below 1."""
        if not self._block:
            self._block = self._generator.random(BLOCK).tolist()
        return self._block.pop()

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count - 1``."""
        if not self._block:
            self._block = self._generator.random(BLOCK).tolist()
        return int(self._block.pop() * count)
