"""Carries a plan out: makes the environment, plays the episodes under the meter, keeps what they were."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from ..env.aec import RawEnv
from ..observe.layout import Layout
from .drive import Driver, Episode, Pace, macro_players
from .measure import Figures, Meter, python_memory
from .options import Plan
from .warmup import Tell, warm_up

OnEpisode = Callable[[int, Episode], None]
"""Told the number of an episode, from 1, and how it ended; its own time is not measured."""

STOPPED_BEFORE = "the run was stopped before the traced episode"


@dataclass(slots=True)
class Outcome:
    """All that a report says of a run."""

    plan: Plan
    began: datetime
    episodes: list[Episode] = field(default_factory=list)
    metrics: Figures = field(default_factory=Figures)
    python_memory_peak_kb: int | str = STOPPED_BEFORE  # or why there is none
    partial: bool = False  # Ctrl-C came before the end

    @property
    def complete(self) -> int:
        """Episodes that were not broken off by Ctrl-C."""
        return sum(not episode.interrupted for episode in self.episodes)

    @property
    def steps(self) -> int:
        """Micro actions of all episodes."""
        return sum(episode.steps for episode in self.episodes)

    @property
    def agent_steps(self) -> int:
        """Micro actions and selections of all episodes."""
        return sum(episode.agent_steps for episode in self.episodes)

    def per_second(self, count: int) -> float | None:
        """A count over the time of the episodes; None where no time was measured."""
        wall = self.metrics.values["wall_time_sec"]
        return count / wall if wall else None


def environment(plan: Plan) -> RawEnv:
    """The environment of a plan. Raises ContentError where a scenario is missing, wrong or does not fit."""
    return RawEnv(
        plan.scenarios,
        decisions=plan.training.decisions,
        game_rules=plan.game_rules,
        layout=Layout(plan.training.layout.units_per_side, plan.training.layout.objectives),
        max_turns=plan.training.max_turns,
    )


def run(plan: Plan, on_episode: OnEpisode = lambda _, __: None, tell: Tell = lambda _: None) -> Outcome:
    """Play all episodes of a plan; after Ctrl-C, return what there is as a partial outcome.

    The environment is made and its rules are compiled before the meter begins. Raises W40KError where no game
    can be played at all.
    """
    env, _ = warm_up(lambda: environment(plan), tell)
    options = plan.options
    pace = Pace(
        macro_players(options.macro_player, options.macro_both),
        options.macro_every_steps,
        plan.max_steps_per_turn,
    )
    driver = Driver(env, pace, np.random.default_rng(plan.seed))
    outcome = Outcome(plan, datetime.now(UTC))
    meter = Meter()
    with ExitStack() as tracing:
        peak = tracing.enter_context(python_memory()) if options.trace_memory else None
        outcome.partial = not _play_all(outcome, meter, on_episode, driver.play_episode)
        if peak is not None:
            outcome.python_memory_peak_kb = peak()
    outcome.metrics = meter.figures()
    if not options.trace_memory and not outcome.partial:
        _trace_one_more(outcome, driver.play_episode)
    return outcome


def _play_all(outcome: Outcome, meter: Meter, on_episode: OnEpisode, play: Callable[[], Episode]) -> bool:
    """Play the episodes; False where Ctrl-C came in between."""
    try:
        for number in range(1, outcome.plan.options.episodes + 1):
            with meter.clock:
                episode = play()
            if episode.agent_steps or not episode.interrupted:
                outcome.episodes.append(episode)
                on_episode(number, episode)
            if episode.interrupted:
                return False
    except KeyboardInterrupt:
        return False
    return True


def _trace_one_more(outcome: Outcome, play: Callable[[], Episode]) -> None:
    """Measure Python's memory in an episode of its own, because tracing slows it down."""
    try:
        with python_memory() as peak:
            if not play().interrupted:
                outcome.python_memory_peak_kb = peak()
    except KeyboardInterrupt:
        pass
    outcome.partial = isinstance(outcome.python_memory_peak_kb, str)
