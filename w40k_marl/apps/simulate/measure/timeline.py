"""Steps and resident memory of a worker over time, in a bounded number of samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .resources import resident_memory_kb

FIRST_INTERVAL = 0.1  # seconds; it doubles when the samples become too many
MOST_SAMPLES = 240
FEWEST_FOR_SLOPE = 16
SHORTEST_FOR_SLOPE = 10.0  # seconds
TOO_SHORT = (
    f"the run was too short: a slope needs {SHORTEST_FOR_SLOPE:g} seconds, "
    f"and {FEWEST_FOR_SLOPE} games that end in their second half"
)


class Sample(NamedTuple):
    """One sample of a worker."""

    seconds: float  # since its first game
    steps: int  # micro actions until then
    rss_kb: int | None  # None: not measured


class Timeline:
    """Samples at equal intervals, in memory of constant size; half
    of them are dropped when it is full.
    """

    def __init__(self) -> None:
        self._table = np.zeros((MOST_SAMPLES, len(Sample._fields)))  # NaN: not measured
        self._table.fill(0)  # so that it is resident before the first game
        self._count = 0
        self._interval = FIRST_INTERVAL
        self._due = 0.0

    @property
    def samples(self) -> list[Sample]:
        """The samples so far, in order."""
        return [
            Sample(seconds, int(steps), None if np.isnan(memory) else int(memory))
            for seconds, steps, memory in self._table[: self._count].tolist()
        ]

    def look(self, seconds: float, steps: int, *, last: bool = False) -> None:
        """Take a sample if one is due, or if it is the last."""
        if seconds < self._due and not last:
            return
        if self._count == MOST_SAMPLES:
            self._count = (self._count + 1) // 2
            self._table[: self._count] = self._table[::2]
            self._interval *= 2
        memory = resident_memory_kb()
        self._table[self._count] = round(seconds, 4), steps, np.nan if isinstance(memory, str) else memory
        self._count += 1
        self._due = seconds + self._interval


def slope_kb_per_minute(samples: list[Sample]) -> float | str:
    """Return the growth of resident memory in the second half of a run, KiB per minute, or the
    reason if there is none.

    The first half is omitted, because buffers and caches fill there. The slope is the median of the
    slopes between all pairs of samples (Theil-Sen), which a single jump, such as one block from the
    allocator, does not change.
    """
    known = np.array([(sample.seconds, sample.rss_kb) for sample in samples if sample.rss_kb is not None])
    if len(known) == 0 or known[-1, 0] - known[0, 0] < SHORTEST_FOR_SLOPE:
        return TOO_SHORT
    late = known[known[:, 0] >= (known[0, 0] + known[-1, 0]) / 2]
    if len(late) < FEWEST_FOR_SLOPE:
        return TOO_SHORT
    earlier, later = np.triu_indices(len(late), 1)
    seconds, memory = (late[later] - late[earlier]).T
    return round(60 * float(np.median(memory[seconds > 0] / seconds[seconds > 0])), 1)
