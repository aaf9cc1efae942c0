"""The micro and the macro block of the flat action space, and
the indices of policies over one of them.

A *micro* policy sees the 13 micro actions as ``Discrete(13)``; a *macro* policy sees all other
actions of the layout in their order, without a gap. Both see the whole observation vector.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..rules.actions import MICRO_COUNT
from .layout import Layout

ActionBlock: TypeAlias = Literal["micro", "macro"]
Masks: TypeAlias = NDArray[np.int8]
Actions: TypeAlias = NDArray[np.int64]


def block_size(layout: Layout, block: ActionBlock) -> int:
    """Return the number of actions of a block: 13, or all others of the layout."""
    return MICRO_COUNT if block == "micro" else layout.action_count - MICRO_COUNT


def block_actions(layout: Layout, block: ActionBlock) -> NDArray[np.int64]:
    """Return the flat action of each action of a block, ascending, shape ``(block_size,)``."""
    flat, first = np.arange(layout.action_count), layout.micro_start
    micro = (flat >= first) & (flat < first + MICRO_COUNT)
    return flat[micro if block == "micro" else ~micro]


def block_masks(layout: Layout, block: ActionBlock, masks: Masks) -> Masks:
    """Return the columns of flat masks ``(k, action_count)`` of a block, ``(k, block_size)``."""
    first, behind = layout.micro_start, layout.micro_start + MICRO_COUNT
    if block == "micro":
        return masks[:, first:behind]
    if behind == masks.shape[1]:
        return masks[:, :first]
    return np.concatenate([masks[:, :first], masks[:, behind:]], axis=1)


def to_flat(layout: Layout, block: ActionBlock, actions: NDArray[np.integer]) -> Actions:
    """Return the flat actions of actions ``(k,)`` of a block."""
    own = actions.astype(np.int64)
    if block == "micro":
        return own + layout.micro_start
    return np.where(own < layout.micro_start, own, own + MICRO_COUNT)


def is_micro(layout: Layout, masks: Masks) -> NDArray[np.bool_]:
    """Return True for each flat mask, ``(k, action_count)``, in
    which a micro action is due, (k,).
    """
    micro: NDArray[np.bool_] = np.asarray(block_masks(layout, "micro", masks).any(axis=1))
    return micro
