"""Plays many games at once: one compiled call steps a block of rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import psutil
from gymnasium.utils import seeding
from numpy.typing import NDArray

from ..content.world import Setting
from ..errors import ContentError, DeploymentError, IllegalActionError, W40KError, brief
from ..reward.terms import TERM_COUNT
from ..reward.weights import weights_of
from ..rules.engine import RESET, STEP, legal_mask
from ..rules.state import Games, new_games
from . import kernels
from .arguments import as_array, kind_of, seed_or_none, whole_number
from .interrupted import Interruptible
from .loading import ScenarioName
from .options import GameKeywords, GameOptions
from .session import Session, Snapshot
from .snapshots import alike, check_game, put, read_snapshot, unpickling
from .threads import ThreadTeam

if TYPE_CHECKING:
    from ..observe.macro.writer import MacroWriter

ROWS_PER_BLOCK = 128
"""Rows that one call works on: their games and views fit the second-level cache of a core."""

SERIAL_BELOW = 128
"""Fewer games than this are played in one thread: more threads would be slower."""

_MADE_AGAIN = (
    *("_pool", "_arrays", "_blocks", "_block_of", "_types_of", "_all_rows"),
    *("unit_type_names", "reward_weights"),
)


@dataclass(frozen=True, slots=True)
class _Block:
    """Some rows of one scenario, small enough for a core's cache."""

    scenario: int  # its place in the list of scenarios
    setting: Setting
    rows: NDArray[np.int64]
    before: Games  # scratch memory, one game; empty if only the result is paid
    macro: MacroWriter | None  # of a layout with macro blocks


def _work_through(work: Callable[[_Block], None], blocks: list[_Block]) -> None:
    for block in blocks:
        work(block)


def _check_memory(num_games: int, session: Session) -> None:
    """Raise ContentError if the arrays of the games do not fit into the memory of the machine."""
    copies = 2 if session.layout.macro else 1
    size = copies * (session.games.itemsize + 4 * session.layout.observation_size) + session.layout.action_count
    most = psutil.virtual_memory().total // size
    if num_games > most:
        raise ContentError("argument", "num_games", f"at most {most} games, which fit into memory", brief(num_games))


