"""A sweep runs each number of workers several times and says how sure it is; a worker that was kept waiting is told."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from w40k_marl.apps.simulate import cli
from w40k_marl.apps.simulate.measure.resources import Figures
from w40k_marl.apps.simulate.options import Options
from w40k_marl.apps.simulate.plan import Plan, make_plan
from w40k_marl.apps.simulate.report.as_json import as_data
from w40k_marl.apps.simulate.report.as_text import as_lines, sweep_lines
from w40k_marl.apps.simulate.report.results import Outcome
from w40k_marl.apps.simulate.run import run, sweep
from w40k_marl.apps.simulate.runners.episode import Counts
from w40k_marl.apps.simulate.workers.worker import WorkerFigures

Simulate = Callable[..., dict[str, Any]]
SMALL = {"scenario_file": ("small_board",), "seed": 5}


def plan(**options: Any) -> Plan:
    return make_plan(Options(**{**SMALL, **options}))


def outcome_of(whole: Plan, speed: int, share: float = 1.0) -> Outcome:
    """An outcome of so many steps per second and processor seconds for each second."""
    outcome = Outcome(whole, datetime.now(UTC))
    outcome.tally.counts.steps = speed * 2
    for index in range(whole.options.workers):
        metrics = Figures()
        metrics.add(("wall_time_sec", "cpu_time_sec"), (2.0, 2.0 * share))
        metrics.add(("max_rss_kb", "io_read_bytes", "io_write_bytes", "net_rx_bytes", "net_tx_bytes"), (1, 0, 0, 0, 0))
        outcome.workers[index] = WorkerFigures(
            index + 1, "here", 1, Counts(1, 1, 1), metrics, 1, [], outcome.latencies.encoded()
        )
    outcome.add_up()
    return outcome


def swept(monkeypatch: pytest.MonkeyPatch, speeds: Iterable[int], **options: Any) -> Outcome:
    """The last outcome of a sweep whose runs are as fast as ``speeds`` says, one after the other."""
    left = iter(speeds)
    monkeypatch.setattr("w40k_marl.apps.simulate.run.run", lambda whole, *_: outcome_of(whole, next(left)))
    *_, last = sweep(plan(**options))
    assert next(left, None) is None
    return last


def test_one_slow_run_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passes of 1, 2, 4 workers; in the second another program took the machine while 2 and 4 ran."""
    speeds = [100, 190, 195, 100, 90, 95, 101, 192, 193]
    last = swept(monkeypatch, speeds, sweep_workers=(1, 2, 4))
    data = as_data(last)
    assert data["saturated_at"] == 2
    assert data["saturated_by_pass"] == [2, 1, 2]
    assert [(row["workers"], row["runs"], row["steps_per_sec"]) for row in data["sweep"]] == [
        (1, 3, 100),
        (2, 3, 190),
        (4, 3, 193),
    ]
    assert (data["sweep"][1]["steps_per_sec_min"], data["sweep"][1]["steps_per_sec_max"]) == (90, 192)
    assert data["sweep"][1]["speedup"] == pytest.approx(1.9)
    said = list(sweep_lines(last))[-1]
    assert said.startswith("Saturated at : 2 ")
    assert "uncertain, single passes say 2, 1, 2" in said


def test_passes_that_agree_are_not_called_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    last = swept(monkeypatch, [100, 150] * 2, sweep_workers=(1, 2), sweep_repeats=2)
    assert "uncertain" not in list(sweep_lines(last))[-1]
    assert as_data(last)["saturated_by_pass"] == [2, 2]


def test_sweep_repeats_each_number_three_times_unless_told(simulate: Simulate, small: tuple[str, ...]) -> None:
    data = simulate(*small, "--sweep-workers", "1")
    assert data["sweep"][0]["runs"] == 3
    row = data["sweep"][0]
    assert row["steps_per_sec_min"] <= row["steps_per_sec"] <= row["steps_per_sec_max"]
    data = simulate(*small, "--sweep-workers", "1", "--sweep-repeats", "2")
    assert data["sweep"][0]["runs"] == 2
    assert data["manifest"]["options"]["sweep_repeats"] == 2


def test_ctrl_c_in_a_sweep_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(whole: Plan, *_: object) -> Outcome:
        if len(runs) == 3:
            raise KeyboardInterrupt
        runs.append(outcome_of(whole, 100))
        return runs[-1]

    runs: list[Outcome] = []
    monkeypatch.setattr("w40k_marl.apps.simulate.run.run", stop)
    *_, last = sweep(plan(sweep_workers=(1, 2)))
    data = as_data(last)
    assert [row["runs"] for row in data["sweep"]] == [2, 1]
    assert data["saturated_by_pass"] == [1], "of the one whole pass"
    assert data["partial"]


# --- processor time ----------------------------------------------------------------------------------------


def test_worker_that_got_too_little_processor_is_told() -> None:
    short, full = outcome_of(plan(workers=3), 100, 0.48), outcome_of(plan(), 100, 0.97)
    assert as_data(full)["warnings"] == []
    assert not any("WARNING" in line for line in as_lines(full))
    (warning,) = as_data(short)["warnings"]
    assert "3 of 3 workers had less than 0.9 of a processor core (least: worker 1, 0.48)" in warning
    assert f"WARNING : {warning}" in list(as_lines(short))
    assert [row["cpu_share"] for row in as_data(short)["workers"]] == [pytest.approx(0.48)] * 3


def test_warnings_of_all_runs_of_a_sweep_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([1.0, 0.5, 1.0, 0.55])
    monkeypatch.setattr("w40k_marl.apps.simulate.run.run", lambda whole, *_: outcome_of(whole, 100, next(shares)))
    *_, last = sweep(plan(sweep_workers=(1, 2), sweep_repeats=2))
    data = as_data(last)
    assert len(data["warnings"]) == 2
    assert [row["cpu_share"] for row in data["sweep"]] == [1.0, pytest.approx(0.525)]


def spin() -> None:
    while True:
        pass


@contextmanager
def on_one_busy_core() -> Iterator[None]:
    """This process on one core, with two others that want it too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    others = [multiprocessing.get_context("fork").Process(target=spin, daemon=True) for _ in range(2)]
    try:
        for other in others:
            other.start()
        time.sleep(0.2)
        yield
    finally:
        for other in others:
            other.kill()
            other.join()
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot be bound to a core here")
def test_plain_run_on_a_busy_core_is_warned_of() -> None:
    run(plan(episodes=1))
    with on_one_busy_core():
        data = as_data(run(plan(duration=1)))
    assert data["workers"][0]["cpu_share"] < 0.8
    assert len(data["warnings"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--sweep-repeats", "2"], ["--sweep-workers", "1", "--sweep-repeats", "0"], ["--sweep-workers", "1,9999999"]],
    ids=str,
)
def test_wrong_options_of_a_sweep_are_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--sweep-" in error


def test_report_of_a_sweep_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    json.dumps(as_data(swept(monkeypatch, [100, 150], sweep_workers=(1, 2), sweep_repeats=1)), allow_nan=False)
