"""A unit model's view: the micro actions of some unit types are the learner's, the rest is played by frozen policies.

By default each decision is paid by the weights of the agent that plays the acting unit's type (``rewards.json``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ..content.types import UnitType
from ..content.world import Setting
from ..errors import ContentError, brief, did_you_mean
from ..observe.action_blocks import ActionBlock
from ..reward.config import RewardsConfig, RewardsOption
from ..reward.terms import TERM_COUNT
from ..reward.weights import Weights, contributions, micro_weights
from .delegation import DelegatingSeat, DelegatingSeats, Delegation
from .loading import ScenarioName
from .options import GameKeywords
from .policies import Policy, check_policy

BY_UNIT_TYPE = "unit_types"
"""``rewards``: each decision is weighed by the agent of the acting unit's type."""

RESULT = "result"
"""``rewards``: the result alone, as None."""

_COUNTED = RewardsConfig({})  # terms are counted and weigh nothing: they are weighed here


def find_unit_types(unit_types: object, settings: Sequence[Setting], side: int) -> dict[str, UnitType]:
    """The named types of a side's units, in the order of their names; an agent key stands for all its types.

    Raises ContentError for what no unit of the side has, and for a scenario in which the side has none of them.
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


def _split(rewards: RewardsOption) -> tuple[bool, RewardsOption]:
    """Whether decisions are weighed by unit type, and what the game itself is to pay."""
    if isinstance(rewards, str) and rewards in (BY_UNIT_TYPE, RESULT):
        return (True, _COUNTED) if rewards == BY_UNIT_TYPE else (False, None)
    return False, rewards


class _OfUnitTypes(Delegation):
    """What both views of unit types have."""

    kind: ActionBlock | None = "micro"
    unit_types: tuple[str, ...]

    @property
    def macro(self) -> Policy | None:
        """Who selects units for the side, and chooses intents, from now on; None is a random player."""
        return self._macro

    @macro.setter
    def macro(self, policy: Policy | None) -> None:
        check_policy("macro", policy, "macro", self.side, self.layout)
        self._macro = policy


class MicroEnv(_OfUnitTypes, DelegatingSeat):
    """``SeatEnv`` for a learner that acts with the units of ``unit_types``, once they are selected.

    Action: ``Discrete(13)``, the micro actions. All that happens until the next decision of such a unit, whoever does
    it, is credited to the last one; by default it is weighed by the rewards of the agent of the unit that decided.
    """

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        unit_types: str | Sequence[str],
        seat: int = 1,
        opponent: Policy | None = None,
        macro: Policy | None = None,
        micro: Policy | None = None,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Sit down at ``seat`` for the units of some types, by name, or of all types of an agent key.

        ``macro`` selects the units (and chooses intents), ``micro`` acts with those of the other types; both play at
        random by default. ``rewards`` is "unit_types" by default; "result" or None pays the result alone, all else is
        as in ``SeatEnv``. Raises ContentError for types that the player does not have and for policies of another
        block or seat, and the errors of ``SeatEnv``.
        """
        by_type, options["rewards"] = _split(options.get("rewards", BY_UNIT_TYPE))
        super().__init__(scenario, seat=seat, opponent=opponent, micro=micro, **options)
        self.macro = macro
        types = find_unit_types(unit_types, self.session.settings, self.side)
        self.unit_types = tuple(types)
        self._weights_of = dict(zip(types, micro_weights(types.values()), strict=True)) if by_type else {}
        self._weights: Weights | None = None  # of the unit of the learner's last decision

    def _is_the_learners(self, micro: NDArray[np.bool_], unit_types: Any) -> NDArray[np.bool_]:
        return micro & (unit_types in self.unit_types)

    def _try(self, number: int) -> bool:
        self._weights = self._weights_of.get(self.session.active_type or "")
        return super()._try(number)

    def _collect(self) -> None:
        earnings = self.session.earnings
        if self._weights is None or earnings is None:
            super()._collect()
        else:
            self._earned += contributions(self._weights, earnings.amounts)[self.side]


class MicroVectorEnv(_OfUnitTypes, DelegatingSeats):
    """``SeatVectorEnv`` for learners as that of ``MicroEnv``; ``batch.type_names()`` tells whose decisions they are."""

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        num_envs: int = 64,
        *,
        unit_types: str | Sequence[str],
        seat: int = 1,
        opponent: Policy | None = None,
        macro: Policy | None = None,
        micro: Policy | None = None,
        num_threads: int = 1,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Sit down at ``seat`` of every game; arguments are those of ``SeatVectorEnv`` and ``MicroEnv``."""
        by_type, options["rewards"] = _split(options.get("rewards", BY_UNIT_TYPE))
        super().__init__(
            scenario, num_envs, seat=seat, opponent=opponent, micro=micro, num_threads=num_threads, **options
        )
        self.macro = macro
        types = find_unit_types(unit_types, self.batch.settings, self.side)
        self.unit_types = tuple(types)
        names = [*self.batch.unit_type_names, ""]  # -1, nobody, finds the last entry
        self._is_own = np.array([name in types for name in names])
        self._weights_of = np.zeros((len(names) if by_type else 0, 2, TERM_COUNT))
        if by_type:
            self._weights_of[self._is_own] = micro_weights(types[name] for name in names if name in types)
        self._weights = np.zeros((self.num_envs, 2, TERM_COUNT))  # of the units of the learners' last decisions

    def _is_the_learners(self, micro: NDArray[np.bool_], unit_types: Any) -> NDArray[np.bool_]:
        own: NDArray[np.bool_] = micro & self._is_own[unit_types]
        return own

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Apply the learners' actions and play on to their next decisions."""
        if len(self._weights_of) > 0:
            self._weights[:] = self._weights_of[self.batch.unit_types]
        return super().step(actions)

    def _advance(self, actions: NDArray[np.int64], only: NDArray[np.int64] | None = None) -> None:
        super()._advance(actions, only)
        if len(self._weights_of) > 0:
            rows = self._all_rows if only is None else only
            self.batch.rewards[rows, self.side] = self._paid(rows).sum(axis=1)

    def _paid(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        if len(self._weights_of) == 0:
            return super()._paid(rows)
        weights, amounts = self._weights[rows], self.batch.reward_terms[rows]
        paid: NDArray[np.float64] = weights[:, 0] * amounts[:, self.side] + weights[:, 1] * amounts[:, 1 - self.side]
        return paid
