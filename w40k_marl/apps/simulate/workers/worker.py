"""One worker of a load simulation: makes its environment, warms up, plays its share of the games,
reports its cost.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic

from ....env.aec import RawEnv
from ....env.batch import BatchEnv
from ....env.options import GameOptions
from ....observe.layout import Layout
from ....observe.macro.offensive_profile import ProfileOptions
from ...command import option_named
from ..measure.resources import Figures, Meter, resident_memory_kb
from ..measure.timeline import Sample
from ..plan import Plan
from ..runners.aec import AECRunner, Pace, macro_players
from ..runners.batch import BatchRunner
from ..runners.episode import Counts, Numbered
from ..runners.players import Player, find_player
from ..runners.random_streams import UNMEASURED
from ..runners.share import EpisodeShare, Games, WorkerStats


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """Results and cost of a worker so far: all data that other processes need."""

    worker: int  # from 1
    host: str
    process: int
    counts: Counts
    metrics: Figures
    rss_start_kb: int | str
    samples: list[Sample]
    latencies: str  # HdrHistogram's exchange form


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a worker: games that have ended, and its cost since its first game."""

    worker: int  # from 0
    episodes: list[Numbered]
    figures: WorkerFigures | None = None
    done: bool = False
    lost: str | None = None  # why nothing more will come of it


class Worker:
    """Plays the games ``index``, ``index + workers``, ... of a plan."""

    def __init__(self, plan: Plan, index: int = 0, workers: int = 1) -> None:
        self.plan = plan
        self.index = index
        self._share = EpisodeShare(index, workers, plan.episodes, plan.options.duration)
        self._runner = runner_of(plan)
        self._warm_up()
        self._stats = WorkerStats()
        self._rss_start = resident_memory_kb()

    def _warm_up(self) -> None:
        """Play games that are not measured until they have taken ``warmup`` micro actions."""
        wanted, stats, share = self.plan.options.warmup, WorkerStats(), EpisodeShare(0, 1, None, None)
        if wanted:
            for _ in self._runner.play(share, stats, UNMEASURED):
                share.stopped = stats.counts.steps >= wanted

    def play(self) -> Games:
        """Play all games; yield them as they end."""
        self._rss_start = resident_memory_kb()
        self._stats.meter = Meter()
        self._share.begin()
        for episodes in self._runner.play(self._share, self._stats):
            self._stats.sample(self._share.elapsed)
            yield episodes

    def messages(self, seconds: float) -> Iterator[Message]:
        """Play all games; yield a message, with the figures so far,
        every ``seconds`` seconds and at the end.
        """
        held, told = list[Numbered](), monotonic()
        for episodes in self.play():
            held += episodes
            if monotonic() - told >= seconds:
                yield Message(self.index, held, self.figures())
                held, told = [], monotonic()
        yield Message(self.index, held, self.figures(), done=True)

    def stop(self) -> None:
        """Do not begin further games."""
        self._share.stopped = True

    def figures(self) -> WorkerFigures:
        """Return the results and cost so far."""
        stats = self._stats
        stats.sample(self._share.elapsed, last=True)
        return WorkerFigures(
            worker=self.index + 1,
            host=platform.node(),
            process=os.getpid(),
            counts=replace(stats.counts),
            metrics=stats.meter.figures(),
            rss_start_kb=self._rss_start,
            samples=list(stats.timeline.samples),
            latencies=stats.latencies.encoded(),
        )

    def play_one_more(self) -> None:
        """Play a game, or one in each row, outside of the plan;
        ``figures`` is not valid after it.
        """
        share = EpisodeShare(0, 1, self.plan.options.batch or 1, None)
        for _ in self._runner.play(share, self._stats, UNMEASURED):
            pass


def pace_of(plan: Plan) -> Pace:
    """Return the pace of the macro player of a plan."""
    options = plan.options
    players = macro_players(options.macro_player, options.macro_both)
    return Pace(players, options.macro_every_steps, plan.max_steps_per_turn)


def runner_of(plan: Plan) -> AECRunner | BatchRunner:
    """Return the runner of a plan. Raises OptionError for an invalid policy, ContentError as
    ``environment`` does.
    """
    if plan.options.batch is not None:
        batch = batch_environment(plan)
        return BatchRunner(batch, pace_of(plan), _player(plan, batch.layout, batch.options.profile), plan.seed)
    env = environment(plan)
    return AECRunner(env, pace_of(plan), _player(plan, env.layout, env.session.options.profile), plan.seed)


def _player(plan: Plan, layout: Layout, profile: ProfileOptions | None) -> tuple[str, Player | None]:
    """Return the player of a plan, with models loaded. Raises
    OptionError if the policy cannot be used.
    """
    options = plan.options
    with option_named("policy"):
        return find_player(options.policy, layout, profile=profile, seed=plan.seed, trust_models=options.trust_models)


def environment(plan: Plan) -> RawEnv:
    """Return the environment of a plan. Raises ContentError if a
    scenario is missing, invalid or does not fit.
    """
    return RawEnv(plan.scenarios, **_game_options(plan).keywords())


def batch_environment(plan: Plan) -> BatchEnv:
    """Return the batched environment of a plan. Raises ContentError as ``environment`` does."""
    return BatchEnv(plan.scenarios, plan.options.batch or 1, **_game_options(plan).keywords())


def _game_options(plan: Plan) -> GameOptions:
    """Return the options of the games. Raises ContentError if the layout has another ``obs_size``
    than the training.
    """
    training = plan.training
    return GameOptions.from_settings(
        training,
        game_rules=plan.game_rules,
        layout=training.checked_layout(),
        profile=training.profile if training.layout.macro else None,
    )
