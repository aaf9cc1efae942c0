"""Macro bots: they select the unit to activate and, with
``Layout(intents=True)``, intent and detail.

Their actions are the select block, then intents and details; the mask says which are due.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..observe.layout import Layout
from ..rules.intents import FOCUS_KILL, HOLD_OBJECTIVE, INTENT_COUNT, INTENTS, SCREEN, TAKE_OBJECTIVE, TEMPO
from .block_policy import ActionBlock, Actions, Masks, Vectors, check_layout, check_shapes
from .observation_reader import FieldReader

CHARGE_REACH = 12 / 40
"""The longest reach of a charge, in the unit of ``active_unit.nearest_enemy``."""

Scores = NDArray[np.float64]


def best(scores: Scores, masks: Masks) -> Actions:
    """Return the legal action of the highest score, (k,); of equal scores the first."""
    actions: Actions = np.argmax(np.where(masks != 0, scores, -np.inf), axis=1).astype(np.int64)
    return actions


def is_fighter(read: FieldReader, observations: Vectors) -> NDArray[np.bool_]:
    """Return True for each active unit that deals more damage in melee or cannot shoot, (k,)."""
    melee = read.active_unit(observations, "melee_damage")
    ranged = read.active_unit(observations, "ranged_damage")
    fights: NDArray[np.bool_] = (melee > ranged) | (read.active_unit(observations, "range") == 0)
    return fights


class PoolOrder:
    """Selects the first eligible unit by roster, with the intent ``tempo``; needs no super-agent.

    If a detail is due, because another player began the activation, it takes the first legal one.
    """

    kind: ActionBlock = "macro"

    def __init__(self, layout: Layout) -> None:
        """Take the layout of the masks. Raises ContentError if it is not a Layout."""
        check_layout(layout)
        self.layout = layout
        self._tempo = layout.select_size + TEMPO if layout.intents else None

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """Return actions (k,) for observations (k, observation_size)
        and masks of all blocks but micro.

        Raises LayoutMismatchError for observations, PredictionError for masks of another shape.
        """
        check_shapes("PoolOrder", self.layout, self.kind, observations, masks)
        scores = np.zeros(masks.shape)
        if self._tempo is not None:
            scores[:, self._tempo] = 1.0
        return best(scores, masks)


class GreedyMacro:
    """Selects the eligible unit that deals the most damage in the
    phase, and the first intent that fits.

    In the shooting phase ranged damage counts, in all others melee damage. The intents, in order:

    1. ``focus_kill`` of the nearest enemy, for a unit in contact, and for a fighter within reach of
       a charge that stands on no objective;
    2. ``hold_objective``, on an objective: one with own units on it, most of all where the enemy is
       strong too;
    3. ``take_objective``: one that is not controlled, with the fewest enemies, then the fewest own
       units on it;
    4. ``hold_objective``, if all are controlled;
    5. ``focus_kill``;
    6. ``tempo``.

    A base observation does not hold the positions of objectives, so distance to them is not used.
    """

    kind: ActionBlock = "macro"

    def __init__(self, layout: Layout) -> None:
        """Take the layout of the observations. Raises ContentError if it is not a Layout."""
        check_layout(layout)
        self.layout = layout
        self._read = FieldReader(layout)
        self._select = layout.select_size
        self._intents = layout.intents

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """Return actions (k,) for observations (k, observation_size)
        and masks of all blocks but micro.

        Raises LayoutMismatchError for observations, PredictionError for masks of another shape.
        """
        check_shapes("GreedyMacro", self.layout, self.kind, observations, masks)
        read, first = self._read, self._select
        melee = read.rows(observations, "my_units", "melee_damage")
        ranged = read.rows(observations, "my_units", "ranged_damage")
        shooting = read.one(observations, "global", "phase_shoot") > 0
        scores = np.zeros(masks.shape)
        scores[:, :first] = np.where(shooting[:, None], ranged, melee)
        if self._intents and masks[:, first:].any():
            self._score_intents(observations, scores[:, first : first + INTENT_COUNT])
            self._score_details(observations, scores[:, first + INTENT_COUNT :])
        return best(scores, masks)

    def _score_intents(self, observations: Vectors, scores: Scores) -> None:
        """Write a score for each intent."""
        read = self._read
        present = read.rows(observations, "objectives", "present") > 0
        missing = (present & (read.rows(observations, "objectives", "control") < 1)).any(axis=1)
        holding = read.active_unit(observations, "on_objective") > 0
        contact = read.active_unit(observations, "in_contact") > 0
        near = read.one(observations, "active_unit", "nearest_enemy") <= CHARGE_REACH
        attacking = contact | (is_fighter(read, observations) & near & ~holding)
        scores[:, TEMPO] = 1.0
        scores[:, FOCUS_KILL] = np.where(attacking, 6.0, 2.0)
        scores[:, HOLD_OBJECTIVE] = np.where(holding, 5.0, 3.0)
        scores[:, TAKE_OBJECTIVE] = np.where(missing, 4.0, 0.0)

    def _score_details(self, observations: Vectors, scores: Scores) -> None:
        """Write a score for each detail of the chosen intent; the mask excludes empty slots."""
        read = self._read
        control = read.rows(observations, "objectives", "control")
        mine = read.rows(observations, "objectives", "my_strength")
        enemy = read.rows(observations, "objectives", "enemy_strength")
        aims = {
            TAKE_OBJECTIVE: np.where(control < 1, 4.0, 0.0) - 2 * enemy - mine,
            HOLD_OBJECTIVE: np.where(mine > 0, 4.0, 0.0) + np.where(control > 0, 2.0, 0.0) + enemy,
            FOCUS_KILL: -self._distances(observations),
            SCREEN: read.rows(observations, "my_units", "value"),
        }
        for intent, aim in aims.items():
            chosen = read.one(observations, "intent", INTENTS[intent]) > 0
            scores[chosen, : aim.shape[1]] = aim[chosen]

    def _distances(self, observations: Vectors) -> Vectors:
        """Return the distances from the active unit to every enemy
        slot, (k, units), in shares of the board.
        """
        read = self._read
        columns = read.rows(observations, "enemy_units", "column") - read.active_unit(observations, "column")[:, None]
        rows = read.rows(observations, "enemy_units", "row") - read.active_unit(observations, "row")[:, None]
        distances: Vectors = np.hypot(columns, rows)
        return distances
