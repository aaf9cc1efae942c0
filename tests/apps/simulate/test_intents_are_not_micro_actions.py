"""With intents, N, caps, latencies and steps count micro actions alone; checked by counting actions by block."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.apps.simulate.options import Options
from w40k_marl.apps.simulate.plan import Plan, make_plan
from w40k_marl.apps.simulate.report.as_json import as_data
from w40k_marl.apps.simulate.run import run
from w40k_marl.apps.simulate.runners.aec import AECRunner, Pace, macro_players
from w40k_marl.apps.simulate.workers.worker import Worker
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.batch import BatchEnv
from w40k_marl.observe.layout import Layout


def plan(**options: Any) -> Plan:
    given = {"scenario_file": ("small_board",), "seed": 5, "training_config": "super_agent", **options}
    return make_plan(Options(**given))


def block_of(layout: Layout, action: int) -> str:
    """The block of an action, by its name."""
    name = layout.describe_action(action).partition("_")[0]
    return name if name in ("select", "intent", "detail") else "micro"


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Actions of measured games by block, counted where an environment takes them."""
    counted: Counter[str] = Counter()
    step, batch_step = RawEnv.step, BatchEnv.step

    def watched(self: RawEnv, action: int | None) -> None:
        if action is not None:
            counted[block_of(self.layout, action)] += 1
        step(self, action)

    def watched_batch(self: BatchEnv, actions: Any, only: Any = None) -> None:
        rows = range(self.num_games) if only is None else only.tolist()
        counted.update(block_of(self.layout, int(actions[row])) for row in rows)
        batch_step(self, actions, only)

    monkeypatch.setattr(RawEnv, "step", watched)
    monkeypatch.setattr(BatchEnv, "step", watched_batch)
    return counted


def test_one_at_a_time_the_steps_are_the_micro_actions(played: Counter[str]) -> None:
    worker = Worker(plan(episodes=4))
    played.clear()
    episodes = [episode for episodes in worker.play() for _, episode in episodes]
    assert played["intent"] > 0 < played["detail"]
    assert sum(episode.steps for episode in episodes) == played["micro"]
    assert sum(episode.agent_steps for episode in episodes) == played.total()
    assert worker.figures().counts.steps == played["micro"]


def test_many_at_a_time_the_steps_are_the_micro_actions(played: Counter[str]) -> None:
    whole = plan(episodes=4, batch=4)
    worker = Worker(whole)
    played.clear()
    episodes = [episode for episodes in worker.play() for _, episode in episodes]
    assert played["intent"] > 0 < played["detail"]
    assert sum(episode.steps for episode in episodes) == played["micro"]
    assert sum(episode.agent_steps for episode in episodes) == played.total()


@pytest.mark.parametrize("batch", [None, 2])
def test_the_cap_counts_micro_actions_alone(batch: int | None) -> None:
    rows = as_data(run(plan(episodes=2, batch=batch, max_steps_per_turn=3)))["per_episode"]
    assert [(row["steps"], row["capped"]) for row in rows] == [(3, True)] * 2
    assert all(row["agent_steps"] >= 3 + 3 for row in rows), "and a selection and an intent at the least"


def test_latencies_are_those_of_micro_actions() -> None:
    data = as_data(run(plan(episodes=3)))
    assert data["latency_us"]["count"] == data["total_steps"]


@pytest.mark.parametrize("every", [1, 4])
def test_the_macro_is_due_every_n_micro_actions(every: int) -> None:
    """Its rule said again on the log: due at 0 and at every multiple of N, spent at the next selection."""
    env = w40k_v0.raw_env(scenario="small_board", layout=Layout(intents=True))
    due_at_selections, micro, spent, step = 0, 0, -1, env.step

    def watched(action: Any) -> None:
        nonlocal due_at_selections, micro, spent
        if action is not None:
            block = block_of(env.layout, action)
            micro += block == "micro"
            if block == "select" and micro // every > spent:
                due_at_selections += 1
                spent = micro // every
        step(action)

    env.step = watched  # type: ignore[method-assign]
    pace = Pace(macro_players(1, both=True), every, 200)
    episode = AECRunner(env, pace).play_episode(np.random.default_rng(3))
    assert episode.macro_choices == due_at_selections > 0
    assert episode.steps == micro


def test_a_batch_makes_as_many_choices_of_the_macro(played: Counter[str]) -> None:
    whole = plan(episodes=6, batch=6, macro_every_steps=1, macro_both=True)
    episodes = [episode for episodes in Worker(whole).play() for _, episode in episodes]
    rare = [
        episode
        for found in Worker(replace(whole, options=replace(whole.options, macro_every_steps=7))).play()
        for _, episode in found
    ]
    for episode in rare:
        assert episode.macro_choices <= episode.steps // 7 + 1
    assert sum(one.macro_choices for one in episodes) > sum(one.macro_choices for one in rare)
