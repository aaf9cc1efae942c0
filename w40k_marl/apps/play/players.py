"""Players of a match that are programs: a meta-controller or a bot. ``human.py`` has the person."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...env.policies import Policy, RandomPolicy
from ...observe.layout import Layout
from ...policy.block_policy import ActionBlock, BlockPolicy, FlatPolicy
from ...policy.bots import make_bot
from ...policy.decision import Decision, carry_out
from ...policy.pve import PvEController
from .match import Match


def reseed(policies: Iterator[Policy], seed: int, number: int) -> None:
    """Seed random players by seed and decision, so that a resumed or
    undone game continues in the same way.
    """
    for stream, policy in enumerate(policies):
        if isinstance(policy, RandomPolicy):
            policy.random = np.random.default_rng([seed, number, stream])


class ControllerPlayer:
    """A side that a meta-controller plays, each unit by the model of its type."""

    def __init__(self, controller: PvEController) -> None:
        """Take a controller whose models are loaded."""
        self.controller = controller
        meta = controller.meta
        models = [f"{unit_type} by {key}" for unit_type, key in meta.model_by_unit_type.items()]
        models += [] if meta.default_model is None else [f"{'others' if models else 'all'} by {meta.default_model}"]
        self.about = f"units chosen by {controller.chosen_by}; {', '.join(models)}"

    def step(self, match: Match) -> Decision | None:
        """Take one decision; the controller checks and logs it."""
        return self.controller.step(match.env)

    def begin_decision(self, seed: int, number: int) -> None:
        """Seed the models that are random bots."""
        reseed((policy.policy for policy in self._policies()), seed, number)

    def _policies(self) -> Iterator[BlockPolicy]:
        yield self.controller.super_agent
        yield from self.controller.registry.values()


class BotPlayer:
    """A side that one bot plays: ``random``, ``greedy`` or
    ``first``, as macro and as micro policy.
    """

    def __init__(self, name: str, layout: Layout) -> None:
        """Make the bot for a layout."""
        self.name = name
        self.about = f"the bot {name}"
        self._macro, self._micro = self._checked(name, "macro", layout), self._checked(name, "micro", layout)
        self._policy = FlatPolicy(layout, self._macro, self._micro)

    @staticmethod
    def _checked(name: str, kind: ActionBlock, layout: Layout) -> BlockPolicy:
        return BlockPolicy(name, f"the bot {name}", kind, layout, make_bot(name, kind, layout))

    def step(self, match: Match) -> Decision | None:
        """Take one decision."""
        session = match.session
        observation, mask = session.view(session.acting_side)
        action = int(self._policy(observation[None], mask[None])[0])
        return carry_out(match.env, session, action, self.name, self.name)

    def begin_decision(self, seed: int, number: int) -> None:
        """Seed the random bot."""
        reseed((policy.policy for policy in (self._macro, self._micro)), seed, number)
