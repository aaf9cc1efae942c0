"""A run as JSON for programs; ``docs/load_simulation.md`` says what each field means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .drive import Episode
from .latency import RELATIVE_ERROR, Latencies
from .manifest import manifest
from .outcome import Outcome, Tally
from .rewards import Term, reward_terms, reward_total
from .timeline import slope_kb_per_minute
from .worker import WorkerFigures

WHOLE_RUN, EXTRA_EPISODE = "whole run", "one extra episode"
NO_TIME = "no time was measured"
NOT_KEPT = "batched games are begun anew before their last state can be read"
SATURATED = 1.05
"""More workers are worth it while they bring more than this times the steps per second."""


def as_json(outcome: Outcome) -> str:
    """The report as JSON text."""
    return json.dumps(as_data(outcome), indent=2, allow_nan=False) + "\n"


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The report as what JSON can hold: the reference's fields first, under its names."""
    memory = outcome.python_memory_peak_kb
    rates = {
        "steps_per_sec": outcome.per_second(outcome.tally.steps),
        "agent_steps_per_sec": outcome.per_second(outcome.tally.agent_steps),
        "games_per_sec": outcome.per_second(outcome.tally.complete),
        "games_per_hour": outcome.per_second(outcome.tally.complete * 3600),
    }
    rewards, whole = _rewards(outcome), memory_of(outcome)
    return {
        "episodes": outcome.tally.complete,
        "total_steps": outcome.tally.steps,
        "steps_per_sec": rates.pop("steps_per_sec"),
        "metrics": outcome.metrics.values,
        "python_memory_peak_kb": None if isinstance(memory, str) else memory,
        "python_memory_traced": traced(outcome),
        "partial": outcome.partial,
        "partial_because": outcome.because,
        "agent_steps": outcome.tally.agent_steps,
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
        "sweep": [sweep_row(one, outcome.sweep[0]) for one in outcome.sweep],
        "saturated_at": saturated_at(outcome),
        "not_measured": _not_measured(outcome, rates | {"steps_per_sec": outcome.per_second(0)}, whole),
        "rewards": rewards,
        "per_episode": [_row(number, episode) for number, episode in outcome.episodes],
        "manifest": manifest(outcome.plan, outcome.began),
    }


def _not_measured(outcome: Outcome, rates: dict[str, float | None], memory: dict[str, Any]) -> dict[str, str]:
    """Why each figure that is null is so."""
    missing = dict(outcome.metrics.not_measured)
    if isinstance(outcome.python_memory_peak_kb, str):
        missing["python_memory_peak_kb"] = outcome.python_memory_peak_kb
    missing |= {name: NO_TIME for name, rate in rates.items() if rate is None}
    missing |= {f"memory.{name}": value for name, value in memory.items() if isinstance(value, str)}
    if outcome.tally.value_lost is None:
        missing["value_lost"] = NOT_KEPT
    return missing


def digest(tally: Tally) -> str:
    """One number for all results of the complete games, in hexadecimal."""
    return f"{tally.digest:032x}"


def latency_of(batch: int | None) -> str:
    """What the latency is of."""
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
    """Resident memory of all workers together; a reason where it is not known."""
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
        "episodes": worker.episodes,
        "total_steps": worker.steps,
        "steps_per_sec": rate(worker, worker.steps),
        "games_per_hour": rate(worker, worker.episodes * 3600),
        "latency_p50_us": latency.get("p50"),
        "latency_p99_us": latency.get("p99"),
        "rss_start_kb": None if isinstance(worker.rss_start_kb, str) else worker.rss_start_kb,
        "rss_slope_kb_per_min": None if isinstance(slope, str) else slope,
        "metrics": worker.metrics.values,
        "lost": outcome.lost.get(index),
    }


def rate(worker: WorkerFigures, count: int) -> float | None:
    """A count over the time of a worker's games."""
    wall = worker.metrics.values["wall_time_sec"]
    return count / wall if wall else None


def sweep_row(outcome: Outcome, first: Outcome) -> dict[str, Any]:
    """One run of a sweep, and how it compares to the first."""
    speed, base = outcome.per_second(outcome.tally.steps), first.per_second(first.tally.steps)
    latency = outcome.latencies.summary() or {}
    games = outcome.per_second(outcome.tally.complete * 3600)
    return {
        "workers": outcome.plan.options.workers,
        "steps_per_sec": speed,
        "games_per_hour": games,
        "speedup": speed / base if speed and base else None,
        "latency_p50_us": latency.get("p50"),
        "latency_p99_us": latency.get("p99"),
        "cpu_time_sec": outcome.metrics.values["cpu_time_sec"],
        "wall_time_sec": outcome.metrics.values["wall_time_sec"],
        "max_rss_kb": outcome.metrics.values["max_rss_kb"],
        "results_digest": digest(outcome.tally),
        "partial": outcome.partial,
    }


def saturated_at(outcome: Outcome) -> int | None:
    """The fewest workers that no larger number of the sweep beats by more than 5 %."""
    speeds = sorted((one.plan.options.workers, one.per_second(one.tally.steps) or 0.0) for one in outcome.sweep)
    best = max((speed for _, speed in speeds), default=0.0)
    return next((workers for workers, speed in speeds if speed * SATURATED >= best), None)


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
    """The rewards of the macro player, by term."""
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
    """In which games Python's memory was traced."""
    return WHOLE_RUN if outcome.plan.options.trace_memory else EXTRA_EPISODE
