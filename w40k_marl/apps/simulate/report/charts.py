"""Charts of a report as SVG for a page: drawn by matplotlib, in the text colour of the page.

Importing this needs the extra ``report``.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import cycle, product
from typing import Any, TypeAlias

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from ..measure.latency import BARS_PER_OCTAVE, PERCENTILES

Vector: TypeAlias = NDArray[np.float64]
Samples: TypeAlias = Sequence[Mapping[str, Any]]
"""Entries of the report's ``timeline`` that are of one worker."""

NOTHING = "<p>nothing was measured</p>"
WIDTH, HEIGHT, LEGEND_ROW = 7.4, 2.7, 0.22  # inches
LEGEND_COLUMNS, MOST_NAMED = 4, 40
INK = "#010203"  # stands for the text colour of the page, which matplotlib has no name for
COLOURS = ("#3b6fb6", "#c2572b", "#3c8d5a", "#8a5aa8", "#a08020", "#4a9aa5", "#b04a6f", "#6b6b6b")  # on light and dark
LINE_STYLES = ("-", "--", ":", "-.")
STYLE = {
    **{f"{part}.facecolor": "none" for part in ("figure", "axes", "savefig")},
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "grid.color"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "font.size": 9,
    "grid.alpha": 0.2,
    **dict.fromkeys(("lines.linewidth", "patch.linewidth"), 1.4),
    "svg.fonttype": "none",
    "svg.hashsalt": "w40k_marl",
}
MOST_BINS = 60
SAMPLES_PER_BIN = 2  # at least, where the median gap between two samples is typical
LEAST_MEMORY_SPAN = 1.0  # MiB; smaller changes are not drawn as if they were large


def latency_chart(latency: Mapping[str, Any]) -> str:
    """Return the histogram of the report's ``latency_us`` on a
    logarithmic axis, with its percentiles.
    """

    def draw(axes: Axes) -> None:
        edges, counts = np.array(latency["histogram"], dtype=np.float64).T
        lower = edges * 2 ** (-1 / BARS_PER_OCTAVE)
        axes.bar(lower, counts, edges - lower, align="edge", color=COLOURS[0])
        for name, colour in zip(PERCENTILES, COLOURS[1:], strict=False):
            label = f"{name} {float(f'{latency[name]:.3g}'):,g} µs"
            axes.axvline(latency[name], color=colour, linestyle="--", linewidth=1, label=label)
        axes.set_xscale("log")
        narrow = edges[-1] < 1000 * lower[0]
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(EngFormatter(sep=" "))
        axes.grid(visible=False, axis="x")

    return _svg("latency", "microseconds (logarithmic)", "how many", draw) if latency["histogram"] else NOTHING


def throughput_chart(timeline: Samples) -> str:
    """Return a chart of the steps per second of each worker over time."""
    lines = {name: throughput(samples) for name, samples in _by_worker(timeline).items()}

    def draw(axes: Axes) -> None:
        for (name, (edges, speeds)), (line, colour) in zip(lines.items(), _looks(), strict=False):
            label = name if len(lines) > 1 else None
            axes.stairs(speeds, edges, baseline=None, color=colour, linestyle=line, label=label)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(EngFormatter(sep=" "))

    lines = {name: line for name, line in lines.items() if len(line[1])}
    return _svg("throughput", "seconds since a worker's first game", "steps per second", draw) if lines else NOTHING


def throughput(samples: Samples) -> tuple[Vector, Vector]:
    """Return the edges (n + 1,) in seconds of equal bins, and the steps per second (n,) in each.

    Steps are interpolated at the edges, because samples come at the ends of games and not at equal
    intervals. The rest after the last whole bin is dropped. There are no bins if no time was
    measured.
    """
    seconds = np.array([0.0, *(sample["seconds"] for sample in samples)])
    steps = np.array([0.0, *(sample["steps"] for sample in samples)])
    if seconds[-1] <= 0:
        return np.zeros(1), np.zeros(0)
    width = max(seconds[-1] / MOST_BINS, SAMPLES_PER_BIN * float(np.median(np.diff(seconds))))
    bins = max(math.floor(seconds[-1] / width), 1)
    edges = np.arange(bins + 1) * min(width, seconds[-1])
    return edges, np.diff(np.interp(edges, seconds, steps)) / np.diff(edges)


def memory_chart(timeline: Samples) -> str:
    """Return a chart of the resident memory of each worker over time; the axis covers the values
    and need not begin at 0.
    """
    workers = _by_worker([sample for sample in timeline if sample["rss_kb"] is not None])

    def draw(axes: Axes) -> None:
        drawn = []
        for (name, samples), (line, colour) in zip(workers.items(), _looks(), strict=False):
            mib = [sample["rss_kb"] / 1024 for sample in samples]
            label = f"{name}: {mib[-1] - mib[0]:+.2f} MiB"
            marker = "o" if len(mib) == 1 else ""
            axes.plot([sample["seconds"] for sample in samples], mib, line, marker=marker, color=colour, label=label)
            drawn += mib
        middle, span = (min(drawn) + max(drawn)) / 2, max(max(drawn) - min(drawn), LEAST_MEMORY_SPAN)
        axes.set_ylim(middle - 0.55 * span, middle + 0.55 * span)

    return _svg("memory", "seconds since a worker's first game", "resident memory, MiB", draw) if workers else NOTHING


def sweep_chart(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a chart of the median steps per second by number of
    workers, with the least and the most as bars.
    """
    known = sorted((row for row in rows if row["steps_per_sec"] is not None), key=lambda row: int(row["workers"]))

    def draw(axes: Axes) -> None:
        median, least, most = (
            np.array([row[name] for row in known])
            for name in ("steps_per_sec", "steps_per_sec_min", "steps_per_sec_max")
        )
        workers = [row["workers"] for row in known]
        axes.errorbar(workers, median, [median - least, most - median], marker="o", capsize=3, color=COLOURS[0])
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(EngFormatter(sep=" "))

    return _svg("sweep", "workers", "steps per second", draw) if known else NOTHING


def _by_worker(timeline: Samples) -> dict[str, list[Mapping[str, Any]]]:
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for sample in timeline:
        lines.setdefault(f"worker {sample['worker']}", []).append(sample)
    return lines


def _looks() -> cycle[tuple[str, str]]:
    """Return an iterator over line styles and colours."""
    return cycle(product(LINE_STYLES, COLOURS))


def _svg(name: str, x_title: str, y_title: str, draw: Callable[[Axes], None]) -> str:
    """Return a chart with its legend, if it has one, below the axes;
    ``name`` makes its ids unique on the page.
    """
    text = io.StringIO()
    with style.context(["default", STYLE]):  # whatever a user's matplotlibrc says
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.set(xlabel=x_title, ylabel=y_title)
        handles = axes.get_legend_handles_labels()[0][:MOST_NAMED]
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=LEGEND_COLUMNS)
            figure.set_figheight(HEIGHT + LEGEND_ROW * math.ceil(len(handles) / LEGEND_COLUMNS))
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = text.getvalue()
    drawn = re.sub(r'(\bid="|\burl\(#|\bhref="#)', rf"\g<1>{name}-", drawn[drawn.index("<svg") :])
    label = f'role="img" aria-label="{escape(y_title)}"'
    return drawn.replace(INK, "currentColor").replace("<svg", f"<svg {label}", 1).strip()
