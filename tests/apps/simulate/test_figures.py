"""Latencies and memory over time: bounded, mergeable, and honest about what is not known."""

from __future__ import annotations

import numpy as np
import pytest

from w40k_marl.apps.simulate.measure import latency, timeline
from w40k_marl.apps.simulate.measure.latency import RELATIVE_ERROR, Latencies
from w40k_marl.apps.simulate.measure.timeline import Sample, Timeline, slope_kb_per_minute

VALUES = np.random.default_rng(4).lognormal(9, 1.2, 30_000).astype(np.int64) + 1


def noted(values: np.ndarray) -> Latencies:
    latencies = Latencies()
    for value in values.tolist():
        latencies.note(value)
        latencies.settle()
    return latencies


def test_percentiles_are_those_of_the_values_to_three_digits() -> None:
    found = noted(VALUES).summary()
    assert found is not None
    for name, share in latency.PERCENTILES.items():
        exact = np.percentile(VALUES, share, method="inverted_cdf") / 1000
        assert found[name] == pytest.approx(exact, rel=RELATIVE_ERROR)
    assert found["mean"] == pytest.approx(VALUES.mean() / 1000, rel=RELATIVE_ERROR)


def test_workers_together_are_as_one_that_saw_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "HELD", 1000)
    parts = [noted(part).encoded() for part in np.array_split(VALUES, 3)]
    merged, whole = Latencies(parts), noted(VALUES)
    assert merged.summary() == whole.summary()
    assert merged.bars() == whole.bars()
    assert merged.count == len(VALUES)
    assert sum(count for _, count in merged.bars()) == len(VALUES)


def test_bars_rise_and_hold_what_lies_below_their_edge() -> None:
    bars = noted(VALUES).bars()
    edges = [edge for edge, _ in bars]
    assert edges == sorted(edges)
    below = np.cumsum([count for _, count in bars])
    for edge, count in zip(edges, below, strict=True):
        assert count == pytest.approx((edge * 1000 >= VALUES).sum(), rel=0.02, abs=3)


def test_nothing_noted_is_no_latency() -> None:
    assert Latencies().summary() is None
    assert Latencies().bars() == []
    assert Latencies([Latencies().encoded()]).count == 0


def test_hours_are_counted_as_an_hour() -> None:
    latencies = noted(np.array([10 * latency.LONGEST, 0, -5]))
    assert latencies.count == 3


def test_samples_stay_few_and_cover_the_whole_run() -> None:
    line = Timeline()
    for tenth in range(20_000):
        line.look(tenth / 10, tenth)
    line.look(2000.0, 20_000, last=True)
    assert timeline.MOST_SAMPLES // 3 < len(line.samples) <= timeline.MOST_SAMPLES
    assert line.samples[0].seconds == 0
    assert line.samples[-1].seconds == 2000
    gaps = np.diff([sample.seconds for sample in line.samples[:-1]])
    assert gaps.max() < 1.5 * gaps.min()


@pytest.mark.parametrize("rate", [0, 600, -60])
def test_slope_is_that_of_the_second_half(rate: int) -> None:
    start = [Sample(second / 2, second, 100_000 + 5000 * second) for second in range(20)]
    rest = [Sample(second / 2, second, 200_000 + rate * second // 120) for second in range(20, 60)]
    assert slope_kb_per_minute(start + rest) == pytest.approx(rate, abs=20)


def test_short_run_has_no_slope() -> None:
    assert slope_kb_per_minute([]) == timeline.TOO_SHORT
    assert slope_kb_per_minute([Sample(0.0, 0, 5), Sample(60.0, 1, 6)]) == timeline.TOO_SHORT
    assert slope_kb_per_minute([Sample(n / 100, n, 5) for n in range(50)]) == timeline.TOO_SHORT
    assert slope_kb_per_minute([Sample(float(n), n, None) for n in range(50)]) == timeline.TOO_SHORT
