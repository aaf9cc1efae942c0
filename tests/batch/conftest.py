from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.batch import BatchEnv
from w40k_marl.reward import config, weights
from w40k_marl.reward.config import RewardsConfig

Arrays = dict[str, Any]

SHOWN = (
    "observations",
    "action_masks",
    "acting_sides",
    "active_units",
    "rewards",
    "ended",
    "results",
    "episodes",
    "games",
)


@pytest.fixture
def shown() -> Callable[[BatchEnv], Arrays]:
    """Copies all that a batch shows, each row as bytes."""

    def copies(batch: BatchEnv) -> Arrays:
        arrays = {name: getattr(batch, name) for name in SHOWN}
        return {name: array.view(np.uint8).reshape(len(array), -1).copy() for name, array in arrays.items()}

    return copies


@pytest.fixture
def same() -> Callable[..., bool]:
    """Whether two copies are equal, in all rows or in some."""

    def equal(one: Arrays, other: Arrays, rows: Any = slice(None)) -> bool:
        return all(np.array_equal(one[name][rows], other[name][rows]) for name in one)

    return equal


@pytest.fixture
def settled() -> Callable[[Any], bytes]:
    """All fields of a game, without what its lists still hold behind their ends."""

    def settle(game: Any) -> bytes:
        copy = game.copy()
        copy.events[int(copy.event_count) :] = 0
        copy.targets[int(copy.target_count) :] = 0
        return b"".join(copy[name].tobytes() for name in copy.dtype.names)

    return settle


@pytest.fixture
def scenario_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scenario of some units on an empty board: ``(player, type, column, row)``."""

    def write(*units: tuple[int, str, int, int]) -> Path:
        entries = [
            {"id": number, "unit_type": kind, "player": player, "col": column, "row": row}
            for number, (player, kind, column, row) in enumerate(units, start=1)
        ]
        path = tmp_path / "written.json"
        path.write_text(
            json.dumps(
                {
                    "board": {"cols": 13, "rows": 13},
                    "units": entries,
                    "objectives": [{"id": 1, "name": "Middle", "hexes": [[6, 6]]}],
                    "primary_objectives": ["objectives_control"],
                }
            ),
            encoding="utf-8",
        )
        return path

    return write


@pytest.fixture
def first_legal() -> Callable[..., Any]:
    """A policy without dice: the first legal action of each mask."""
    return lambda observations, masks: np.argmax(masks, axis=1)


def _varied(observations: Any, masks: Any) -> Any:
    numbers = [zlib.crc32(row.tobytes()) for row in observations]
    return np.array([(legal := np.flatnonzero(mask))[n % len(legal)] for n, mask in zip(numbers, masks, strict=True)])


@pytest.fixture
def varied() -> Callable[..., Any]:
    """A policy without dice or memory that takes all kinds of actions: the n-th legal one, n from the observation.

    The n-th legal action of a block is that of the flat space, so that games are the same whoever decides what.
    """
    return _varied


@pytest.fixture
def zero_sum(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes the weights of all agents zero-sum, as those of a file with that key are."""
    original = weights.rewards_config

    def change() -> None:
        for module in (config, weights):  # one reads by name for a whole game, the other for each type of unit
            monkeypatch.setattr(module, "rewards_config", lambda key: RewardsConfig(original(key).terms, zero_sum=True))

    return change
