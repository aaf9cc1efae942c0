"""The growth of memory that a report tells is that of the games: the tool keeps nothing that grows with the run."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.apps.simulate import cli
from w40k_marl.apps.simulate.measure import timeline
from w40k_marl.apps.simulate.measure.latency import Latencies
from w40k_marl.apps.simulate.measure.timeline import Sample, slope_kb_per_minute
from w40k_marl.apps.simulate.options import Options
from w40k_marl.apps.simulate.plan import make_plan
from w40k_marl.apps.simulate.report.results import Outcome
from w40k_marl.apps.simulate.runners.episode import Episode
from w40k_marl.apps.simulate.workers.worker import Message, Worker

KIB = 1024
GAME = Episode("small_board", 40, 60, 9, 1, "objectives", (15, 5), (10, 90), (0.5, 12.25), False, False, 5, 2)
OTHERS = [
    GAME,
    replace(GAME, scenario="pve", winner=0, method="draw", value_lost=None, damage=None, turn=None, turn_player=None),
    replace(GAME, winner=None, method="undecided", capped=True, turn=1, turn_player=1),
    replace(GAME, winner=2, method="value_tiebreaker", interrupted=True, steps=10**12),
]


@pytest.fixture
def traced() -> Iterator[Callable[[], int]]:
    """What Python and numpy hold now, in KiB."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[0] // KIB
    tracemalloc.stop()


def outcome() -> Outcome:
    return Outcome(make_plan(Options(seed=1)), datetime.now(UTC))


def test_listing_games_takes_no_memory_while_they_are_played(traced: Callable[[], int]) -> None:
    heard = outcome()
    before = traced()
    for number in range(1, 3001):
        heard.hear(Message(0, [(number, replace(GAME, steps=1000 + number, victory_points=(number, number + 1)))]))
    assert traced() - before < 32
    assert heard.tally.counts.episodes == 3000
    assert len(heard.episodes) == 3000


def test_games_are_listed_as_they_were_played_whatever_their_order() -> None:
    heard = outcome()
    numbered = list(enumerate(OTHERS, 1))
    for number, episode in reversed(numbered):
        heard.hear(Message(0, [(number, episode)]))
    assert heard.episodes == numbered
    assert all(
        type(value) in (int, type(None)) for _, one in heard.episodes for value in (one.winner, one.turn, one.steps)
    )


def test_noting_latencies_takes_little_memory(traced: Callable[[], int]) -> None:
    latencies, values = Latencies(), np.random.default_rng(4).lognormal(9, 1.2, 2000).astype(np.int64).tolist()
    latencies.settle(0)
    before = traced()
    tracemalloc.reset_peak()
    for _ in range(100):
        for value in values:
            latencies.note(value)
        latencies.settle()
    assert tracemalloc.get_traced_memory()[1] // KIB - before < 512
    assert latencies.count == 200_000


def test_playing_on_takes_no_memory(traced: Callable[[], int]) -> None:
    worker = Worker(make_plan(Options(scenario_file=("pve",), seed=5, episodes=90)))
    held = [traced() for _ in worker.play()]
    assert held[-1] - held[29] < 64


# --- the slope ---------------------------------------------------------------------------------------------


def samples(memory: Callable[[float], float], seconds: float = 60, count: int = 120) -> list[Sample]:
    return [Sample(at, 0, int(memory(at))) for at in np.linspace(0, seconds, count).tolist()]


def test_single_jump_is_no_growth() -> None:
    assert slope_kb_per_minute(samples(lambda at: 100_000 + (4096 if at > 50 else 0))) == 0


def test_filling_up_in_the_first_half_is_no_growth() -> None:
    assert slope_kb_per_minute(samples(lambda at: 100_000 + 500 * min(at, 29))) == 0


def test_steady_growth_is_told_through_noise() -> None:
    noise = np.random.default_rng(1)
    found = slope_kb_per_minute(samples(lambda at: 100_000 + 50 * at + noise.normal(0, 40)))
    assert found == pytest.approx(3000, rel=0.1)


def test_growth_in_blocks_is_told() -> None:
    assert slope_kb_per_minute(samples(lambda at: 100_000 + 1024 * (at // 3))) == pytest.approx(20_480, rel=0.1)


def test_short_run_says_what_a_statement_needs(small: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(small) == 0
    assert "RAM growth : not measured (the run was too short: a slope needs 10 seconds" in capsys.readouterr().out
    assert slope_kb_per_minute(samples(float, seconds=9.9)) == timeline.TOO_SHORT
    assert slope_kb_per_minute(samples(float, seconds=60, count=20)) == timeline.TOO_SHORT


def test_growth_of_the_games_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A policy that keeps what it sees: the slope is about what it keeps."""
    (tmp_path / "keeper.py").write_text(
        "import numpy as np\nkept = []\n"
        "def act(observations, masks, *rest):\n"
        "    kept.append(np.ones(2560))\n"
        "    return np.argmax(masks, axis=1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(timeline, "FIRST_INTERVAL", 0.02)
    monkeypatch.setattr(timeline, "SHORTEST_FOR_SLOPE", 1.0)
    plan = make_plan(Options(scenario_file=("small_board",), duration=1.6, policy="keeper:act", seed=1))
    worker = Worker(plan)
    for _ in worker.play():
        pass
    figures: Any = worker.figures()
    kept = len(sys.modules["keeper"].kept) * 2560 * 8 / KIB / figures.samples[-1].seconds * 60
    assert slope_kb_per_minute(figures.samples) == pytest.approx(kept, rel=0.3)
