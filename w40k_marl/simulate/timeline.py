"""What a worker was like over time: steps and resident memory, in a bounded number of samples."""

from __future__ import annotations

from statistics import StatisticsError, linear_regression
from typing import NamedTuple

from .measure import resident_memory_kb

FIRST_INTERVAL = 0.1  # seconds; it doubles when the samples become too many
MOST_SAMPLES = 240
FEWEST_FOR_SLOPE = 8
SHORTEST_FOR_SLOPE = 2.0  # seconds
TOO_SHORT = "the run was too short: a slope needs eight samples over two seconds"


class Sample(NamedTuple):
    """One look at a worker."""

    seconds: float  # since its first game
    steps: int  # micro actions until then
    rss_kb: int | None  # None: not measured


class Timeline:
    """Samples at equal intervals; half of them go when there are too many."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._interval = FIRST_INTERVAL
        self._due = 0.0

    def look(self, seconds: float, steps: int, *, last: bool = False) -> None:
        """Take a sample if one is due, or if it is the last."""
        if seconds < self._due and not last:
            return
        memory = resident_memory_kb()
        self.samples.append(Sample(round(seconds, 4), steps, None if isinstance(memory, str) else memory))
        if len(self.samples) > MOST_SAMPLES:
            self.samples = self.samples[::2]
            self._interval *= 2
        self._due = seconds + self._interval


def slope_kb_per_minute(samples: list[Sample]) -> float | str:
    """Growth of resident memory over the second half of the samples (least squares), or why there is none.

    The first half is left out: buffers and caches fill there, which is no leak.
    """
    late = [(sample.seconds, sample.rss_kb) for sample in samples[len(samples) // 2 :] if sample.rss_kb is not None]
    if len(late) < FEWEST_FOR_SLOPE // 2 or samples[-1].seconds - samples[0].seconds < SHORTEST_FOR_SLOPE:
        return TOO_SHORT
    seconds, memory = zip(*late, strict=True)
    try:
        return round(60 * linear_regression(seconds, memory).slope, 1)
    except StatisticsError:
        return TOO_SHORT
