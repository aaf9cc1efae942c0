"""Nothing keeps an environment alive, and thousands of them cost no memory."""

from __future__ import annotations

import copy
import gc
import weakref

import psutil
import pytest

from w40k_marl import w40k_v0


def used_and_dropped(seed: int) -> weakref.ref[object]:
    env = w40k_v0.env(scenario=["small_board", "macro_default"], render_mode="ansi")
    env.reset(seed=seed)
    env.observe("player_1")
    env.step(env.select_by_pool_index(0))
    env.state()
    env.render()
    env.events()
    copy.deepcopy(env)
    env.close()
    return weakref.ref(env)


def test_no_environment_is_kept_alive() -> None:
    references = [used_and_dropped(seed) for seed in range(5)]
    gc.collect()
    assert [reference() for reference in references] == [None] * 5


def test_environment_dies_with_its_last_name() -> None:
    """Without a cycle: counting references is enough, also where the garbage collector is off."""
    gc.collect()
    gc.disable()
    try:
        assert used_and_dropped(1)() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_memory_is_flat(count: int) -> None:
    process = psutil.Process()
    for seed in range(100):
        used_and_dropped(seed)
    gc.collect()
    before = process.memory_info().rss
    for seed in range(count):
        used_and_dropped(seed)
    gc.collect()
    assert process.memory_info().rss - before < 8 * 2**20
