"""The choice of a unit's best target kind and attack mode, compiled: one function for Python and for whole batches.

An armoury holds the weighted scores of a unit's weapons; facts hold what the options of the profile ask about the
moment (``situation.py``). The base profile asks nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from ..rules.state import MAX_WEAPONS, MELEE, RANGED

TARGET_KINDS = 3  # swarm, troop, elite

Armoury: TypeAlias = Any
"""One record of ``ARMOURY``; fields are attributes."""

Armouries: TypeAlias = NDArray[Any]
"""Array of armouries, a row for each unit."""

Facts: TypeAlias = NDArray[np.int64]
"""What is true of a unit now, shape ``(FACTS,)``; the columns are named below."""

ARMOURY = np.dtype(
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

# columns of facts
(
    SHOT_DISTANCE,  # hexes to the nearest enemy in sight from where the unit stands, or NO_SHOT
    SHOT_DISTANCE_AFTER_MOVE,  # the same from any hex that it can still move to, its own included
    CAN_CHARGE,  # 1 if an enemy touches it or is within a charge
    HAS_ADVANCED,
    IN_CONTACT,
    SELECTABLE_RANGED,  # slots of ranged weapons that it could fire now, as bits
    CAN_STRIKE,  # 1 if it could fight now: in contact and has not fought
) = range(7)
FACTS = 7
NO_SHOT = 1 << 20

# columns of choices: the options of a profile as numbers
BEST_WEAPONS, REAL_RANGE, WEAPON_RULES, SELECTABLE_ONLY = range(4)

# columns of a profile
BEST_RANGED, BEST_MELEE, RANGED_TARGET, MELEE_TARGET, RATIO = range(5)
PROFILE = 5
NO_TARGET = -1
EVEN = 0.5  # the ratio of a unit that cannot attack at all, with an option on


@compiled
def profile_of(armoury: Armoury, facts: Facts, choices: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """Write best scores, their targets (NO_TARGET where there is none) and the ratio, shape ``(PROFILE,)``."""
    for kind in range(2):
        slots = _slots_that_count(armoury, facts, choices, kind)
        best, best_target = 0.0, NO_TARGET
        for target in range(TARGET_KINDS):
            score = _mean_of_best(armoury, facts, choices, kind, slots, target)
            if score > best:  # of equal scores the first: swarm, troop, elite
                best, best_target = score, target
        out[BEST_RANGED + kind] = best
        out[RANGED_TARGET + kind] = best_target
    total = out[BEST_MELEE] + out[BEST_RANGED]
    out[RATIO] = out[BEST_MELEE] / total if total > 0 else EVEN


@entry_point
def write_profile(armouries: Armouries, facts: Facts, choices: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """``profile_of`` the first of some armouries."""
    profile_of(armouries[0], facts, choices, out)


@compiled
def _slots_that_count(armoury: Armoury, facts: Facts, choices: NDArray[np.int64], kind: int) -> int:
    """The slots whose scores count, as bits."""
    if kind == MELEE:
        barred = (choices[REAL_RANGE] and not facts[CAN_CHARGE]) or (choices[SELECTABLE_ONLY] and not facts[CAN_STRIKE])
        return 0 if barred else (1 << int(armoury.count[MELEE])) - 1
    slots = 0
    for slot in range(armoury.count[RANGED]):
        if _shot_counts(armoury, facts, choices, slot):
            slots |= 1 << slot
    return slots


@compiled
def _shot_counts(armoury: Armoury, facts: Facts, choices: NDArray[np.int64], slot: int) -> bool:
    if choices[REAL_RANGE] and facts[SHOT_DISTANCE_AFTER_MOVE] > armoury.range[slot]:
        return False
    if choices[WEAPON_RULES]:
        if facts[HAS_ADVANCED] and not armoury.assault[slot]:
            return False
        if facts[IN_CONTACT] and not armoury.pistol[slot]:
            return False
    return not choices[SELECTABLE_ONLY] or (int(facts[SELECTABLE_RANGED]) >> slot) & 1 == 1


@compiled
def _mean_of_best(
    armoury: Armoury, facts: Facts, choices: NDArray[np.int64], kind: int, slots: int, target: int
) -> float:
    """Mean score of the best weapons against a target kind: as many as chosen, or all if there are fewer."""
    total, taken = 0.0, 0
    while slots and taken < choices[BEST_WEAPONS]:
        best, best_score = -1, 0.0
        for slot in range(armoury.count[kind]):
            if (slots >> slot) & 1:
                score = _score(armoury, facts, choices, kind, slot, target)
                if best < 0 or score > best_score:
                    best, best_score = slot, score
        total += best_score
        taken += 1
        slots &= ~(1 << best)
    return total / taken if taken > 0 else 0.0


@compiled
def _score(armoury: Armoury, facts: Facts, choices: NDArray[np.int64], kind: int, slot: int, target: int) -> float:
    """Weighted score of a weapon; the bonus of an enemy within half range counts with the option on."""
    score = armoury.scores[kind, slot, target]
    if kind == RANGED and choices[WEAPON_RULES]:
        nearest = facts[SHOT_DISTANCE_AFTER_MOVE] if choices[REAL_RANGE] else facts[SHOT_DISTANCE]
        if 2 * nearest <= armoury.range[slot]:
            score += armoury.near_bonus[slot, target]
    return score
