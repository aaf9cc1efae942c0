"""The choice of a unit's best target kind and attack mode,
compiled: one function for Python and for batches.

A weapon table holds the weighted scores of a unit's weapons, a status the current state that the
options of the profile use (``unit_status.py``). The base profile uses no status.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compiler.decorators import compiled, entry_point
from ...rules.state import MAX_WEAPONS, MELEE, RANGED

TARGET_KINDS = 3  # swarm, troop, elite

WeaponTable: TypeAlias = Any
"""One record of ``WEAPON_TABLE``; fields are attributes."""

WeaponTables: TypeAlias = NDArray[Any]
"""Array of weapon tables, one for each unit."""

Status: TypeAlias = NDArray[np.int64]
"""The current state of a unit, shape ``(STATUS_FIELDS,)``; the columns are named below."""

WEAPON_TABLE = np.dtype(
    (
        np.record,
        np.dtype(
            [
                ("scores", np.float64, (2, MAX_WEAPONS, TARGET_KINDS)),  # by kind of weapon, slot, target
                ("near_bonus", np.float64, (MAX_WEAPONS, TARGET_KINDS)),  # RAPID_FIRE and MELTA, within half range
                ("count", np.int64, 2),  # weapons by kind
                ("range", np.int64, MAX_WEAPONS),
                ("assault", np.int64, MAX_WEAPONS),
                ("pistol", np.int64, MAX_WEAPONS),
            ],
            align=True,
        ),
    )
)

# columns of status
(
    SHOT_DISTANCE,  # hexes to the nearest enemy in sight from where the unit stands, or NO_SHOT
    SHOT_DISTANCE_AFTER_MOVE,  # the same from any hex that it can still move to, its own included
    CAN_CHARGE,  # 1 if an enemy touches it or is within a charge
    HAS_ADVANCED,
    IN_CONTACT,
    SELECTABLE_RANGED,  # slots of ranged weapons that it could fire now, as bits
    CAN_STRIKE,  # 1 if it could fight now: in contact and has not fought
) = range(7)
STATUS_FIELDS = 7
NO_SHOT = 1 << 20

# columns of flags: the options of a profile as numbers
BEST_WEAPONS, REAL_RANGE, WEAPON_RULES, SELECTABLE_ONLY = range(4)

# columns of a profile
BEST_RANGED, BEST_MELEE, RANGED_TARGET, MELEE_TARGET, RATIO = range(5)
PROFILE = 5
NO_TARGET = -1
EVEN = 0.5  # the ratio of a unit that cannot attack at all, with an option on


@compiled
def write_profile_of(table: WeaponTable, status: Status, flags: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """Write best scores, their targets (NO_TARGET without a score above 0) and the ratio, shape
    ``(PROFILE,)``.
    """
    for kind in range(2):
        slots = _slots_that_count(table, status, flags, kind)
        best, best_target = 0.0, NO_TARGET
        for target in range(TARGET_KINDS):
            score = _mean_of_best(table, status, flags, kind, slots, target)
            if score > best:  # of equal scores the first: swarm, troop, elite
                best, best_target = score, target
        out[BEST_RANGED + kind] = best
        out[RANGED_TARGET + kind] = best_target
    total = out[BEST_MELEE] + out[BEST_RANGED]
    out[RATIO] = out[BEST_MELEE] / total if total > 0 else EVEN


@entry_point
def write_profile(tables: WeaponTables, status: Status, flags: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """Call ``write_profile_of`` with the first of some weapon tables."""
    write_profile_of(tables[0], status, flags, out)


@compiled
def _slots_that_count(table: WeaponTable, status: Status, flags: NDArray[np.int64], kind: int) -> int:
    """Return the slots of the weapons that the options admit, as bits."""
    if kind == MELEE:
        barred = (flags[REAL_RANGE] and not status[CAN_CHARGE]) or (flags[SELECTABLE_ONLY] and not status[CAN_STRIKE])
        return 0 if barred else (1 << int(table.count[MELEE])) - 1
    slots = 0
    for slot in range(table.count[RANGED]):
        if _shot_counts(table, status, flags, slot):
            slots |= 1 << slot
    return slots


@compiled
def _shot_counts(table: WeaponTable, status: Status, flags: NDArray[np.int64], slot: int) -> bool:
    if flags[REAL_RANGE] and status[SHOT_DISTANCE_AFTER_MOVE] > table.range[slot]:
        return False
    if flags[WEAPON_RULES]:
        if status[HAS_ADVANCED] and not table.assault[slot]:
            return False
        if status[IN_CONTACT] and not table.pistol[slot]:
            return False
    return not flags[SELECTABLE_ONLY] or (int(status[SELECTABLE_RANGED]) >> slot) & 1 == 1


@compiled
def _mean_of_best(
    table: WeaponTable, status: Status, flags: NDArray[np.int64], kind: int, slots: int, target: int
) -> float:
    """Return the mean score of the best weapons against a target kind, at most
    ``flags[BEST_WEAPONS]`` of them.
    """
    total, taken = 0.0, 0
    while slots and taken < flags[BEST_WEAPONS]:
        best, best_score = -1, 0.0
        for slot in range(table.count[kind]):
            if (slots >> slot) & 1:
                score = _score(table, status, flags, kind, slot, target)
                if best < 0 or score > best_score:
                    best, best_score = slot, score
        total += best_score
        taken += 1
        slots &= ~(1 << best)
    return total / taken if taken > 0 else 0.0


@compiled
def _score(table: WeaponTable, status: Status, flags: NDArray[np.int64], kind: int, slot: int, target: int) -> float:
    """Return the weighted score of a weapon; with the option on, plus
    the bonus for an enemy within half range.
    """
    score = table.scores[kind, slot, target]
    if kind == RANGED and flags[WEAPON_RULES]:
        nearest = status[SHOT_DISTANCE_AFTER_MOVE] if flags[REAL_RANGE] else status[SHOT_DISTANCE]
        if 2 * nearest <= table.range[slot]:
            score += table.near_bonus[slot, target]
    return score
