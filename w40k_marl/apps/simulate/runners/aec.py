"""Plays episodes on ``w40k_v0.raw_env``: a macro player that sometimes selects the unit, and a
micro player that acts.

Only micro actions are counted as steps. Selections and, in layouts with intents, intents and
details are steps of the agent cycle only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ....env.aec import PLAYERS, RawEnv
from ....rules.state import SUMMARY_OVER, SUMMARY_TURN, SUMMARY_TURN_SIDE, SUMMARY_WINNER, WIN_METHODS
from .episode import Episode
from .players import FIRST, RANDOM, Player
from .random_streams import GAMES, SEEDS, Draws, stream
from .share import EpisodeShare, Games, WorkerStats

MASKS = 512
Choose: TypeAlias = Callable[[Any, list[int]], int]
"""From the observation and the legal actions to the action."""


class LegalActions(dict[bytes, list[int]]):
    """A cache of the legal actions of masks of micro actions, ascending.

    Few different masks occur, and a lookup is cheaper than reading the mask.
    """

    def __missing__(self, mask: bytes) -> list[int]:
        """Read and store a new mask."""
        if len(self) >= MASKS:
            self.clear()
        self[mask] = legal = legal_actions(mask)
        return legal


def legal_actions(mask: bytes) -> list[int]:
    """Return the legal actions of a mask, ascending."""
    legal: list[int] = np.frombuffer(mask, dtype=np.int8).nonzero()[0].tolist()
    return legal


@dataclass(frozen=True, slots=True)
class Pace:
    """The interval of selections by the macro player, its agents, and the step limit of a turn."""

    macro_players: tuple[str, ...]  # of "player_1", "player_2"
    macro_every_steps: int
    max_steps_per_turn: int


@dataclass(slots=True)
class _Counts:
    """Counts of the current episode, which Ctrl-C may interrupt at any time."""

    steps: int = 0
    others: int = 0  # selections, intents and their details
    macro_choices: int = 0
    capped: bool = False
    interrupted: bool = False


class AECRunner:
    """Plays one episode at a time: both players of an environment, with the step limit of turns."""

    def __init__(
        self, env: RawEnv, pace: Pace, player: tuple[str, Player | None] = (RANDOM, None), seed: int = 0
    ) -> None:
        """Take a player as ``find_player`` returns it; ``seed``
        is that of the games of ``play``.
        """
        self.env = env
        self.pace = pace
        self._player = player
        self._seed = seed
        self._micro_actions = LegalActions()

    def play(self, share: EpisodeShare, stats: WorkerStats, purpose: int = GAMES) -> Games:
        """Play the games of a share. Raises KeyboardInterrupt after it has yielded a game that
        Ctrl-C interrupted.
        """
        for number in itertools.count(share.index, share.workers):
            if not share.may_begin(number):
                return
            generator = stream(self._seed, purpose, number)
            with stats.meter.clock:
                episode = self.play_episode(generator, stats.latencies.note)
            stats.latencies.settle()
            if episode.agent_steps or not episode.interrupted:
                yield stats.add([(number + 1, episode)])
            if episode.interrupted:
                raise KeyboardInterrupt

    def play_episode(self, generator: np.random.Generator, note: Callable[[int], None] = lambda _: None) -> Episode:
        """Play one episode. After Ctrl-C, return an episode with ``interrupted`` True.

        ``note`` gets the nanoseconds of each micro action: of its
        ``step`` and the ``last`` after it.
        """
        counts, draws = _Counts(), Draws(generator)
        self.env.reset(seed=draws.below(SEEDS))
        try:
            self._play(counts, note, *self._choosers(draws))
        except KeyboardInterrupt:
            counts.interrupted = True
        return _episode(self.env, counts)

    def _choosers(self, draws: Draws) -> tuple[Choose, Choose]:
        """Return the functions that choose micro actions and all other actions."""
        built_in, player = self._player
        below = draws.below

        def at_random(_: Any, legal: list[int]) -> int:
            return legal[below(len(legal))]

        def first(_: Any, legal: list[int]) -> int:
            return legal[0]

        def asked(observation: Any, legal: list[int]) -> int:
            assert player is not None
            masks = observation["action_mask"][None]
            return int(player.answer(observation["observation"][None], masks, self._unit_types)[0])

        if player is None:
            choose = first if built_in == FIRST else at_random
            return choose, choose
        return (at_random if player.kind == "macro" else asked, at_random if player.kind == "micro" else asked)

    def _unit_types(self) -> NDArray[np.str_]:
        return np.array([self.env.session.active_type or ""])

    def _play(self, counts: _Counts, note: Callable[[int], None], choose_micro: Choose, choose: Choose) -> None:
        """Run the loop of an episode. It adds about a microsecond
        to each step of the environment.
        """
        env, pace, micro_actions = self.env, self.pace, self._micro_actions
        micro_start, micro_stop, summary_of = env.layout.micro_start, env.layout.micro_stop, env.session.summary
        turn, used, due, began = (0, 0), 0, True, 0
        observation: Any
        for agent in env.agent_iter():
            observation, _, termination, truncation, _ = env.last()
            if began:
                note(perf_counter_ns() - began)
                began = 0
            if termination or truncation:
                env.step(None)
                continue
            mask = observation["action_mask"].tobytes()
            first = mask.find(1)
            if first < micro_start:  # a selection: the pool, in roster order
                macro = due and agent in pace.macro_players
                env.step(choose(observation, legal_actions(mask)) if macro else first)
                counts.others += 1
                if macro:
                    counts.macro_choices += 1
                    due = False
                continue
            if first >= micro_stop:  # an intent or its detail
                env.step(choose(observation, legal_actions(mask)))
                counts.others += 1
                continue
            if used == 0:
                summary = summary_of()
                turn = summary[SUMMARY_TURN], summary[SUMMARY_TURN_SIDE]
            action = choose_micro(observation, micro_actions[mask])
            began = perf_counter_ns()
            env.step(action)
            counts.steps += 1
            if counts.steps % pace.macro_every_steps == 0:
                due = True
            summary = summary_of()
            used = used + 1 if (summary[SUMMARY_TURN], summary[SUMMARY_TURN_SIDE]) == turn else 0
            if used >= pace.max_steps_per_turn and not summary[SUMMARY_OVER]:
                counts.capped = True
                break


def _episode(env: RawEnv, counts: _Counts) -> Episode:
    """Return the episode; all but the counts is read from its final state, which is cheaper than
    reading events.
    """
    session = env.session
    game, world = session.games[0], session.setting.world
    summary = game.summary.tolist()  # of the row: Ctrl-C may have left the session in the middle of a step
    left, lost, damage = game.hit_points.tolist(), world.full_value.tolist(), world.full_value.astype(float).tolist()
    for number, unit in enumerate(session.setting.units):
        if unit is not None and left[number]:
            side = number // env.layout.units_per_side
            lost[side] -= unit.type.value
            damage[side] -= unit.type.value * left[number] / unit.type.hit_points
    first, second = game.victory_points.tolist()
    return Episode(
        scenario=session.setting.scenario.name,
        steps=counts.steps,
        agent_steps=counts.steps + counts.others,
        macro_choices=counts.macro_choices,
        winner=summary[SUMMARY_WINNER] if summary[SUMMARY_OVER] else None,
        method=WIN_METHODS[int(game.win_method)],
        victory_points=(first, second),
        value_lost=(lost[0], lost[1]),
        damage=(damage[0], damage[1]),
        capped=counts.capped,
        interrupted=counts.interrupted,
        turn=summary[SUMMARY_TURN],
        turn_player=summary[SUMMARY_TURN_SIDE] + 1,
    )


def macro_players(macro_player: int, both: bool) -> tuple[str, ...]:
    """Return the agents whose units the macro player selects."""
    return PLAYERS if both else (PLAYERS[macro_player - 1],)
