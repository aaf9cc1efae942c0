"""The command `w40k-marl`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from w40k_marl import __version__
from w40k_marl.apps import cli
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env import warmup
from w40k_marl.observe.layout import Layout

Capture = pytest.CaptureFixture[str]


def status_of(*arguments: str) -> object:
    """The exit status, however the command ends."""
    try:
        return cli.main(arguments)
    except SystemExit as stop:
        return stop.code


def test_version(capsys: Capture) -> None:
    assert status_of("--version") == 0
    assert capsys.readouterr().out == f"w40k-marl {__version__}\n"


def test_list_names_every_scenario(capsys: Capture) -> None:
    assert status_of("list") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list_scenarios()


def test_list_as_json(capsys: Capture) -> None:
    assert status_of("list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(list_scenarios())
    assert rows["small_board"] == {
        "name": "small_board",
        "cols": 13,
        "rows": 13,
        "units_player_1": 3,
        "units_player_2": 4,
        "objectives": 3,
        "deployment": "fixed",
    }


def test_warmup_says_that_the_rules_are_compiled(capsys: Capture) -> None:
    assert status_of("warmup") == 0
    capsys.readouterr()
    assert status_of("warmup") == 0
    said = capsys.readouterr().out
    assert said.startswith(("ready: the rules were compiled already", "nothing to compile: NUMBA_DISABLE_JIT"))


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (warmup.WarmUp(52.3, True, "/cache", False), "compiled in 52 s, kept in /cache\n"),
        (warmup.WarmUp(52.3, True, None, False), "compiled in 52 s, but not kept: "),
        (warmup.WarmUp(0.3, False, "/cache", False), "ready: the rules were compiled already, in /cache\n"),
        (warmup.WarmUp(0.3, False, None, True), "nothing to compile: NUMBA_DISABLE_JIT is set"),
    ],
)
def test_warmup_says_what_it_did(
    done: warmup.WarmUp, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(warmup, "warm_up_everything", lambda *_: done)
    assert status_of("warmup") == 0
    assert capsys.readouterr().out.startswith(said)


def test_warmup_of_a_layout_that_fits_nothing_is_one_line(capsys: Capture) -> None:
    assert status_of("warmup", "--layout", "units_per_side=1") == 2
    assert status_of("warmup", "--layout", "objectives=0") == 2
    assert status_of("warmup", "--scenario-file", "no/such.json") == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_warmup_compiles_for_the_layout_of_a_scenario(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    asked: list[Any] = []

    def warm(layout: Layout, scenario: str, tell: Any) -> Any:
        asked.append((layout, scenario))
        return warmup.WarmUp(0.3, False, "/cache", False)

    monkeypatch.setattr(warmup, "warm_up_everything", warm)
    assert status_of("warmup", "--scenario-file", "small_board", "--layout", "units_per_side=12,intents") == 0
    assert asked == [(Layout(units_per_side=12), "small_board")]
    assert "ready" in capsys.readouterr().out


def test_simulate_is_the_load_simulation(capsys: Capture) -> None:
    assert status_of("simulate", "--scenario-file", "small_board", "--episodes", "2", "--seed", "4") == 0
    assert "Total steps : " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "w40k-marl: the following arguments are required: COMMAND"),
        (("fly",), "w40k-marl: argument COMMAND: invalid choice: 'fly'"),
        (("list", "--xml"), "w40k-marl: unrecognized arguments: --xml"),
        (("simulate", "--seed", "3", "diff", "a.json", "b.json"), "w40k-marl: unrecognized arguments: diff a.json"),
        (("simulate", "--episodes", "0"), "w40k-marl simulate: --episodes: expected at least 1, got 0"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: tuple[str, ...], said: str, capsys: Capture) -> None:
    assert status_of(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["", "play", "simulate", "simulate diff", "list", "check", "warmup"])
def test_help_shows_an_example(command: str, capsys: Capture) -> None:
    assert status_of(*command.split(), "--help") == 0
    assert f"  w40k-marl {command}".rstrip() in capsys.readouterr().out.split("example")[1]


def test_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "w40k_marl.apps.cli", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(timeout=60) == 141
