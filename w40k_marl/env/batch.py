"""Many games at once, stepped by one compiled call for each block of rows: the fast way to play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from ..content.definitions import GameRules
from ..content.world import Setting
from ..errors import ContentError, DeploymentError, IllegalActionError
from ..observe import rows
from ..observe.layout import Layout
from ..rules.state import Games, new_games
from .session import ScenarioName, Session, Snapshot

ROWS_PER_BLOCK = 128
"""Rows that one call works on: their games and views fit the second-level cache of a core."""

SERIAL_BELOW = 128
"""Fewer games than this are played in one thread: handing out work would cost more than it saves."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Some rows of one scenario, small enough for a core's cache."""

    setting: Setting
    rows: NDArray[np.int64]


class BatchEnv:
    """``num_games`` games of one layout, stepped together and begun anew as they end.

    After ``reset`` and ``step`` these arrays, made once and written in place, describe the next decision of each
    game (n = ``num_games``):

    ================== ========================== ==========================================================
    ``observations``   float32 (n, observation)   what the acting player sees
    ``action_masks``   int8 (n, actions)          1 for each action that it may take
    ``acting_sides``   int8 (n,)                  0 or 1: which player acts
    ``active_units``   int16 (n,)                 number of the active unit, -1 while one is to be selected
    ``rewards``        float32 (n, 2)             earned by both players in the last step
    ``ended``          int64 (n,)                 games that the last step ended, 0 or 1; the row shows the next one
    ``results``        int32 (n, 3)               winner (0: draw) and victory points of the row's last ended game
    ``episodes``       int64 (n,)                 games begun in the row
    ================== ========================== ==========================================================

    Row ``i`` plays the games of ``raw_env`` with ``reset(options={"game_seed": batch.game_seed(i, episode)})``.
    Scenarios of a list are dealt out to the rows in equal, consecutive shares.
    """

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        num_games: int = 64,
        *,
        decisions: str = "agent",
        game_rules: str | Path | GameRules | None = None,
        layout: Layout | None = None,
        max_turns: int | None = None,
        num_threads: int = 1,
    ) -> None:
        """Load the scenarios and make the arrays; ContentError on any bad file or argument."""
        for name, value in (("num_games", num_games), ("num_threads", num_threads)):
            if value < 1:
                raise ContentError("argument", name, "at least 1", repr(value))
        self._session = Session(
            scenario, decisions=decisions, game_rules=game_rules, layout=layout, max_turns=max_turns
        )
        self.layout = self._session.layout
        self.num_games = num_games
        self.games: Games = new_games(num_games, self.layout.units_per_side, self.layout.objectives)
        self.observations = np.zeros((num_games, self.layout.observation_size), dtype=np.float32)
        self.action_masks = np.zeros((num_games, self.layout.action_count), dtype=np.int8)
        self.acting_sides = np.zeros(num_games, dtype=np.int8)
        self.active_units = np.zeros(num_games, dtype=np.int16)
        self.rewards = np.zeros((num_games, 2), dtype=np.float32)
        self.ended = np.zeros(num_games, dtype=np.int64)
        self.results = np.zeros((num_games, 3), dtype=np.int32)
        self.episodes = np.zeros(num_games, dtype=np.int64)
        self._actions = np.zeros(num_games, dtype=np.int64)
        self._blocks = self._make_blocks()
        self._block_of = np.concatenate([np.full(len(block.rows), i) for i, block in enumerate(self._blocks)])
        self._all_rows = np.arange(num_games)
        self._others_play = False
        self._watchers = np.zeros(num_games, dtype=np.int8)
        self._finals = np.zeros((0, self.layout.observation_size), dtype=np.float32)
        threads = min(num_threads, len(self._blocks)) if num_games >= SERIAL_BELOW else 1
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._random, _ = seeding.np_random(None)
        self._base = np.uint64(0)
        self._picks = 0

    def _make_blocks(self) -> list[_Block]:
        """Equal shares of the rows for each scenario, cut into blocks."""
        settings = self._session.settings
        bounds = [round(index * self.num_games / len(settings)) for index in range(len(settings) + 1)]
        return [
            _Block(setting, np.arange(first, min(first + ROWS_PER_BLOCK, stop)))
            for setting, begin, stop in zip(settings, bounds, bounds[1:], strict=False)
            for first in range(begin, stop, ROWS_PER_BLOCK)
        ]

    def setting_of(self, row: int) -> Setting:
        """The scenario of a row, with its units by number."""
        return self._blocks[int(self._block_of[row])].setting

    def unit_type(self, row: int) -> str | None:
        """Type of the unit that acts in a row, None while one is to be selected."""
        number = int(self.active_units[row])
        unit = self.setting_of(row).units[number] if number >= 0 else None
        return unit.type.name if unit else None

    def game_seed(self, row: int, episode: int) -> int:
        """Seed of the n-th game of a row since the last reset."""
        return int(rows.seed_of_row(self._base, row, episode))

    # --- play ----------------------------------------------------------------------------------------------

    def reset(self, seed: int | None = None) -> None:
        """Begin a game in every row; without a seed the stream of the last seed goes on.

        Raises DeploymentError where a zone is too small.
        """
        if seed is not None:
            self._random, _ = seeding.np_random(seed)
        self._base = np.uint64(self._random.integers(2**63))
        self._picks = 0
        self.episodes[:] = 0
        self.rewards[:] = 0
        self.ended[:] = 0
        self.results[:] = 0
        self._each_block(self._begin, self._blocks)

    def _begin(self, block: _Block) -> None:
        worlds, board = block.setting.worlds, block.setting.board
        failed = rows.restart_rows(worlds, board, self.games, block.rows, self._base, self.episodes)
        if failed >= 0:
            name = block.setting.scenario.name
            raise DeploymentError(f"{name}: expected a free hex in the zone for every unit, got none in row {failed}")
        self._view(block)

    def restart(self, only: NDArray[np.int64]) -> None:
        """Begin the next game in some rows, in ascending order; the games there end without a result."""
        self._each_block(self._begin, self._blocks_of(only))

    def _view(self, block: _Block) -> None:
        rows.view_rows(
            block.setting.worlds,
            block.setting.board,
            self.games,
            block.rows,
            self.observations,
            self.action_masks,
            self.acting_sides,
            self.active_units,
        )

    def watch(self, sides: NDArray[np.int8], *, others_play: bool = False) -> NDArray[np.float32]:
        """Keep, from now on, what a side of each row sees when its game ends; the array, (n, observation).

        With ``others_play`` the other side of each row plays at random inside ``step``, at no cost of a call, until
        the watching side is to act; ``ended`` may then be more than 1.
        """
        self._watchers[:] = sides
        self._others_play = others_play
        self._finals = np.zeros_like(self.observations)
        return self._finals

    def step(self, actions: NDArray[np.integer], only: NDArray[np.int64] | None = None) -> None:
        """Apply one action to each game, shape ``(n,)``; the arrays show what follows.

        With ``only``, rows in ascending order, just those games go on; the other actions are not looked at and the
        other rows of all arrays stay as they are. Raises IllegalActionError, and steps no game at all, where a mask
        does not allow an action.
        """
        given = np.asarray(actions)
        if given.shape != (self.num_games,) or given.dtype.kind not in "iu":
            expected = f"whole numbers of shape ({self.num_games},)"
            raise IllegalActionError(f"actions: expected {expected}, got {given.dtype} of shape {given.shape}")
        self._actions[:] = given
        illegal = rows.first_illegal(self.action_masks, self._all_rows if only is None else only, self._actions)
        if illegal >= 0:
            legal = np.flatnonzero(self.action_masks[illegal]).tolist()
            raise IllegalActionError(f"actions[{illegal}]: expected one of {legal}, got {given[illegal]}")
        self._each_block(self._play, self._blocks if only is None else self._blocks_of(only))

    def _blocks_of(self, only: NDArray[np.int64]) -> list[_Block]:
        """The blocks cut down to some rows, without those that have none."""
        edges = np.flatnonzero(np.diff(self._block_of[only])) + 1
        return [
            _Block(self._blocks[self._block_of[part[0]]].setting, part)
            for part in np.split(only, edges)
            if len(part) > 0
        ]

    def _play(self, block: _Block) -> None:
        rows.play_rows(
            block.setting.worlds,
            block.setting.board,
            self.games,
            block.rows,
            self._base,
            self.episodes,
            self._actions,
            self._others_play,
            self._watchers,
            self._finals,
            self.rewards,
            self.ended,
            self.results,
            self.observations,
            self.action_masks,
            self.acting_sides,
            self.active_units,
        )

    def _each_block(self, work: Callable[[_Block], None], blocks: list[_Block]) -> None:
        """Do something with each block, in threads if there are any; blocks share no row."""
        if self._pool is None or len(blocks) < 2:
            for block in blocks:
                work(block)
        else:
            for _ in self._pool.map(work, blocks):
                pass

    def random_actions(
        self, out: NDArray[np.int64] | None = None, only: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """A uniformly random legal action for each game, or for some rows; the same after the same ``reset(seed)``."""
        actions = np.zeros(self.num_games, dtype=np.int64) if out is None else out
        rows.pick_rows(self.action_masks, self._all_rows if only is None else only, self._base, self._picks, actions)
        self._picks += 1
        return actions

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    # --- copies --------------------------------------------------------------------------------------------

    def snapshot(self, row: int) -> Snapshot:
        """The game of a row at this moment."""
        return bytes(self.games[row].tobytes())

    def restore(self, row: int, snapshot: Snapshot) -> None:
        """Put a snapshot of a row of the same scenario back; ContentError where its size is wrong."""
        if len(snapshot) != self.games.itemsize:
            raise ContentError("snapshot", "size", f"{self.games.itemsize} bytes", f"{len(snapshot)} bytes")
        self.games[row] = np.frombuffer(snapshot, dtype=self.games.dtype)[0]
        self._view(_Block(self.setting_of(row), np.array([row])))
