from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.session import Session


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
def table() -> Callable[..., Any]:
    """The table that the rules are tested on: ``table("^1 Intercessor 4,10", "v2 Hormagaunt 16,10")``."""
    path = Path(__file__).parents[1] / "rules" / "conftest.py"
    spec = importlib.util.spec_from_file_location("table_of_the_rules", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    made: Callable[..., Any] = module.Table
    return made
