"""Executes a plan: warms up, lets its workers play, and collects their messages; after Ctrl-C, the
partial results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime

from ...env.aec import RawEnv
from ...env.warmup import Tell, warm_up
from ..console import held, waiting
from .measure.resources import python_memory
from .options import RAY
from .plan import Plan
from .report.results import Outcome
from .runners.episode import Episode
from .workers.pool import InlinePool, WorkerPool
from .workers.worker import Worker, environment

OnEpisode = Callable[[int, Episode], None]
"""Called with the number of an episode, from 1, and its result; its own time is not measured."""

SECONDS_TO_FINISH = 10.0


def run(plan: Plan, on_episode: OnEpisode = lambda _, __: None, tell: Tell = lambda _: None) -> Outcome:
    """Play all episodes of a plan; after Ctrl-C, return a partial outcome.

    The rules are compiled before the measurement, and before other processes load them. Raises
    W40KError if no game can be played at all.
    """
    warm_up(lambda: _compiled(plan), tell)
    worker = Worker(plan) if plan.options.workers == 1 and plan.options.backend != RAY else None
    with ExitStack() as tracing:
        pool = tracing.enter_context(closing(InlinePool(worker) if worker else _started(plan)))
        outcome = Outcome(plan, datetime.now(UTC))
        peak = tracing.enter_context(python_memory()) if plan.options.trace_memory else None
        _listen(pool, outcome, on_episode)
        if peak is not None:
            outcome.python_memory_peak_kb = peak()
    with held() as signalled:
        outcome.add_up()
    outcome.stopped = outcome.stopped or signalled()
    if not plan.options.trace_memory and not outcome.partial:
        _trace_one_more(outcome, worker)
    return outcome


def sweep(plan: Plan, on_episode: OnEpisode = lambda _, __: None, tell: Tell = lambda _: None) -> Iterator[Outcome]:
    """Run the plan with each number of workers of ``--sweep-workers``; the last outcome holds all.

    The numbers are repeated in turn, so that a disturbance affects all of them alike.
    """
    outcomes: list[Outcome] = []
    for workers in plan.options.sweep_workers * plan.sweep_repeats:
        try:
            outcome = run(replace(plan, options=replace(plan.options, workers=workers)), on_episode, tell)
        except KeyboardInterrupt:
            if not outcomes:
                raise
            outcomes[-1].stopped = True  # between two runs
            return
        outcomes.append(outcome)
        outcome.sweep = list(outcomes)
        yield outcome
        if outcome.stopped:
            return


def _started(plan: Plan) -> WorkerPool:
    """Return processes or actors that are ready to play. Raises W40KError if one cannot work."""
    if plan.options.backend == RAY:
        from .workers.ray_pool import RayPool

        return RayPool(plan, plan.options.workers)
    from .workers.processes import ProcessPool

    return ProcessPool(plan, plan.options.workers)


def _compiled(plan: Plan) -> RawEnv:
    """Return the environment of a plan, with all functions compiled that its workers call."""
    if plan.options.batch is not None:
        Worker(_beside(plan, len(plan.scenarios))).play_one_more()
    return environment(plan)


def _beside(plan: Plan, batch: int | None) -> Plan:
    """Return the plan for games that are not measured."""
    return replace(plan, options=replace(plan.options, warmup=0, workers=1, batch=batch))


def _listen(pool: WorkerPool, outcome: Outcome, on_episode: OnEpisode) -> None:
    """Process all messages; after Ctrl-C, those that arrive
    while the current games are finished.
    """
    try:
        for message in pool.messages():
            outcome.hear(message)
            for number, episode in message.episodes:
                on_episode(number, episode)
    except KeyboardInterrupt:
        outcome.stopped = True
        with suppress(KeyboardInterrupt), waiting():  # pressed again: no more waiting
            pool.stop(SECONDS_TO_FINISH)
            for message in pool.messages():
                outcome.hear(message)


def _trace_one_more(outcome: Outcome, worker: Worker | None) -> None:
    """Measure Python's memory in an extra game after the measured ones, because tracing is slow."""
    try:
        worker = worker or Worker(_beside(outcome.plan, outcome.plan.options.batch))
        with python_memory() as peak:
            worker.play_one_more()
            outcome.python_memory_peak_kb = peak()
    except KeyboardInterrupt:
        pass
    outcome.stopped = isinstance(outcome.python_memory_peak_kb, str)
