from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl.env.session import Session
from w40k_marl.testing.table import Table


@pytest.fixture
def play() -> Callable[[Session, int], Iterator[int]]:
    """Plays a game at random: yields each action before it is taken."""

    def actions(session: Session, seed: int) -> Iterator[int]:
        random = np.random.default_rng(seed)
        session.reset(random)
        while not session.over:
            action = int(random.choice(session.legal_actions()))
            yield action
            session.step(action)

    return actions


@pytest.fixture(scope="session")
def table() -> type[Table]:
    """Set a position up: ``table("^1 Intercessor 4,10", "v2 Hormagaunt 16,10")``."""
    return Table
