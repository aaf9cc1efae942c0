"""Compares two reports: the ratio of every figure, and gates
on ratios for continuous integration.
"""

from __future__ import annotations

import json
import math
import operator
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from ....content.files import TOP
from ....content.reading import as_model, read_json, shown
from ....errors import ContentError, W40KError
from ...command import OptionError
from ...console import DONE, note, say
from ..options import DiffOptions
from .manifest import SCHEMA_VERSION
from .tables import table_lines

FAILED = 1
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
GATE = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(<=|>=|<|>)\s*([0-9.eE+-]+)\s*")
SHOWN = (
    "episodes",
    "total_steps",
    "steps_per_sec",
    "agent_steps_per_sec",
    "games_per_hour",
    "latency_us.p50",
    "latency_us.p95",
    "latency_us.p99",
    "latency_us.max",
    "metrics.wall_time_sec",
    "metrics.cpu_time_sec",
    "metrics.max_rss_kb",
    "python_memory_peak_kb",
)


Figure = float | None


class ManifestFile(Struct, frozen=True, kw_only=True):
    """The fields of a report's manifest that are read."""

    schema_version: Annotated[int, Meta(ge=1, le=SCHEMA_VERSION)]
    host: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    rules_sha256: str = ""
    options: dict[str, Any]


class LatencyFile(Struct, frozen=True, kw_only=True):
    """Latencies of a report that are compared."""

    p50: Figure = None
    p95: Figure = None
    p99: Figure = None
    max: Figure = None


class MetricsFile(Struct, frozen=True, kw_only=True):
    """Costs of a report that are compared."""

    wall_time_sec: Figure = None
    cpu_time_sec: Figure = None
    max_rss_kb: Figure = None


class ReportFile(Struct, frozen=True, kw_only=True):
    """The fields of a report that ``diff`` reads; ``--fail-if`` may name all others."""

    manifest: ManifestFile
    episodes: Figure
    total_steps: Figure
    steps_per_sec: Figure
    agent_steps_per_sec: Figure = None
    games_per_hour: Figure = None
    python_memory_peak_kb: Figure = None
    partial: bool = False
    latency_us: LatencyFile = LatencyFile()
    metrics: MetricsFile = MetricsFile()


class DiffError(W40KError):
    """Raised if reports cannot be compared as requested."""


@dataclass(frozen=True, slots=True)
class Gate:
    """``steps_per_sec<0.9``: fails if the ratio of b to a of that figure is below 0.9."""

    text: str
    figure: str
    comparison: str
    bound: float

    def fails(self, ratio: float) -> bool:
        """Return True if a ratio meets the condition of failure."""
        return COMPARISONS[self.comparison](ratio, self.bound)


def read_gate(text: str) -> Gate:
    """Return the gate that a text describes. Raises OptionError for another format."""
    found = GATE.fullmatch(text)
    try:
        if found is not None:
            return Gate(text, found[1], found[2], float(found[3]))
    except ValueError:
        pass
    raise OptionError(f"--fail-if: expected FIGURE<RATIO or FIGURE>RATIO, got {text!r}")


def compare(options: DiffOptions) -> int:
    """Print two reports side by side; return 1 if a gate fails. Raises
    W40KError if a gate's figure is missing.
    """
    gates = [read_gate(text) for text in options.fail_if]
    before, after = read_report(options.before), read_report(options.after)
    doubts = list(remarks(before, after))
    failed: dict[str, float] = {}
    for gate in gates:
        ratio = ratio_of(before, after, gate.figure)
        if ratio is None:
            raise DiffError(f"--fail-if {gate.text}: expected a number above 0 in both reports for {gate.figure}")
        if gate.fails(ratio):
            failed[gate.text] = ratio
    rows = _rows(before, after, [gate.figure for gate in gates])
    if options.json:
        figures = {name: {"a": a, "b": b, "ratio": ratio} for name, a, b, ratio in rows}
        say(json.dumps({"figures": figures, "failed": failed, "remarks": doubts}, indent=2, allow_nan=False))
        return FAILED if failed else DONE
    for remark in doubts:
        note(f"note: {remark}")
    cells = [[name, *("-" if one is None else f"{one:.6g}" for one in values)] for name, *values in rows]
    for line in table_lines("", ("figure", "a", "b", "b / a"), cells):
        say(line)
    for text, ratio in failed.items():
        say(f"FAILED {text} : the ratio is {ratio:.3f}")
    return FAILED if failed else DONE


def read_report(name: str) -> dict[str, Any]:
    """Read a report of ``--metrics-out``. Raises ContentError if the file is not a valid report."""
    data: Any = read_json(Path(name))
    if not isinstance(data, dict) or "manifest" not in data:
        raise ContentError(name, TOP, "a report of the load simulation", shown(data))
    as_model(data, ReportFile, name)
    report: dict[str, Any] = data
    return report


def remarks(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Yield the differences that make the comparison unreliable."""
    for name, report in (("a", before), ("b", after)):
        if report.get("partial"):
            yield f"{name} is a partial report"
    one, other = before["manifest"], after["manifest"]
    for name in ("schema_version", "host", "versions", "rules_sha256"):
        if one.get(name) != other.get(name):
            yield f"the reports differ in {name}"
    output = {"metrics_out", "report", "overwrite", "json"}
    given = [{k: v for k, v in side["options"].items() if k not in output} for side in (one, other)]
    differing = [name for name in given[0] if name in given[1] and given[0][name] != given[1][name]]
    if differing:
        yield f"the reports differ in the options {', '.join(differing)}"


def figure_of(report: dict[str, Any], name: str) -> float | None:
    """Return a finite number of a report by its dotted name; None if there is none."""
    value: Any = report
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= sys.float_info.max else None


def ratio_of(before: dict[str, Any], after: dict[str, Any], name: str) -> float | None:
    """Return the figure of ``after`` divided by that of
    ``before``; None if that is not possible.
    """
    a, b = figure_of(before, name), figure_of(after, name)
    ratio = None if a is None or b is None or a <= 0 else b / a
    return ratio if ratio is not None and math.isfinite(ratio) else None


def _rows(before: dict[str, Any], after: dict[str, Any], asked: list[str]) -> list[tuple[str, Figure, Figure, Figure]]:
    """Return name, a, b and ratio of every figure that is shown."""
    names = dict.fromkeys([*SHOWN, *asked])
    return [(name, figure_of(before, name), figure_of(after, name), ratio_of(before, after, name)) for name in names]
