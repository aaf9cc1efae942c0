"""What a run leaves behind: the page, the report where no file can be written, the comparison of two reports."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from w40k_marl.apps import cli
from w40k_marl.apps.simulate import cli as simulate_cli
from w40k_marl.apps.simulate.report import svg

Capture = pytest.CaptureFixture[str]
Report = dict[str, Any]


def test_page_is_one_file_that_needs_nothing_else(small: tuple[str, ...], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert simulate_cli.main([*small, "--seed", "5", "--sweep-workers", "1", "--report", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)|\b(src|href)=|url\(|@import|https?:", page)
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 4
    for drawing in drawings:
        ElementTree.fromstring(drawing)
    for heading in ("Latency of a micro action", "Throughput", "Memory", "Sweep", "Manifest"):
        assert f"<h2>{heading}</h2>" in page
    assert "rules_sha256" in page
    assert "Partial" not in page


def test_charts_of_nothing_and_of_one_point() -> None:
    assert svg.line_chart({}, "x", "y") == svg.histogram([], "x", "y") == "<p>nothing was measured</p>"
    ElementTree.fromstring(svg.line_chart({"a<b": [(0.0, 0.0)]}, "x", "y"))
    ElementTree.fromstring(svg.line_chart({"a": [(0.0, 5.0)], "<b>": [(3.0, 2e6)]}, "x", "y"))
    ElementTree.fromstring(svg.histogram([[2.0, 1.0]], "x", "y"))


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.25, "0.25"), (1500, "1.5 k"), (2e6, "2 M"), (3e9, "3 G")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert svg.number(value) == text


def test_full_disk_sends_the_report_to_stdout_and_leaves_the_earlier_file(
    small: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    report, page = tmp_path / "report.json", tmp_path / "report.html"
    report.write_text("precious", encoding="utf-8")
    monkeypatch.setattr(os, "fsync", full)
    given = [*small, "--metrics-out", str(report), "--report", str(page), "--overwrite"]
    assert simulate_cli.main(given) == simulate_cli.INCOMPLETE
    said = capsys.readouterr()
    assert json.loads(said.out[said.out.index("\n{\n") :])["episodes"] == 3
    assert "report.json cannot be written: No space left on device; the report follows on stdout" in said.err
    assert report.read_text(encoding="utf-8") == "precious"
    assert list(tmp_path.iterdir()) == [report], "no draft is left"


def test_lost_worker_gives_the_run_away(
    small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    from w40k_marl.apps.simulate import run

    def lossy(*given: Any) -> Any:
        outcome = whole(*given)
        outcome.lost[1] = "worker 2 was killed by SIGKILL after it had told of 0 games"
        return outcome

    whole, page = run.run, tmp_path / "report.html"
    monkeypatch.setattr(run, "run", lossy)
    assert simulate_cli.main([*small, "--report", str(page)]) == simulate_cli.INCOMPLETE
    assert "PARTIAL REPORT: stopped after 3 of 3 episodes (worker 2 was killed" in capsys.readouterr().out
    assert "Partial report: worker 2 was killed" in page.read_text(encoding="utf-8")


# --- diff --------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(simulate: Callable[..., Report], small: tuple[str, ...], tmp_path: Path) -> tuple[str, str]:
    """Files of two reports: one run, and the same made slower by half."""
    report = simulate(*small, "--seed", "5")
    slow = report | {"steps_per_sec": report["steps_per_sec"] / 2}
    names = tmp_path / "a.json", tmp_path / "b.json"
    for name, data in zip(names, (report, slow), strict=True):
        name.write_text(json.dumps(data), encoding="utf-8")
    return str(names[0]), str(names[1])


@pytest.mark.parametrize(
    ("gates", "status"),
    [
        ([], 0),
        (["steps_per_sec<0.9"], 1),
        (["steps_per_sec < 0.4"], 0),
        (["steps_per_sec<=0.5"], 1),
        (["steps_per_sec>=0.6"], 0),
        (["latency_us.p99>1.01"], 0),
        (["latency_us.p99>1.01", "steps_per_sec<0.9"], 1),
        (["metrics.max_rss_kb>=1"], 1),
    ],
    ids=str,
)
def test_gates_judge_the_ratio_of_the_second_to_the_first(
    pair: tuple[str, str], gates: list[str], status: int, capsys: Capture
) -> None:
    given = [word for gate in gates for word in ("--fail-if", gate)]
    capsys.readouterr()
    assert simulate_cli.main(["diff", *pair, *given]) == status
    said = capsys.readouterr()
    assert re.search(r"steps_per_sec +\S+ +\S+ +0.5\n", said.out)
    assert ("FAILED" in said.out) is bool(status)
    assert cli.main(["simulate", "diff", *given, *pair]) == status


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("steps_per_sec", "expected FIGURE<RATIO or FIGURE>RATIO"),
        ("steps_per_sec<fast", "expected FIGURE<RATIO"),
        ("steps_per_sec<1e", "expected FIGURE<RATIO"),
        ("speed<0.9", "for speed"),
        ("partial<0.9", "for partial"),
        ("saturated_at<0.9", "for saturated_at"),
    ],
)
def test_gate_that_cannot_be_judged_is_bad_input(pair: tuple[str, str], gate: str, said: str, capsys: Capture) -> None:
    capsys.readouterr()
    try:
        status: object = simulate_cli.main(["diff", *pair, "--fail-if", gate])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    error = capsys.readouterr().err
    assert said in error
    assert "--fail-if" in error


def test_reports_that_differ_in_more_than_speed_are_remarked(pair: tuple[str, str], capsys: Capture) -> None:
    report = json.loads(Path(pair[1]).read_text(encoding="utf-8"))
    report["partial"] = True
    report["manifest"]["host"]["cores"] = 512
    report["manifest"]["options"]["macro_both"] = True
    Path(pair[1]).write_text(json.dumps(report), encoding="utf-8")
    capsys.readouterr()
    assert simulate_cli.main(["diff", *pair]) == 0
    error = capsys.readouterr().err
    assert "note: b is a partial report\n" in error
    assert "note: the reports differ in host\n" in error
    assert "note: the reports differ in the options macro_both\n" in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "(top level): expected a file that can be read, got No such file or directory"),
        ("[1, 2", "(top level): expected valid JSON, got "),
        ("[]", "(top level): expected a report of the load simulation, got []"),
        (
            '{"manifest": {"schema_version": 99}}',
            "manifest.schema_version: expected a whole number from 1 to 3, got 99",
        ),
    ],
)
def test_file_that_is_no_report_is_refused(
    pair: tuple[str, str], text: str | None, said: str, tmp_path: Path, capsys: Capture
) -> None:
    other = tmp_path / "other.json"
    if text is not None:
        other.write_text(text, encoding="utf-8")
    assert simulate_cli.main(["diff", pair[0], str(other)]) == 2
    assert said in capsys.readouterr().err
