"""Measures many games in one call against PettingZoo's connect four; one core and two; memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benches.aec import Runner
from w40k_marl.apps.console import say

SIZES = (64, 256, 1024, 4096)

WHOLE_PROCESS = """
import os, sys
import psutil
from w40k_marl.env.batch import BatchEnv
batch = BatchEnv(num_games=int(sys.argv[1]))
batch.reset(seed=1)
for _ in range(30):
    batch.step(batch.random_actions())
print(psutil.Process(os.getpid()).memory_info().rss)
"""


class Batch:
    """A measured batch, including observation, mask, automatic reset and masked random pick."""

    def __init__(self, games: int, threads: int) -> None:
        """Create the batch and warm up."""
        from w40k_marl.env.batch import BatchEnv

        self.env = BatchEnv(num_games=games, num_threads=threads)
        self.env.reset(seed=1)
        self.actions = np.zeros(games, dtype=np.int64)
        self.rates: list[float] = []
        self.play(0.2, time.perf_counter)
        self.rates.clear()

    def play(self, seconds: float, clock: Any) -> None:
        """Return steps per second of ``clock``, measured for about ``seconds``."""
        env, steps = self.env, 0
        start = clock()
        while clock() - start < seconds:
            env.step(env.random_actions(self.actions))
            steps += env.num_games
        self.rates.append(steps / (clock() - start))


def bytes_per_game() -> float:
    """Return the resident memory per game, from two processes with different numbers of games."""
    small, large = 256, 16384
    sizes = [_resident(games) for games in (small, large)]
    return (sizes[1] - sizes[0]) / (large - small)


def _resident(games: int) -> int:
    command = [sys.executable, "-c", WHOLE_PROCESS, str(games)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def bench_batch(repetitions: int, seconds: float) -> dict[str, Any]:
    """Return medians of interleaved repetitions: one core in CPU time, one and two cores in wall
    time.
    """
    from pettingzoo.classic import connect_four_v3

    anchor = Runner("connect_four", connect_four_v3.env())  # type: ignore[no-untyped-call]
    batches = {size: Batch(size, 1) for size in SIZES}
    for _ in range(repetitions):
        anchor.play(seconds)
        for batch in batches.values():
            batch.play(seconds, time.process_time)
    one_core = {size: statistics.median(batch.rates) for size, batch in batches.items()}
    best = max(one_core, key=lambda size: one_core[size])
    ratios = [mine / other for mine, other in zip(batches[best].rates, anchor.rates, strict=True)]
    two_cores = _two_cores(repetitions, seconds)
    return {
        "one_core": one_core,
        "best_size": best,
        "connect_four": statistics.median(anchor.rates),
        "ratio": statistics.median(ratios),
        "growth": one_core[SIZES[0]] / one_core[SIZES[-1]] - 1,
        **two_cores,
        "bytes_per_game": bytes_per_game(),
        "process_megabytes": _resident(64) / 2**20,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def _two_cores(repetitions: int, seconds: float) -> dict[str, Any]:
    """Measure the best size on two threads, and the same size on one, in wall time."""
    best: dict[str, Any] = {"two_cores": 0.0}
    for size in SIZES[1:]:
        one, two = Batch(size, 1), Batch(size, 2)
        for _ in range(repetitions):
            one.play(seconds, time.perf_counter)
            two.play(seconds, time.perf_counter)
        rate = statistics.median(two.rates)
        speedup = statistics.median(b / a for a, b in zip(one.rates, two.rates, strict=True))
        if rate > best["two_cores"]:
            best = {"two_cores": rate, "two_cores_size": size, "speedup": speedup}
    return best


def show_batch(result: dict[str, Any], console: Console) -> None:
    """Print a table, then a line for other programs."""
    table = Table("games", "steps / CPU second, one core")
    for size, rate in result["one_core"].items():
        table.add_row(str(size), f"{rate:,.0f}")
    console.print(table)
    console.print(
        f"two cores: {result['speedup']:.2f} x one core at {result['two_cores_size']} games; "
        f"a step costs {result['growth']:+.0%} at {SIZES[-1]} games beside {SIZES[0]}; "
        f"whole process {result['process_megabytes']:.0f} MB; load average {result['load_average']}"
    )
    say(
        f"batch: {result['one_core'][result['best_size']]:.0f} steps/s one core "
        f"({result['ratio']:.1f} x connect_four), {result['two_cores']:.0f} two cores, "
        f"memory {result['bytes_per_game']:.0f} bytes/game"
    )
