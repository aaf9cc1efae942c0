"""Plays episodes on ``BatchEnv``, many at a time, by the rules of ``AECRunner``: game k is in row
``k % batch``.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from ....env.aec import PLAYERS
from ....env.batch import BatchEnv
from ....observe.action_blocks import is_micro
from ....rules.state import BY_DRAW, BY_OBJECTIVES, BY_VALUE, UNDECIDED, WIN_METHODS
from . import batch_counters
from .aec import Pace
from .episode import Episode, Numbered
from .players import FIRST, Player
from .random_streams import ROWS, SEEDS, stream
from .share import EpisodeShare, Games, WorkerStats

STRETCH = 0.05  # seconds of play between two looks at anything else


class BatchRunner:
    """Plays rows of games; a row plays every ``workers``-th of its games, so that no game depends
    on an earlier one.
    """

    def __init__(self, env: BatchEnv, pace: Pace, player: tuple[str, Player | None], seed: int) -> None:
        """Take a player as ``find_player`` returns it."""
        self.env = env
        self.pace = pace
        built_in, self._player = player
        self._seed = seed
        count = env.num_games
        self._numbers = np.zeros(count, dtype=np.int64)  # of the game in each row
        self._decisions = batch_counters.Decisions(
            tracks=np.zeros((count, batch_counters.FIELDS), dtype=np.int64),
            actions=np.zeros(count, dtype=np.int64),
            uniforms=np.zeros(count, dtype=np.float64),
            free=np.zeros(count, dtype=np.bool_),
            capped=np.zeros(count, dtype=np.bool_),
            macro_sides=sum(1 << side for side, player in enumerate(PLAYERS) if player in pace.macro_players),
            macro_every=pace.macro_every_steps,
            micro_start=env.layout.micro_start,
            micro_stop=env.layout.micro_stop,
            first=built_in == FIRST,
            cap=pace.max_steps_per_turn,
        )
        self._scenarios = [env.setting_of(row).scenario.name for row in range(count)]

    def play(self, share: EpisodeShare, stats: WorkerStats, purpose: int = ROWS) -> Games:
        """Play the games of a share; games that Ctrl-C interrupts are not counted."""
        active = self._begin(share, purpose)
        while len(active):
            ended: list[Numbered] = []
            with stats.meter.clock:
                active = self._stretch(active, share, stats, ended)
            stats.latencies.settle()
            stats.steps_in_play = int(self._decisions.tracks[active, batch_counters.MICRO].sum())
            yield stats.add(ended)

    def _begin(self, share: EpisodeShare, purpose: int) -> NDArray[np.int64]:
        """Begin the first game of each row; return the rows that have one."""
        env = self.env
        env.reset(int(stream(self._seed, purpose).integers(SEEDS)))
        rows = np.arange(env.num_games)
        if share.index:
            env.episodes[:] = share.index
            env.restart(rows)
        env.episodes += share.workers - 1
        self._numbers[:] = rows + share.index * env.num_games
        batch_counters.begin(self._decisions.tracks, rows)
        return np.array([row for row in rows.tolist() if share.may_begin(int(self._numbers[row]))], dtype=np.int64)

    def _stretch(
        self, active: NDArray[np.int64], share: EpisodeShare, stats: WorkerStats, ended: list[Numbered]
    ) -> NDArray[np.int64]:
        """Play for ``STRETCH`` seconds; return the rows that continue."""
        env, note, clock = self.env, stats.latencies.note, time.perf_counter_ns
        stop = clock() + int(STRETCH * 1e9)
        while len(active) and clock() < stop:
            self._choose(active)
            only = None if len(active) == env.num_games else active
            began = clock()
            env.step(self._decisions.actions, only)
            note(clock() - began)
            if batch_counters.follow(env.games, active, env.ended, self._decisions):
                active = self._clear(active, share, ended)
        return active

    def _choose(self, active: NDArray[np.int64]) -> None:
        env = self.env
        batch_counters.decide(env.games, env.action_masks, env.acting_sides, active, self._decisions)
        if self._player is not None:
            self._ask(active[self._decisions.free[active]], self._player)

    def _ask(self, rows: NDArray[np.int64], player: Player) -> None:
        """Call the policy for those of some rows whose decisions it makes."""
        env = self.env
        if player.kind is not None:
            rows = rows[is_micro(env.layout, env.action_masks[rows]) == (player.kind == "micro")]
        if len(rows):
            observations, masks = env.observations[rows], env.action_masks[rows]
            self._decisions.actions[rows] = player.answer(observations, masks, lambda: env.type_names(rows))

    def _clear(self, active: NDArray[np.int64], share: EpisodeShare, ended: list[Numbered]) -> NDArray[np.int64]:
        """Record the games that are done and begin the next ones; return the rows that continue."""
        env = self.env
        over = self._decisions.capped[active] | (env.ended[active] != 0)
        done, capped = active[over], active[self._decisions.capped[active]]
        ended += [(int(self._numbers[row]) + 1, self._episode(row)) for row in done.tolist()]
        if len(capped):
            env.restart(capped)
        env.episodes[done] += share.workers - 1
        self._numbers[done] += share.workers * env.num_games
        batch_counters.begin(self._decisions.tracks, done)
        gone = [row for row in done.tolist() if not share.may_begin(int(self._numbers[row]))]
        return active if not gone else np.setdiff1d(active, gone, assume_unique=True)

    def _episode(self, row: int) -> Episode:
        """Return the ended game of a row. ``BatchEnv`` has begun the
        next one: what it does not keep is None.
        """
        track, capped = self._decisions.tracks[row].tolist(), bool(self._decisions.capped[row])
        winner, first, second = self.env.results[row].tolist()
        turn, side = divmod(track[batch_counters.TURN], 2)
        if capped:
            first, second = self.env.games[row].victory_points.tolist()
        method = BY_OBJECTIVES if first != second else BY_VALUE if winner else BY_DRAW
        return Episode(
            scenario=self._scenarios[row],
            steps=track[batch_counters.MICRO],
            agent_steps=track[batch_counters.MICRO] + track[batch_counters.OTHERS],
            macro_choices=track[batch_counters.CHOICES],
            winner=None if capped else winner,
            method=WIN_METHODS[UNDECIDED if capped else method],
            victory_points=(first, second),
            value_lost=None,
            damage=None,
            capped=capped,
            interrupted=False,
            turn=turn if capped else None,
            turn_player=side + 1 if capped else None,
        )
