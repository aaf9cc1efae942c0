from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl.env.aec import RawEnv

Play = Callable[..., Iterator[tuple[str, int]]]


@pytest.fixture
def play() -> Play:
    """Plays a game at random: yields agent and action before each step, then steps."""

    def moves(env: RawEnv, seed: int = 0, steps: int = 1_000_000) -> Iterator[tuple[str, int]]:
        random = np.random.default_rng(seed)
        while steps and env.agents and not env.terminations[env.agent_selection]:
            action = int(random.choice(np.flatnonzero(env.observe(env.agent_selection)["action_mask"])))
            yield env.agent_selection, action
            env.step(action)
            steps -= 1

    return moves


@pytest.fixture
def advance(play: Play) -> Callable[..., None]:
    """Plays some steps at random."""

    def advanced(env: RawEnv, steps: int, seed: int = 0) -> None:
        for _ in play(env, seed, steps):
            pass

    return advanced


@pytest.fixture
def course(play: Play) -> Callable[..., list[bytes]]:
    """Plays to the end at random, and returns the whole row after every step."""

    def rows(env: RawEnv, seed: int = 0) -> list[bytes]:
        return [
            *(env.unwrapped.session.games.tobytes() for _ in play(env, seed)),
            env.unwrapped.session.games.tobytes(),
        ]

    return rows
