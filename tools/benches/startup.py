"""Measures start-up: the first compile, a new process to its first step, the import alone."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from rich.console import Console

from w40k_marl.apps.console import say

FIRST_STEP = """
import time
start = time.perf_counter()
import w40k_marl
imported = time.perf_counter() - start
from w40k_marl import w40k_v0
env = w40k_v0.env()
env.reset(seed=1)
observation = env.last()[0]
env.step(int(observation["action_mask"].argmax()))
env.last()
print(imported, time.perf_counter() - start)
"""


def _first_step(cache: str | None) -> tuple[float, float]:
    """Return seconds of ``import w40k_marl``, and from a new interpreter's first line to its first
    step.
    """
    environment = dict(os.environ) if cache is None else os.environ | {"NUMBA_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_STEP], env=environment, capture_output=True, text=True, check=True
    )
    imported, total = done.stdout.split()
    return float(imported), float(total)


def bench_startup(repetitions: int) -> dict[str, Any]:
    """Return wall seconds: the first start (compiles), later starts (medians), and the import
    alone.
    """
    with tempfile.TemporaryDirectory() as cache:
        _, cold = _first_step(cache)
        warm = [_first_step(cache) for _ in range(repetitions)]
    return {
        "cold_seconds": cold,
        "warm_seconds": statistics.median(total for _, total in warm),
        "import_seconds": statistics.median(imported for imported, _ in warm),
    }


def show_startup(result: dict[str, Any], console: Console) -> None:
    """Print a line for other programs."""
    say(
        f"startup: first compile {result['cold_seconds']:.1f} s, warm import to first step "
        f"{result['warm_seconds']:.2f} s, import w40k_marl {result['import_seconds']:.2f} s"
    )
