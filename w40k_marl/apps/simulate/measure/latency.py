"""Durations of single steps: an HDR histogram, of bounded size
and three digits, that workers can merge.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram

DIGITS = 3
RELATIVE_ERROR = 10.0**-DIGITS
LONGEST = 3_600_000_000_000  # nanoseconds; longer ones count as one hour
CELL_BITS = 11  # of three digits: a cell holds the values that share so many leading bits
HELD = 1 << 12
"""Durations that wait to be sorted in; more would show in the memory that is measured."""

PERCENTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
BARS_PER_OCTAVE = 8


class Latencies:
    """Durations in nanoseconds: collected while the clock runs,
    moved to the histogram while it is stopped.
    """

    def __init__(self, encoded: Iterable[str] = ()) -> None:
        self._histogram = HdrHistogram(1, LONGEST, DIGITS)
        self._held = array("q")
        self.note = self._held.append
        for one in encoded:
            self._histogram.decode_and_add(one)

    def settle(self, most: int = HELD) -> None:
        """Move collected durations to the histogram if there are more than ``most``: many at a time
        cost far less.
        """
        if len(self._held) <= most:
            return
        for value, count in _counted(np.array(self._held, dtype=np.int64)):
            self._histogram.record_value(value, count)
        del self._held[:]

    def encoded(self) -> str:
        """Return the histogram in the exchange format of HdrHistogram."""
        self.settle(0)
        return bytes(self._histogram.encode()).decode("ascii")

    @property
    def count(self) -> int:
        """Number of durations."""
        self.settle(0)
        return int(self._histogram.total_count)

    def summary(self) -> dict[str, float] | None:
        """Return percentiles and mean in microseconds; None without durations."""
        if self.count == 0:
            return None
        found = {name: self._histogram.get_value_at_percentile(share) for name, share in PERCENTILES.items()}
        found["mean"] = self._histogram.get_mean_value()
        return {name: round(float(value) / 1000, 3) for name, value in found.items()}

    def bars(self) -> list[list[float]]:
        """Return upper edge in microseconds and count of bars, eight for
        each doubling; empty ones are omitted.
        """
        if self.count == 0:
            return []
        rows = ((row.value_iterated_to, row.count_at_value_iterated_to) for row in self._recorded())
        return [
            [round(2 ** (bar / BARS_PER_OCTAVE) / 1000, 4), sum(count for _, count in group)]
            for bar, group in groupby(rows, key=lambda row: _bar(row[0]))
        ]

    def _recorded(self) -> Iterable[Any]:
        recorded: Iterable[Any] = self._histogram.get_recorded_iterator()
        return recorded


def _bar(value: int) -> int:
    return int(np.ceil(np.log2(max(value, 1)) * BARS_PER_OCTAVE))


def _counted(values: np.ndarray[Any, np.dtype[np.int64]]) -> Iterable[tuple[int, int]]:
    """Return the lower ends of the histogram's cells that hold
    values, and the number of values in each.
    """
    clipped = np.clip(values, 1, LONGEST)
    shift = np.maximum(np.ceil(np.log2(clipped + 1)).astype(np.int64) - CELL_BITS, 0)
    found, counts = np.unique(clipped >> shift << shift, return_counts=True)
    return zip(found.tolist(), counts.tolist(), strict=True)
