"""Sets as 64-bit words: bit ``i`` of a word is member ``i`` of the set.

All functions use ``uint64`` throughout, so that compiled code and ordinary Python give equal
results.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..compiler.decorators import compiled

BitSet: TypeAlias = np.uint64
"""A set of at most 64 members: units of a side, or rows of a board column."""

NOTHING = np.uint64(0)
ONE = np.uint64(1)


@compiled
def bit(member: int) -> BitSet:
    """Return the set whose only member is ``member``."""
    return ONE << np.uint64(member)


@compiled
def has(members: BitSet, member: int) -> bool:
    """Return True if ``member`` is in the set."""
    return (members >> np.uint64(member)) & ONE != NOTHING


@compiled
def first(members: BitSet) -> int:
    """Return the lowest member, or -1 if the set is empty."""
    for member in range(64):
        if has(members, member):
            return member
    return -1


@compiled
def count(members: BitSet) -> int:
    """Return the number of members."""
    total = 0
    while members != NOTHING:
        members &= members - ONE
        total += 1
    return total
