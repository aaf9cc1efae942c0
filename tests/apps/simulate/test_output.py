"""What a run leaves behind: the page, the report where no file can be written, the comparison of two reports."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from w40k_marl.apps import cli
from w40k_marl.apps.simulate import cli as simulate_cli
from w40k_marl.apps.simulate.report import charts

Capture = pytest.CaptureFixture[str]
Report = dict[str, Any]


def test_page_is_one_file_that_needs_nothing_else(small: tuple[str, ...], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert simulate_cli.main([*small, "--seed", "5", "--sweep-workers", "1", "--report", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    names = re.sub(r' xmlns(:xlink)?="[^"]*"', "", page)  # names that look like addresses
    assert not re.search(r"<(script|link|img|iframe)|\b(src|href)=(?!\"#)|url\((?!#)|@import|https?:", names)
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 4
    for drawing in drawings:
        ElementTree.fromstring(drawing)
    for heading in ("Latency of a micro action", "Throughput", "Memory", "Sweep", "Manifest"):
        assert f"<h2>{heading}</h2>" in page
    assert "rules_sha256" in page
    assert "Partial" not in page


def sample(seconds: float, steps: int, mib: float | None = 200.0, worker: int = 1) -> Report:
    return {"worker": worker, "seconds": seconds, "steps": steps, "rss_kb": None if mib is None else mib * 1024}


def texts(svg: str) -> list[str]:
    """The words of a chart, which a reader can search and select."""
    found = (element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))
    return [text for text in found if text]


def test_charts_of_nothing_and_of_one_point() -> None:
    nothing = {"of": "micro action", "histogram": []}
    assert charts.latency_chart(nothing) == charts.throughput_chart([]) == charts.memory_chart([]) == charts.NOTHING
    assert charts.throughput_chart([sample(0.0, 0)]) == charts.memory_chart([sample(1.0, 9, None)]) == charts.NOTHING
    assert charts.sweep_chart([]) == charts.NOTHING
    one = {"of": "micro action", "histogram": [[2.0, 1]], **dict.fromkeys(("p50", "p95", "p99", "max"), 2.0)}
    row = {"workers": 1, **dict.fromkeys(("steps_per_sec", "steps_per_sec_min", "steps_per_sec_max"), 7.0)}
    for svg in (
        charts.latency_chart(one),
        charts.throughput_chart([sample(0.5, 9)]),
        charts.memory_chart([sample(0.5, 9)]),
        charts.sweep_chart([row]),
    ):
        ElementTree.fromstring(svg)


def test_charts_take_the_text_colour_of_the_page_and_share_no_id() -> None:
    timeline = [sample(float(n), n, worker=worker) for n in range(1, 5) for worker in (1, 2)]
    drawn = charts.throughput_chart(timeline), charts.memory_chart(timeline)
    ids = [name for svg in drawn for name in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(set(ids)) == len(ids) > 0
    for svg in drawn:
        assert "currentColor" in svg
        assert set(re.findall(r'(?:url\(|href=")#([^")]+)', svg)) <= set(ids)
        assert not re.search(r"#(000000|ffffff|010203)\b", svg), "black or white would vanish on some page"


def test_even_play_makes_an_even_throughput_wherever_the_samples_fall() -> None:
    """A sample right after another, as a message of a worker brings it, and a last bin that is not whole."""
    seconds = sorted([0.1 * n for n in range(1, 101)] + [0.5 * n + 0.0003 for n in range(1, 20)] + [10.0371])
    edges, speeds = charts.throughput([sample(second, round(1000 * second)) for second in seconds])
    assert len(speeds) > 20
    assert edges[-1] <= seconds[-1]
    assert speeds == pytest.approx(1000, rel=0.05)


def test_long_game_does_not_look_like_a_burst_at_its_end() -> None:
    _, speeds = charts.throughput([sample(second, round(100 * second)) for second in (1.0, 2.0, 9.0, 10.0, 11.0)])
    assert speeds == pytest.approx(100)


def test_axis_of_memory_shows_growth_in_mib() -> None:
    svg = charts.memory_chart([sample(float(n), n, 500 + 0.1 * n) for n in range(21)])
    assert "worker 1: +2.00 MiB" in texts(svg)
    assert "resident memory, MiB" in texts(svg)
    ticks = [float(text) for text in texts(svg) if re.fullmatch(r"\d{3}\.\d+", text)]
    assert min(ticks) > 499
    assert max(ticks) < 503


def test_memory_that_stands_still_is_not_drawn_as_growth() -> None:
    svg = charts.memory_chart([sample(float(n), n, 500 + 0.01 * (n % 2)) for n in range(21)])
    ticks = [float(text) for text in texts(svg) if re.fullmatch(r"\d{3}\.\d+", text)]
    assert max(ticks) - min(ticks) >= 0.5


def test_legend_of_many_workers_lies_below_the_axes() -> None:
    svg = charts.memory_chart([sample(float(n), n, worker=worker) for worker in range(1, 101) for n in range(3)])
    places = re.findall(r'<g id="memory-(axes|legend|patch)_\d+">', svg)
    assert "legend" in places
    drawn = ElementTree.fromstring(svg)
    words = {text.text: text.attrib for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    title, entry = words["seconds since a worker's first game"], words["worker 40: +0.00 MiB"]
    assert height(entry) > height(title)
    assert "worker 41: +0.00 MiB" not in words, "the page stays readable"


def height(text: dict[str, str]) -> float:
    found = re.search(r"translate\([\d.]+ ([\d.]+)\)", text["transform"])
    return float(found[1] if found else text["y"])


def test_throughput_of_a_batch_counts_the_games_in_play(simulate: Callable[..., Report]) -> None:
    """Games that began together end together; counted at their ends alone, they would be one burst."""
    report = simulate("--scenario-file", "pve", "--episodes", "512", "--batch", "512", "--seed", "1")
    samples, whole = report["timeline"], report["total_steps"]
    early = next(sample for sample in samples if sample["seconds"] > samples[-1]["seconds"] / 3)
    assert 0.1 * whole < early["steps"] < 0.9 * whole
    assert samples[-1]["steps"] == whole


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_page_without_its_libraries_is_refused_before_the_run(
    small: tuple[str, ...], library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    assert simulate_cli.main([*small, "--report", str(tmp_path / "report.html")]) == 2
    error = capsys.readouterr().err
    assert f'--report: a page needs {library}: run `python -m pip install -e ".[report]"` in ' in error
    assert error.count("\n") == 1
    assert simulate_cli.main([*small, "--metrics-out", str(tmp_path / "report.json")]) == 0


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


def test_sizes_are_in_mib(small: tuple[str, ...], capsys: Capture) -> None:
    assert simulate_cli.main([*small, "--workers", "2"]) == 0
    said = capsys.readouterr().out
    assert not re.search(r"\bMB\b", said, re.IGNORECASE)
    for label in ("RAM max", "Python memory max", "Disk read", "Network upload"):
        assert re.search(rf"^{label} : (\d+\.\d+ MiB|not measured)", said, re.MULTILINE)


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
