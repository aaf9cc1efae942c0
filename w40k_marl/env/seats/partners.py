"""Makes the decisions that are not the learner's, by the
policies of its own side and of the opponent.

``Seat`` is the base of one seat (``single.py``) and of many
(``vector.py``): a learner with its partners.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...observe.action_blocks import ActionBlock, block_masks, is_micro, to_flat
from ...observe.layout import Layout
from ..batch import BatchEnv
from ..interrupted import Interruptible
from ..policies import Policy, RandomPolicy, ask, check_policy
from ..session import Session
from ..snapshots import unpickling
from .learner import Learner, check_side

Role: TypeAlias = Literal["opponent", "micro", "macro"]

_ROLES: dict[ActionBlock | None, tuple[Role, ...]] = {
    None: ("opponent",),
    "macro": ("opponent", "micro"),
    "micro": ("opponent", "micro", "macro"),
}
"""The roles of the policies beside a learner, by the block of its decisions."""


class Partners:
    """The policies that play beside a learner; None plays at random."""

    def __init__(self, layout: Layout, side: int, kind: ActionBlock | None) -> None:
        """Set all policies to random play; ``side`` and ``kind`` are the learner's."""
        self.layout = layout
        self.side = side
        self.policies: dict[Role, Policy | None] = dict.fromkeys(_ROLES[kind])
        self._random_opponent = RandomPolicy(0)
        self._random_own = RandomPolicy(0)

    def put(self, role: Role, policy: Policy | None) -> None:
        """Set the policy of a role. Raises ContentError for a policy
        of another block, seat or layout.
        """
        if role == "opponent":
            check_policy(role, policy, None, 1 - self.side, self.layout)
        else:
            check_policy(role, policy, role, self.side, self.layout)
        self.policies[role] = policy

    def seed(self, random: np.random.Generator) -> None:
        """Seed the random players that ``choose`` uses."""
        for player in (self._random_opponent, self._random_own)[: len(self.policies)]:
            player.random = np.random.default_rng(int(random.integers(2**63)))

    def choose(self, session: Session) -> int:
        """Return the flat action of a decision that is not the learner's."""
        side = session.acting_side
        observation, mask = session.view(side)
        masks = mask[None]
        role: Role = "opponent" if side != self.side else "micro" if is_micro(self.layout, masks)[0] else "macro"
        policy = self.policies[role]
        if policy is None:
            policy = self._random_opponent if role == "opponent" else self._random_own
        return int(self._ask(policy, role, observation[None], masks, lambda: np.array([session.active_type or ""]))[0])

    def choose_rows(self, batch: BatchEnv, rows: NDArray[np.intp], actions: NDArray[np.int64]) -> None:
        """Write flat actions of rows, (k,), whose decisions are not the learner's, into
        ``actions``, (n,).
        """
        if len(self.policies) == 1:
            self._choose_role(batch, "opponent", rows, actions)
            return
        own = batch.acting_sides[rows] == self.side
        self._choose_role(batch, "opponent", rows[~own], actions)
        delegated = rows[own]
        if len(delegated) > 0:
            micro = is_micro(self.layout, batch.action_masks[delegated])
            self._choose_role(batch, "micro", delegated[micro], actions)
            self._choose_role(batch, "macro", delegated[~micro], actions)

    def _choose_role(self, batch: BatchEnv, role: Role, rows: NDArray[np.intp], actions: NDArray[np.int64]) -> None:
        if len(rows) == 0:
            return
        policy = self.policies[role]
        if policy is None:
            batch.random_actions(actions, rows)
            return
        observations, masks = batch.observations[rows], batch.action_masks[rows]
        actions[rows] = self._ask(policy, role, observations, masks, lambda: batch.type_names(rows))

    def _ask(
        self,
        policy: Policy,
        role: Role,
        observations: NDArray[np.float32],
        masks: NDArray[np.int8],
        unit_types: Callable[[], NDArray[np.str_]],
    ) -> NDArray[np.int64]:
        """Return flat actions, (k,), for flat masks; a policy of one
        block gets the mask of its block.
        """
        if role == "opponent":
            return ask(policy, observations, masks, unit_types)
        chosen = ask(policy, observations, block_masks(self.layout, role, masks), unit_types)
        return to_flat(self.layout, role, chosen)


def partner(role: Role, who: str) -> property:
    """Return a property of a seat that holds the policy of a role and checks it when it is set."""
    return property(
        lambda seat: seat.partners.policies[role],
        lambda seat, policy: seat.partners.put(role, policy),
        doc=f"{who}; None is a random player. May be set at any time.",
    )


class Seat(Interruptible):
    """A learner and its partners: the common base of single seats and vectors of seats."""

    kind: ActionBlock | None = None
    """Block of the learner's decisions; None: both."""
    learner: Learner
    partners: Partners
    opponent = partner("opponent", "The policy of the other side")

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of a pickle. Raises ContentError if its seat is not 1 or 2."""
        with unpickling():
            vars(self).update(state)
            check_side(self.side + 1)

    @property
    def side(self) -> int:
        """The learner's side, 0 or 1."""
        return self.learner.side

    @property
    def unit_types(self) -> tuple[str, ...]:
        """The unit types whose decisions are the learner's; empty if all are."""
        return self.learner.unit_types
