"""From entries of files to weapons, unit types and scoring rules.

Used for the catalogue and for what a scenario defines itself, so that both obey the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from msgspec import UNSET, structs

from ..errors import ContentError, did_you_mean
from .schemas import CustomUnitTypeEntry, ScoringEntry, UnitTypeEntry, WeaponEntry
from .types import Scoring, ScoringCondition, UnitType, Weapon

WEAPON_RULES: Mapping[str, bool] = {
    "RAPID_FIRE": True,
    "ASSAULT": False,
    "HEAVY": False,
    "MELTA": True,
    "PISTOL": False,
    "LETHAL HITS": False,
    "DEVASTATING WOUNDS": False,
    "SUSTAINED HITS": True,
    "IGNORES COVER": False,
    "TWIN LINKED": False,
    "HAZARDOUS": False,
    "ANTI": True,
    "EXTRA ATTACKS": False,
    "TORRENT": False,
}
"""Names of weapon rules, and whether each takes a number (spec 01 section 10)."""

UNIT_RULES = ("charge_after_advance",)
"""Names of unit rules (spec 01 9.4)."""

LARGEST_PARAMETER = 1000


def weapon(code: str, entry: WeaponEntry, file: str, key: str) -> Weapon:
    """Return the weapon of an entry. Raises ContentError for an unknown weapon rule (spec 01 section 10)."""
    for index, rule in enumerate(entry.rules):
        _check_weapon_rule(rule, file, f"{key}.WEAPON_RULES[{index}]")
    return Weapon(
        code=code,
        name=entry.display_name,
        range=None if entry.range is UNSET else entry.range,
        attacks=entry.attacks,
        hit=entry.hit,
        strength=entry.strength,
        ap=entry.ap,
        damage=entry.damage,
        rules=entry.rules,
        combi=None if entry.combi is UNSET else entry.combi,
    )


def unit_type(name: str, entry: UnitTypeEntry, weapons: Mapping[str, Weapon], file: str, key: str) -> UnitType:
    """Return the unit type of a catalogue entry.

    Raises ContentError for an unknown weapon or unit rule, and for a type without weapons (spec 01 4.3, 9).
    """
    found = UnitType(
        name=name,
        **structs.asdict(entry.stats),
        rules=_unit_rules(entry.rules, file, key),
        ranged=_armed(entry.ranged, weapons, file, f"{key}.ranged", reaching=True),
        melee=_armed(entry.melee, weapons, file, f"{key}.melee", reaching=False),
        faction=entry.faction,
        role=entry.role,
        tanking_level=entry.tanking_level,
        move_type=entry.move_type,
        target_type=entry.target_type,
    )
    return _with_weapons(found, file, key)


def custom_unit_type(
    name: str, entry: CustomUnitTypeEntry, base: UnitType, weapons: Mapping[str, Weapon], file: str, key: str
) -> UnitType:
    """Return ``base`` with the changes of an entry; what it does not name stays, classification included.

    Raises ContentError as ``unit_type`` does.
    """
    found = replace(base, name=name)
    if entry.stats is not UNSET:
        stats = structs.asdict(entry.stats)
        found = replace(found, **{field: value for field, value in stats.items() if value is not UNSET})
    if entry.rules is not UNSET:
        found = replace(found, rules=_unit_rules(entry.rules, file, key))
    if entry.ranged is not UNSET:
        found = replace(found, ranged=_armed(entry.ranged, weapons, file, f"{key}.ranged", reaching=True))
    if entry.melee is not UNSET:
        found = replace(found, melee=_armed(entry.melee, weapons, file, f"{key}.melee", reaching=False))
    return _with_weapons(found, file, key)


def scoring(entry: ScoringEntry) -> Scoring:
    """Return the scoring rules of an entry (spec 01 section 6)."""
    return Scoring(
        id=entry.id,
        start_turn=entry.scoring.start_turn,
        max_points_per_turn=entry.scoring.max_points_per_turn,
        conditions=tuple(ScoringCondition(rule.points, rule.condition) for rule in entry.scoring.rules),
        default_phase=entry.timing.default_phase,
        last_turn_second_player_phase=entry.timing.round5_second_player_phase,
        control_method=entry.control.control_method,
    )


def pick(table: Mapping[str, UnitType], name: str, file: str, key: str) -> UnitType:
    """Return a unit type by name. Raises ContentError for an unknown one (spec 01 4.3)."""
    if name not in table:
        expected = f"a unit type: {', '.join(sorted(table))}"
        raise ContentError(file, key, expected, f'"{name}"', did_you_mean(name, table))
    return table[name]


def _check_weapon_rule(rule: str, file: str, key: str) -> None:
    name, colon, number = rule.partition(":")
    if name not in WEAPON_RULES:
        expected = f"a weapon rule: {', '.join(WEAPON_RULES)}"
        raise ContentError(file, key, expected, f'"{rule}"', did_you_mean(name, WEAPON_RULES))
    if not WEAPON_RULES[name]:
        if colon:
            raise ContentError(file, key, f'"{name}" without a number', f'"{rule}"')
        return
    if not (number.isascii() and number.isdigit() and 0 < int(number[:5]) <= LARGEST_PARAMETER and len(number) < 5):
        raise ContentError(file, key, f'"{name}:X" with X from 1 to {LARGEST_PARAMETER}', f'"{rule}"')


def _unit_rules(rules: tuple[str, ...], file: str, key: str) -> tuple[str, ...]:
    for index, rule in enumerate(rules):
        if rule not in UNIT_RULES:
            expected = f"a unit rule: {', '.join(UNIT_RULES)}"
            raise ContentError(file, f"{key}.rules[{index}]", expected, f'"{rule}"', did_you_mean(rule, UNIT_RULES))
    return rules


def _armed(
    codes: tuple[str, ...], weapons: Mapping[str, Weapon], file: str, key: str, *, reaching: bool
) -> tuple[Weapon, ...]:
    for index, code in enumerate(codes):
        if code not in weapons:
            hint = did_you_mean(code, weapons)
            raise ContentError(file, f"{key}[{index}]", "the code of a known weapon", f'"{code}"', hint)
        if reaching and weapons[code].range is None:
            raise ContentError(file, f"{key}[{index}]", "a weapon with RNG", f'"{code}", a melee weapon')
    return tuple(weapons[code] for code in codes)


def _with_weapons(found: UnitType, file: str, key: str) -> UnitType:
    if not found.ranged and not found.melee:
        raise ContentError(file, key, "at least one weapon in ranged or melee", "none")
    return found
