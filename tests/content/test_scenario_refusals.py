"""Every condition under which a scenario is refused, and what the refusal says: one row each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.content.scenario import load_scenario
from w40k_marl.errors import ContentError, W40KError

Scenario = dict[str, Any]
Change = Callable[[Scenario], object]

BOLTER = {"display_name": "Bolter", "RNG": 24, "NB": 1, "ATK": 3, "STR": 4, "AP": 0, "DMG": 1}
SCORING = {
    "id": "mine",
    "scoring": {
        "start_turn": 2,
        "max_points_per_turn": 15,
        "rules": [{"points": 5, "condition": "control_at_least_one"}],
    },
    "timing": {"default_phase": "command", "round5_second_player_phase": "fight"},
    "control": {"method": "oc_sum_greater", "control_method": "occupy", "tie_behavior": "no_control"},
}
HAMMER = {"deployment_zone": "hammer", "deployment_type": "random", "wall_hexes": [[12, 10]]}


def put(**keys: Any) -> Change:
    """Sets keys of the scenario."""
    return lambda scenario: scenario.update(keys)


def drop(*keys: str) -> Change:
    """Leaves out keys of the scenario."""
    return lambda scenario: [scenario.pop(key) for key in keys]


def unit(**keys: Any) -> Change:
    """Sets keys of the second unit; None leaves the key out."""

    def change(scenario: Scenario) -> None:
        entry = scenario["units"][1]
        entry.update(keys)
        for key in [key for key, value in entry.items() if value is None]:
            del entry[key]

    return change


def zoned(**keys: Any) -> Change:
    """Names the zones; both units stand inside theirs."""
    return put(deployment_zone="hammer", deployment_type="fixed", **keys)


def both(*changes: Change) -> Change:
    return lambda scenario: [change(scenario) for change in changes]


def weapon(**keys: Any) -> Change:
    return put(custom_weapons={"bolter": {**BOLTER, **keys}})


def custom(**keys: Any) -> Change:
    return put(custom_unit_types={"Veteran": {"based_on": "Intercessor", **keys}})


def scoring(section: str, **keys: Any) -> Change:
    return put(primary_objective_configs=[{**SCORING, section: {**SCORING[section], **keys}}])  # type: ignore[dict-item]


CASES: dict[str, tuple[Change, str, str, str]] = {
    # units
    "units missing": (drop("units"), "units", "a list that is not empty", "missing"),
    "units empty": (put(units=[]), "units", "a list that is not empty", "[]"),
    "units not a list": (put(units={}), "units", "a list that is not empty", "{}"),
    "unit not an object": (put(units=[3]), "units[0]", "an object", "3"),
    "unit without id": (unit(id=None), "units[1].id", "whole number or a string", "missing"),
    "unit without type": (unit(unit_type=None), "units[1].unit_type", "a string", "missing"),
    "unit without player": (unit(player=None), "units[1].player", "1 or 2", "missing"),
    "player 3": (unit(player=3), "units[1].player", "1 or 2", "3"),
    "player as text": (unit(player="2"), "units[1].player", "1 or 2", '"2"'),
    "player as truth value": (unit(player=True), "units[1].player", "1 or 2", "true"),
    "id as fraction": (unit(id=1.5), "units[1].id", "whole number or a string", "1.5"),
    "id empty": (unit(id=""), "units[1].id", "string that is not empty", '""'),
    "id twice": (unit(id="1"), "units[1].id", "an id of its own", '"1" again'),
    "unknown type": (unit(unit_type="Hormagant"), "units[1].unit_type", "a unit type", '"Hormagant"'),
    "unknown key of a unit": (unit(colum=3), "units[1].colum", "one of the keys id", "an unknown key"),
    "column missing": (unit(col=None), "units[1].col", "deployment is fixed", "missing"),
    "row missing": (unit(row=None), "units[1].row", "deployment is fixed", "missing"),
    "column not a number": (unit(col="west"), "units[1].col", "a number", '"west"'),
    "column infinite": (unit(col="inf"), "units[1].col", "a finite number", '"inf"'),
    "column not a finite number": (unit(col="nan"), "units[1].col", "a finite number", '"nan"'),
    "column NaN": (unit(col=float("nan")), "units[1].col", "a finite number", "nan"),
    "column beyond numbers": (unit(col=10**400), "units[1].col", "a finite number", "1000"),
    "column a list": (unit(col=[1]), "units[1].col", "a whole number, a number or a string", "[1]"),
    "position right of the board": (unit(col=25), "units[1]", "25 columns and 21 rows", "[25, 5]"),
    "position above the board": (unit(row=-1), "units[1]", "25 columns and 21 rows", "[12, -1]"),
    "position on half a hex": (unit(col=3, row=20), "units[1]", "a whole hex", "[3, 20]"),
    "position on a wall": (put(wall_hexes=[[12, 5]]), "units[1]", "without a wall", "[12, 5], a wall"),
    "position taken": (unit(row=15.9), "units[1]", "a hex of its own", 'unit "1" stands'),
    # deployment
    "zone without type": (put(deployment_zone="hammer"), "deployment_type", "together", "missing"),
    "type without zone": (put(deployment_type="fixed"), "deployment_zone", "together", "missing"),
    "unknown deployment type": (
        put(deployment_zone="hammer", deployment_type="drawn"),
        "deployment_type",
        '"random"',
        '"drawn"',
    ),
    "unknown zone": (
        put(deployment_zone="hamer", deployment_type="fixed"),
        "deployment_zone",
        "a deployment zone: hammer",
        '"hamer"',
    ),
    "random without walls": (
        both(put(**HAMMER), drop("wall_hexes")),
        "wall_hexes",
        "deployment is random",
        "missing",
    ),
    "random with empty walls": (
        both(put(**HAMMER), put(wall_hexes=[])),
        "wall_hexes",
        "deployment is random",
        "an empty list",
    ),
    "random without room": (
        both(
            put(**HAMMER, board={"cols": 2, "rows": 14}),
            put(wall_hexes=[[0, 2]], objectives=[{"id": 1, "hexes": [[0, 9]]}]),
            put(units=[{"id": number, "unit_type": "Intercessor", "player": 1} for number in range(2)]),
        ),
        "units[1]",
        "at most 1 units of player 1",
        "2 units",
    ),
    "random without id": (both(put(**HAMMER), unit(id=None)), "units[1].id", "string", "missing"),
    "zone off the board": (
        zoned(board={"cols": 25, "rows": 12}),
        "deployment_zone",
        "12 rows",
        "rows 13 to 20 for player 1",
    ),
    "position outside the zone": (both(zoned(), unit(row=8)), "units[1]", "zone of player 2", "[12, 8]"),
    "position in the other zone": (both(zoned(), unit(row=16)), "units[1]", "zone of player 2", "[12, 16]"),
    # board, walls, objectives
    "wall off the board": (put(wall_hexes=[[1, 1], [25, 0]]), "wall_hexes[1]", "25 columns", "[25, 0]"),
    "wall not a pair": (put(wall_hexes=[[1, 2, 3]]), "wall_hexes[0]", "a pair [column, row]", "[1, 2, 3]"),
    "wall with a fraction": (put(wall_hexes=[[1, 2.5]]), "wall_hexes[0][1]", "a whole number", "2.5"),
    "board without rows": (put(board={"cols": 9}), "board.rows", "from 1 to 64", "missing"),
    "board too high": (put(board={"cols": 9, "rows": 65}), "board.rows", "from 1 to 64", "65"),
    "board of no columns": (put(board={"cols": 0, "rows": 9}), "board.cols", "from 1 to 255", "0"),
    "wall of the board off the board": (
        both(drop("wall_hexes"), put(board={"cols": 25, "rows": 21, "wall_hexes": [[0, 21]]})),
        "board.wall_hexes[0]",
        "21 rows",
        "[0, 21]",
    ),
    "no objectives": (drop("objectives"), "objectives", "at least one objective", "none"),
    "objectives empty": (put(objectives=[]), "objectives", "at least one objective", "none"),
    "objective without id": (put(objectives=[{"hexes": [[1, 1]]}]), "objectives[0].id", "string", "missing"),
    "objective without hexes": (
        put(objectives=[{"id": 1, "hexes": []}]),
        "objectives[0].hexes",
        "a list that is not empty",
        "[]",
    ),
    "objective off the board": (
        put(objectives=[{"id": 1, "hexes": [[3, 3], [3, 21]]}]),
        "objectives[0].hexes[1]",
        "21 rows",
        "[3, 21]",
    ),
    "objective id twice": (
        put(objectives=[{"id": 1, "hexes": [[3, 3]]}, {"id": "1", "hexes": [[4, 4]]}]),
        "objectives[1].id",
        "an id of its own",
        '"1" again',
    ),
    "old objective list without id": (
        both(drop("objectives"), put(objective_hexes=[{"hexes": [[1, 1]]}])),
        "objective_hexes[0].id",
        "string",
        "missing",
    ),
    # scoring
    "no primary objective": (drop("primary_objectives"), "primary_objectives", "the id of", "missing"),
    "primary objectives empty": (
        put(primary_objectives=[]),
        "primary_objectives",
        "at least one",
        "an empty list",
    ),
    "unknown primary objective": (
        put(primary_objectives=["objective_control"]),
        "primary_objectives",
        "objectives_control",
        '"objective_control"',
    ),
    "unknown single primary objective": (
        both(drop("primary_objectives"), put(primary_objective="mine")),
        "primary_objective",
        "a primary objective",
        '"mine"',
    ),
    "primary objective twice": (
        put(primary_objectives=["objectives_control", "objectives_control"]),
        "primary_objectives",
        "once",
        "again",
    ),
    "two ways of control": (
        put(primary_objectives=["objectives_control", "mine"], primary_objective_configs=[SCORING]),
        "primary_objectives",
        "one control_method",
        "occupy and sticky",
    ),
    "unknown condition": (
        scoring("scoring", rules=[{"points": 5, "condition": "control_all"}]),
        "primary_objective_configs[0].scoring.rules[0].condition",
        '"control_at_least_one"',
        '"control_all"',
    ),
    "unknown way of control": (
        scoring("control", control_method="hold"),
        "primary_objective_configs[0].control.control_method",
        '"sticky"',
        '"hold"',
    ),
    "unknown method": (
        scoring("control", method="count"),
        "primary_objective_configs[0].control.method",
        '"oc_sum_greater"',
        '"count"',
    ),
    "unknown tie behaviour": (
        scoring("control", tie_behavior="both"),
        "primary_objective_configs[0].control.tie_behavior",
        '"no_control"',
        '"both"',
    ),
    "unknown scoring phase": (
        scoring("timing", default_phase="shoot"),
        "primary_objective_configs[0].timing.default_phase",
        '"command"',
        '"shoot"',
    ),
    # own weapons and unit types
    "weapon hits on 1": (weapon(ATK=1), "custom_weapons.bolter.ATK", "a whole number from 2 to 6", "1"),
    "weapon with D4": (weapon(NB="D4"), "custom_weapons.bolter.NB", '"D3" or "D6"', '"D4"'),
    "weapon without attacks": (weapon(NB=0), "custom_weapons.bolter.NB", "from 1 to 1000", "0"),
    "weapon with positive penetration": (weapon(AP=1), "custom_weapons.bolter.AP", "from -1000 to 0", "1"),
    "unknown weapon rule": (
        weapon(WEAPON_RULES=["ASSAULT", "HEAVI"]),
        "custom_weapons.bolter.WEAPON_RULES[1]",
        "a weapon rule",
        '"HEAVI"',
    ),
    "weapon rule lacks its number": (
        weapon(WEAPON_RULES=["MELTA"]),
        "custom_weapons.bolter.WEAPON_RULES[0]",
        '"MELTA:X"',
        '"MELTA"',
    ),
    "weapon rule with number 0": (
        weapon(WEAPON_RULES=["ANTI:0"]),
        "custom_weapons.bolter.WEAPON_RULES[0]",
        '"ANTI:X"',
        '"ANTI:0"',
    ),
    "weapon rule with a number too many": (
        weapon(WEAPON_RULES=["PISTOL:1"]),
        "custom_weapons.bolter.WEAPON_RULES[0]",
        '"PISTOL" without a number',
        '"PISTOL:1"',
    ),
    "unknown key of a weapon": (weapon(RANGE=24), "custom_weapons.bolter.RANGE", "RNG", "an unknown key"),
    "unit type based on nothing known": (
        custom(based_on="Marine"),
        "custom_unit_types.Veteran.based_on",
        "a unit type",
        '"Marine"',
    ),
    "unit type with an unknown weapon": (
        custom(ranged=["bolt_rifel"]),
        "custom_unit_types.Veteran.ranged[0]",
        "the code of a known weapon",
        '"bolt_rifel"',
    ),
    "melee weapon among the ranged": (
        custom(ranged=["power_fist"]),
        "custom_unit_types.Veteran.ranged[0]",
        "a weapon with RNG",
        "a melee weapon",
    ),
    "unit type without any weapon": (
        custom(ranged=[], melee=[]),
        "custom_unit_types.Veteran",
        "at least one weapon",
        "none",
    ),
    "unknown unit rule": (
        custom(rules=["fly"]),
        "custom_unit_types.Veteran.rules[0]",
        "a unit rule",
        '"fly"',
    ),
    "unknown characteristic": (
        custom(stats={"WOUNDS": 3}),
        "custom_unit_types.Veteran.stats.WOUNDS",
        "HP_MAX",
        "an unknown key",
    ),
    "dead on arrival": (
        custom(stats={"HP_MAX": 0}),
        "custom_unit_types.Veteran.stats.HP_MAX",
        "from 1 to 1000",
        "0",
    ),
    # the file as a whole
    "unknown key": (put(wall_hex=[]), "wall_hex", "one of the keys units", "an unknown key"),
    "null for an absent key": (put(wall_hexes=None), "wall_hexes", "a list", "null"),
}


@pytest.mark.parametrize("case", CASES)
def test_scenario_is_refused(case: str, minimal: Scenario, write: Callable[[object], Path]) -> None:
    change, key, expected, got = CASES[case]
    change(minimal)
    path = write(minimal)
    with pytest.raises(ContentError) as caught:
        load_scenario(path)
    error = caught.value
    assert (error.file, error.key) == (str(path), key)
    assert expected in error.expected
    assert got in error.got
    assert str(error).startswith(f"{path}: {key}: expected {error.expected}, got {error.got}")


@pytest.mark.parametrize("value", [3, "units", None, True, {"scenario": {}}])
def test_neither_list_nor_object_with_units(value: object, write: Callable[[object], Path]) -> None:
    with pytest.raises(ContentError):
        load_scenario(write(value))


def test_bare_list_of_units_has_no_objectives(minimal: Scenario, write: Callable[[object], Path]) -> None:
    with pytest.raises(ContentError) as caught:
        load_scenario(write(minimal["units"]))
    assert caught.value.key == "objectives"


@pytest.mark.parametrize(
    ("change", "nearest"),
    [
        (unit(unit_type="hormagaunt"), "Hormagaunt"),
        (unit(palyer=1), "player"),
        (put(objective=[]), "objectives"),
        (put(primary_objectives="objective_control"), "objectives_control"),
        (custom(melee=["power_fists"]), "power_fist"),
        (weapon(WEAPON_RULES=["LETHAL_HITS"]), "LETHAL HITS"),
    ],
)
def test_nearest_known_word_is_suggested(
    change: Change, nearest: str, minimal: Scenario, write: Callable[[object], Path]
) -> None:
    change(minimal)
    with pytest.raises(ContentError, match=f'did you mean "{nearest}"'):
        load_scenario(write(minimal))


def test_unknown_scenario_name_lists_the_known_ones() -> None:
    with pytest.raises(W40KError, match="macro_default, mirror_match") as caught:
        load_scenario("macro_defualt")
    assert 'did you mean "macro_default"?' in str(caught.value)
