"""Weapon rules with an effect under ``weapon_rules="full"``: the allowed ones, and their World
fields.

Files may use the names in ``WEAPON_RULES``; docs/weapon_rules.md describes the effects.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ContentError
from ..rules.state import ACTING, MELEE, RANGED, World
from .types import Scenario, Unit, Weapon

FIELDS: Mapping[str, str] = {
    "RAPID_FIRE": "rapid_fire",
    "MELTA": "melta",
    "SUSTAINED HITS": "sustained_hits",
    "HEAVY": "heavy",
    "TORRENT": "torrent",
    "TWIN LINKED": "twin_linked",
    "LETHAL HITS": "lethal_hits",
    "DEVASTATING WOUNDS": "devastating_wounds",
    "HAZARDOUS": "hazardous",
}
"""The World field of each rule that ``"full"`` activates: its number, or 1."""

ALWAYS_ACTING = ("ASSAULT", "PISTOL")

MISSING: Mapping[str, str] = {
    "ANTI": "no unit has the keywords it is against",
    "IGNORES COVER": "the game has no cover",
    "EXTRA ATTACKS": "no unit strikes with two weapons",
}
"""Rules that are errors under ``"full"``, and the data that they lack."""

RANGED_ONLY = ("RAPID_FIRE", "MELTA", "HEAVY", "TORRENT")


def check_acting_rules(scenario: Scenario) -> None:
    """Raise ContentError, with scenario, unit, weapon and rule, if ``"full"`` cannot play a weapon.

    Errors are rules that lack data, rules for ranged weapons on melee weapons, and repeated rules.
    """
    for unit in scenario.units:
        for weapon in unit.type.ranged:
            _check(scenario.name, unit, weapon, melee=False)
        for weapon in unit.type.melee:
            _check(scenario.name, unit, weapon, melee=True)


def _check(scenario: str, unit: Unit, weapon: Weapon, *, melee: bool) -> None:
    where = f"unit {unit.id!r} ({unit.type.name}): weapon {weapon.code!r}"
    seen: set[str] = set()
    for rule in weapon.rules:
        name, _ = _parts(rule)
        if name in MISSING:
            expected = f'rules that act with weapon_rules="full" ({", ".join((*ALWAYS_ACTING, *FIELDS))})'
            raise ContentError(scenario, where, expected, f'"{rule}"', MISSING[name])
        if melee and name in RANGED_ONLY:
            raise ContentError(scenario, where, "a melee weapon without rules for ranged ones", f'"{rule}"')
        if name in seen:
            raise ContentError(scenario, where, "each weapon rule once", f'"{rule}" after another "{name}"')
        seen.add(name)


def write_acting_rules(world: World, scenario: Scenario, number_of: Mapping[str, int]) -> None:
    """Set the World fields of every weapon of a scenario; ``number_of`` holds unit numbers by id.

    Raises ContentError as ``check_acting_rules`` does.
    """
    check_acting_rules(scenario)
    world.weapon_rules = ACTING
    for unit in scenario.units:
        for kind, weapons in ((RANGED, unit.type.ranged), (MELEE, unit.type.melee)):
            for slot, weapon in enumerate(weapons):
                _write_weapon(world, (number_of[unit.id], kind, slot), weapon)


def _write_weapon(world: World, at: tuple[int, int, int], weapon: Weapon) -> None:
    """Set the World fields of a weapon; ``at`` is unit, kind, slot."""
    for rule in weapon.rules:
        name, number = _parts(rule)
        if name in ALWAYS_ACTING:
            continue
        getattr(world, FIELDS[name])[at] = number
        if name != "RAPID_FIRE":  # it changes the number of attacks, not the attacks themselves
            world.changes_attacks[at] = 1


def _parts(rule: str) -> tuple[str, int]:
    """Return ``"MELTA:2"`` as name and number; the number is 1 for a rule without one."""
    name, colon, number = rule.partition(":")
    return name, int(number) if colon else 1
