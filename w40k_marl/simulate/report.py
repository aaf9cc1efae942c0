"""A run as text for people and as JSON for programs; ``docs/load_simulation.md`` says what each figure means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..rules.state import BY_VALUE, WIN_METHODS
from .drive import Episode
from .manifest import manifest
from .rewards import Term, reward_terms, reward_total
from .run import Outcome

RULE = "-" * 26
WHOLE_RUN, EXTRA_EPISODE = "whole run", "one extra episode"
MEGABYTE = 2**20


def as_json(outcome: Outcome) -> str:
    """The report as JSON text."""
    return json.dumps(as_data(outcome), indent=2, allow_nan=False) + "\n"


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The report as what JSON can hold: the reference's fields first, under its names."""
    memory = outcome.python_memory_peak_kb
    missing = dict(outcome.metrics.not_measured)
    if isinstance(memory, str):
        missing["python_memory_peak_kb"] = memory
    rates = {
        "steps_per_sec": outcome.per_second(outcome.steps),
        "agent_steps_per_sec": outcome.per_second(outcome.agent_steps),
        "games_per_sec": outcome.per_second(outcome.complete),
    }
    missing |= {name: "no time was measured" for name, rate in rates.items() if rate is None}
    return {
        "episodes": outcome.complete,
        "total_steps": outcome.steps,
        "steps_per_sec": rates.pop("steps_per_sec"),
        "metrics": outcome.metrics.values,
        "python_memory_peak_kb": None if isinstance(memory, str) else memory,
        "python_memory_traced": _traced(outcome),
        "partial": outcome.partial,
        "agent_steps": outcome.agent_steps,
        **rates,
        "not_measured": missing,
        "rewards": _rewards(outcome),
        "per_episode": [_row(number, episode) for number, episode in enumerate(outcome.episodes, 1)],
        "manifest": manifest(outcome.plan, outcome.began),
    }


def _row(number: int, episode: Episode) -> dict[str, Any]:
    return {
        "episode": number,
        "scenario": episode.scenario,
        "steps": episode.steps,
        "agent_steps": episode.agent_steps,
        "macro_choices": episode.macro_choices,
        "winner": episode.winner,
        "method": episode.method,
        "victory_points": list(episode.victory_points),
        "value_lost": list(episode.value_lost),
        "capped": episode.capped,
        "interrupted": episode.interrupted,
        "last_turn": {"turn": episode.turn, "player": episode.turn_player},
    }


def _rewards(outcome: Outcome) -> dict[str, Any]:
    terms = _terms(outcome)
    return {
        "config": outcome.plan.rewards_name,
        "agent": outcome.plan.options.controlled_agent,
        "player": outcome.plan.options.macro_player,
        "terms": {
            name: {"amount": term.amount, "weight": term.weight, "total": term.total} for name, term in terms.items()
        },
        "total": reward_total(terms),
    }


def _terms(outcome: Outcome) -> dict[str, Term]:
    return reward_terms(outcome.episodes, outcome.plan.rewards, outcome.plan.options.macro_player)


def _traced(outcome: Outcome) -> str:
    return WHOLE_RUN if outcome.plan.options.trace_memory else EXTRA_EPISODE


# --- text --------------------------------------------------------------------------------------------------


def heading(seed: int, scenarios: tuple[str, ...]) -> str:
    """The first line: what is needed to see the same games again."""
    return f"load simulation of {', '.join(scenarios)}, --seed {seed}"


def episode_line(number: int, episode: Episode) -> str:
    """``[episode 3] steps=213`` and how it ended."""
    first, second = episode.victory_points
    if episode.interrupted:
        ending = "stopped by Ctrl-C"
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
    """The summary, line by line."""
    yield RULE
    if outcome.partial:
        yield f"PARTIAL REPORT: stopped after {outcome.complete} of {outcome.plan.options.episodes} episodes"
    yield f"Episodes : {outcome.complete}, {_results(outcome)}"
    yield f"Total steps : {outcome.steps} micro actions ({outcome.agent_steps} agent steps)"
    yield f"Steps/s : {_rate(outcome, outcome.steps)} ({_rate(outcome, outcome.agent_steps)} agent steps/s)"
    yield f"Games/s : {_rate(outcome, outcome.complete)}"
    yield _figure(outcome, "Wall time", "wall_time_sec", "seconds, of the episodes alone")
    yield _figure(outcome, "CPU time", "cpu_time_sec", "seconds")
    yield _figure(outcome, "RAM max", "max_rss_kb", "Mb, of the whole process", 1024)
    yield _python_memory(outcome)
    yield _figure(outcome, "Disk read", "io_read_bytes", "Mb", MEGABYTE)
    yield _figure(outcome, "Disk write", "io_write_bytes", "Mb", MEGABYTE)
    yield _figure(outcome, "Network download", "net_rx_bytes", "Mb, of the whole system", MEGABYTE)
    yield _figure(outcome, "Network upload", "net_tx_bytes", "Mb, of the whole system", MEGABYTE)
    yield from _reward_lines(outcome)


def _results(outcome: Outcome) -> str:
    winners = [episode.winner for episode in outcome.episodes]
    capped = sum(episode.capped for episode in outcome.episodes)
    return (
        f"won by player 1 {winners.count(1)}, by player 2 {winners.count(2)}, drawn {winners.count(0)}, capped {capped}"
    )


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
    return f"Python memory max : {peak / 1024:.3f} Mb, in {_traced(outcome)}{slower}"


def _reward_lines(outcome: Outcome) -> Iterator[str]:
    plan, terms = outcome.plan, _terms(outcome)
    total = reward_total(terms)
    player = f"{plan.options.controlled_agent} as player {plan.options.macro_player}"
    yield f"Rewards of {player}, by {plan.rewards_name} : {total:+.3f}"
    for name, term in terms.items():
        yield f"  {name} : {term.total:+.3f} ({term.amount} x {term.weight:g})"
