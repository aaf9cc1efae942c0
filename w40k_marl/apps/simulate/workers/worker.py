"""One worker of a load simulation: makes its environment, warms up, plays its share of the games, tells its cost."""

from __future__ import annotations

import itertools
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

from ....env.aec import RawEnv
from ....env.batch import BatchEnv
from ....env.playable import GameOptions
from ....observe.configured import configured_layout, configured_profile
from ....observe.layout import Layout
from ....observe.macro.offensive_profile import ProfileOptions
from ...command import option_named
from ..measure.resources import Figures, Meter, resident_memory_kb
from ..measure.timeline import Sample
from ..plan import Plan
from ..runners.aec import Driver, Pace, macro_players
from ..runners.batch import Tables
from ..runners.players import Player, find_player
from ..runners.random_streams import GAMES, ROWS, UNMEASURED, stream
from ..runners.share import Costs, Games, Numbered, Shift


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """What a worker has done and cost until now; all that others need to know of it."""

    worker: int  # from 1
    host: str
    process: int
    episodes: int  # played to their end or cap
    steps: int
    agent_steps: int
    metrics: Figures
    rss_start_kb: int | str
    samples: list[Sample]
    latencies: str  # HdrHistogram's exchange form


@dataclass(frozen=True, slots=True)
class Message:
    """Word from a worker: games that have ended, and what it has cost since its first."""

    worker: int  # from 0
    episodes: list[Numbered]
    figures: WorkerFigures | None = None
    done: bool = False
    lost: str | None = None  # why nothing more will come of it


class AgentCycle:
    """Plays on ``RawEnv``, a game at a time."""

    def __init__(self, plan: Plan, env: RawEnv) -> None:
        self._plan = plan
        self._env = env
        self._player = _player(plan, env.layout, env.session.profile)

    def play(self, shift: Shift, costs: Costs, purpose: int = GAMES) -> Games:
        """Play the games of a shift. KeyboardInterrupt after the game that Ctrl-C broke off was handed out."""
        plan = self._plan
        driver = Driver(self._env, pace_of(plan), self._player, costs.latencies.note)
        for number in itertools.count(shift.index, shift.workers):
            if not shift.may_begin(number):
                return
            chance = stream(plan.seed, purpose, number)
            with costs.meter.clock:
                episode = driver.play_episode(chance)
            costs.latencies.settle()
            if episode.agent_steps or not episode.interrupted:
                yield costs.count([(number + 1, episode)])
            if episode.interrupted:
                raise KeyboardInterrupt


class Worker:
    """The games ``index``, ``index + workers``, ... of a plan."""

    def __init__(self, plan: Plan, index: int = 0, workers: int = 1, env: RawEnv | None = None) -> None:
        self.plan = plan
        self.index = index
        options = plan.options
        self._shift = Shift(index, workers, plan.episodes, options.duration)
        self._player = player_of(plan, env)
        self._purpose = GAMES if options.batch is None else ROWS
        self._warm_up()
        self._costs = Costs()
        self._rss_start = resident_memory_kb()

    def _warm_up(self) -> None:
        """Play games that nobody measures until they have taken so many micro actions."""
        wanted, costs, shift = self.plan.options.warmup, Costs(), Shift(0, 1, None, None)
        if wanted:
            for _ in self._player.play(shift, costs, UNMEASURED):
                shift.stopped = costs.steps >= wanted

    def play(self) -> Games:
        """Play all games, some at a time."""
        self._rss_start = resident_memory_kb()
        self._costs.meter = Meter()
        self._shift.begin()
        for episodes in self._player.play(self._shift, self._costs, self._purpose):
            self._costs.timeline.look(self._shift.elapsed, self._costs.steps)
            yield episodes

    def messages(self, seconds: float) -> Iterator[Message]:
        """Play all games; a message every so often, with the figures until then, and one at the end."""
        held, told = list[Numbered](), monotonic()
        for episodes in self.play():
            held += episodes
            if monotonic() - told >= seconds:
                yield Message(self.index, held, self.figures())
                held, told = [], monotonic()
        yield Message(self.index, held, self.figures(), done=True)

    def stop(self) -> None:
        """Begin no further game."""
        self._shift.stopped = True

    def figures(self) -> WorkerFigures:
        """What it has done and cost until now."""
        costs = self._costs
        costs.timeline.look(self._shift.elapsed, costs.steps, last=True)
        return WorkerFigures(
            worker=self.index + 1,
            host=platform.node(),
            process=os.getpid(),
            episodes=costs.episodes,
            steps=costs.steps,
            agent_steps=costs.agent_steps,
            metrics=costs.meter.figures(),
            rss_start_kb=self._rss_start,
            samples=list(costs.timeline.samples),
            latencies=costs.latencies.encoded(),
        )

    def play_one_more(self) -> None:
        """Play a game, or one in each row, that is none of the plan's."""
        for _ in self._player.play(Shift(0, 1, self.plan.options.batch or 1, None), self._costs, UNMEASURED):
            pass


def pace_of(plan: Plan) -> Pace:
    """How often the macro of a plan chooses."""
    options = plan.options
    players = macro_players(options.macro_player, options.macro_both)
    return Pace(players, options.macro_every_steps, plan.max_steps_per_turn)


def player_of(plan: Plan, env: RawEnv | None = None) -> AgentCycle | Tables:
    """Who plays the games of a plan; on ``env`` if one is there already."""
    if plan.options.batch is not None:
        batch = batch_environment(plan)
        return Tables(batch, pace_of(plan), _player(plan, batch.layout, batch.profile), plan.seed)
    return AgentCycle(plan, environment(plan) if env is None else env)


def _player(plan: Plan, layout: Layout, profile: ProfileOptions | None) -> tuple[str, Player | None]:
    """Who plays the games of a plan, with models loaded. Raises OptionError."""
    options = plan.options
    with option_named("policy"):
        return find_player(options.policy, layout, profile=profile, seed=plan.seed, trust_models=options.trust_models)


def environment(plan: Plan) -> RawEnv:
    """The environment of a plan. Raises ContentError where a scenario is missing, wrong or does not fit."""
    return RawEnv(plan.scenarios, **_game_options(plan))


def batch_environment(plan: Plan) -> BatchEnv:
    """The batched environment of a plan. Raises ContentError as ``environment`` does."""
    return BatchEnv(plan.scenarios, plan.options.batch or 1, **_game_options(plan))


def _game_options(plan: Plan) -> GameOptions:
    """How the games of a plan are played. Raises ContentError where its layout has not the size that it expects."""
    return {
        "decisions": plan.training.decisions,
        "game_rules": plan.game_rules,
        "layout": configured_layout(plan.training, plan.training.where),
        "max_turns": plan.training.max_turns,
        "profile": configured_profile(plan.training) if plan.training.layout.macro else None,
        "weapon_rules": plan.training.weapon_rules,
    }
