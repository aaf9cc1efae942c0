"""What came of a run, gathered from the messages of its workers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from ..console import stopped_by
from .drive import Episode
from .latency import Latencies
from .measure import Figures
from .options import Plan
from .shift import Numbered
from .worker import Message, WorkerFigures

KEPT = 10_000
"""Games that a report lists one by one, so that a long run does not fill the memory it measures."""

STOPPED_BEFORE = "the run was stopped before the traced episode"
SUMMED = ("cpu_time_sec", "max_rss_kb", "io_read_bytes", "io_write_bytes")
PER_HOST = ("net_rx_bytes", "net_tx_bytes")


@dataclass(slots=True)
class Tally:
    """Sums over games that have ended, and over those that Ctrl-C broke off."""

    complete: int = 0
    steps: int = 0
    agent_steps: int = 0
    capped: int = 0
    winners: list[int] = field(default_factory=lambda: [0, 0, 0])  # draws, player 1, player 2
    victory_points: list[int] = field(default_factory=lambda: [0, 0])
    value_lost: list[int] | None = field(default_factory=lambda: [0, 0])  # None: not known of some game
    damage: list[float] | None = field(default_factory=lambda: [0.0, 0.0])  # by VALUE; None: not known of some game
    digest: int = 0

    def add(self, number: int, episode: Episode) -> None:
        """Enter a game."""
        self.steps += episode.steps
        self.agent_steps += episode.agent_steps
        self.capped += episode.capped
        if episode.winner is not None:
            self.winners[episode.winner] += 1
        for side in range(2):
            self.victory_points[side] += episode.victory_points[side]
            if self.value_lost is not None and episode.value_lost is not None:
                self.value_lost[side] += episode.value_lost[side]
            if self.damage is not None and episode.damage is not None:
                self.damage[side] += episode.damage[side]
        if episode.value_lost is None:
            self.value_lost = None
        if episode.damage is None:
            self.damage = None
        if not episode.interrupted:
            self.complete += 1
            text = hashlib.blake2b(repr((number, episode)).encode(), digest_size=16).digest()
            self.digest = (self.digest + int.from_bytes(text)) % 2**128  # in whatever order games end


@dataclass(slots=True)
class Outcome:
    """All that a report says of a run."""

    plan: Plan
    began: datetime
    episodes: list[Numbered] = field(default_factory=list)  # the first KEPT by number, in that order once it ended
    tally: Tally = field(default_factory=Tally)
    workers: dict[int, WorkerFigures] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    stopped: bool = False  # by Ctrl-C or another signal
    metrics: Figures = field(default_factory=Figures)
    latencies: Latencies = field(default_factory=Latencies)
    python_memory_peak_kb: int | str = STOPPED_BEFORE  # or why there is none
    sweep: list[Outcome] = field(default_factory=list)  # the runs of a sweep, this one being the last

    @property
    def partial(self) -> bool:
        """Whether some of what was asked for is missing."""
        return bool(self.because)

    @property
    def because(self) -> list[str]:
        """Why the report is partial; empty if it is not."""
        lost = [one.lost[worker] for one in self._runs for worker in sorted(one.lost)]
        return [f"stopped by {stopped_by()}"] * self.was_stopped + lost

    @property
    def was_stopped(self) -> bool:
        """Whether a signal has stopped this run, or one before it of the same sweep."""
        return any(one.stopped for one in self._runs)

    @property
    def _runs(self) -> list[Outcome]:
        return [*(one for one in self.sweep if one is not self), self]

    def hear(self, message: Message) -> None:
        """Enter a message of a worker."""
        for number, episode in message.episodes:
            self.tally.add(number, episode)
            if number <= KEPT:
                self.episodes.append((number, episode))
        if message.figures is not None:
            self.workers[message.worker] = message.figures
        if message.lost is not None:
            played = self.workers[message.worker].episodes if message.worker in self.workers else 0
            self.lost[message.worker] = f"{message.lost} after it had told of {played} games"

    def add_up(self) -> None:
        """Work out the figures of all workers together."""
        self.episodes.sort(key=lambda numbered: numbered[0])
        workers = [self.workers[index] for index in sorted(self.workers)]
        self.metrics = total([worker.metrics for worker in workers], [worker.host for worker in workers])
        self.latencies = Latencies(worker.latencies for worker in workers)

    def per_second(self, count: int) -> float | None:
        """A count over the time of the episodes; None where no time was measured."""
        wall = self.metrics.values.get("wall_time_sec")
        return count / wall if wall else None


def total(figures: list[Figures], hosts: list[str]) -> Figures:
    """The figures of workers together: the longest wall time, sums of the rest, the network once a machine."""
    whole = Figures()
    missing = {name: reason for one in figures for name, reason in one.not_measured.items()}
    for name in ("wall_time_sec", *SUMMED, *PER_HOST):
        found = [one.values[name] for one in figures]
        if name in missing or not found:
            whole.add((name,), missing.get(name, "no worker told of it"))
            continue
        known = [value for value in found if value is not None]
        if name in SUMMED:
            value = sum(known)
        elif name in PER_HOST:
            value = sum(max(v for v, host in zip(known, hosts, strict=True) if host == each) for each in set(hosts))
        else:
            value = max(known)
        whole.add((name,), (value,))
    return whole
