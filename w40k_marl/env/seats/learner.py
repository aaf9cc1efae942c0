"""Selects the decisions of the learner: those of a side, of one
block or both, of some unit types or all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...content.types import UnitType
from ...content.world import Setting
from ...errors import ContentError, W40KError, brief, did_you_mean
from ...observe.action_blocks import ActionBlock, block_actions, is_micro
from ...observe.layout import Layout
from ...reward.config import RewardsConfig, RewardsOption
from ...reward.terms import TERM_COUNT
from ...reward.weights import micro_weights
from ..batch import BatchEnv
from ..kernels import MOST_GAMES_WITHOUT_A_DECISION
from ..session import Session

BY_UNIT_TYPE = "unit_types"
"""``rewards``: each decision is weighed by the agent of the acting unit's type."""

RESULT = "result"
"""``rewards``: pays the result alone, like None."""

_COUNTED = RewardsConfig({})  # the game counts the terms without paying; seats weigh them


def split_rewards(rewards: RewardsOption) -> tuple[bool, RewardsOption]:
    """Return True if decisions are weighed by unit type, and the
    option ``rewards`` of the game itself.
    """
    if isinstance(rewards, str) and rewards in (BY_UNIT_TYPE, RESULT):
        return (True, _COUNTED) if rewards == BY_UNIT_TYPE else (False, None)
    return False, rewards


def check_side(seat: object) -> int:
    """Return the side, 0 or 1, of seat 1 or 2. Raises ContentError for any other ``seat``."""
    if isinstance(seat, bool) or not isinstance(seat, int | np.integer) or seat not in (1, 2):
        raise ContentError("argument", "seat", "1 or 2", brief(seat))
    return int(seat) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """The decisions that the learner makes, in one game or in the rows of a batch."""

    layout: Layout
    side: int  # 0 or 1
    kind: ActionBlock | None = None  # None: both
    unit_types: tuple[str, ...] = ()  # empty: all
    own_types: NDArray[np.bool_] = field(default_factory=lambda: np.ones(1, dtype=np.bool_))
    """By number of ``type_names``: True if its decisions are the
    learner's; the last entry is for -1, no unit.
    """
    type_names: tuple[str, ...] = ()  # by number: those of the batch, in one game the learner's
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2, TERM_COUNT)))
    """By number of ``type_names``: the weights that pay its
    decisions; empty: those of the game pay all.
    """

    def of_unit_types(
        self, unit_types: object, settings: Sequence[Setting], type_names: Sequence[str] = (), *, weighed: bool
    ) -> Learner:
        """Return the learner of the decisions of some unit types alone; ``weighed`` by the rewards
        of their agents.

        ``type_names`` are those of the batch. Raises ContentError under the conditions of
        ``find_unit_types``, and if ``weighed`` is True and the agent of a type has no
        ``rewards.json``.
        """
        types = find_unit_types(unit_types, settings, self.side)
        names = tuple(type_names or types)
        own = np.array([name in types for name in (*names, "")])
        weights = np.zeros((len(own) if weighed else 0, 2, TERM_COUNT))
        if weighed:
            weights[own] = micro_weights(types[name] for name in names if name in types)
        return replace(self, unit_types=tuple(types), own_types=own, type_names=names, weights=weights)

    def flat_actions(self) -> NDArray[np.int64]:
        """Return the flat action of each of the learner's actions, ascending."""
        return np.arange(self.layout.action_count) if self.kind is None else block_actions(self.layout, self.kind)

    def decides(self, session: Session) -> bool:
        """Return True if the next decision of a game is the learner's."""
        if session.acting_side != self.side:
            return False
        if self.kind is None:
            return True
        micro = bool(is_micro(self.layout, session.mask()[None])[0])
        return micro == (self.kind == "micro") and (not self.unit_types or session.active_type in self.unit_types)

    def decides_rows(self, batch: BatchEnv, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return, for some rows of a batch, (k,), True if the next
        decision is the learner's, bool (k,).
        """
        own: NDArray[np.bool_] = batch.acting_sides[rows] == self.side
        if self.kind is not None:
            own &= is_micro(self.layout, batch.action_masks[rows]) == (self.kind == "micro")
        if self.unit_types:
            own &= self.own_types[batch.unit_types[rows]]
        return own

    def check_games(self, games: int) -> None:
        """Raise W40KError if ``games`` games in a row, without a
        decision of the learner, exceed the limit.
        """
        if games > MOST_GAMES_WITHOUT_A_DECISION:
            whose = f" of {', '.join(self.unit_types)}" if self.unit_types else ""
            raise W40KError(
                f"seat {self.side + 1}: expected a decision{whose} within {MOST_GAMES_WITHOUT_A_DECISION} games, "
                "got none: this player has no unit that could act in the scenario"
            )


def find_unit_types(unit_types: object, settings: Sequence[Setting], side: int) -> dict[str, UnitType]:
    """Return the named types of a side's units, in the order of their names; an agent key stands
    for all its types.

    Raises ContentError for a name that no unit of the side has, for a scenario in which the side
    has none of these types, for a type whose agent key differs between scenarios, and if
    ``unit_types`` is not a name or a list of names.
    """
    names = [unit_types] if isinstance(unit_types, str) else unit_types
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str) for name in names):
        expected = "names of unit types, or an agent key"
        raise ContentError("argument", "unit_types", expected, brief(unit_types))
    rosters = [_types_of(setting, side) for setting in settings]
    every = {name: kind for roster in rosters for name, kind in roster.items()}
    keys = {kind.agent_key for kind in every.values()}
    for name in names:
        if name not in every and name not in keys:
            known = [*sorted(every), *sorted(keys)]
            expected = f"unit types of player {side + 1} or their agent keys: {', '.join(known) or 'there are none'}"
            raise ContentError("argument", "unit_types", expected, f'"{name}"', did_you_mean(name, known))
    wanted = {name: kind for name, kind in sorted(every.items()) if name in names or kind.agent_key in names}
    for setting, roster in zip(settings, rosters, strict=True):
        if not wanted.keys() & roster.keys():
            expected = f"a scenario in which player {side + 1} has a unit of {', '.join(wanted)}"
            raise ContentError("argument", "scenario", expected, setting.scenario.name)
        for name in wanted.keys() & roster.keys():
            key, other = wanted[name].agent_key, roster[name].agent_key
            if key != other:
                raise ContentError("argument", "scenario", f"one agent key of {name} in all, {key}", other)
    return wanted


def _types_of(setting: Setting, side: int) -> dict[str, UnitType]:
    return {unit.type.name: unit.type for unit in setting.scenario.units if unit.player == side + 1}
