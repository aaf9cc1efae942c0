"""Players by rule: uniformly at random, the first legal action, and a greedy one that reads observation and mask.

Each works on many observations at once and without dice, but for the random one, which is seeded.
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
from .block_policy import Actions, FlatPolicy, Kind, Masks, Vectors, check_kind, check_layout, check_shapes
from .macro_bots import CHARGE_REACH, GreedyMacro, Scores, best, is_fighter
from .observation_reader import FieldReader

RANDOM, GREEDY, FIRST = "random", "greedy", "first"
BOTS = (RANDOM, GREEDY, FIRST)


def make_bot(name: str, kind: Kind, layout: Layout, seed: int = 0) -> Policy:
    """The bot of this name (``BOTS``) for micro or macro actions; ``seed`` matters to ``random`` alone.

    Raises ContentError for another name or kind.
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
    """The greedy bot as a whole player, over the flat action space. Raises ContentError for what is no layout."""
    return FlatPolicy(layout, GreedyMacro(layout), GreedyMicro(layout))


def first_legal(observations: Vectors, masks: Masks) -> Actions:
    """The first legal action of each mask, (k,): of selections, the first eligible unit by roster.

    Raises PolicyError unless the masks are an array of shape (k, n).
    """
    check_masks(masks)
    actions: Actions = np.argmax(masks != 0, axis=1).astype(np.int64)
    return actions


class GreedyMicro:
    """Takes the micro action that promises most at once.

    Targets are worth the VALUE that an attack is expected to destroy, a little more on an objective. All go for the
    enemy until they stand on an objective; who hits harder in melee charges too.
    """

    kind: Kind = "micro"

    def __init__(self, layout: Layout) -> None:
        """Take the layout of the observations. Raises ContentError for what is no layout."""
        check_layout(layout)
        self.layout = layout
        self._read = FieldReader(layout)

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """Actions (k,) of 13 for observations (k, observation_size) and masks (k, 13).

        Raises LayoutMismatchError or PredictionError for those of another layout or block.
        """
        check_shapes("GreedyMicro", self.layout, self.kind, observations, masks)
        scores = np.zeros((len(masks), MICRO_COUNT))
        fighter = is_fighter(self._read, observations)
        holding = self._read.active_unit(observations, "on_objective") > 0
        self._score_targets(observations, scores, fighter)
        self._score_moves(scores, holding)
        near = self._read.one(observations, "active_unit", "nearest_enemy") <= CHARGE_REACH
        scores[:, WAIT] = 1.0
        scores[:, ADVANCE] = np.where(holding | (fighter & near), 0.5, 1.5)  # who advances cannot charge
        return best(scores, masks)

    def _score_targets(self, observations: Vectors, scores: Scores, fighter: NDArray[np.bool_]) -> None:
        """Attacks come before all else, but for charges of units that would rather shoot."""
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
        """Towards the enemy, where the objectives are too; who stands on an objective stays."""
        scores[:, MICRO_ACTIONS.index("move_aggressive")] = np.where(holding, 0.0, 2.0)
