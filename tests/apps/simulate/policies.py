"""Policies that the tests name on the command line."""

from __future__ import annotations

import os
import signal
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np


def last(observations: Any, masks: Any) -> Any:
    """The last legal action."""
    assert observations.dtype == np.float32
    assert len(observations) == len(masks)
    return masks.shape[1] - 1 - masks[:, ::-1].argmax(axis=1)


def by_chance(observations: Any, masks: Any) -> Any:
    """A legal action that follows from the observation alone, so that games do not depend on their row."""
    order = np.cumsum(masks, axis=1)
    uniforms = np.array([zlib.crc32(row.tobytes()) / 2**32 for row in observations])
    return (order > (uniforms * order[:, -1])[:, None]).argmax(axis=1)


def illegal(observations: Any, masks: Any) -> Any:
    return np.zeros(len(masks), dtype=np.int64) + masks.argmin(axis=1)


def words(observations: Any, masks: Any) -> Any:
    return ["advance"] * len(masks)


calls = 0


def deadly(observations: Any, masks: Any) -> Any:
    """Kills the first worker that comes so far, in the midst of a game."""
    global calls
    calls += 1
    if calls == 6000 and os.environ.get("KILL") == "1":
        with suppress(FileExistsError):
            Path(os.environ["KILL_ONCE"]).mkdir()
            os.kill(os.getpid(), signal.SIGKILL)
    return by_chance(observations, masks)
