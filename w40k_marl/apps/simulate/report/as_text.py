"""A run as text for people; ``docs/load_simulation.md`` describes each figure."""

from __future__ import annotations

from collections.abc import Iterator

from ....rules.state import BY_VALUE, WIN_METHODS
from ...console import stopped_by
from ..runners.episode import Episode
from .as_json import (
    SWEEP_COLUMNS,
    latency_of,
    memory_of,
    rate,
    saturated_at,
    saturated_by_pass,
    sweep_rows,
    terms_of,
    traced,
)
from .results import Outcome, cpu_share
from .rewards import not_known, reward_total
from .tables import table_lines

RULE = "-" * 26
MEBIBYTE = 2**20
WIDTH = 110


def heading(seed: int, scenarios: tuple[str, ...]) -> str:
    """Return the first line: seed and scenarios, which reproduce the games."""
    return f"load simulation of {', '.join(scenarios)}, --seed {seed}"


def episode_line(number: int, episode: Episode) -> str:
    """Return ``[episode 3] steps=213`` and the result."""
    first, second = episode.victory_points
    if episode.interrupted:
        ending = f"stopped by {stopped_by()}"
    elif episode.capped:
        turn = f"player {episode.turn_player}'s turn {episode.turn}"
        ending = f"capped: {turn} has used all its micro actions (--max-steps-per-turn)"
    elif episode.winner:
        ending = f"player {episode.winner} wins"
        ending += " on value" if episode.method == WIN_METHODS[BY_VALUE] else ""
    else:
        ending = "a draw"
    return f"[episode {number}] steps={episode.steps} {ending}, {first} to {second} victory points"


def as_lines(outcome: Outcome) -> Iterator[str]:
    """Yield the lines of the summary."""
    tally = outcome.tally
    yield RULE
    if outcome.partial:
        asked = f" of {outcome.plan.episodes}" if outcome.plan.episodes is not None else ""
        yield f"PARTIAL REPORT: stopped after {tally.counts.episodes}{asked} episodes ({'; '.join(outcome.because)})"
    for warning in outcome.warnings:
        yield f"WARNING : {warning}"
    draws, first, second = tally.winners
    won = f"won by player 1 {first}, by player 2 {second}, drawn {draws}, capped {tally.capped}"
    yield f"Episodes : {tally.counts.episodes}, {won}"
    yield f"Total steps : {tally.counts.steps} micro actions ({tally.counts.agent_steps} agent steps)"
    yield f"Steps/s : {_rate(outcome, tally.counts.steps)} ({_rate(outcome, tally.counts.agent_steps)} agent steps/s)"
    yield f"Games/s : {_rate(outcome, tally.counts.episodes)} ({_rate(outcome, tally.counts.episodes * 3600)} games/h)"
    yield _figure(outcome, "Wall time", "wall_time_sec", "seconds, of the episodes alone")
    yield _figure(outcome, "CPU time", "cpu_time_sec", "seconds")
    yield _figure(outcome, "RAM max", "max_rss_kb", _of_what(outcome), 1024)
    yield _growth(outcome)
    yield _python_memory(outcome)
    yield _figure(outcome, "Disk read", "io_read_bytes", "MiB", MEBIBYTE)
    yield _figure(outcome, "Disk write", "io_write_bytes", "MiB", MEBIBYTE)
    yield _figure(outcome, "Network download", "net_rx_bytes", "MiB, of the whole system", MEBIBYTE)
    yield _figure(outcome, "Network upload", "net_tx_bytes", "MiB, of the whole system", MEBIBYTE)
    yield from _reward_lines(outcome)
    yield from _latency_lines(outcome)
    if len(outcome.workers) > 1:
        yield from _worker_lines(outcome)


def _of_what(outcome: Outcome) -> str:
    return "MiB, of the whole process" if len(outcome.workers) < 2 else "MiB, of all workers together"


def _growth(outcome: Outcome) -> str:
    slope = memory_of(outcome)["rss_slope_kb_per_min"]
    if isinstance(slope, str):
        return f"RAM growth : not measured ({slope})"
    return f"RAM growth : {slope / 1024:+.3f} MiB a minute, in the second half of the run"


def _rate(outcome: Outcome, count: int) -> str:
    rate = outcome.per_second(count)
    return "not measured" if rate is None else f"{rate:.1f}"


def _figure(outcome: Outcome, label: str, name: str, unit: str, divisor: int = 1) -> str:
    value = outcome.metrics.values[name]
    if value is None:
        return f"{label} : not measured ({outcome.metrics.not_measured[name]})"
    return f"{label} : {value / divisor:.3f} {unit}"


def _python_memory(outcome: Outcome) -> str:
    peak = outcome.python_memory_peak_kb
    if isinstance(peak, str):
        return f"Python memory max : not measured ({peak})"
    slower = "; tracing slowed this run" if outcome.plan.options.trace_memory else ""
    return f"Python memory max : {peak / 1024:.3f} MiB, in {traced(outcome)}{slower}"


def _reward_lines(outcome: Outcome) -> Iterator[str]:
    plan, terms = outcome.plan, terms_of(outcome)
    player = f"{plan.options.controlled_agent} as player {plan.options.macro_player}"
    yield f"Rewards of {player}, by {plan.rewards_name} : {reward_total(terms):+.3f}"
    for name, term in terms.items():
        if term.amount is not None and (term.amount or term.weight):
            yield f"  {name} : {term.total:+.3f} ({term.amount:.10g} x {term.weight:g})"
    if unknown := not_known(terms):
        yield f"  not known from the ends of games : {', '.join(unknown)}"


# --- tables ------------------------------------------------------------------------------------------------


def _latency_lines(outcome: Outcome) -> Iterator[str]:
    found = outcome.latencies.summary()
    if found is not None:
        title = f"Latency of a {latency_of(outcome.plan.options.batch)}, microseconds"
        yield from table_lines(title, tuple(found), [list(found.values())])


def _worker_lines(outcome: Outcome) -> Iterator[str]:
    columns = ("worker", "games", "steps/s", "games/h", "CPU %", "RAM start MiB", "RAM max MiB")
    rows = []
    for worker in (outcome.workers[index] for index in sorted(outcome.workers)):
        peak, start = worker.metrics.values["max_rss_kb"], worker.rss_start_kb
        share = cpu_share(worker.metrics)
        rows.append(
            [
                worker.worker,
                worker.counts.episodes,
                rate(worker, worker.counts.steps),
                rate(worker, worker.counts.episodes * 3600),
                None if share is None else 100 * share,
                None if isinstance(start, str) else start / 1024,
                None if peak is None else peak / 1024,
            ]
        )
    yield from table_lines("Workers", columns, rows)


def sweep_lines(outcome: Outcome) -> Iterator[str]:
    """Yield the lines of a table of the runs of a sweep."""
    rows = sweep_rows(outcome)
    title = "Sweep: medians, and least and most steps/s"
    yield from table_lines(title, SWEEP_COLUMNS, [[row[name] for name in SWEEP_COLUMNS] for row in rows])
    found, passes = saturated_at(outcome.sweep), saturated_by_pass(outcome)
    unsure = f"; uncertain, single passes say {', '.join(map(str, passes))}" if len(set(passes)) > 1 else ""
    yield f"Saturated at : {found} (workers; more bring less than 5 % more steps/s{unsure})"
