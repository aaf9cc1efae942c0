"""The two kinds of decisions in the flat action space, and the indices of a policy that makes one kind alone.

A *micro* policy sees the 13 micro actions as ``Discrete(13)``; a *macro* policy sees all other blocks of the layout in
their order, closed up. Both see the whole observation vector.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..rules.actions import MICRO_COUNT
from .layout import Layout

Kind: TypeAlias = Literal["micro", "macro"]
Masks: TypeAlias = NDArray[np.int8]
Actions: TypeAlias = NDArray[np.int64]


def block_size(layout: Layout, kind: Kind) -> int:
    """Number of actions of a policy: 13, or all others of the layout."""
    return MICRO_COUNT if kind == "micro" else layout.action_count - MICRO_COUNT


def block_actions(layout: Layout, kind: Kind) -> NDArray[np.int64]:
    """The flat action of each action of a policy, ascending, shape ``(block_size,)``."""
    flat, first = np.arange(layout.action_count), layout.micro_start
    micro = (flat >= first) & (flat < first + MICRO_COUNT)
    return flat[micro if kind == "micro" else ~micro]


def block_masks(layout: Layout, kind: Kind, masks: Masks) -> Masks:
    """The columns of flat masks ``(k, action_count)`` that a policy sees, ``(k, block_size)``."""
    first, behind = layout.micro_start, layout.micro_start + MICRO_COUNT
    if kind == "micro":
        return masks[:, first:behind]
    if behind == masks.shape[1]:
        return masks[:, :first]
    return np.concatenate([masks[:, :first], masks[:, behind:]], axis=1)


def to_flat(layout: Layout, kind: Kind, actions: NDArray[np.integer]) -> Actions:
    """The flat actions of a policy's actions ``(k,)``."""
    own = actions.astype(np.int64)
    if kind == "micro":
        return own + layout.micro_start
    return np.where(own < layout.micro_start, own, own + MICRO_COUNT)


def is_micro(layout: Layout, masks: Masks) -> NDArray[np.bool_]:
    """Whether a micro action is what is to be decided, (k,), by flat masks ``(k, action_count)``."""
    micro: NDArray[np.bool_] = np.asarray(block_masks(layout, "micro", masks).any(axis=1))
    return micro
