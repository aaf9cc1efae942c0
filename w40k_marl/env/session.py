"""One game in play: its settings, its row, its seed; what every environment and tool steps."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..content.definitions import GameRules, Scenario
from ..content.game_rules import load_game_rules
from ..content.scenario import load_scenario, scenario_path
from ..content.world import Setting, build_setting
from ..errors import ContentError, DeploymentError, IllegalActionError, NotAnActionError
from ..observe.encode import LOOK, step_and_view, write_features
from ..observe.layout import Layout
from ..reward.earnings import Earnings
from ..reward.weights import RewardsOption, find_rewards
from ..rules import engine
from ..rules.bits import has
from ..rules.state import DECISIONS, NOBODY, PHASES, WEAPON_RULE_SETTINGS, Games, new_games
from ..rules.turn import acting_side, eligible
from .events import Event, describe_event

ScenarioName: TypeAlias = str | Path
Snapshot: TypeAlias = bytes
"""A game at a moment: the fingerprint of its setting, then its row."""

View: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int8]]
"""Observation (layout.observation_size,) and mask (layout.action_count,) of a side."""

_NO_VIEW: View = (np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int8))


class GameOptions(TypedDict, total=False):
    """How games are played: the keyword arguments that every environment hands on to its ``Session``."""

    decisions: str  # "agent" (default), or "reference" for the reference's automatic targets
    game_rules: str | Path | GameRules | None  # a file or its numbers, by default the packaged ones
    layout: Layout | None  # capacities, by default 16 units a side and 8 objectives
    max_turns: int | None  # by default that of the game rules
    weapon_rules: str  # "reference" (default), or "full": all rules of docs/weapon_rules.md act
    rewards: RewardsOption  # an agent, a file or the weights of reward terms; by default the result alone


MOST_TURNS = 1000
_FINGERPRINT = 8  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Playable:
    """A setting and a hash of all that it tells the rules, by which a snapshot finds it again."""

    setting: Setting
    fingerprint: bytes


def _playable(
    scenario: Scenario, rules: GameRules, layout: Layout, decisions: str, max_turns: int | None, weapon_rules: str
) -> _Playable:
    setting = build_setting(
        scenario,
        rules,
        units_per_side=layout.units_per_side,
        objectives=layout.objectives,
        decisions=decisions,
        max_turns=max_turns,
        intents=layout.intents,
        weapon_rules=weapon_rules,
    )
    write_features(setting.worlds)
    setting.worlds.setflags(write=False)
    digest = hashlib.blake2b(setting.worlds.tobytes() + setting.board.tobytes(), digest_size=_FINGERPRINT)
    return _Playable(setting, digest.digest())


@lru_cache(maxsize=64)
def _load(
    scenario: ScenarioName,
    _version: tuple[int, ...],
    rules: GameRules,
    layout: Layout,
    decisions: str,
    max_turns: int | None,
    weapon_rules: str,
) -> _Playable:
    """Build a scenario once for all its games; ``_version`` tells an edited file from the one read before."""
    return _playable(load_scenario(scenario), rules, layout, decisions, max_turns, weapon_rules)


def _version_of(scenario: ScenarioName) -> tuple[int, ...]:
    """What changes when the file of a scenario does; empty where there is no such file."""
    try:
        status = scenario_path(scenario).stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _named(scenario: object) -> list[ScenarioName]:
    """The scenarios of the argument as a list, at least one. Raises ContentError."""
    names = [scenario] if isinstance(scenario, str | Path) else scenario
    expected = "a name, a path, or a list of them"
    if not isinstance(names, Sequence):
        raise ContentError("argument", "scenario", expected, repr(scenario))
    if not names:
        raise ContentError("argument", "scenario", expected, "an empty list")
    for name in names:
        if not isinstance(name, str | Path):
            raise ContentError("argument", "scenario", expected, f"{name!r} in the list")
    return list(names)


def _check_arguments(decisions: object, max_turns: object, weapon_rules: object) -> None:
    choices = (("decisions", DECISIONS, decisions), ("weapon_rules", WEAPON_RULE_SETTINGS, weapon_rules))
    for key, known, got in choices:
        if not isinstance(got, str) or got not in known:
            raise ContentError("argument", key, " or ".join(map(repr, known)), repr(got))
    whole = isinstance(max_turns, int) and not isinstance(max_turns, bool)
    if max_turns is not None and not (whole and 1 <= max_turns <= MOST_TURNS):  # type: ignore[operator]
        raise ContentError("argument", "max_turns", f"None or a whole number from 1 to {MOST_TURNS}", repr(max_turns))


class Session:
    """A game that can be reset, stepped, looked at, copied; the array of one that the rules work on."""

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
    ) -> None:
        """Load every scenario; ContentError where one is missing, wrong or does not fit the layout."""
        names = _named(scenario)
        _check_arguments(decisions, max_turns, weapon_rules)
        rules = game_rules if isinstance(game_rules, GameRules) else load_game_rules(game_rules)
        self.rewards = find_rewards(rewards)
        self.layout = layout or Layout()
        how = (rules, self.layout, decisions, max_turns, weapon_rules)
        self._start([_load(name, _version_of(name), *how) for name in names])

    def _start(self, playable: list[_Playable]) -> None:
        """Take settings and an empty row."""
        self._playable = playable
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
    def settings(self) -> list[Setting]:
        """The settings that a reset draws from."""
        return [playable.setting for playable in self._playable]

    @property
    def fingerprints(self) -> list[bytes]:
        """What the snapshots of each of the settings begin with."""
        return [playable.fingerprint for playable in self._playable]

    def _use(self, index: int) -> None:
        """Play on one of the settings."""
        self.setting_index = index
        self.setting = self._playable[index].setting
        self._worlds, self._board = self.setting.worlds, self.setting.board

    # --- play ----------------------------------------------------------------------------------------------

    def reset(self, random: np.random.Generator, game_seed: int | None = None) -> None:
        """Begin a new game: draw a setting if there are several, then the game's seed if none is given."""
        if len(self._playable) > 1:
            self._use(int(random.integers(len(self._playable))))
        self.games.view(np.uint8).fill(0)  # nothing of the last game, not even its old events
        self.games[0].seed = np.uint64(random.integers(2**63) if game_seed is None else game_seed)
        if self._call(engine.START) != engine.ACCEPTED:
            raise DeploymentError(
                f"{self.setting.scenario.name}: expected a free hex in the deployment zone for every unit, "
                "got a zone with fewer hexes than units"
            )
        if self.earnings is not None:
            self.earnings.begin(self.games)

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
        if not 0 <= action < self._action_count:
            return engine.NOT_AN_ACTION
        answer = self._call(action, NOBODY, view)
        if self.earnings is not None and answer == engine.ACCEPTED:
            self.earnings.count(self._worlds, self._board, self.games)
        return answer

    def _call(self, action: int, side: int = NOBODY, view: View = _NO_VIEW) -> int:
        """The one door to the compiled rules."""
        return step_and_view(self._worlds, self._board, self.games, 0, action, side, *view)

    def _blank_view(self) -> View:
        observation = np.zeros(self.layout.observation_size, dtype=np.float32)
        return observation, np.empty(self._action_count, dtype=np.int8)

    def _check(self, action: int, answer: int) -> None:
        if answer != engine.ACCEPTED:
            raise self.refusal(answer, action)

    def refusal(self, answer: int, action: int) -> IllegalActionError | NotAnActionError:
        """The error for a refused action: what would be legal, and where the game is."""
        if answer == engine.NOT_AN_ACTION:
            return NotAnActionError(f"action: expected a whole number from 0 to {self._action_count - 1}, got {action}")
        if answer == engine.GAME_IS_OVER:
            return IllegalActionError(f"action: expected none, the game is over, got {action}")
        legal = ", ".join(f"{index} {self.layout.describe_action(index)}" for index in self.legal_actions())
        name = self.layout.describe_action(action)
        return IllegalActionError(f"action: expected one of [{legal}], got {action} {name} ({self.where()})")

    # --- looking at the game -------------------------------------------------------------------------------

    def summary(self) -> list[int]:
        """Acting side, over, winner, turn, whose turn, phase, active unit, points (``rules.state.SUMMARY_*``)."""
        summary: list[int] = self._summary.tolist()
        return summary

    def view(self, side: int) -> View:
        """Fresh observation and mask of a side."""
        view = self._blank_view()
        self._call(LOOK, side, view)
        return view

    def mask(self) -> NDArray[np.int8]:
        """Fresh mask of the acting side, shape ``(layout.action_count,)``."""
        mask = np.empty(self._action_count, dtype=np.int8)
        engine.legal_mask(self._worlds, self.games, 0, mask)
        return mask

    def legal_actions(self) -> list[int]:
        """Legal actions of the acting player, ascending."""
        return [int(action) for action in np.flatnonzero(self.mask())]

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return bool(self._summary[1])

    @property
    def acting_side(self) -> int:
        """0 or 1: whose unit is to act."""
        return int(self._summary[0])

    @property
    def active_unit(self) -> str | None:
        """Id of the unit whose activation is open."""
        number = int(self.games[0].active)
        return None if number == NOBODY else self.id_of(number)

    @property
    def active_type(self) -> str | None:
        """Name of the type of the active unit."""
        number = int(self.games[0].active)
        unit = None if number == NOBODY else self.setting.units[number]
        return None if unit is None else unit.type.name

    def pool(self) -> list[str]:
        """Ids of the units that may be activated now, in roster order; empty while an activation is open."""
        game = self.games[0]
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
        game = self.games[0]
        unit = f", unit {self.active_unit}" if self.active_unit is not None else ""
        player = acting_side(game) + 1
        return f"turn {game.turn}, phase {PHASES[int(game.phase)]}, player {player} to act{unit}"

    def events(self) -> list[Event]:
        """What happened in the last step, in order: ``{"event": name, field: value, ...}``.

        Fields are those of ``rules.events.FIELDS``; units, weapons, objectives and phases by name, hexes as
        ``(column, row)``.
        """
        game = self.games[0]
        return [describe_event(self.setting, row.tolist()) for row in game.events[: int(game.event_count)]]

    # --- copies --------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The game at this moment, for any session that plays the same scenario by the same rules."""
        return self._playable[self.setting_index].fingerprint + self.games.tobytes()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; ContentError where it is not of this layout or of these scenarios."""
        size = _FINGERPRINT + self.games.nbytes
        if len(snapshot) != size:
            raise ContentError("snapshot", "size", f"{size} bytes", f"{len(snapshot)} bytes")
        known = self.fingerprints
        if snapshot[:_FINGERPRINT] not in known:
            expected = "a game of a scenario of this session, with the same rules and decisions"
            raise ContentError("snapshot", "scenario", expected, "another")
        self._use(known.index(snapshot[:_FINGERPRINT]))
        self.games[:] = np.frombuffer(snapshot, dtype=self.games.dtype, offset=_FINGERPRINT)
        if self.earnings is not None:
            self.earnings.begin(self.games)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same game again; settings, which never change, are shared."""
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.layout, copy.rewards = self.layout, self.rewards
        copy._start(self._playable)
        copy._use(self.setting_index)
        copy.games[:] = self.games
        if self.earnings is not None and copy.earnings is not None:
            copy.earnings.resume(copy.games, self.earnings.amounts)
        return copy

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: scenarios and rules, from which the arrays are made again, and the row."""
        settings = [
            (
                setting.scenario,
                setting.game_rules,
                DECISIONS[int(world.decisions)],
                int(world.max_turns),
                WEAPON_RULE_SETTINGS[int(world.weapon_rules)],
            )
            for setting in self.settings
            for world in [setting.world]
        ]
        return {
            "layout": self.layout,
            "settings": settings,
            "setting_index": self.setting_index,
            "row": self.games.tobytes(),
            "rewards": self.rewards,
            "amounts": None if self.earnings is None else self.earnings.amounts,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make everything again, with arrays of the very types that the rules are compiled for."""
        self.layout, self.rewards = state["layout"], state["rewards"]
        self._start(
            [
                _playable(scenario, rules, self.layout, decisions, max_turns, weapon_rules)
                for scenario, rules, decisions, max_turns, weapon_rules in state["settings"]
            ]
        )
        self._use(state["setting_index"])
        self.games[:] = np.frombuffer(state["row"], dtype=self.games.dtype)
        if self.earnings is not None:
            self.earnings.resume(self.games, state["amounts"])
