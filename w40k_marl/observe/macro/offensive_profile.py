"""The offensive profile of a unit: its strength in shooting and
melee, and the best kind of target of each.

Scores are expected damage in one turn by the formula of combat, weighted by target kind, as the
meta-controller document defines them (docs/sources.md; spec 07 A.2). ``ProfileOptions`` holds its
five evolutions, all off by default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...compiler.decorators import entry_point
from ...content.bounds import WeaponCount
from ...content.types import Dice, TargetWeights, UnitType, Weapon
from ...errors import ContentError, brief
from ...rules.combat import expected_damage
from ...rules.state import MAX_WEAPONS, MELEE, RANGED
from .profile_kernel import NO_SHOT, NO_TARGET, PROFILE, STATUS_FIELDS, WEAPON_TABLE, WeaponTables, write_profile

TARGETS = ("swarm", "troop", "elite")
"""The kinds of target, in the order of one-hots and of ties."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reference target; its hit points are not used."""

    toughness: int
    armor_save: int
    invulnerable_save: int  # 0: none


REFERENCE_TARGETS = (Target(3, 6, 0), Target(4, 3, 0), Target(5, 2, 4))
"""Swarm, Troop and Elite of the meta-controller document."""

OneHot = tuple[float, float, float]
Scores = tuple[float, float, float]
"""Against swarm, troop, elite."""


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """The evolutions of the profile, independent of each other;
    docs/macro_observation.md has their formulas.
    """

    dynamic_weights: bool = False  # weights from the mean VALUE of the enemy army, by kind
    best_weapons: WeaponCount = 1  # a mode's score is the mean of so many best weapons
    real_range: bool = False  # only weapons that reach an enemy this turn
    weapon_rules: bool = False  # ASSAULT, PISTOL, RAPID_FIRE and MELTA count
    selectable_only: bool = False  # only weapons that could be selected now

    def __post_init__(self) -> None:
        """Check the fields. Raises ContentError for a value of another type or out of range."""
        count = self.best_weapons
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_WEAPONS:
            raise ContentError("profile", "best_weapons", f"a whole number from 1 to {MAX_WEAPONS}", brief(count))
        for name in ("dynamic_weights", "real_range", "weapon_rules", "selectable_only"):
            if not isinstance(getattr(self, name), bool):
                raise ContentError("profile", name, "True or False", brief(getattr(self, name)))

    @property
    def evolved(self) -> bool:
        """True if any option is on; a unit that cannot attack then
        has the ratio 0.5 and raises no error.
        """
        return self != BASE

    @property
    def needs_status(self) -> bool:
        """True if the profile depends on the state of a game."""
        return self.real_range or self.weapon_rules or self.selectable_only

    @property
    def flags(self) -> NDArray[np.int64]:
        """The options as an array for compiled code, int64 ``(4,)``."""
        return np.array([self.best_weapons, self.real_range, self.weapon_rules, self.selectable_only], dtype=np.int64)


