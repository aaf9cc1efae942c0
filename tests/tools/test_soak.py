"""A short soak of all scenarios, and what it says when something is wrong."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "soak.py"


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("soak_under_test", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_short_soak_finds_nothing() -> None:
    command = [sys.executable, TOOL, "--seconds", "10", "--seed", "4", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["violations"] == []
    assert report["games"] >= report["settings"] >= 1
    assert report["settings_in_all"] == 60
    assert min(report[name] for name in ("steps", "batch_games", "batch_steps", "refusals", "restores", "rss_mb")) > 0


def test_violation_is_shown_and_sets_the_status(
    soak: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = 0

    def third_step_is_wrong(session: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise AssertionError("two units on one hex")

    monkeypatch.setattr(soak, "check_invariants", third_step_is_wrong)
    arguments = ["--seconds", "0", "--scenario", "small_board"]
    assert soak.main(arguments) == 1
    assert "VIOLATION  small_board, decisions " in (shown := capsys.readouterr().out)
    assert shown.rstrip().endswith("AssertionError: two units on one hex")
    calls = 10
    assert soak.main(arguments) == 0
    assert soak.main([*arguments, "--json"]) == 0


def test_accepted_nonsense_is_a_violation(soak: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "MALFORMED", (27, 27))  # legal at some moments
    found = soak.Soak(60, 1, ["small_board"])
    found.run()
    assert "27 was accepted" in found.tally.violations[0]


def test_growth_of_memory_is_a_slope(soak: ModuleType) -> None:
    played = soak.Soak(1, 1, ["small_board"])
    assert played.slope() is None
    played.memory = [(float(second), 10_000 * 1024 + second * 1024) for second in range(20)]
    assert played.slope() == pytest.approx(60)


def test_unknown_scenario_is_named(soak: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--scenario", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().out


def test_stopped_soak_prints_what_it_has_done(
    soak: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(found: Any) -> None:
        found.tally.games = 7
        raise KeyboardInterrupt

    monkeypatch.setattr(soak.Soak, "run", stopped)
    assert soak.main(["--scenario", "small_board", "--json"]) == 130
    out, err = capsys.readouterr()
    assert (json.loads(out)["games"], json.loads(out)["partial_because"]) == (7, "stopped by Ctrl-C")
    assert err == "soak.py: stopped by Ctrl-C\n"
