"""A run as JSON for programs; ``docs/load_simulation.md`` describes each field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import median
from typing import Any

from ..measure.latency import RELATIVE_ERROR, Latencies
from ..measure.timeline import slope_kb_per_minute
from ..runners.episode import Episode
from ..workers.worker import WorkerFigures
from .manifest import manifest
from .results import Outcome, Tally, cpu_share
from .rewards import Term, reward_terms, reward_total

WHOLE_RUN, EXTRA_EPISODE = "whole run", "one extra episode"
NO_TIME = "no time was measured"
NOT_KEPT = "batched games are begun anew before their last state can be read"
SATURATED = 1.05
"""More workers are worth it while they bring more than this times the steps per second."""
SWEEP_COLUMNS = (
    "workers",
    "runs",
    "steps_per_sec",
    "steps_per_sec_min",
    "steps_per_sec_max",
    "speedup",
    "latency_p50_us",
    "latency_p99_us",
    "cpu_share",
)
"""Fields of a row of the sweep that people are shown."""


def as_json(outcome: Outcome) -> str:
    """Return the report as JSON text."""
    return json.dumps(as_data(outcome), indent=2, allow_nan=False) + "\n"


def as_data(outcome: Outcome) -> dict[str, Any]:
    """Return the report as a dictionary for JSON: the reference's fields first, under its names."""
    memory = outcome.python_memory_peak_kb
    rates = {
        "steps_per_sec": outcome.per_second(outcome.tally.counts.steps),
        "agent_steps_per_sec": outcome.per_second(outcome.tally.counts.agent_steps),
        "games_per_sec": outcome.per_second(outcome.tally.counts.episodes),
        "games_per_hour": outcome.per_second(outcome.tally.counts.episodes * 3600),
    }
    rewards, whole = _rewards(outcome), memory_of(outcome)
    return {
        "episodes": outcome.tally.counts.episodes,
        "total_steps": outcome.tally.counts.steps,
        "steps_per_sec": rates.pop("steps_per_sec"),
        "metrics": outcome.metrics.values,
        "python_memory_peak_kb": None if isinstance(memory, str) else memory,
        "python_memory_traced": traced(outcome),
        "partial": outcome.partial,
        "partial_because": outcome.because,
        "warnings": outcome.warnings,
        "agent_steps": outcome.tally.counts.agent_steps,
        **rates,
        "results_digest": digest(outcome.tally),
        "latency_us": _latency(outcome.latencies, outcome.plan.options.batch),
        "memory": {name: None if isinstance(value, str) else value for name, value in whole.items()},
        "workers": [_worker(outcome, index) for index in sorted(outcome.workers)],
        "timeline": [
            {"worker": index + 1, **sample._asdict()}
            for index in sorted(outcome.workers)
            for sample in outcome.workers[index].samples
        ],
        "sweep": sweep_rows(outcome),
        "saturated_at": saturated_at(outcome.sweep),
        "saturated_by_pass": saturated_by_pass(outcome),
        "not_measured": _not_measured(outcome, rates | {"steps_per_sec": outcome.per_second(0)}, whole),
        "rewards": rewards,
        "per_episode": [_row(number, episode) for number, episode in outcome.episodes],
        "manifest": manifest(outcome.plan, outcome.began),
    }


def _not_measured(outcome: Outcome, rates: dict[str, float | None], memory: dict[str, Any]) -> dict[str, str]:
    """Return the reason for each figure that is null."""
    missing = dict(outcome.metrics.not_measured)
    if isinstance(outcome.python_memory_peak_kb, str):
        missing["python_memory_peak_kb"] = outcome.python_memory_peak_kb
    missing |= {name: NO_TIME for name, rate in rates.items() if rate is None}
    missing |= {f"memory.{name}": value for name, value in memory.items() if isinstance(value, str)}
    if outcome.tally.value_lost is None:
        missing["value_lost"] = NOT_KEPT
    return missing


def digest(tally: Tally) -> str:
    """Return the sum of the hashes of all complete games, in hexadecimal."""
    return f"{tally.digest:032x}"


def latency_of(batch: int | None) -> str:
    """Return the name of the operation that the latency measures."""
    return "micro action" if batch is None else f"step of {batch} games"


def _latency(latencies: Latencies, batch: int | None) -> dict[str, Any]:
    found = latencies.summary() or dict.fromkeys(("p50", "p95", "p99", "max", "mean"))
    return {
        "of": latency_of(batch),
        "count": latencies.count,
        **found,
        "relative_error": RELATIVE_ERROR,
        "histogram": latencies.bars(),
    }


def memory_of(outcome: Outcome) -> dict[str, int | float | str]:
    """Return the resident memory of all workers together, or the reason why it is not known."""
    workers = outcome.workers.values()
    return {
        "rss_start_kb": _sum([worker.rss_start_kb for worker in workers]),
        "rss_slope_kb_per_min": _sum([slope_kb_per_minute(worker.samples) for worker in workers]),
    }


def _sum(values: Sequence[int | float | str]) -> int | float | str:
    reasons = [value for value in values if isinstance(value, str)]
    return reasons[0] if reasons else sum(value for value in values if not isinstance(value, str))


