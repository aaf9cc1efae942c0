"""The report as one HTML file that needs nothing else: charts, tables, and the manifest to repeat the run by."""

from __future__ import annotations

import json
from html import escape
from itertools import pairwise
from typing import Any

from .as_json import SWEEP_COLUMNS, as_data
from .as_text import as_lines
from .results import Outcome
from .svg import Point, histogram, line_chart

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin-top: 2em; }
table { border-collapse: collapse; } td, th { padding: .15em .8em .15em 0; text-align: right; }
th { border-bottom: 1px solid #8888; font-weight: 600; }
pre { overflow: auto; font-size: 12px; line-height: 1.4; }
svg { max-width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
.axis { fill: none; stroke: currentColor; } .grid { stroke: #8884; }
.partial { border-left: 4px solid #c2572b; padding-left: .8em; }
"""


def as_page(outcome: Outcome) -> str:
    """The whole page."""
    data = as_data(outcome)
    title = f"Load simulation of {', '.join(outcome.plan.scenarios)}"
    latency = data["latency_us"]
    body = [
        f"<h1>{escape(title)}</h1>",
        _partial(data),
        f"<pre>{escape(chr(10).join(as_lines(outcome)))}</pre>",
        _section(
            f"Latency of a {latency['of']}",
            histogram(latency["histogram"], "microseconds, logarithmic", "how many"),
        ),
        _section("Throughput", line_chart(_speeds(data), "seconds since a worker's first game", "steps per second")),
        _section("Memory", line_chart(_memory(data), "seconds since a worker's first game", "resident memory, Mb")),
        _sweep(data),
        _section("Manifest", f"<pre>{escape(json.dumps(data['manifest'], indent=2))}</pre>"),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    content = "\n".join(filter(None, body))
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{content}\n</body></html>\n'


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}"


def _partial(data: dict[str, Any]) -> str:
    if not data["partial"]:
        return ""
    return f'<p class="partial">Partial report: {escape("; ".join(data["partial_because"]))}.</p>'


def _by_worker(data: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    lines: dict[str, list[dict[str, Any]]] = {}
    for sample in data["timeline"]:
        lines.setdefault(f"worker {sample['worker']}", []).append(sample)
    return lines


def _speeds(data: dict[str, Any]) -> dict[str, list[Point]]:
    """Steps per second between two samples, at the later of them."""
    return {
        name: [
            (after["seconds"], (after["steps"] - before["steps"]) / (after["seconds"] - before["seconds"]))
            for before, after in pairwise(samples)
            if after["seconds"] > before["seconds"]
        ]
        for name, samples in _by_worker(data).items()
    }


def _memory(data: dict[str, Any]) -> dict[str, list[Point]]:
    return {
        name: [(one["seconds"], one["rss_kb"] / 1024) for one in samples if one["rss_kb"] is not None]
        for name, samples in _by_worker(data).items()
    }


def _sweep(data: dict[str, Any]) -> str:
    if not data["sweep"]:
        return ""
    head = "".join(f"<th>{name}</th>" for name in SWEEP_COLUMNS)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(row[name])}</td>' for name in SWEEP_COLUMNS)}</tr>" for row in data["sweep"]
    )
    speeds = {"steps per second": [(row["workers"], row["steps_per_sec"] or 0.0) for row in data["sweep"]]}
    chart = line_chart(speeds, "workers", "steps per second")
    return _section("Sweep", f"<table><tr>{head}</tr>{rows}</table>\n{chart}")


def _cell(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.2f}" if isinstance(value, float) else str(value)
