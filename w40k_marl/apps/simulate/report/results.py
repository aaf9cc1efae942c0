"""The results of a run, collected from the messages of its workers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from ...console import stopped_by
from ..measure.kept_games import KeptGames
from ..measure.latency import Latencies
from ..measure.resources import Figures
from ..plan import Plan
from ..runners.episode import Counts, Episode, Numbered
from ..workers.worker import Message, WorkerFigures

KEPT = 10_000
"""Games that a report lists one by one."""

STOPPED_BEFORE = "the run was stopped before the traced episode"
FAIR_SHARE = 0.9
"""Processor seconds for each second of play, below which a worker was kept waiting."""

SHORTEST_FOR_SHARE = 0.05  # seconds; below, the clocks are too coarse
SUMMED = ("cpu_time_sec", "max_rss_kb", "io_read_bytes", "io_write_bytes")
PER_HOST = ("net_rx_bytes", "net_tx_bytes")


@dataclass(slots=True)
class Tally:
    """Sums over games that have ended, and over those that Ctrl-C interrupted."""

    counts: Counts = field(default_factory=Counts)
    capped: int = 0
    winners: list[int] = field(default_factory=lambda: [0, 0, 0])  # draws, player 1, player 2
    victory_points: list[int] = field(default_factory=lambda: [0, 0])
    value_lost: list[int] | None = field(default_factory=lambda: [0, 0])  # None: not known of some game
    damage: list[float] | None = field(default_factory=lambda: [0.0, 0.0])  # by VALUE; None: not known of some game
    digest: int = 0

    def add(self, number: int, episode: Episode) -> None:
        """Add a game."""
        self.counts.add(episode)
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
            text = hashlib.blake2b(repr((number, episode)).encode(), digest_size=16).digest()
            self.digest = (self.digest + int.from_bytes(text)) % 2**128  # in whatever order games end


@dataclass(slots=True)
class Outcome:
    """All results of a run that a report contains."""

    plan: Plan
    began: datetime
    kept: KeptGames = field(default_factory=lambda: KeptGames(KEPT))
    tally: Tally = field(default_factory=Tally)
    workers: dict[int, WorkerFigures] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    stopped: bool = False  # by Ctrl-C or another signal
    metrics: Figures = field(default_factory=Figures)
    latencies: Latencies = field(default_factory=Latencies)
    python_memory_peak_kb: int | str = STOPPED_BEFORE  # or why there is none
    sweep: list[Outcome] = field(default_factory=list)  # the runs of a sweep, this one being the last

    @property
    def episodes(self) -> list[Numbered]:
        """The first games by number, at most ``KEPT``, in that order."""
        return self.kept.episodes()

    @property
    def partial(self) -> bool:
        """True if some of the requested results are missing."""
        return bool(self.because)

    @property
    def because(self) -> list[str]:
        """The reasons why the report is partial; empty if it is not."""
        lost = [one.lost[worker] for one in self._runs for worker in sorted(one.lost)]
        return [f"stopped by {stopped_by()}"] * self.was_stopped + lost

    @property
    def was_stopped(self) -> bool:
        """True if a signal has stopped this run, or an earlier one of the same sweep."""
        return any(one.stopped for one in self._runs)

    @property
    def _runs(self) -> list[Outcome]:
        return [*(one for one in self.sweep if one is not self), self]

    @property
    def lowest_cpu_share(self) -> float | None:
        """The least ``cpu_share`` of a worker; None if none is known."""
        shares = [cpu_share(worker.metrics) for worker in self.workers.values()]
        return min((share for share in shares if share is not None), default=None)

    @property
    def warnings(self) -> list[str]:
        """Conditions that make the figures unreliable, in this run or in any run of its sweep."""
        return [one.shortage for one in self.sweep or [self] if one.shortage is not None]

    @property
    def shortage(self) -> str | None:
        """A message that workers of this run got too little
        processor time; None if all got enough.
        """
        shares = {self.workers[index].worker: cpu_share(self.workers[index].metrics) for index in sorted(self.workers)}
        short = {worker: share for worker, share in shares.items() if share is not None and share < FAIR_SHARE}
        if not short:
            return None
        least = min(short, key=lambda worker: short[worker])
        return (
            f"{len(short)} of {len(shares)} workers had less than {FAIR_SHARE:g} of a processor core (least: worker "
            f"{least}, {short[least]:.2f}); other work, or more workers than cores, makes these speeds too low"
        )

    def hear(self, message: Message) -> None:
        """Add a message of a worker."""
        for number, episode in message.episodes:
            self.tally.add(number, episode)
            self.kept.add(number, episode)
        if message.figures is not None:
            self.workers[message.worker] = message.figures
        if message.lost is not None:
            played = self.workers[message.worker].counts.episodes if message.worker in self.workers else 0
            self.lost[message.worker] = f"{message.lost} after it had told of {played} games"

    def add_up(self) -> None:
        """Compute the figures of all workers together."""
        workers = [self.workers[index] for index in sorted(self.workers)]
        self.metrics = total([worker.metrics for worker in workers], [worker.host for worker in workers])
        self.latencies = Latencies(worker.latencies for worker in workers)

    def per_second(self, count: int) -> float | None:
        """Return a count per second of the episodes; None if no time was measured."""
        wall = self.metrics.values.get("wall_time_sec")
        return count / wall if wall else None


def cpu_share(metrics: Figures) -> float | None:
    """Return the processor seconds per second inside the games; None if they are not known."""
    cpu, wall = metrics.values["cpu_time_sec"], metrics.values["wall_time_sec"]
    return cpu / wall if cpu is not None and wall is not None and wall >= SHORTEST_FOR_SHARE else None


def total(figures: list[Figures], hosts: list[str]) -> Figures:
    """Return the figures of all workers: the longest wall time, sums of the rest, the network once
    for each machine.
    """
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
