from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_games.trace import Trace, find_traces, read_trace

HERE = Path(__file__).parent
COMMITTED = HERE / "traces"
BESIDE_THE_CHECKOUT = HERE.parents[2] / "shared" / "parity" / "traces"

Recorded = Callable[[str], Trace]


def full_set() -> Path:
    """The recorded games: W40K_PARITY_TRACES, else those beside the checkout, else those committed here."""
    if os.environ.get("W40K_PARITY_TRACES"):
        return Path(os.environ["W40K_PARITY_TRACES"])
    return BESIDE_THE_CHECKOUT if BESIDE_THE_CHECKOUT.is_dir() else COMMITTED


@pytest.fixture(scope="session")
def all_traces() -> list[Path]:
    return find_traces([full_set()])


@pytest.fixture(scope="session")
def _read() -> Recorded:
    cache: dict[str, Trace] = {}

    def read(name: str) -> Trace:
        if name not in cache:
            (path,) = COMMITTED.glob(f"{name}_*.jsonl.gz")
            cache[name] = read_trace(path)
        return cache[name]

    return read


@pytest.fixture
def recorded(_read: Recorded) -> Recorded:
    """A committed game by its number, as a copy that a test may falsify."""
    return lambda name: copy.deepcopy(_read(name))