BASE = ProfileOptions()


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """The current state of a unit that the options use; a
    distance is None if no enemy is in sight.
    """

    shot_distance: int | None = None  # hexes to the nearest enemy in sight
    shot_distance_after_move: int | None = None  # the same from any hex it can still move to
    can_charge: bool = False  # an enemy in contact or within a charge of 12 path steps
    has_advanced: bool = False
    in_contact: bool = False
    selectable_ranged: int = 0  # slots of the ranged weapons that could fire now, as bits
    can_strike: bool = False  # in contact, and has not fought

    @classmethod
    def of(cls, status: NDArray[np.int64]) -> UnitStatus:
        """Build the status of a unit from its array, int64 ``(STATUS_FIELDS,)``."""
        here, moved, charge, advanced, contact, slots, strike = status.tolist()
        distances = (None if here == NO_SHOT else here, None if moved == NO_SHOT else moved)
        return cls(*distances, bool(charge), bool(advanced), bool(contact), slots, bool(strike))

    @property
    def as_array(self) -> NDArray[np.int64]:
        """The status as an array for compiled code, int64 ``(STATUS_FIELDS,)``."""
        values = [NO_SHOT if value is None else int(value) for value in astuple(self)]
        return np.array(values, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class OffensiveProfile:
    """Best weighted score of each mode, the target kind of that
    score, and the share of melee in both scores.
    """

    best_ranged_score: float
    best_melee_score: float
    best_ranged_target: str | None  # one of TARGETS; None without a score
    best_melee_target: str | None
    attack_mode_ratio: float

    @property
    def best_ranged_target_onehot(self) -> OneHot:
        """Swarm, troop, elite; zeros if there is no score."""
        return _one_hot(self.best_ranged_target)

    @property
    def best_melee_target_onehot(self) -> OneHot:
        """Swarm, troop, elite; zeros if there is no score."""
        return _one_hot(self.best_melee_target)


def _one_hot(target: str | None) -> OneHot:
    swarm, troop, elite = (float(name == target) for name in TARGETS)
    return swarm, troop, elite


# --- scores ------------------------------------------------------------------------------------------------


@entry_point
def _damage(numbers: NDArray[np.int64]) -> float:
    return expected_damage(
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        numbers[5],
        numbers[6],
        numbers[7],
        numbers[8],
        numbers[9],
    )


def _fixed_and_dice(value: Dice) -> tuple[int, int]:
    return (0, int(value[1:])) if isinstance(value, str) else (value, 0)


@lru_cache(maxsize=4096)
def weapon_damage(weapon: Weapon, target: Target, attacks: Dice | None = None, damage: Dice | None = None) -> float:
    """Return the expected damage of a weapon against a target in one turn; ``attacks`` and
    ``damage`` replace the weapon's.
    """
    number = _fixed_and_dice(weapon.attacks if attacks is None else attacks)
    wounds = _fixed_and_dice(weapon.damage if damage is None else damage)
    numbers = (*number, weapon.hit, weapon.strength, weapon.ap, *wounds, *astuple(target))
    return float(_damage(np.array(numbers, dtype=np.int64)))


@lru_cache(maxsize=4096)
def weapon_scores(weapon: Weapon, weights: TargetWeights) -> Scores:
    """Return the weighted scores of a weapon against swarm, troop and elite. Raises ContentError
    for an invalid weight.
    """
    check_weights(weights)
    swarm, troop, elite = (weapon_damage(weapon, target) for target in REFERENCE_TARGETS)
    return swarm * weights.swarm, troop * weights.troop, elite * weights.elite


@lru_cache(maxsize=4096)
def near_bonus(weapon: Weapon, weights: TargetWeights) -> Scores:
    """Return the weighted bonus of RAPID_FIRE:X (X more attacks) and
    MELTA:X (X more damage) within half range.
    """
    attacks, damage = _parameter(weapon, "RAPID_FIRE"), _parameter(weapon, "MELTA")
    bonus = []
    for target, weight in zip(REFERENCE_TARGETS, astuple(weights), strict=True):
        more = weapon_damage(weapon, target, attacks, None) if attacks else 0.0
        more += weapon_damage(weapon, target, None, damage) if damage else 0.0
        more += weapon_damage(weapon, target, attacks, damage) if attacks and damage else 0.0
        bonus.append(more * weight)
    return bonus[0], bonus[1], bonus[2]


def _parameter(weapon: Weapon, rule: str) -> int:
    """Return the number of a rule such as ``MELTA:2``; 0 if the weapon does not have the rule."""
    return sum(int(text.partition(":")[2] or 0) for text in weapon.rules if text.partition(":")[0] == rule)


def check_weights(weights: TargetWeights) -> None:
    """Raise ContentError unless all three weights are finite numbers from 0."""
    for name in TARGETS:
        value = getattr(weights, name)
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ContentError("game rules", f"macro_target_weights.{name}", "a number from 0", repr(value))


def dynamic_weights(enemies: Sequence[UnitType]) -> TargetWeights:
    """Return the mean VALUE of the enemy's units of each kind, divided by that of its whole army; 0
    for an absent kind.

    The kind of a unit is its tanking level; LeaderElite is Elite.
    """
    total = sum(kind.value for kind in enemies)
    if total == 0:
        return TargetWeights(0.0, 0.0, 0.0)
    of_all = total / len(enemies)
    weights = []
    for name in TARGETS:
        values = [kind.value for kind in enemies if target_kind(kind) == name]
        weights.append(sum(values) / len(values) / of_all if values else 0.0)
    return TargetWeights(*weights)


def target_kind(kind: UnitType) -> str:
    """Return the target kind of a unit type: one of TARGETS."""
    return {"Swarm": "swarm", "Troop": "troop"}.get(kind.tanking_level, "elite")


# --- profiles ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def weapon_table_of(kind: UnitType, weights: TargetWeights) -> WeaponTables:
    """Return the scores of a unit type's weapons, shape ``(1,)``, read-only.

    Raises ContentError for an invalid weight or more than ``MAX_WEAPONS`` weapons of one kind.
    """
    check_weights(weights)
    tables: WeaponTables = np.zeros(1, dtype=WEAPON_TABLE)
    table = tables[0]
    for mode, weapons in ((RANGED, kind.ranged), (MELEE, kind.melee)):
        if len(weapons) > MAX_WEAPONS:
            raise ContentError(kind.name, "weapons of one kind", f"at most {MAX_WEAPONS}", str(len(weapons)))
        table.count[mode] = len(weapons)
        for slot, weapon in enumerate(weapons):
            table.scores[mode, slot] = weapon_scores(weapon, weights)
    for slot, weapon in enumerate(kind.ranged):
        table.near_bonus[slot] = near_bonus(weapon, weights)
        table.range[slot] = weapon.range or 0
        table.assault[slot] = "ASSAULT" in weapon.rules
        table.pistol[slot] = "PISTOL" in weapon.rules
    tables.setflags(write=False)
    return tables


@lru_cache(maxsize=4096)
def offensive_profile(
    kind: UnitType,
    weights: TargetWeights,
    options: ProfileOptions = BASE,
    status: UnitStatus | None = None,
) -> OffensiveProfile:
    """Return the profile of a unit type; ``weights`` are those of the game rules, or
    ``dynamic_weights``.

    ``status`` is required by the options that use the state of a game. Raises ContentError if it is
    missing, if a weight is invalid, or, with all options off, if the best scores of the unit add up
    to 0.
    """
    if status is None and options.needs_status:
        expected = "the status of the unit, which real_range, weapon_rules and selectable_only ask about"
        raise ContentError("argument", "status", expected, "None")
    numbers_of_status = np.zeros(STATUS_FIELDS, dtype=np.int64) if status is None else status.as_array
    numbers = np.zeros(PROFILE, dtype=np.float64)
    write_profile(weapon_table_of(kind, weights), numbers_of_status, options.flags, numbers)
    ranged, melee, ranged_target, melee_target, ratio = numbers.tolist()
    if not options.evolved and ranged + melee == 0:
        expected = "a weapon with an expected damage above 0 against some weighted target"
        raise ContentError(kind.name, "attack_mode_ratio", expected, "best ranged and best melee score 0 and 0")
    return OffensiveProfile(ranged, melee, _target_name(ranged_target), _target_name(melee_target), ratio)


def _target_name(number: float) -> str | None:
    return None if number == NO_TARGET else TARGETS[int(number)]
