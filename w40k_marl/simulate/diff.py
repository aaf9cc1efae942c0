"""Compares two reports: the ratio of every figure, and gates on ratios for continuous integration."""

from __future__ import annotations

import argparse
import json
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..console import DONE, note, say
from ..errors import W40KError
from .manifest import SCHEMA_VERSION
from .tabular import table_lines

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


class DiffError(W40KError):
    """Reports that cannot be compared as asked."""


@dataclass(frozen=True, slots=True)
class Gate:
    """``steps_per_sec<0.9``: fail where the ratio of b to a of that figure is so."""

    text: str
    figure: str
    comparison: str
    bound: float

    def fails(self, ratio: float) -> bool:
        """Whether a ratio is what the gate names."""
        return COMPARISONS[self.comparison](ratio, self.bound)


def read_gate(text: str) -> Gate:
    """The gate that a text names. Raises ArgumentTypeError."""
    found = GATE.fullmatch(text)
    try:
        if found is not None:
            return Gate(text, found[1], found[2], float(found[3]))
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected FIGURE<RATIO or FIGURE>RATIO, got {text!r}")


def compare(given: argparse.Namespace) -> int:
    """Show two reports side by side; 1 where a gate fails. Raises DiffError where one cannot be judged."""
    before, after = read_report(given.before), read_report(given.after)
    for remark in remarks(before, after):
        note(f"note: {remark}")
    for line in _table(before, after, [gate.figure for gate in given.fail_if]):
        say(line)
    failed = 0
    for gate in given.fail_if:
        ratio = ratio_of(before, after, gate.figure)
        if ratio is None:
            raise DiffError(f"--fail-if {gate.text}: expected a number above 0 in both reports for {gate.figure}")
        if gate.fails(ratio):
            failed += 1
            say(f"FAILED {gate.text} : the ratio is {ratio:.3f}")
    return FAILED if failed else DONE


def read_report(name: str) -> dict[str, Any]:
    """A report that ``--metrics-out`` has written. Raises DiffError."""
    try:
        data = json.loads(Path(name).read_text(encoding="utf-8"))
        version = data["manifest"]["schema_version"]
    except OSError as error:
        raise DiffError(f"{name} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise DiffError(f"{name}: expected a report of the load simulation") from None
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise DiffError(f"{name}: expected schema_version at most {SCHEMA_VERSION}, got {version}")
    report: dict[str, Any] = data
    return report


def remarks(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What makes the comparison doubtful."""
    for name, report in (("a", before), ("b", after)):
        if report.get("partial"):
            yield f"{name} is a partial report"
    one, other = before["manifest"], after["manifest"]
    for field in ("schema_version", "host", "versions", "rules_sha256"):
        if one.get(field) != other.get(field):
            yield f"the reports differ in {field}"
    paths = {"metrics_out", "report", "overwrite"}
    options = [{k: v for k, v in side.get("options", {}).items() if k not in paths} for side in (one, other)]
    differing = [name for name in options[0] if name in options[1] and options[0][name] != options[1][name]]
    if differing:
        yield f"the reports differ in the options {', '.join(differing)}"


def figure_of(report: dict[str, Any], name: str) -> float | None:
    """A number by its dotted name; None where there is none."""
    value: Any = report
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def ratio_of(before: dict[str, Any], after: dict[str, Any], name: str) -> float | None:
    """The figure of ``after`` over that of ``before``."""
    a, b = figure_of(before, name), figure_of(after, name)
    return None if a is None or b is None or a <= 0 else b / a


def _table(before: dict[str, Any], after: dict[str, Any], asked: list[str]) -> Iterator[str]:
    rows = []
    for name in dict.fromkeys([*SHOWN, *asked]):
        values = figure_of(before, name), figure_of(after, name), ratio_of(before, after, name)
        rows.append([name, *("-" if value is None else f"{value:.6g}" for value in values)])
    yield from table_lines("", ("figure", "a", "b", "b / a"), rows)
