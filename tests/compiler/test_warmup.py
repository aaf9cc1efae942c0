"""``w40k-marl warmup`` leaves nothing to compile, and what is compiled without it is announced once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Toy: TypeAlias = Any  # of conftest.py

PLAY = """
import logging, sys
import numpy as np
from w40k_marl import w40k_v0
from w40k_marl.compiler import decorators
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.seats import MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions

def play(env, steps=30):
    env.reset(seed=1)
    for _ in range(steps):
        observation, _, termination, truncation, _ = env.last()
        if termination or truncation:
            break
        env.step(int(observation["action_mask"].argmax()))

everything = Layout(intents=True, macro=True, macro_extras=True)
for options in (
    {}, {"scenario": "pve", "rewards": "MacroController"}, {"layout": everything, "weapon_rules": "full"},
    {"layout": everything, "profile": ProfileOptions(real_range=True, selectable_only=True, weapon_rules=True)},
    {"decisions": "reference", "max_turns": 1, "scenario": ["small_board", "open_field"]},
):
    play(w40k_v0.env(**options))
    env = w40k_v0.raw_env(**options)
    play(env)
    env.session.macro_observation(extras=True)
    env.session.restore(env.session.snapshot())
    env.session.mask()
    options = {"scenario": "small_board", **options}
    for threads in (1, 2):
        batch = BatchEnv(num_games=300, num_threads=threads, **options)
        batch.reset(seed=2)
        batch.watch(batch.acting_sides.copy(), others_play=True)
        for _ in range(40):
            batch.step(batch.random_actions())
        only = np.array([1, 5, 200])
        batch.step(batch.random_actions(only=only), only)
        batch.restart(only)
        batch.restore(3, batch.snapshot(3))
        batch.game_seed(1, 1)
        batch.close()
SeatEnv("small_board").reset(seed=1)
SeatVectorEnv("small_board", 4).reset(seed=1)
MacroEnv("small_board").reset(seed=1)
MacroVectorEnv("small_board", 4).reset(seed=1)
left = {x.py_func.__name__: dict(x.stats.cache_misses) for x in decorators._entry_points if x.stats.cache_misses}
print(left)
"""


def run(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_", "W40K_"))}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=root,
        env={**inherited, "PYTHONPATH": str(root), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_nothing_is_left_to_compile(root: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    warmup = run(root, "-m", "w40k_marl.apps.cli", "warmup", NUMBA_CACHE_DIR=cache)
    assert "compiled in" in warmup.stdout
    assert run(root, "-m", "w40k_marl.apps.cli", "warmup", NUMBA_CACHE_DIR=cache).stdout.startswith("ready: ")
    played = run(root, "-c", PLAY, NUMBA_CACHE_DIR=cache)
    assert (played.stdout, played.stderr) == ("{}\n", "")


def test_compilation_is_announced_once_with_time_and_remedy(toy: Toy) -> None:
    first = toy.run()
    assert first.stderr.count("\n") == 1
    for part in ("compiling the sum to machine code", "about 1 s", "`w40k-marl warmup`"):
        assert part in first.stderr
    assert toy.run().stderr == "", "nothing is compiled, nothing is said"


def test_announcement_can_be_silenced_by_its_logger(toy: Toy) -> None:
    silence = "import logging; logging.getLogger('w40k_marl.compiler').setLevel(logging.ERROR)"
    ran = toy.run(before=silence)
    assert (ran.compilations, ran.stderr) == (1, "")


def test_long_compilations_are_announced(root: Path) -> None:
    """Those of the first step, batch, macro block and rewards say what they are for."""
    program = (
        "import w40k_marl.env.batch, w40k_marl.observe.macro.observation, w40k_marl.compiler.decorators as d\n"
        "print(sorted(x.py_func.__name__ for x in d._entry_points if x._cache._what and x._cache._seconds))"
    )
    announced = run(root, "-c", program).stdout.strip()
    assert announced == str(["count_row", "distances_and_strengths", "play_rows", "step_and_view", "write_macro_rows"])
