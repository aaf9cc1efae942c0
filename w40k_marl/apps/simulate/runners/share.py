"""The share of games of one worker, and its statistics."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ..measure.latency import Latencies
from ..measure.resources import Meter
from ..measure.timeline import Timeline
from .episode import Counts, Numbered


@dataclass(slots=True)
class EpisodeShare:
    """Games ``index``, ``index + workers``, ... (from 0), up to a number or a time."""

    index: int
    workers: int
    episodes: int | None  # of all workers together; None: no limit
    seconds: float | None  # games that have begun by then are finished
    stopped: bool = False
    _began: float = 0.0

    def begin(self) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """Seconds since ``begin``."""
        return time.perf_counter() - self._began

    def may_begin(self, number: int) -> bool:
        """Return True if the game of this number (from 0) may begin."""
        return (
            not self.stopped
            and (self.episodes is None or number < self.episodes)
            and (self.seconds is None or self.elapsed < self.seconds)
        )


@dataclass(slots=True)
class WorkerStats:
    """Counts, time, latencies and samples of a worker, from its first measured game."""

    counts: Counts = field(default_factory=Counts)
    steps_in_play: int = 0  # micro actions of games that have not ended yet
    latencies: Latencies = field(default_factory=Latencies)
    timeline: Timeline = field(default_factory=Timeline)
    meter: Meter = field(default_factory=Meter)

    def add(self, episodes: list[Numbered]) -> list[Numbered]:
        """Add games that have ended; return them."""
        for _, episode in episodes:
            self.counts.add(episode)
        return episodes

    def sample(self, seconds: float, *, last: bool = False) -> None:
        """Take a sample for the timeline if one is due, or if it is the last."""
        self.timeline.look(seconds, self.counts.steps + self.steps_in_play, last=last)


Games: TypeAlias = Iterator[list[Numbered]]
"""The games of a share as they end, some at a time."""
