"""Converts the weights of a ``rewards.json`` to arrays, and counted terms to their payment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..content.types import UnitType
from .config import RewardsConfig, rewards_config
from .terms import TERM_COUNT, TERM_NAMES, Amounts

Weights: TypeAlias = NDArray[np.float64]
"""``(2, TERM_COUNT)``: weights of a player's own amounts, then of the other player's."""

INFO_KEYS = tuple(f"reward/{name}" for name in TERM_NAMES)
"""The keys of the terms in ``infos``."""


def weights_of(config: RewardsConfig | None) -> Weights:
    """Return the array of some weights; shape ``(0, TERM_COUNT)``,
    which disables payment by terms, for None.
    """
    if config is None:
        return np.zeros((0, TERM_COUNT))
    own = np.array([config.terms[name] for name in TERM_NAMES])
    return np.stack([own / 2, -own / 2] if config.zero_sum else [own, np.zeros(TERM_COUNT)])


def micro_weights(types: Iterable[UnitType]) -> NDArray[np.float64]:
    """Return the weights of each unit type's agent,
    ``(types, 2, TERM_COUNT)``, which pay the steps of its units.

    Raises ContentError if a type's ``agent_key`` has no ``rewards.json``.
    """
    tables = [weights_of(rewards_config(each.agent_key)) for each in types]
    return np.array(tables).reshape(len(tables), 2, TERM_COUNT)


def contributions(weights: Weights, amounts: Amounts) -> Amounts:
    """Return the payment of each side for each term, ``(..., 2, TERM_COUNT)`` like the amounts."""
    paid: Amounts = weights[0] * amounts + weights[1] * amounts[..., ::-1, :]
    return paid
