"""Many workers: the same games whoever plays them, and a valid report whatever becomes of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.simulate import plan as planning
from w40k_marl.apps.simulate.options import Options
from w40k_marl.apps.simulate.plan import Plan, make_plan
from w40k_marl.apps.simulate.report.as_json import as_data
from w40k_marl.apps.simulate.report.results import Outcome
from w40k_marl.apps.simulate.run import run, sweep
from w40k_marl.apps.simulate.workers import ray_pool
from w40k_marl.apps.simulate.workers.worker import Worker, batch_environment, environment
from w40k_marl.content.scenario import scenario_path
from w40k_marl.errors import ContentError, W40KError
from w40k_marl.train.config import training_config

HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def policies_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def plan(**options: Any) -> Plan:
    return make_plan(Options(**{"scenario_file": ("small_board",), "seed": 5, **options}))


def with_weapon_rules(whole: Plan, weapon_rules: str) -> Plan:
    """The plan, as if the training config said so."""
    return replace(whole, training=replace(whole.training, weapon_rules=weapon_rules))


@pytest.mark.parametrize("make", [environment, batch_environment])
def test_wrong_size_of_observations_is_refused_with_the_file(make: Callable[[Plan], Any]) -> None:
    whole = plan(training_config="debug", batch=2)
    where = r"MacroController/training\.json: debug: obs_size: expected 922, .*, got 3"
    with pytest.raises(ContentError, match=where):
        make(replace(whole, training=replace(whole.training, obs_size=3)))


@pytest.mark.parametrize(("weapon_rules", "number"), [("reference", 0), ("full", 1)])
def test_weapon_rules_of_the_training_config_are_played(weapon_rules: str, number: int) -> None:
    alone = environment(with_weapon_rules(plan(), weapon_rules))
    batch = batch_environment(with_weapon_rules(plan(batch=2), weapon_rules))
    assert alone.session.setting.world.weapon_rules == number
    assert batch.setting_of(0).world.weapon_rules == number


def test_rule_that_cannot_act_is_refused_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = json.loads(scenario_path("weapon_rules_lab").read_text(encoding="utf-8"))
    scenario["custom_weapons"]["bayonet"]["WEAPON_RULES"] = ["ANTI:4"]
    path = tmp_path / "case.json"
    path.write_text(json.dumps(scenario), encoding="utf-8")
    full = replace(training_config(), weapon_rules="full")
    plan(scenario_file=(str(path),))
    monkeypatch.setattr(planning, "training_config", lambda *_: full)
    with pytest.raises(W40KError, match=r"--scenario-file: case: unit '1'.*weapon 'bayonet'.*ANTI:4"):
        plan(scenario_file=(str(path),))


def results(outcome: Outcome) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = as_data(outcome)["per_episode"]
    return rows


def shares(whole: Plan, workers: int) -> list[Any]:
    """What each of the workers of a plan would play, one after the other in this process."""
    games: list[Any] = []
    for index in range(workers):
        for message in Worker(whole, index, workers).messages(0.0):
            games += message.episodes
    return sorted(games)


@pytest.mark.parametrize(
    "options",
    [
        {"episodes": 7},
        {"episodes": 7, "scenario_file": ("small_board", "pve")},
        {"episodes": 7, "policy": "first"},
        {"episodes": 5, "policy": "policies:by_chance"},
        {"episodes": 40, "batch": 6},
        {"episodes": 4, "batch": 6},
        {"episodes": 40, "batch": 6, "max_steps_per_turn": 8},
        {"episodes": 40, "batch": 6, "scenario_file": ("small_board", "pve")},
        {"episodes": 20, "batch": 6, "policy": "policies:by_chance"},
    ],
    ids=str,
)
def test_games_are_the_same_however_they_are_dealt(options: dict[str, Any]) -> None:
    whole = plan(**options)
    alone = shares(whole, 1)
    assert [number for number, _ in alone] == list(range(1, options["episodes"] + 1))
    for workers in (2, 3):
        assert shares(whole, workers) == alone


def test_warm_up_changes_no_game_and_is_in_no_figure() -> None:
    cold, warm = run(plan(episodes=4)), run(plan(episodes=4, warmup=500))
    assert results(warm) == results(cold)
    assert warm.tally == cold.tally
    assert warm.latencies.count == cold.latencies.count == cold.tally.counts.steps


def test_worker_and_its_policy_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Worker] = []
    make = Worker.__init__
    monkeypatch.setattr(Worker, "__init__", lambda self, *given: made.append(self) or make(self, *given))
    assert isinstance(run(plan(episodes=2, policy="greedy")).python_memory_peak_kb, int)
    assert len(made) == 1


def test_two_processes_play_the_games_of_one() -> None:
    alone, together = run(plan(episodes=9)), run(plan(episodes=9, workers=2))
    assert results(together) == results(alone)
    assert together.tally.digest == alone.tally.digest
    data = as_data(together)
    assert [row["episodes"] for row in data["workers"]] == [5, 4]
    assert sum(row["total_steps"] for row in data["workers"]) == data["total_steps"]
    walls = [row["metrics"]["wall_time_sec"] for row in data["workers"]]
    assert data["metrics"]["wall_time_sec"] == max(walls)
    assert data["metrics"]["max_rss_kb"] == sum(row["metrics"]["max_rss_kb"] for row in data["workers"])
    assert data["latency_us"]["count"] == data["total_steps"]
    assert {row["process"] for row in data["workers"]}.isdisjoint({os.getpid()})


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_worker_leaves_a_partial_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KILL", "1")
    monkeypatch.setenv("KILL_ONCE", str(tmp_path / "killed"))
    outcome = run(plan(episodes=400, workers=2, policy="policies:deadly"))
    assert outcome.partial
    assert len(outcome.lost) == 1
    ((index, reason),) = outcome.lost.items()
    assert reason.startswith(f"worker {index + 1} was killed by SIGKILL after it had told of ")
    played = {number for number, _ in outcome.episodes}
    assert played >= set(range(2 - index, 401, 2)), "the other worker played its share to the end"
    assert as_data(outcome)["partial_because"] == [reason]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_lets_workers_finish_their_games() -> None:
    def interrupt(number: int, _: object) -> None:
        if not pressed:
            pressed.append(number)
            os.kill(os.getpid(), signal.SIGINT)

    pressed: list[int] = []
    outcome = run(plan(duration=60, workers=2), interrupt)
    assert outcome.because == ["stopped by Ctrl-C"]
    assert not any(episode.interrupted for _, episode in outcome.episodes)
    assert len(outcome.workers) == 2
    assert outcome.tally.counts.episodes == sum(figures.counts.episodes for figures in outcome.workers.values())


def test_policy_that_is_refused_ends_the_run_in_one_sentence() -> None:
    for policy, said in (("illegal", "expected one of"), ("words", "policy: expected whole numbers")):
        with pytest.raises(ValueError, match=said):
            run(plan(episodes=2, policy=f"policies:{policy}"))
        with pytest.raises(ValueError, match=said):
            run(plan(episodes=2, batch=2, policy=f"policies:{policy}"))


def test_policy_is_asked_where_a_choice_is_free() -> None:
    named, built_in = run(plan(episodes=3, policy="policies:last")), run(plan(episodes=3, policy="first"))
    assert results(named) != results(built_in)
    batched = run(plan(episodes=3, batch=3, policy="policies:last"))
    assert batched.tally.counts.episodes == 3


def test_duration_begins_games_until_time_is_up() -> None:
    outcome = run(plan(duration=0.3))
    assert not outcome.partial
    assert [number for number, _ in outcome.episodes] == list(range(1, outcome.tally.counts.episodes + 1))
    wall = outcome.metrics.values["wall_time_sec"]
    assert wall is not None
    assert wall < 0.4
    assert outcome.tally.counts.episodes > 10
    few = run(plan(duration=60, episodes=2))
    assert few.tally.counts.episodes == 2


def test_first_games_are_listed_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("w40k_marl.apps.simulate.report.results.KEPT", 3)
    outcome = run(plan(episodes=5))
    assert [number for number, _ in outcome.episodes] == [1, 2, 3]
    assert outcome.tally.counts.episodes == 5


def test_batch_counts_and_caps_as_the_agent_cycle_does() -> None:
    data = as_data(run(plan(episodes=30, batch=8)))
    rows = data["per_episode"]
    assert data["total_steps"] == sum(row["steps"] for row in rows)
    assert all(row["agent_steps"] > row["steps"] > row["macro_choices"] > 0 for row in rows)
    assert {row["method"] for row in rows} <= {"objectives", "value_tiebreaker", "draw"}
    assert data["rewards"]["terms"]["damage_received"]["amount"] is None
    assert data["not_measured"]["value_lost"]
    capped = as_data(run(plan(episodes=9, batch=4, max_steps_per_turn=2)))["per_episode"]
    assert [(row["steps"], row["capped"], row["winner"]) for row in capped] == [(2, True, None)] * 9
    assert {row["last_turn"]["turn"] for row in capped} == {1}


def test_sweep_plays_the_same_games_with_each_number_of_workers() -> None:
    outcomes = list(sweep(plan(episodes=4, sweep_workers=(1, 2))))
    data = as_data(outcomes[-1])
    assert [row["workers"] for row in data["sweep"]] == [1, 2]
    assert len({row["results_digest"] for row in data["sweep"]}) == 1
    assert data["sweep"][0]["speedup"] == 1
    assert data["saturated_at"] in (1, 2)
    assert data["manifest"]["options"]["sweep_workers"] == [1, 2]


def test_ctrl_c_between_runs_of_a_sweep_keeps_the_earlier_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*given: object) -> Any:
        if played:
            raise KeyboardInterrupt
        played.append(1)
        return once(*given)  # type: ignore[arg-type]

    played: list[int] = []
    once = run
    monkeypatch.setattr("w40k_marl.apps.simulate.run.run", stop)
    outcomes = list(sweep(plan(episodes=2, sweep_workers=(1, 1))))
    assert len(outcomes) == 1
    assert outcomes[0].because == ["stopped by Ctrl-C"]


def test_ray_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r'Ray is not installed: run `python -m pip install -e "\.\[ray\]"` in '):
        run(plan(backend="ray"))
    assert ray_pool.MISSING.count("\n") == 0


@pytest.fixture
def ray_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: it is the extra `ray`")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # Ray reads it once a process: the same for all these tests
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE.parents[2]), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_is_there")
def test_ray_plays_the_games_of_one_process() -> None:
    alone = run(plan(episodes=9))
    on_actors = run(plan(episodes=9, workers=2, backend="ray"))
    assert not on_actors.partial
    assert results(on_actors) == results(alone)
    assert {index: figures.episodes for index, figures in on_actors.workers.items()} == {0: 5, 1: 4}


@pytest.fixture
def cluster(ray_is_there: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster that somebody else has started: Ray's own command, in processes of its own."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray = [sys.executable, "-m", "ray.scripts.scripts"]
    place = ["--node-ip-address=127.0.0.1", f"--port={port}"]
    start = [*ray, "start", "--head", *place, "--num-cpus=2", "--include-dashboard=false"]
    subprocess.run(start, check=True, capture_output=True, timeout=120)
    yield f"127.0.0.1:{port}"
    subprocess.run([*ray, "stop", "--force"], check=True, capture_output=True, timeout=120)


@pytest.mark.slow
def test_ray_cluster_plays_the_games_of_one_process(cluster: str) -> None:
    on_cluster = run(plan(episodes=6, workers=2, backend="ray", ray_address=cluster))
    assert not on_cluster.partial
    assert results(on_cluster) == results(run(plan(episodes=6)))
    with pytest.raises(ValueError, match="--workers: expected at most 2, the cores of the cluster, got 3"):
        run(plan(episodes=6, workers=3, backend="ray", ray_address=cluster))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_is_there")
def test_ray_after_ctrl_c_finishes_the_games_in_play() -> None:
    def interrupt(number: int, _: object) -> None:
        if not pressed:
            pressed.append(number)
            signal.raise_signal(signal.SIGINT)

    pressed: list[int] = []
    outcome = run(plan(duration=20, workers=2, backend="ray"), interrupt)
    assert outcome.because == ["stopped by Ctrl-C"]
    assert len(outcome.workers) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("ray_is_there")
def test_ray_worker_that_is_killed_leaves_a_partial_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KILL", "1")
    monkeypatch.setenv("KILL_ONCE", str(tmp_path / "killed"))
    outcome = run(plan(episodes=400, workers=2, backend="ray", policy="policies:deadly"))
    assert len(outcome.lost) == 1
    assert "was killed" in outcome.because[0]