class BatchEnv(Interruptible):
    """Steps ``num_games`` games of one layout together; begins a new game when one ends.

    After ``reset`` and ``step`` these arrays, allocated once and written in place, describe the next decision of each
    game (n = ``num_games``):

    ================== ========================== =====================================================
    ``observations``   float32 (n, observation)   observation of the acting player
    ``action_masks``   int8 (n, actions)          1 for each legal action, 0 for all others
    ``acting_sides``   int8 (n,)                  side of the acting player, 0 or 1
    ``active_units``   int16 (n,)                 number of the active unit, -1 if one is to be selected
    ``unit_types``     int16 (n,)                 its type, an index of ``unit_type_names``, or -1
    ``rewards``        float32 (n, 2)             rewards of both players for the last step
    ``reward_terms``   float64 (n, 2, terms)      amounts of the terms; empty without the option ``rewards``
    ``ended``          int64 (n,)                 games that the last step ended, 0 or 1
    ``results``        int32 (n, 3)               winner (0: draw), victory points of the row's last ended game
    ``episodes``       int64 (n,)                 games begun in the row
    ================== ========================== =====================================================

    ``games`` (n,) are the records that the rules play on; read them only. Values written into them are not checked,
    unlike those of ``restore``. The rules check actions, whatever ``action_masks`` holds.

    Row ``i`` plays the games of ``raw_env`` with ``reset(options={"game_seed": batch.game_seed(i, episode)})``. Each
    scenario of a list gets an equal, consecutive share of the rows, at least one row.

    If an exception, such as that of Ctrl-C, interrupts a reset or step, all threads stop, the arrays are invalid, and
    the methods that step or show games raise InterruptedStepError until ``reset``.
    """

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        num_games: int = 64,
        *,
        num_threads: int = 1,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Load the scenarios and make the arrays.

        Raises ContentError for an invalid file or argument, or if memory does not suffice.
        """
        num_games, num_threads = whole_number("num_games", num_games, 1), whole_number("num_threads", num_threads, 1)
        self._session = Session(scenario, **options)
        whole_number("num_games", num_games, len(self._session.settings), remark=", one for each scenario")
        self.layout = self._session.layout
        self.num_games = num_games
        _check_memory(num_games, self._session)
        self._make_tables()
        self._make_arrays()
        self._bundle_arrays()
        self._others_play = False
        self._threads = min(num_threads, len(self._blocks)) if num_games >= SERIAL_BELOW else 1
        self._start_threads()
        self._random, _ = seeding.np_random(None)
        self._base = np.uint64(0)
        self._picks = 0

    def _make_arrays(self) -> None:
        """Make the arrays of the rows, for a batch that has not begun."""
        count = self.num_games
        self.games: Games = new_games(count, self.layout.units_per_side, self.layout.objectives)
        self.observations = np.zeros((count, self.layout.observation_size), dtype=np.float32)
        self.action_masks = np.zeros((count, self.layout.action_count), dtype=np.int8)
        self.acting_sides = np.zeros(count, dtype=np.int8)
        self.active_units = np.zeros(count, dtype=np.int16)
        self.rewards = np.zeros((count, 2), dtype=np.float32)
        self.reward_terms = np.zeros((count if len(self.reward_weights) > 0 else 0, 2, TERM_COUNT))
        self.ended = np.zeros(count, dtype=np.int64)
        self.results = np.zeros((count, 3), dtype=np.int32)
        self.episodes = np.zeros(count, dtype=np.int64)
        self._actions = np.zeros(count, dtype=np.int64)
        self.unit_types = np.full(count, -1, dtype=np.int16)
        self._watchers = np.zeros(count, dtype=np.int8)
        self._finals = np.zeros((0, self.layout.observation_size), dtype=np.float32)
        self._final_games = self.games[:0]

    def _bundle_arrays(self) -> None:
        """Bundle the arrays for the kernels."""
        self._arrays = kernels.BatchArrays(
            games=self.games,
            episodes=self.episodes,
            actions=self._actions,
            observations=self.observations,
            masks=self.action_masks,
            sides=self.acting_sides,
            units=self.active_units,
            rewards=self.rewards,
            terms=self.reward_terms,
            ended=self.ended,
            results=self.results,
            watchers=self._watchers,
            finals=self._finals,
            final_games=self._final_games,
        )

    def _make_tables(self) -> None:
        """Make the tables that depend only on the session and the number of games."""
        settings = self._session.settings
        self.unit_type_names = sorted({unit.type.name for setting in settings for unit in setting.scenario.units})
        self._types_of = [self._type_table(setting) for setting in settings]
        self._all_rows = np.arange(self.num_games)
        self.reward_weights = weights_of(self._session.options.rewards)
        self._blocks = self._make_blocks()
        self._block_of = np.concatenate([np.full(len(block.rows), i) for i, block in enumerate(self._blocks)])

    def _start_threads(self) -> None:
        self._pool = ThreadTeam(self._threads - 1) if self._threads > 1 else None  # the caller works, too

    def _make_blocks(self) -> list[_Block]:
        """Give each scenario an equal share of the rows, and cut the shares into blocks."""
        settings, writers = self._session.settings, self._session.macro_writers
        bounds = [round(index * self.num_games / len(settings)) for index in range(len(settings) + 1)]
        units, objectives, scratch = (
            self.layout.units_per_side,
            self.layout.objectives,
            int(len(self.reward_weights) > 0),
        )
        return [
            _Block(
                scenario,
                settings[scenario],
                np.arange(first, min(first + ROWS_PER_BLOCK, stop)),
                new_games(scratch, units, objectives),
                writers[scenario],
            )
            for scenario, (begin, stop) in enumerate(itertools.pairwise(bounds))
            for first in range(begin, stop, ROWS_PER_BLOCK)
        ]

    def _type_table(self, setting: Setting) -> NDArray[np.int16]:
        """Return the type of each unit number; the last entry is -1, for no unit."""
        names = self.unit_type_names
        types = [names.index(unit.type.name) if unit else -1 for unit in setting.units]
        return np.array([*types, -1], dtype=np.int16)

    @property
    def settings(self) -> list[Setting]:
        """The scenarios, in the order in which rows are assigned to them."""
        return self._session.settings

    @property
    def options(self) -> GameOptions:
        """The options of the games."""
        return self._session.options

    def setting_of(self, row: int) -> Setting:
        """Return the scenario of a row, with its units by number."""
        return self._block(row).setting

    def unit_type(self, row: int) -> str | None:
        """Return the type of the active unit of a row; None if one is to be selected."""
        self._check_finished()
        kind = int(self.unit_types[self._row(row)])
        return self.unit_type_names[kind] if kind >= 0 else None

    def type_names(self, only: NDArray[np.integer] | slice = slice(None)) -> NDArray[np.str_]:
        """Return ``unit_type`` of some rows, str (k,); empty if a unit is to be selected.

        Raises ContentError if ``only`` does not select rows of the batch.
        """
        self._check_finished()
        try:
            types = self.unit_types[only]
        except (IndexError, TypeError, ValueError, OverflowError):
            expected = f"rows 0 to {self.num_games - 1}, or a slice"
            raise ContentError("argument", "only", expected, brief(only)) from None
        names: NDArray[np.str_] = np.array([*self.unit_type_names, ""])[types]
        return names

    def game_seed(self, row: int, episode: int) -> int:
        """Return the seed of game ``episode`` of a row since the last reset."""
        episode = whole_number("episode", episode, 0, 2**63 - 1)
        return int(kernels.seed_of_row(self._base, self._row(row), episode))

    # --- play ----------------------------------------------------------------------------------------------

    def reset(self, seed: int | None = None) -> None:
        """Begin a game in every row; without a seed the random stream of the last seed continues.

        Raises ContentError, without changing anything, if the seed is not a whole number from 0, and DeploymentError if
        a deployment zone is too small.
        """
        seed = seed_or_none(seed)
        if seed is not None:
            self._random, _ = seeding.np_random(seed)
        self._unfinished = True
        if self._pool is not None:
            self._pool.settle()  # a second interrupt may have left a thread at work
        self._base = np.uint64(self._random.integers(2**63))
        self._picks = 0
        self.episodes[:] = 0
        self.rewards[:] = 0
        self.ended[:] = 0
        self.results[:] = 0
        self._each_block(partial(self._play, what=RESET), self._blocks)
        self._unfinished = False

    def restart(self, only: NDArray[np.int64]) -> None:
        """Begin the next game in rows in ascending order; their games end without a result."""
        self._check_finished()
        numbers = self._rows(only)
        self._unfinished = True
        self._each_block(partial(self._play, what=RESET), self._blocks_of(numbers))
        self._unfinished = False

    def _view(self, block: _Block) -> None:
        kernels.view_rows(block.setting.worlds, block.setting.board, self._arrays, block.rows)
        if block.macro is not None:
            block.macro.write(self.games, block.rows, self.observations)
        self._tell_types(block)

    def _tell_types(self, block: _Block) -> None:
        self.unit_types[block.rows] = self._types_of[block.scenario].take(self.active_units[block.rows])

    def watch(self, sides: NDArray[np.int8], *, others_play: bool = False) -> NDArray[np.float32]:
        """Return the array that keeps final observations of a side of each row, (n, observation).

        With ``others_play`` the other side of each row plays at random inside ``step``, without further calls, until
        the watching side is to act; ``ended`` may then be more than 1. ``sides``: 0 or 1 for each row, (n,), or for
        all. Raises ContentError, without changing anything, if an argument has another type, shape or value.
        """
        given = as_array(sides)
        if given.shape not in ((), (self.num_games,)) or given.dtype.kind not in "iu":
            expected = f"whole numbers of shape ({self.num_games},)"
            raise ContentError("argument", "sides", expected, kind_of(given))
        if ((given < 0) | (given > 1)).any():
            raise ContentError("argument", "sides", "0 or 1 for each row", brief(given.tolist()))
        if not isinstance(others_play, bool | np.bool_):
            raise ContentError("argument", "others_play", "True or False", brief(others_play))
        self._watchers[:] = given
        self._others_play = bool(others_play)
        self._finals = np.zeros_like(self.observations)
        self._final_games = np.zeros_like(self.games) if self.layout.macro else self.games[:0]
        self._bundle_arrays()
        return self._finals

    def step(self, actions: NDArray[np.integer], only: NDArray[np.int64] | None = None) -> None:
        """Apply one action to each game, shape ``(n,)``; the arrays show the next decisions.

        With ``only``, rows in ascending order, only those games are stepped; the other actions are ignored and the
        other rows of all arrays stay unchanged. Raises IllegalActionError, without stepping any game, if an action is
        illegal.
        """
        self._check_finished()
        given = as_array(actions)
        if given.shape != (self.num_games,) or given.dtype.kind not in "iu":
            expected = f"whole numbers of shape ({self.num_games},)"
            raise IllegalActionError(f"actions: expected {expected}, got {kind_of(given)}")
        self._actions[:] = given
        blocks = self._blocks if only is None else self._blocks_of(self._rows(only))
        for block in blocks:
            illegal = kernels.first_illegal(block.setting.worlds, self.games, block.rows, self._actions)
            if illegal >= 0:
                raise self._refusal(illegal, given[illegal])
        self._unfinished = True
        self._each_block(partial(self._play, what=STEP), blocks)
        self._unfinished = False

    def _refusal(self, row: int, action: np.integer) -> W40KError:
        """Return the error for the illegal action of a row."""
        if self.episodes[row] == 0:
            return W40KError("step: expected reset() before the first step, got none")
        mask = np.zeros(self.layout.action_count, dtype=np.int8)
        legal_mask(self._block(row).setting.worlds, self.games, row, mask)
        return IllegalActionError(f"actions[{row}]: expected one of {np.flatnonzero(mask).tolist()}, got {action}")

    def _rows(self, only: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return ``only`` as int64 (k,), checked, because compiled code checks no bounds."""
        given = as_array(only)
        if given.size == 0:
            return self._all_rows[:0]
        if given.ndim != 1 or given.dtype.kind not in "iu":
            raise ContentError("argument", "only", "row numbers of shape (k,)", kind_of(given))
        if given[0] < 0 or given[-1] >= self.num_games or (given[1:] <= given[:-1]).any():
            raise ContentError("argument", "only", f"rows 0 to {self.num_games - 1}, ascending", brief(given.tolist()))
        return np.array(given, dtype=np.int64, order="C")

    def _blocks_of(self, only: NDArray[np.int64]) -> list[_Block]:
        """Return the blocks restricted to some rows, without empty blocks."""
        edges = np.flatnonzero(np.diff(self._block_of[only])) + 1
        return [
            replace(self._blocks[self._block_of[part[0]]], rows=part) for part in np.split(only, edges) if len(part) > 0
        ]

    def _play(self, block: _Block, what: int) -> None:
        failed = kernels.play_rows(
            block.setting.worlds,
            block.setting.board,
            self._arrays,
            block.rows,
            what,
            self._base,
            self._others_play,
            self.reward_weights,
            block.before,
        )
        if failed >= 0:
            name = block.setting.scenario.name
            raise DeploymentError(f"{name}: expected a free hex in the zone for every unit, got none in row {failed}")
        if block.macro is not None:
            self._write_macro(block, block.macro)
        self._tell_types(block)

    def _write_macro(self, block: _Block, writer: MacroWriter) -> None:
        """Write the macro blocks of the rows just played and of the final observations."""
        writer.write(self.games, block.rows, self.observations)
        over = block.rows[self.ended[block.rows] > 0]
        if len(self._finals) > 0 and len(over) > 0:
            writer.write(self._final_games, over, self._finals)

    def _each_block(self, work: Callable[[_Block], None], blocks: list[_Block]) -> None:
        """Apply ``work`` to each block, in equal shares for the threads; blocks share no rows."""
        if self._pool is None or len(blocks) < 2:
            _work_through(work, blocks)
            return
        shares = range(min(self._threads, len(blocks)))
        self._pool.work([partial(_work_through, work, blocks[share :: self._threads]) for share in shares])

    def random_actions(
        self, out: NDArray[np.int64] | None = None, only: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Return uniformly random legal actions of all or some rows; ``reset(seed)`` seeds them.

        ``out``, int64 (n,), receives them if given; with ``only`` its other rows stay unchanged.
        """
        self._check_finished()
        actions = np.zeros(self.num_games, dtype=np.int64) if out is None else out
        expected = f"int64 of shape ({self.num_games},)"
        if not isinstance(actions, np.ndarray):
            raise ContentError("argument", "out", expected, brief(actions))
        if actions.shape != (self.num_games,) or actions.dtype != np.int64 or not actions.flags.carray:
            got = kind_of(actions) + ("" if actions.flags.carray else ", not contiguous or not writable")
            raise ContentError("argument", "out", expected, got)
        masks, base, picks = self.action_masks, self._base, self._picks
        self._each_block(
            lambda block: kernels.pick_rows(masks, block.rows, base, picks, actions),
            self._blocks if only is None else self._blocks_of(self._rows(only)),
        )
        self._picks += 1
        return actions

    def close(self) -> None:
        """End the threads; later steps run without them."""
        pool, self._pool = self._pool, None
        self._threads = 1  # of its copies, too
        if pool is not None:
            pool.close()

    # --- copies --------------------------------------------------------------------------------------------

    def snapshot(self, row: int) -> Snapshot:
        """Return the current state of a row; ``raw_env`` of this scenario can restore it."""
        self._check_finished()
        return self._session.fingerprints[self._block(row).scenario] + bytes(self.games[row].tobytes())

    def restore(self, row: int, snapshot: Snapshot) -> None:
        """Restore the state of a game in a row.

        Rewards, results and the number of games begun in the row stay unchanged. Raises ContentError, without changing
        the row, if the game is over, of another scenario or other rules, or its record is not a valid state.
        """
        self._check_finished()
        block = self._block(row)
        of = f"the scenario of row {row}"
        _, games = read_snapshot(snapshot, [self._session.scenarios[block.scenario]], self.games.dtype, of)
        if games["over"][0]:
            raise ContentError("snapshot", "game", "one that goes on", "one that is over")
        self._unfinished = True
        put(games, self.games, row)
        self._view(replace(block, rows=self._all_rows[row : row + 1]))
        self._unfinished = False

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of a copy or pickle: all but threads and blocks, which are rebuilt."""
        return {name: value for name, value in vars(self).items() if name not in _MADE_AGAIN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the batch; its blocks use the session's settings, as compiled code requires.

        Raises ContentError if an array does not fit, or a record is not a valid state.
        """
        made = object.__new__(type(self))
        with unpickling():
            made._take(state)
        vars(self).update(vars(made))

    def _take(self, state: dict[str, Any]) -> None:
        """Set the state of a new batch from that of a pickle."""
        vars(self).update(state)
        self.num_games = whole_number("num_games", self.num_games, len(self._session.settings))
        _check_memory(self.num_games, self._session)
        self._make_tables()
        self._check_arrays()
        self._bundle_arrays()
        self._base, self._picks = np.uint64(self._base), int(self._picks)
        self._threads = min(whole_number("num_threads", self._threads, 1), len(self._blocks))
        self._start_threads()
        if self.episodes.any():
            self._check_games()
            for block in self._blocks:
                self._view(block)

    def _check_arrays(self) -> None:
        """Raise ContentError if an array of compiled code has another shape or dtype."""
        fresh = BatchEnv.__new__(BatchEnv)
        fresh.num_games, fresh.layout, fresh.reward_weights = self.num_games, self._session.layout, self.reward_weights
        fresh._make_arrays()
        if len(self._finals) > 0 or self._others_play:
            fresh.watch(self._watchers, others_play=self._others_play)
        for name, expected in vars(fresh).items():
            if isinstance(expected, np.ndarray) and not alike(expected, vars(self)[name]):
                raise ContentError("pickle", name, kind_of(expected), brief(vars(self)[name]))

    def _check_games(self) -> None:
        """Raise ContentError if the record of a row is not a valid state of a game in play."""
        if self.games["over"].any():
            raise ContentError("pickle", "games", "games that go on", "one that is over")
        for block in self._blocks:
            for row in block.rows.tolist():
                check_game(block.setting, self.games, row, "pickle")

    def _row(self, row: int) -> int:
        """Return a row as an int. Raises IndexError if out of range, ContentError if not an int."""
        number = whole_number("row", row)
        if not 0 <= number < self.num_games:
            raise IndexError(f"row: expected 0 to {self.num_games - 1}, got {brief(number)}")
        return number

    def _block(self, row: int) -> _Block:
        return self._blocks[int(self._block_of[self._row(row)])]