def _worker(outcome: Outcome, index: int) -> dict[str, Any]:
    worker = outcome.workers[index]
    latency = Latencies([worker.latencies]).summary() or {}
    slope = slope_kb_per_minute(worker.samples)
    return {
        "worker": worker.worker,
        "host": worker.host,
        "process": worker.process,
        "episodes": worker.counts.episodes,
        "total_steps": worker.counts.steps,
        "steps_per_sec": rate(worker, worker.counts.steps),
        "games_per_hour": rate(worker, worker.counts.episodes * 3600),
        "latency_p50_us": latency.get("p50"),
        "latency_p99_us": latency.get("p99"),
        "rss_start_kb": None if isinstance(worker.rss_start_kb, str) else worker.rss_start_kb,
        "rss_slope_kb_per_min": None if isinstance(slope, str) else slope,
        "cpu_share": cpu_share(worker.metrics),
        "metrics": worker.metrics.values,
        "lost": outcome.lost.get(index),
    }


def rate(worker: WorkerFigures, count: int) -> float | None:
    """Return a count per second of a worker's games; None if no time was measured."""
    wall = worker.metrics.values["wall_time_sec"]
    return count / wall if wall else None


def sweep_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """Return, for each number of workers of a sweep, the medians of its runs and the speedup over
    the first number.
    """
    groups: dict[int, list[Outcome]] = {}
    for one in outcome.sweep:
        groups.setdefault(one.plan.options.workers, []).append(one)
    rows = [_sweep_row(workers, runs) for workers, runs in groups.items()]
    for row in rows:
        speed, base = row["steps_per_sec"], rows[0]["steps_per_sec"]
        row["speedup"] = speed / base if speed and base else None
    return rows


def _sweep_row(workers: int, runs: Sequence[Outcome]) -> dict[str, Any]:
    speeds = [one.per_second(one.tally.counts.steps) for one in runs]
    known = [speed for speed in speeds if speed is not None]
    latencies = [one.latencies.summary() or {} for one in runs]
    return {
        "workers": workers,
        "runs": len(runs),
        "steps_per_sec": _median(speeds),
        "steps_per_sec_min": min(known, default=None),
        "steps_per_sec_max": max(known, default=None),
        "games_per_hour": _median([one.per_second(one.tally.counts.episodes * 3600) for one in runs]),
        "speedup": None,
        "latency_p50_us": _median([latency.get("p50") for latency in latencies]),
        "latency_p99_us": _median([latency.get("p99") for latency in latencies]),
        "cpu_time_sec": _median([one.metrics.values["cpu_time_sec"] for one in runs]),
        "wall_time_sec": _median([one.metrics.values["wall_time_sec"] for one in runs]),
        "cpu_share": _median([one.lowest_cpu_share for one in runs]),
        "max_rss_kb": _median([one.metrics.values["max_rss_kb"] for one in runs]),
        "results_digest": digest(runs[-1].tally),
        "partial": any(one.partial for one in runs),
    }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def saturated_at(runs: Sequence[Outcome]) -> int | None:
    """Return the fewest workers whose median steps per second no
    larger number exceeds by more than 5 %.
    """
    speeds: dict[int, list[float]] = {}
    for one in runs:
        speeds.setdefault(one.plan.options.workers, []).append(one.per_second(one.tally.counts.steps) or 0.0)
    medians = sorted((workers, median(found)) for workers, found in speeds.items())
    best = max((speed for _, speed in medians), default=0.0)
    return next((workers for workers, speed in medians if speed * SATURATED >= best), None)


def saturated_by_pass(outcome: Outcome) -> list[int | None]:
    """Return ``saturated_at`` of each complete pass of a sweep;
    different values are due to noise.
    """
    runs, count = outcome.sweep, max(len(outcome.plan.options.sweep_workers), 1)
    return [saturated_at(runs[first : first + count]) for first in range(0, len(runs) - count + 1, count)]


def _row(number: int, episode: Episode) -> dict[str, Any]:
    lost, turn = episode.value_lost, {"turn": episode.turn, "player": episode.turn_player}
    return {
        "episode": number,
        "scenario": episode.scenario,
        "steps": episode.steps,
        "agent_steps": episode.agent_steps,
        "macro_choices": episode.macro_choices,
        "winner": episode.winner,
        "method": episode.method,
        "victory_points": list(episode.victory_points),
        "value_lost": None if lost is None else list(lost),
        "capped": episode.capped,
        "interrupted": episode.interrupted,
        "last_turn": None if episode.turn is None else turn,
    }


def terms_of(outcome: Outcome) -> dict[str, Term]:
    """Return the rewards of the macro player, by term."""
    return reward_terms(outcome.tally, outcome.plan.rewards, outcome.plan.options.macro_player)


def _rewards(outcome: Outcome) -> dict[str, Any]:
    terms = terms_of(outcome)
    return {
        "config": outcome.plan.rewards_name,
        "agent": outcome.plan.options.controlled_agent,
        "player": outcome.plan.options.macro_player,
        "terms": {
            name: {"amount": term.amount, "weight": term.weight, "total": term.total} for name, term in terms.items()
        },
        "total": reward_total(terms),
    }


def traced(outcome: Outcome) -> str:
    """Return the name of the games in which Python's memory was traced."""
    return WHOLE_RUN if outcome.plan.options.trace_memory else EXTRA_EPISODE
