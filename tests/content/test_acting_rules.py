"""Which weapon rules ``weapon_rules="full"`` turns on in a World, and which it refuses by name."""

from __future__ import annotations

from typing import Any

import pytest

from w40k_marl.content.builders import WEAPON_RULES
from w40k_marl.content.scenario import build_scenario, list_scenarios, load_scenario
from w40k_marl.content.weapon_rules import ALWAYS_ACTING, FIELDS, MISSING
from w40k_marl.content.world import Setting
from w40k_marl.env.loading import prepare_scenario
from w40k_marl.env.options import GameOptions
from w40k_marl.errors import ContentError
from w40k_marl.rules.state import MELEE, RANGED

FULL = GameOptions(weapon_rules="full")
GUN = {"display_name": "Gun", "RNG": 12, "NB": 1, "ATK": 3, "STR": 4, "AP": 0, "DMG": 1}
FIST = {key: value for key, value in GUN.items() if key != "RNG"}


def setting(minimal: dict[str, Any], kind: str, rules: list[str], weapon_rules: str = "full") -> Setting:
    """The setting of a scenario whose first unit carries one weapon with these rules, in slot 0 of a kind."""
    own = {
        "custom_weapons": {"own": {**(GUN if kind == "ranged" else FIST), "WEAPON_RULES": rules}},
        "custom_unit_types": {"Owner": {"based_on": "Intercessor", kind: ["own"]}},
    }
    data = {**minimal, **own}
    data["units"] = [{**minimal["units"][0], "unit_type": "Owner"}, minimal["units"][1]]
    return prepare_scenario(build_scenario(data, name="case"), GameOptions(weapon_rules=weapon_rules)).setting


def test_every_rule_acts_or_is_refused() -> None:
    named = [*ALWAYS_ACTING, *FIELDS, *MISSING]
    assert sorted(named) == sorted(WEAPON_RULES)


@pytest.mark.parametrize("name", FIELDS)
def test_rule_is_turned_on_in_full_only(minimal: dict[str, Any], name: str) -> None:
    rule, number = (f"{name}:7", 7) if WEAPON_RULES[name] else (name, 1)
    for weapon_rules, expected in (("full", number), ("reference", 0)):
        world = setting(minimal, "ranged", [rule], weapon_rules).world
        assert world[FIELDS[name]][0, RANGED, 0] == expected
        assert {field: world[field].sum() for field in FIELDS.values()} == {
            field: expected if field == FIELDS[name] else 0 for field in FIELDS.values()
        }
        assert world.changes_attacks[0, RANGED, 0] == (expected > 0 and name != "RAPID_FIRE")


def test_melee_weapons_have_rules_of_their_own(minimal: dict[str, Any]) -> None:
    world = setting(minimal, "melee", ["SUSTAINED HITS:2", "HAZARDOUS"]).world
    assert (world.sustained_hits[0, MELEE, 0], world.hazardous[0, MELEE, 0]) == (2, 1)
    assert not world.sustained_hits[:, RANGED].any()


@pytest.mark.parametrize("weapon_rules", ["reference", "full"])
def test_assault_and_pistol_act_in_both(minimal: dict[str, Any], weapon_rules: str) -> None:
    world = setting(minimal, "ranged", ["ASSAULT", "PISTOL"], weapon_rules).world
    assert (world.assault[0, RANGED, 0], world.pistol[0, RANGED, 0]) == (1, 1)
    assert world.changes_attacks[0, RANGED, 0] == 0


@pytest.mark.parametrize(
    ("kind", "rules", "message"),
    [
        ("ranged", ["HEAVY", "ANTI:4"], r"""expected rules that act .*, got "ANTI:4" \(no unit has the keywords"""),
        ("ranged", ["IGNORES COVER"], r"""got "IGNORES COVER" \(the game has no cover\)"""),
        ("melee", ["EXTRA ATTACKS"], r"""got "EXTRA ATTACKS" \(no unit strikes with two weapons\)"""),
        ("melee", ["RAPID_FIRE:1"], 'expected a melee weapon without rules for ranged ones, got "RAPID_FIRE:1"'),
        ("melee", ["MELTA:2"], 'got "MELTA:2"'),
        ("melee", ["HEAVY"], 'got "HEAVY"'),
        ("melee", ["TORRENT"], 'got "TORRENT"'),
        ("ranged", ["MELTA:1", "MELTA:2"], 'expected each weapon rule once, got "MELTA:2" after another "MELTA"'),
    ],
)
def test_refusal_names_scenario_unit_weapon_and_rule(
    minimal: dict[str, Any], kind: str, rules: list[str], message: str
) -> None:
    with pytest.raises(ContentError, match=rf"^case: unit '1' \(Owner\): weapon 'own': .*{message}"):
        setting(minimal, kind, rules)
    setting(minimal, kind, rules, "reference")


def test_unknown_setting_is_refused(minimal: dict[str, Any]) -> None:
    with pytest.raises(ContentError, match="weapon_rules: expected 'reference' or 'full', got 'all'"):
        setting(minimal, "ranged", [], "all")


@pytest.mark.parametrize("name", list_scenarios())
def test_shipped_scenarios_can_be_played_in_full(name: str) -> None:
    assert prepare_scenario(load_scenario(name), FULL).setting.world.weapon_rules == 1


def test_lab_has_every_rule_that_acts() -> None:
    world = prepare_scenario(load_scenario("weapon_rules_lab"), FULL).setting.world
    assert [field for field in FIELDS.values() if not world[field].any()] == []
