"""Seats of which the learner decides a part: the rest of its own side is delegated to policies.

One mechanism for one game and for many: a decision is the learner's or it is not, by its block of the action space
and by the type of the active unit; what is not goes to the micro or the macro policy of the side, or to the opponent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..observe.action_blocks import ActionBlock, block_masks, is_micro, to_flat
from ..observe.layout import Layout
from .policies import Policy, RandomPolicy, ask, check_policy
from .seat import SeatEnv, SeatVectorEnv


class Delegation:
    """Who makes those decisions of the learner's side that are not the learner's; for both kinds of seats."""

    layout: Layout
    side: int
    kind: ActionBlock | None
    _micro: Policy | None = None
    _macro: Policy | None = None

    @property
    def micro(self) -> Policy | None:
        """Who makes the side's other micro decisions from now on; None is a random player. May be set at any time."""
        return self._micro

    @micro.setter
    def micro(self, policy: Policy | None) -> None:
        check_policy("micro", policy, "micro", self.side, self.layout)
        self._micro = policy

    def _is_the_learners(self, micro: NDArray[np.bool_], unit_types: Any) -> NDArray[np.bool_]:
        """Whether decisions of the side are the learner's, (k,); ``micro`` (k,) tells their kind."""
        return micro if self.kind == "micro" else ~micro


class DelegatingSeat(Delegation, SeatEnv):
    """One game."""

    def __init__(self, *arguments: Any, micro: Policy | None = None, **options: Any) -> None:
        """Sit down as ``SeatEnv`` does."""
        super().__init__(*arguments, **options)
        self._random_delegate = RandomPolicy(0)
        self.micro = micro

    def _seed_random_players(self) -> None:
        super()._seed_random_players()
        self._random_delegate.random = np.random.default_rng(int(self.np_random.integers(2**63)))

    def _decides(self) -> bool:
        if self.session.acting_side != self.side:
            return False
        micro = is_micro(self.layout, self.session.mask()[None])
        return bool(self._is_the_learners(micro, self.session.active_type)[0])

    def _choose(self) -> int:
        if self.session.acting_side != self.side:
            return super()._choose()
        observation, mask = self.session.view(self.side)
        kind: ActionBlock = "micro" if is_micro(self.layout, mask[None])[0] else "macro"
        policy = (self._micro if kind == "micro" else self._macro) or self._random_delegate
        masks = block_masks(self.layout, kind, mask[None])
        chosen = np.asarray(ask(policy, observation[None], masks, self._active_type))
        return int(to_flat(self.layout, kind, chosen)[0])


class DelegatingSeats(Delegation, SeatVectorEnv):
    """Many games."""

    def __init__(self, *arguments: Any, micro: Policy | None = None, **options: Any) -> None:
        """Sit down as ``SeatVectorEnv`` does."""
        super().__init__(*arguments, **options)
        self.micro = micro

    def _not_the_learners(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        batch = self.batch
        own = self._is_the_learners(self._micro_rows(rows), batch.unit_types[rows])
        waiting: NDArray[np.intp] = rows[~(own & (batch.acting_sides[rows] == self.side))]
        return waiting

    def _micro_rows(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether a micro action is what is to be decided in some rows, (k,)."""
        return is_micro(self.layout, self.batch.action_masks[rows])

    def _choose(self, rows: NDArray[np.intp]) -> None:
        own = self.batch.acting_sides[rows] == self.side
        if not own.all():
            super()._choose(rows[~own])
        delegated = rows[own]
        micro = self._micro_rows(delegated)
        self._delegate(self._micro, "micro", delegated[micro])
        self._delegate(self._macro, "macro", delegated[~micro])

    def _delegate(self, policy: Policy | None, kind: ActionBlock, rows: NDArray[np.intp]) -> None:
        """Let a policy of the side choose in some rows."""
        batch = self.batch
        if len(rows) == 0:
            return
        if policy is None:
            batch.random_actions(self._actions, rows)
            return
        masks = block_masks(self.layout, kind, batch.action_masks[rows])
        chosen = np.asarray(ask(policy, batch.observations[rows], masks, lambda: batch.type_names(rows)))
        self._actions[rows] = to_flat(self.layout, kind, chosen)
