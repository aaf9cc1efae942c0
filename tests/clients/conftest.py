from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from w40k_marl import w40k_v0


@pytest.fixture
def make() -> Callable[..., Any]:
    """Makes an environment of short games."""
    return lambda **settings: w40k_v0.env(**{"scenario": "small_board", "max_turns": 2, **settings})
