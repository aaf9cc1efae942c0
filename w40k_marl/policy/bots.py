"""Bots: ``random``, ``first`` (the first legal action) and
``greedy``, which reads observation and mask.

They act on many observations at once; only ``random`` draws numbers, from a seeded generator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..env.policies import Policy, RandomPolicy, check_masks
from ..errors import ContentError, brief
from ..observe.layout import Layout
from ..rules.actions import (
    ADVANCE,
    CHARGE_ACTION,
    FIGHT_ACTION,
    FIRST_TARGET,
    MICRO_ACTIONS,
    MICRO_COUNT,
    TARGET_SLOTS,
    WAIT,
)
from .block_policy import ActionBlock, Actions, FlatPolicy, Masks, Vectors, check_kind, check_layout, check_shapes
from .macro_bots import CHARGE_REACH, GreedyMacro, Scores, best, is_fighter
from .observation_reader import FieldReader

RANDOM, GREEDY, FIRST = "random", "greedy", "first"
BOTS = (RANDOM, GREEDY, FIRST)


def make_bot(name: str, kind: ActionBlock, layout: Layout, seed: int = 0) -> Policy:
    """Return the bot of a name in ``BOTS`` for the micro or the
    macro block; ``seed`` is for ``random``.

    Raises ContentError for another name or kind, or if ``layout`` is not a Layout.
    """
    check_kind(kind)
    check_layout(layout)
    if not isinstance(name, str) or name not in BOTS:
        raise ContentError("argument", "name", f"one of {', '.join(BOTS)}", brief(name))
    if name == RANDOM:
        return RandomPolicy(seed)
    if name == FIRST:
        return first_legal
    return GreedyMicro(layout) if kind == "micro" else GreedyMacro(layout)


def greedy_player(layout: Layout) -> FlatPolicy:
    """Return the greedy bot over the flat action space. Raises
    ContentError if ``layout`` is not a Layout.
    """
    return FlatPolicy(layout, GreedyMacro(layout), GreedyMicro(layout))


def first_legal(observations: Vectors, masks: Masks) -> Actions:
    """Return the first legal action of each mask, (k,); of
    selections the first eligible unit by roster.

    Raises PolicyError unless the masks are an array of shape (k, n).
    """
    check_masks(masks)
    actions: Actions = np.argmax(masks != 0, axis=1).astype(np.int64)
    return actions


class GreedyMicro:
    """Takes the micro action with the highest immediate score.

    An attack scores the VALUE that it is expected to destroy, a little more for a target on an
    objective. A unit moves towards the enemy until it stands on an objective, and charges if it
    deals more damage in melee.
    """

    kind: ActionBlock = "micro"

    def __init__(self, layout: Layout) -> None:
        """Take the layout of the observations. Raises ContentError if it is not a Layout."""
        check_layout(layout)
        self.layout = layout
        self._read = FieldReader(layout)

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """Return actions (k,) of 13 for observations (k, observation_size) and masks (k, 13).

        Raises LayoutMismatchError for observations, PredictionError for masks of another shape.
        """
        check_shapes("GreedyMicro", self.layout, self.kind, observations, masks)
        scores = np.zeros((len(masks), MICRO_COUNT))
        fighter = is_fighter(self._read, observations)
        holding = self._read.active_unit(observations, "on_objective") > 0
        self._score_targets(observations, scores, fighter)
        self._score_moves(scores, holding)
        near = self._read.one(observations, "active_unit", "nearest_enemy") <= CHARGE_REACH
        scores[:, WAIT] = 1.0
        scores[:, ADVANCE] = np.where(holding | (fighter & near), 0.5, 1.5)  # a unit that advances cannot charge
        return best(scores, masks)

    def _score_targets(self, observations: Vectors, scores: Scores, fighter: NDArray[np.bool_]) -> None:
        """Score attacks above all else, except charges of units
        that deal more damage by shooting.
        """
        share = self._read.rows(observations, "targets", "kill_score") * self._read.rows(
            observations, "targets", "hit_points"
        )
        worth = self._read.rows(observations, "targets", "value") * np.where(share > 0, share, 0.0)
        worth = worth + 0.05 * self._read.rows(observations, "targets", "on_objective")
        charging = self._read.one(observations, "global", "phase_charge") > 0
        base = np.where(charging & ~fighter, 0.0, 3.0)
        scores[:, FIRST_TARGET : FIRST_TARGET + TARGET_SLOTS] = base[:, None] + worth
        scores[:, CHARGE_ACTION] = np.where(fighter, 2.0, 0.0)
        scores[:, FIGHT_ACTION] = 2.0

    def _score_moves(self, scores: Scores, holding: NDArray[np.bool_]) -> None:
        """Score moves towards the enemy, except for units on an objective, which stay."""
        scores[:, MICRO_ACTIONS.index("move_aggressive")] = np.where(holding, 0.0, 2.0)
