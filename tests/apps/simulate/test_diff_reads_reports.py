"""`diff` reads a report like every other file: whatever is in it, one sentence, or a comparison."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.console import BAD_INPUT, DONE
from w40k_marl.apps.simulate import cli

Capture = pytest.CaptureFixture[str]
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**400,
    float("nan"),
    float("inf"),
    1e308,
    5e-324,
    "",
    "\x1b[31m",
    "\ud800",
    [],
    [[]],
    {},
    {"": None},
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("diff") / "report.json"
    assert cli.main(["--scenario-file", "small_board", "--episodes", "2", "--metrics-out", str(out)]) == 0
    whole: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    for long in ("timeline", "per_episode", "workers"):
        whole[long] = whole[long][:1]
    return whole


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*here, key)
        yield from places(below, (*here, key))


def at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def damaged(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Reports with a key less, or with something else in its place; whole files of another kind."""
    for place in places(report):
        less = copy.deepcopy(report)
        del at(less, place[:-1])[place[-1]]
        yield f"without {place}", json.dumps(less)
        for wrong in WRONG:
            other = copy.deepcopy(report)
            at(other, place[:-1])[place[-1]] = wrong
            yield f"{place} = {wrong!r}"[:100], json.dumps(other)
    for text in (
        "",
        "{",
        "[]",
        "null",
        "0",
        '"x"',
        "[" * 100_000,
        '{"manifest": {}}',
        '{"manifest": {"schema_version": 99}}',
    ):
        yield text[:20], text


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 17))])
def test_damaged_report_is_compared_or_refused_in_one_sentence(
    report: dict[str, Any], part: int, tmp_path: Path, capsys: Capture
) -> None:
    whole, other = tmp_path / "whole.json", tmp_path / "other.json"
    whole.write_text(json.dumps(report), encoding="utf-8")
    statuses = []
    for name, text in list(damaged(report))[part::17]:  # 16 damages at each place: a part has all kinds
        other.write_text(text, encoding="utf-8")
        for order in ([whole, other], [other, whole]):
            statuses.append(cli.main(["diff", *map(str, order)]))
            said = capsys.readouterr()
            assert statuses[-1] in (DONE, BAD_INPUT), f"{name}: {said.err}"
            assert all(char.isprintable() or char == "\n" for char in said.out + said.err), name
            if statuses[-1] == BAD_INPUT:
                assert said.err.count("\n") == 1, f"{name}: {said.err}"
                assert "other.json: " in said.err
    assert {DONE, BAD_INPUT} == set(statuses)


def test_refusal_names_the_place(report: dict[str, Any], tmp_path: Path, capsys: Capture) -> None:
    other = tmp_path / "other.json"
    report = copy.deepcopy(report)
    report["metrics"]["wall_time_sec"] = "long"
    other.write_text(json.dumps(report), encoding="utf-8")
    assert cli.main(["diff", str(other), str(other)]) == BAD_INPUT
    assert "other.json: metrics.wall_time_sec: expected " in capsys.readouterr().err
