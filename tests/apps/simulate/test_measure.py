"""What a system cannot measure is null and says why."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from w40k_marl.apps.simulate import cli
from w40k_marl.apps.simulate.measure import resources


def without_io_counters() -> SimpleNamespace:
    return SimpleNamespace()


def refusing(*_: object) -> Any:
    raise psutil.AccessDenied(1)


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that tells of no disk of a process and has no network."""
    monkeypatch.setattr(psutil, "Process", without_io_counters)
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)


@pytest.mark.usefixtures("blind")
def test_figures_that_the_system_lacks_are_null_with_a_reason(
    simulate: Callable[..., dict[str, Any]], small: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    report = simulate(*small)
    for name in ("io_read_bytes", "io_write_bytes", "net_rx_bytes", "net_tx_bytes"):
        assert report["metrics"][name] is None
        assert report["not_measured"][name]
    shown = capsys.readouterr().out
    assert "Disk read : not measured (" in shown
    assert "Network upload : not measured (the system shows no network interface)" in shown


def test_refusal_of_the_system_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(io_counters=refusing))
    monkeypatch.setattr(psutil, "net_io_counters", refusing)
    assert str(resources.disk_bytes()).startswith("the system refuses: ")
    assert str(resources.network_bytes()).startswith("the system refuses: ")


def test_counters_that_go_back_are_no_measurement() -> None:
    assert resources.since((10, 10), (14, 12)) == (4, 2)
    assert resources.since((10, 10), (4, 12)) == "the system's counters went back during the run"
    assert resources.since("why", (4, 12)) == resources.since((4, 12), "why") == "why"


def test_peak_memory_grows_by_what_is_used() -> None:
    before = resources.peak_memory_kb()
    assert isinstance(before, int)
    block = bytearray(b"x" * (64 << 20))
    after = resources.peak_memory_kb()
    assert isinstance(after, int)
    assert after >= before
    assert after > len(block) // 1024


def test_stopwatch_adds_up_blocks_and_nothing_between() -> None:
    clock = resources.Stopwatch()
    for _ in range(2):
        with clock:
            sum(range(200_000))
        between = clock.wall
        sum(range(200_000))
        assert clock.wall == between
    assert clock.wall > 0
    assert clock.cpu > 0


def test_python_memory_sees_what_is_allocated_and_stops_tracing() -> None:
    with resources.python_memory() as peak:
        block = bytes(3 << 20)
        del block
        assert peak() >= 3 << 10
    assert not tracemalloc.is_tracing()


def test_tracing_that_was_on_stays_on(small: tuple[str, ...]) -> None:
    tracemalloc.start()
    try:
        assert cli.main(small) == 0
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("batch", [(), ("--batch", "3")], ids=str)
def test_python_memory_is_that_of_the_games_and_not_of_the_tool(
    simulate: Callable[..., dict[str, Any]], small: tuple[str, ...], batch: tuple[str, ...]
) -> None:
    simulate(*small, *batch)  # what is kept from the first game on is there
    assert 0 < simulate(*small, *batch)["python_memory_peak_kb"] < 150
