"""Line and bar charts as SVG text: no library, no script, nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 70, 16, 12, 40
COLOURS = ("#3b6fb6", "#c2572b", "#3c8d5a", "#8a5aa8", "#a08020", "#4a9aa5", "#b04a6f", "#6b6b6b")
TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places on paper."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Where a value is drawn."""
        span = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / span * (self.stop - self.start), 1)

    def ticks(self) -> list[float]:
        """Round values, about five."""
        step = (self.high - self.low) / TICKS or 1.0
        power = 10.0 ** math.floor(math.log10(step))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step)
        first = math.ceil(self.low / step)
        return [step * index for index in range(first, math.floor(self.high / step) + 1)]


def line_chart(lines: Mapping[str, Sequence[Point]], x_title: str, y_title: str) -> str:
    """A line for each name, and a legend if there are several."""
    points = [point for line in lines.values() for point in line]
    if not points:
        return "<p>nothing was measured</p>"
    x = Scale(0, max(point[0] for point in points), LEFT, WIDTH - RIGHT)
    y = Scale(0, max(point[1] for point in points) * 1.05, HEIGHT - BOTTOM, TOP)
    drawn = [_axes(x, y, x_title, y_title, [(tick, number(tick)) for tick in x.ticks()])]
    for index, (name, line) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x(a)},{y(b)}" for a, b in line)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        if len(line) == 1:
            drawn.append(f'<circle cx="{x(line[0][0])}" cy="{y(line[0][1])}" r="3" fill="{colour}"/>')
        if len(lines) > 1:
            place = LEFT + 8 + 100 * (index % 6), TOP + 12 + 14 * (index // 6)
            drawn.append(f'<text x="{place[0]}" y="{place[1]}" style="fill:{colour}">{escape(name)}</text>')
    return _picture(drawn, y_title)


def histogram(bars: Sequence[Sequence[float]], x_title: str, y_title: str) -> str:
    """Bars of equal width on a logarithmic axis; each is its upper edge and its count."""
    if not bars:
        return "<p>nothing was measured</p>"
    places = [math.log10(edge) for edge, _ in bars]
    gap = min((b - a for a, b in pairwise(places)), default=0.1)
    x = Scale(places[0] - gap, places[-1], LEFT, WIDTH - RIGHT)
    y = Scale(0, max(count for _, count in bars) * 1.05, HEIGHT - BOTTOM, TOP)
    marks = [
        (math.log10(factor * 10.0**power), number(factor * 10.0**power))
        for power in range(math.floor(x.low) - 1, math.ceil(x.high) + 1)
        for factor in ((1, 2, 5) if x.high - x.low < 3 else (1,))
    ]
    drawn = [_axes(x, y, x_title, y_title, [mark for mark in marks if x.low <= mark[0] <= x.high])]
    for place, (edge, count) in zip(places, bars, strict=True):
        left, top = x(place - gap), y(count)
        width, height = max(x(place) - left - 0.5, 0.5), HEIGHT - BOTTOM - top
        tip = f"<title>up to {number(edge)}: {count:.0f}</title>"
        box = f'x="{left}" y="{top}" width="{width:.1f}" height="{height:.1f}"'
        drawn.append(f'<rect {box} fill="{COLOURS[0]}">{tip}</rect>')
    return _picture(drawn, y_title)


def number(value: float) -> str:
    """A number as short as it can be read."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def _axes(x: Scale, y: Scale, x_title: str, y_title: str, marks: list[tuple[float, str]]) -> str:
    floor = HEIGHT - BOTTOM
    drawn = [f'<path d="M{LEFT} {TOP}V{floor}H{WIDTH - RIGHT}" class="axis"/>']
    for tick in y.ticks():
        drawn.append(f'<path d="M{LEFT} {y(tick)}H{WIDTH - RIGHT}" class="grid"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y(tick) + 4}" text-anchor="end">{number(tick)}</text>')
    for place, label in marks:
        drawn.append(f'<text x="{x(place)}" y="{floor + 16}" text-anchor="middle">{label}</text>')
    middle = (TOP + floor) / 2
    drawn.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_title)}</text>')
    drawn.append(f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>')
    return "".join(drawn)


def _picture(drawn: list[str], name: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg {size} role="img" aria-label="{escape(name)}">{"".join(drawn)}</svg>'
