"""One game in play: its settings, its row, its seed; what every environment and tool steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..content.types import GameRules
from ..content.world import Setting
from ..errors import ContentError, DeploymentError, IllegalActionError, NotAnActionError, W40KError, brief
from ..observe.encode import LOOK, step_and_view
from ..observe.layout import Layout
from ..reward.config import RewardsOption, find_rewards
from ..reward.tracker import Earnings
from ..rules import engine
from ..rules.bits import has
from ..rules.state import NOBODY, PHASES, Game, Games, new_games
from ..rules.turn import acting_side, eligible
from .arguments import game_seed_or_none
from .events import Event, describe_event
from .interrupted import Interruptible
from .playable import Playable, ScenarioName, load_all, make_way, playable
from .snapshots import check_game, games_of, put, read_snapshot, unpickling

if TYPE_CHECKING:
    from ..observe.macro.observation import MacroObservation
    from ..observe.macro.offensive_profile import ProfileOptions
    from ..observe.macro.writer import MacroWriter

Snapshot: TypeAlias = bytes
"""A game at a moment: the fingerprint of its setting, then its row."""

View: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int8]]
"""Observation (layout.observation_size,) and mask (layout.action_count,) of a side."""

_NO_VIEW: View = (np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int8))


_FIRST_ROW = np.zeros(1, dtype=np.int64)


class Session(Interruptible):
    """A game that can be reset, stepped, looked at, copied; ``games`` is the array of one that the rules work on.

    ``reset`` and ``restore`` put right what an interrupted step has left; all else raises InterruptedStepError.
    """

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        decisions: str = "agent",
        game_rules: str | Path | GameRules | None = None,
        layout: Layout | None = None,
        max_turns: int | None = None,
        weapon_rules: str = "reference",
        rewards: RewardsOption = None,
        profile: ProfileOptions | None = None,
    ) -> None:
        """Load every scenario; ContentError where one is missing, wrong or does not fit the layout."""
        self.rewards = find_rewards(rewards)
        self._way = make_way(decisions, game_rules, layout, max_turns, weapon_rules, profile)
        self._start(load_all(scenario, self._way))

    def _start(self, settings: list[Playable]) -> None:
        """Take settings and an empty row."""
        self.playables = settings
        self.layout = self._way.layout
        self._action_count = self.layout.action_count
        self.games: Games = new_games(1, self.layout.units_per_side, self.layout.objectives)
        self._summary: NDArray[np.int64] = self.games[0].summary
        self.earnings = self._open_account()
        self._use(0)

    def _open_account(self) -> Earnings | None:
        """Where the terms of each step are counted; None where only the result is paid."""
        if self.rewards is None:
            return None
        return Earnings(self.rewards, self.layout.units_per_side, self.layout.objectives)

    @property
    def profile(self) -> ProfileOptions | None:
        """Options of the offensive profile in macro observations."""
        return self._way.profile

    @property
    def settings(self) -> list[Setting]:
        """The settings that a reset draws from."""
        return [playable.setting for playable in self.playables]

    @property
    def fingerprints(self) -> list[bytes]:
        """What the snapshots of each of the settings begin with."""
        return [playable.fingerprint for playable in self.playables]

    def _use(self, index: int) -> None:
        """Play on one of the settings."""
        self.setting_index = index
        self.setting = self.playables[index].setting
        self._worlds, self._board = self.setting.worlds, self.setting.board
        self._macro = self.playables[index].macro

    # --- play ----------------------------------------------------------------------------------------------

    def reset(self, random: np.random.Generator, game_seed: int | None = None) -> None:
        """Begin a new game: draw a setting if there are several, then the game's seed if none is given.

        Raises ContentError, and leaves the running game, for a ``game_seed`` that is not from 0 to 2**63 - 1.
        """
        game_seed = game_seed_or_none(game_seed)
        if not isinstance(random, np.random.Generator):
            raise ContentError("argument", "random", "a numpy Generator", brief(random))
        self._unfinished = True
        if len(self.playables) > 1:
            self._use(int(random.integers(len(self.playables))))
        self.games.view(np.uint8).fill(0)  # nothing of the last game, not even its old events
        self.games[0].seed = np.uint64(random.integers(2**63) if game_seed is None else game_seed)
        if self._call(engine.START) != engine.ACCEPTED:
            raise DeploymentError(
                f"{self.setting.scenario.name}: expected a free hex in the deployment zone for every unit, "
                "got a zone with fewer hexes than units"
            )
        if self.earnings is not None:
            self.earnings.begin(self.games)
        self._unfinished = False

    def step(self, action: int) -> None:
        """Apply an action of the acting player; ActionError, and an unchanged game, where it is refused.

        ``action`` is a plain int (``operator.index`` makes one): the compiled rules know no other type.
        """
        self._check(action, self._apply(action))

    def try_step(self, action: int) -> bool:
        """Apply a plain int if it is a legal action; False, and an unchanged game, if it is not."""
        return self._apply(action) == engine.ACCEPTED

    def step_and_view(self, action: int) -> View:
        """``step``, and what the player sees who is to act next."""
        view = self._blank_view()
        self._check(action, self._apply(action, view))
        return view

    def try_step_and_view(self, action: int) -> View | None:
        """``try_step``, and what the player sees who is to act next; None where the action is refused."""
        view = self._blank_view()
        return view if self._apply(action, view) == engine.ACCEPTED else None

    def _apply(self, action: int, view: View = _NO_VIEW) -> int:
        """Apply an action of the space: the compiled rules would take START and LOOK from anyone."""
        if self._unfinished:
            self._check_finished()
        if not 0 <= action < self._action_count:
            return engine.NOT_AN_ACTION
        self._unfinished = True
        answer = self._call(action, NOBODY, view)
        if self.earnings is not None and answer == engine.ACCEPTED:
            self.earnings.count(self._worlds, self._board, self.games)
        self._unfinished = False
        return answer

    def _call(self, action: int, side: int = NOBODY, view: View = _NO_VIEW) -> int:
        """The one door to the compiled rules."""
        answer = step_and_view(self._worlds, self._board, self.games, 0, action, side, *view)
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
        """The error for a refused action: what would be legal, and where the game is."""
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
        """Acting side, over, winner, turn, whose turn, phase, active unit, points (``rules.state.SUMMARY_*``)."""
        if self._unfinished:
            self._check_finished()
        summary: list[int] = self._summary.tolist()
        return summary

    def view(self, side: int) -> View:
        """Fresh observation and mask of a side. Raises W40KError for a side that is not 0 or 1."""
        if not isinstance(side, int | np.integer) or side not in (0, 1):
            raise W40KError(f"side: expected 0 or 1, got {brief(side)}")
        self._check_finished()
        view = self._blank_view()
        self._call(LOOK, side, view)
        return view

    def macro_observation(self, *, extras: bool = False) -> MacroObservation:
        """Return the macro observation as a dictionary, with this session's options of the profile."""
        from ..observe.macro.observation import macro_observation

        self._check_finished()
        return macro_observation(self.setting, self.games, options=self.profile, extras=extras)

    @property
    def macro_writers(self) -> list[MacroWriter | None]:
        """Who writes the macro blocks of each of the settings; nobody without them in the layout."""
        return [playable.macro for playable in self.playables]

    def mask(self) -> NDArray[np.int8]:
        """Fresh mask of the acting side, shape ``(layout.action_count,)``."""
        self._check_finished()
        mask = np.empty(self._action_count, dtype=np.int8)
        engine.legal_mask(self._worlds, self.games, 0, mask)
        return mask

    def legal_actions(self) -> list[int]:
        """Legal actions of the acting player, ascending."""
        return [int(action) for action in np.flatnonzero(self.mask())]

    @property
    def _game(self) -> Game:
        self._check_finished()
        return self.games[0]

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        self._check_finished()
        return bool(self._summary[1])

    @property
    def acting_side(self) -> int:
        """0 or 1: whose unit is to act."""
        self._check_finished()
        return int(self._summary[0])

    @property
    def active_unit(self) -> str | None:
        """Id of the unit whose activation is open."""
        number = int(self._game.active)
        return None if number == NOBODY else self.id_of(number)

    @property
    def active_type(self) -> str | None:
        """Name of the type of the active unit."""
        number = int(self._game.active)
        unit = None if number == NOBODY else self.setting.units[number]
        return None if unit is None else unit.type.name

    def pool(self) -> list[str]:
        """Ids of the units that may be activated now, in roster order; empty while an activation is open."""
        game = self._game
        if game.over or game.active != NOBODY:
            return []
        members, base = np.uint64(eligible(game)), acting_side(game) * self.layout.units_per_side
        return [self.id_of(base + slot) for slot in range(self.layout.units_per_side) if has(members, slot)]

    def id_of(self, number: int) -> str:
        """Id of a unit number; IndexError of an empty slot."""
        unit = self.setting.units[number]
        if unit is None:
            raise IndexError(f"unit number: expected a unit of {self.setting.scenario.name}, got {number}")
        return unit.id

    def slot_of(self, unit_id: str) -> int:
        """Roster slot of a unit, which is also its select action; KeyError of an unknown id."""
        return self.setting.number_of[unit_id] % self.layout.units_per_side

    def where(self) -> str:
        """Turn, phase, acting player and active unit, for messages."""
        game = self._game
        unit = f", unit {self.active_unit}" if self.active_unit is not None else ""
        player = acting_side(game) + 1
        return f"turn {game.turn}, phase {PHASES[int(game.phase)]}, player {player} to act{unit}"

    def events(self) -> list[Event]:
        """What happened in the last step, in order: ``{"event": name, field: value, ...}``.

        Fields are those of ``rules.events.FIELDS``; units, weapons, objectives and phases by name, hexes as
        ``(column, row)``.
        """
        game = self._game
        return [describe_event(self.setting, row.tolist()) for row in game.events[: int(game.event_count)]]

    # --- copies --------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The game at this moment, for any session that plays the same scenario by the same rules."""
        self._check_finished()
        return self.playables[self.setting_index].fingerprint + self.games.tobytes()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot.

        Raises ContentError, and leaves the running game, where it is not of this layout or of these scenarios, or where
        its record is no state of a game.
        """
        index, games = read_snapshot(snapshot, self.playables, self.games.dtype)
        self._unfinished = True
        self._use(index)
        put(games, self.games)
        if self.earnings is not None:
            self.earnings.begin(self.games)
        self._unfinished = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same game again; settings, which never change, are shared."""
        self._check_finished()
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy._way, copy.rewards = self._way, self.rewards
        copy._start(self.playables)
        copy._use(self.setting_index)
        put(self.games, copy.games)
        if self.earnings is not None and copy.earnings is not None:
            copy.earnings.resume(copy.games, self.earnings.amounts)
        return copy

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: scenarios and rules, from which the arrays are made again, and the row."""
        self._check_finished()
        return {
            "way": self._way,
            "scenarios": [setting.scenario for setting in self.settings],
            "fingerprints": self.fingerprints,
            "setting_index": self.setting_index,
            "row": self.games.tobytes(),
            "rewards": self.rewards,
            "amounts": None if self.earnings is None else self.earnings.amounts,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make everything again, with arrays of the very types that the rules are compiled for.

        Raises ContentError where scenarios, rules or the record are not as they were when the pickle was made.
        """
        made = object.__new__(type(self))
        with unpickling():
            made._take(state)
        vars(self).update(vars(made))

    def _take(self, state: dict[str, Any]) -> None:
        """``__setstate__`` of a session that nobody has."""
        self._way, self.rewards = state["way"], state["rewards"]
        self._start([playable(scenario, self._way) for scenario in state["scenarios"]])
        if self.fingerprints != state["fingerprints"]:
            raise ContentError("pickle", "scenarios", "the scenarios and rules of the pickled session", "others")
        self._use(state["setting_index"])
        if len(state["row"]) != self.games.nbytes:
            raise ContentError("pickle", "row", f"{self.games.nbytes} bytes", f"{len(state['row'])} bytes")
        if any(state["row"]):  # a session that no game has begun in has none
            games = games_of(state["row"], self.games.dtype)
            check_game(self.setting, games, file="pickle")
            put(games, self.games)
        if self.earnings is not None:
            self.earnings.resume(self.games, state["amounts"])
