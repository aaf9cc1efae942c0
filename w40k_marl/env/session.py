"""One game in play, with its settings, row and seed: environments and tools step it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Unpack

import numpy as np
from numpy.typing import NDArray

from ..content.world import Setting
from ..errors import ContentError, DeploymentError, IllegalActionError, NotAnActionError, W40KError, brief
from ..reward.tracker import Earnings
from ..rules import engine
from ..rules.bits import has
from ..rules.state import NOBODY, PHASES, Game, Games, new_games
from ..rules.turn import acting_side, eligible
from .arguments import game_seed_or_none
from .events import Event, describe_event
from .interrupted import Interruptible
from .kernels import step_and_view
from .loading import LoadedScenario, ScenarioName, load_scenarios, prepare_scenario
from .options import GameKeywords, GameOptions
from .snapshots import check_game, games_of, put, read_snapshot, unpickling

if TYPE_CHECKING:
    from ..observe.macro.observation import MacroObservation
    from ..observe.macro.writer import MacroWriter

Snapshot: TypeAlias = bytes
"""The state of a game: the fingerprint of its setting, then its row."""

View: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int8]]
"""Observation (layout.observation_size,) and mask (layout.action_count,) of a side."""

_NO_VIEW: View = (np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int8))


_FIRST_ROW = np.zeros(1, dtype=np.int64)


class Session(Interruptible):
    """A game that can be reset, stepped, viewed and copied;
    ``games`` is its record, an array of length 1.

    ``reset`` and ``restore`` recover from an interrupted step; until then all other methods raise
    InterruptedStepError.
    """

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        **options: Unpack[GameKeywords],
    ) -> None:
        """Load every scenario. ``options`` are those of ``GameOptions``.

        Raises ContentError for an invalid option, and if a scenario is missing or invalid or does
        not fit the options.
        """
        self.options = GameOptions.of(**options)
        self._start(load_scenarios(scenario, self.options))

    def _start(self, scenarios: list[LoadedScenario]) -> None:
        """Take loaded scenarios and make an empty row."""
        self.scenarios = scenarios
        self.layout = self.options.layout
        self._action_count = self.layout.action_count
        self.games: Games = new_games(1, self.layout.units_per_side, self.layout.objectives)
        self._summary: NDArray[np.int64] = self.games[0].summary
        self.earnings = self._open_account()
        self._use(0)

    def _open_account(self) -> Earnings | None:
        """Return a counter of the terms of each step; None if only the result is paid."""
        if self.options.rewards is None:
            return None
        return Earnings(self.options.rewards, self.layout.units_per_side, self.layout.objectives)

    @property
    def settings(self) -> list[Setting]:
        """The settings that a reset draws from."""
        return [loaded.setting for loaded in self.scenarios]

    @property
    def fingerprints(self) -> list[bytes]:
        """The fingerprints of the settings, with which their snapshots begin."""
        return [loaded.fingerprint for loaded in self.scenarios]

    def _use(self, index: int) -> None:
        """Play on one of the settings."""
        self.setting_index = index
        self.setting = self.scenarios[index].setting
        self._worlds, self._board = self.setting.worlds, self.setting.board
        self._macro = self.scenarios[index].macro

    # --- play ----------------------------------------------------------------------------------------------

    def reset(self, random: np.random.Generator, game_seed: int | None = None) -> None:
        """Begin a new game: draw a setting if there are several,
        then the game's seed if none is given.

        Raises ContentError, without changing the running game, if ``game_seed`` is not from 0 to
        2**63 - 1 or ``random`` is not a Generator; DeploymentError if a deployment zone is too
        small.
        """
        game_seed = game_seed_or_none(game_seed)
        if not isinstance(random, np.random.Generator):
            raise ContentError("argument", "random", "a numpy Generator", brief(random))
        self._unfinished = True
        if len(self.scenarios) > 1:
            self._use(int(random.integers(len(self.scenarios))))
        self.games.view(np.uint8).fill(0)  # clears all of the last game, also its events
        self.games[0].seed = np.uint64(random.integers(2**63) if game_seed is None else game_seed)
        if self._call(engine.RESET) != engine.ACCEPTED:
            raise DeploymentError(
                f"{self.setting.scenario.name}: expected a free hex in the deployment zone for every unit, "
                "got a zone with fewer hexes than units"
            )
        if self.earnings is not None:
            self.earnings.begin(self.games)
        self._unfinished = False

    def step(self, action: int) -> None:
        """Apply an action of the acting player. Raises ActionError, without changing the game, if
        it is refused.

        ``action`` is a plain int (``operator.index`` makes one), the
        only type that the compiled rules accept.
        """
        self._check(action, self._apply(action))

    def try_step(self, action: int) -> bool:
        """Apply a plain int if it is a legal action; otherwise return
        False and leave the game unchanged.
        """
        return self._apply(action) == engine.ACCEPTED

    def step_and_view(self, action: int) -> View:
        """Apply an action as ``step`` does and return the view of the player who is to act next."""
        view = self._blank_view()
        self._check(action, self._apply(action, view))
        return view

    def try_step_and_view(self, action: int) -> View | None:
        """Apply an action as ``try_step`` does; return the next
        player's view, None if it is refused.
        """
        view = self._blank_view()
        return view if self._apply(action, view) == engine.ACCEPTED else None

    def _apply(self, action: int, view: View = _NO_VIEW) -> int:
        """Apply an action of the space and return the answer of the engine."""
        if self._unfinished:
            self._check_finished()
        if not 0 <= action < self._action_count:
            return engine.NOT_AN_ACTION
        self._unfinished = True
        answer = self._call(engine.STEP, action, NOBODY, view)
        if self.earnings is not None and answer == engine.ACCEPTED:
            self.earnings.count(self._worlds, self._board, self.games)
        self._unfinished = False
        return answer

    def _call(self, what: int, action: int = NOBODY, side: int = NOBODY, view: View = _NO_VIEW) -> int:
        """Call the compiled rules; every call of this class passes here."""
        answer = step_and_view(self._worlds, self._board, self.games, 0, what, action, side, *view)
        if self._macro is not None and answer == engine.ACCEPTED and len(view[0]) > 0:
            self._macro.write(self.games, _FIRST_ROW, view[0][None])
        return answer

    def _blank_view(self) -> View:
        observation = np.zeros(self.layout.observation_size, dtype=np.float32)
        return observation, np.empty(self._action_count, dtype=np.int8)

    def _check(self, action: int, answer: int) -> None:
        if answer != engine.ACCEPTED:
            raise self.refusal(answer, action)

    def refusal(self, answer: int, action: int) -> IllegalActionError | NotAnActionError:
        """Return the error for a refused action, with the legal
        actions and the state of the game.
        """
        if answer == engine.NOT_AN_ACTION:
            return NotAnActionError(
                f"action: expected a whole number from 0 to {self._action_count - 1}, got {brief(action)}"
            )
        if answer == engine.GAME_IS_OVER:
            return IllegalActionError(f"action: expected none, the game is over, got {brief(action)}")
        legal = ", ".join(f"{index} {self.layout.describe_action(index)}" for index in self.legal_actions())
        name = self.layout.describe_action(action)
        return IllegalActionError(f"action: expected one of [{legal}], got {action} {name} ({self.where()})")

    # --- looking at the game -------------------------------------------------------------------------------

    def summary(self) -> list[int]:
        """Acting side, over, winner, turn, side whose turn it is, phase, active unit, points
        (``rules.state.SUMMARY_*``).
        """
        if self._unfinished:
            self._check_finished()
        summary: list[int] = self._summary.tolist()
        return summary

    def view(self, side: int) -> View:
        """Return a fresh observation and mask of a side. Raises
        W40KError if ``side`` is not 0 or 1.
        """
        if not isinstance(side, int | np.integer) or side not in (0, 1):
            raise W40KError(f"side: expected 0 or 1, got {brief(side)}")
        self._check_finished()
        view = self._blank_view()
        self._call(engine.LOOK, NOBODY, side, view)
        return view

    def macro_observation(self, *, extras: bool = False) -> MacroObservation:
        """Return the macro observation as a dictionary, with this
        session's options of the profile.
        """
        from ..observe.macro.observation import macro_observation

        self._check_finished()
        return macro_observation(self.setting, self.games, options=self.options.profile, extras=extras)

    @property
    def macro_writers(self) -> list[MacroWriter | None]:
        """The writer of the macro blocks of each setting; None if
        the layout has no macro blocks.
        """
        return [loaded.macro for loaded in self.scenarios]

    def mask(self) -> NDArray[np.int8]:
        """Return a fresh mask of the acting side, shape ``(layout.action_count,)``."""
        self._check_finished()
        mask = np.empty(self._action_count, dtype=np.int8)
        engine.legal_mask(self._worlds, self.games, 0, mask)
        return mask

    def legal_actions(self) -> list[int]:
        """Return the legal actions of the acting player, ascending."""
        return [int(action) for action in np.flatnonzero(self.mask())]

    @property
    def _game(self) -> Game:
        self._check_finished()
        return self.games[0]

    @property
    def over(self) -> bool:
        """True if the game has ended."""
        self._check_finished()
        return bool(self._summary[1])

    @property
    def acting_side(self) -> int:
        """The side that is to act, 0 or 1."""
        self._check_finished()
        return int(self._summary[0])

    @property
    def active_unit(self) -> str | None:
        """Id of the unit whose activation is open; None if there is none."""
        number = int(self._game.active)
        return None if number == NOBODY else self.id_of(number)

    @property
    def active_type(self) -> str | None:
        """Name of the type of the active unit; None if there is none."""
        number = int(self._game.active)
        unit = None if number == NOBODY else self.setting.units[number]
        return None if unit is None else unit.type.name

    def pool(self) -> list[str]:
        """Return the ids of the units that may be activated now, by
        roster; empty if an activation is open.
        """
        game = self._game
        if game.over or game.active != NOBODY:
            return []
        members, base = np.uint64(eligible(game)), acting_side(game) * self.layout.units_per_side
        return [self.id_of(base + slot) for slot in range(self.layout.units_per_side) if has(members, slot)]

    def id_of(self, number: int) -> str:
        """Return the id of a unit number. Raises IndexError for an empty slot."""
        unit = self.setting.units[number]
        if unit is None:
            raise IndexError(f"unit number: expected a unit of {self.setting.scenario.name}, got {number}")
        return unit.id

    def slot_of(self, unit_id: str) -> int:
        """Return the roster slot of a unit, also its select action.
        Raises KeyError for an unknown id.
        """
        return self.setting.number_of[unit_id] % self.layout.units_per_side

    def where(self) -> str:
        """Describe turn, phase, acting player and active unit, for messages."""
        game = self._game
        unit = f", unit {self.active_unit}" if self.active_unit is not None else ""
        player = acting_side(game) + 1
        return f"turn {game.turn}, phase {PHASES[int(game.phase)]}, player {player} to act{unit}"

    def events(self) -> list[Event]:
        """Return the events of the last step, in order: ``{"event": name, field: value, ...}``.

        Fields are those of ``rules.events.FIELDS``; units, weapons, objectives and phases by name,
        hexes as ``(column, row)``.
        """
        game = self._game
        return [describe_event(self.setting, row.tolist()) for row in game.events[: int(game.event_count)]]

    # --- copies --------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the current state, for any session that plays the
        same scenario under the same rules.
        """
        self._check_finished()
        return self.scenarios[self.setting_index].fingerprint + self.games.tobytes()

    def restore(self, snapshot: Snapshot) -> None:
        """Restore the state of a snapshot.

        Raises ContentError, without changing the running game, if the snapshot is of another layout
        or of other scenarios, or if its record is not a valid state of a game.
        """
        index, games = read_snapshot(snapshot, self.scenarios, self.games.dtype)
        self._unfinished = True
        self._use(index)
        put(games, self.games)
        if self.earnings is not None:
            self.earnings.begin(self.games)
        self._unfinished = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy of the game; it shares the settings, which never change."""
        self._check_finished()
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.options = self.options
        copy._start(self.scenarios)
        copy._use(self.setting_index)
        put(self.games, copy.games)
        if self.earnings is not None and copy.earnings is not None:
            copy.earnings.resume(copy.games, self.earnings.amounts)
        return copy

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of a pickle: options and scenarios, from
        which the arrays are rebuilt, and the row.
        """
        self._check_finished()
        return {
            "options": self.options,
            "scenarios": [setting.scenario for setting in self.settings],
            "fingerprints": self.fingerprints,
            "setting_index": self.setting_index,
            "row": self.games.tobytes(),
            "amounts": None if self.earnings is None else self.earnings.amounts,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the session, with arrays of the types that the rules are compiled for.

        Raises ContentError if scenarios, rules or the record differ
        from those at the time of pickling.
        """
        made = object.__new__(type(self))
        with unpickling():
            made._take(state)
        vars(self).update(vars(made))

    def _take(self, state: dict[str, Any]) -> None:
        """Set the state of a new session from that of a pickle."""
        self.options = state["options"]
        self._start([prepare_scenario(scenario, self.options) for scenario in state["scenarios"]])
        if self.fingerprints != state["fingerprints"]:
            raise ContentError("pickle", "scenarios", "the scenarios and rules of the pickled session", "others")
        self._use(state["setting_index"])
        if len(state["row"]) != self.games.nbytes:
            raise ContentError("pickle", "row", f"{self.games.nbytes} bytes", f"{len(state['row'])} bytes")
        if any(state["row"]):  # all 0 if no game has begun
            games = games_of(state["row"], self.games.dtype)
            check_game(self.setting, games, file="pickle")
            put(games, self.games)
        if self.earnings is not None:
            self.earnings.resume(self.games, state["amounts"])
