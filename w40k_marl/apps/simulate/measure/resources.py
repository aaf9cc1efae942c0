"""The cost of a process: time, memory, disk, network, as far as the system reports them.

A figure that the system does not report is a text with the
reason; never 0, which would be a measurement.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import psutil

Pair: TypeAlias = tuple[int, int]
"""Bytes in and out: read and written, received and sent."""

STATUS = Path("/proc/self/status")


class Stopwatch:
    """Adds up wall and CPU time of all blocks that it is used with."""

    def __init__(self) -> None:
        self.wall = 0.0
        self.cpu = 0.0
        self._began = (0.0, 0.0)

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cpu += time.process_time() - self._began[1]
        self.wall += time.perf_counter() - self._began[0]


@dataclass(slots=True)
class Figures:
    """Named figures; ``not_measured`` has the reason for each value that is None."""

    values: dict[str, int | float | None] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=dict)

    def add(self, names: tuple[str, ...], found: tuple[int | float, ...] | str) -> None:
        """Add values, or the reason why there are none."""
        missing = isinstance(found, str)
        for index, name in enumerate(names):
            self.values[name] = None if missing else found[index]  # type: ignore[assignment]
            if isinstance(found, str):
                self.not_measured[name] = found


class Meter:
    """Time of the blocks of ``clock``; disk and network since
    the meter was made; memory up to now.
    """

    def __init__(self) -> None:
        self.clock = Stopwatch()
        self._disk, self._network = disk_bytes(), network_bytes()

    def figures(self) -> Figures:
        """Return the metrics by the names of the report."""
        figures = Figures()
        figures.add(("wall_time_sec", "cpu_time_sec"), (self.clock.wall, self.clock.cpu))
        peak = peak_memory_kb()
        figures.add(("max_rss_kb",), peak if isinstance(peak, str) else (peak,))
        figures.add(("io_read_bytes", "io_write_bytes"), since(self._disk, disk_bytes()))
        figures.add(("net_rx_bytes", "net_tx_bytes"), since(self._network, network_bytes()))
        return figures


def since(before: Pair | str, now: Pair | str) -> Pair | str:
    """Return the difference of two readings, or the reason why there is none."""
    if isinstance(before, str):
        return before
    if isinstance(now, str):
        return now
    difference = now[0] - before[0], now[1] - before[1]
    return difference if min(difference) >= 0 else "the system's counters went back during the run"


def disk_bytes() -> Pair | str:
    """Return the bytes that this process has read from disk and written to it."""

    def read() -> Pair | str:
        counters = getattr(psutil.Process(), "io_counters", None)
        if counters is None:
            return f"{sys.platform} does not tell what one process reads and writes"
        now = counters()
        return now.read_bytes, now.write_bytes

    return _asked(read)


def network_bytes() -> Pair | str:
    """Return the bytes that the whole system has received and sent, over all its interfaces."""

    def read() -> Pair | str:
        now = psutil.net_io_counters()
        return "the system shows no network interface" if now is None else (now.bytes_recv, now.bytes_sent)

    return _asked(read)


def peak_memory_kb() -> int | str:
    """Return the largest resident memory of this process so far, in KiB.

    Linux: /proc first, because getrusage includes the memory of the parent process at the start.
    """
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    try:
        import resource
    except ImportError:  # Windows
        peak = getattr(psutil.Process().memory_info(), "peak_wset", None)
        return f"{sys.platform} does not tell the peak memory of a process" if peak is None else int(peak) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def resident_memory_kb() -> int | str:
    """Return the current resident memory of this process, in KiB."""
    try:
        return int(psutil.Process().memory_info().rss) // 1024
    except (psutil.Error, OSError, AttributeError) as error:
        return f"the system refuses: {error}"


def _asked(read: Callable[[], Pair | str]) -> Pair | str:
    """Return the reading of the system, or the reason why it refuses."""
    try:
        return read()
    except (psutil.Error, OSError, NotImplementedError) as error:
        return f"the system refuses: {' '.join(str(error).split()) or type(error).__name__}"


@contextmanager
def python_memory() -> Iterator[Callable[[], int]]:
    """Trace Python's own memory; yields a function that returns
    the peak so far, in KiB, rounded up.
    """
    traced_already = tracemalloc.is_tracing()
    if traced_already:
        tracemalloc.reset_peak()
    else:
        tracemalloc.start()
    try:
        yield lambda: -(-tracemalloc.get_traced_memory()[1] // 1024)
    finally:
        if not traced_already:
            tracemalloc.stop()
