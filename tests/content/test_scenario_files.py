"""What a scenario file becomes, and that all shipped ones are sound."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.content.scenario import build_scenario, list_scenarios, load_scenario
from w40k_marl.content.types import Hex, Scenario, Zone

SAMPLES = Path(__file__).parent / "samples"
SHIPPED = list_scenarios()
OWN = ["mirror_match", "open_field", "dense_walls", "small_board", "asymmetric", "weapon_rules_lab"]


def roster(scenario: Scenario) -> list[tuple[int, str]]:
    return [(unit.player, unit.type.name) for unit in scenario.units]


def neighbours(cell: Hex) -> list[Hex]:
    col, row = cell
    lower = col & 1
    sides = [(side, row + step) for side in (col - 1, col + 1) for step in (lower - 1, lower)]
    return [(col, row - 1), (col, row + 1), *sides]


def reachable(scenario: Scenario, start: Hex) -> set[Hex]:
    seen, edge = {start}, [start]
    while edge:
        for col, row in neighbours(edge.pop()):
            cell = (col, row)
            inside = 0 <= col < scenario.cols and 0 <= row < scenario.rows
            if inside and cell not in scenario.walls and cell not in seen:
                seen.add(cell)
                edge.append(cell)
    return seen


def test_what_ships() -> None:
    assert [
        "asymmetric",
        "dense_walls",
        "macro_default",
        "mirror_match",
        "open_field",
        "pve",
        "small_board",
        *(f"spacemarine_rangedswarm_bot_{number}" for number in range(1, 6)),
        "tyranid_meleeswarm_bot_1",
        "tyranid_rangedtroop_bot_1",
        "weapon_rules_lab",
    ] == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenario_can_be_played(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert {unit.player for unit in scenario.units} == {1, 2}
    assert max(sum(unit.player == player for unit in scenario.units) for player in (1, 2)) <= 16
    assert len(scenario.objectives) <= 8
    assert all((unit.position is None) is scenario.random_deployment for unit in scenario.units)
    ground = reachable(scenario, scenario.objectives[0].hexes[0])
    for objective in scenario.objectives:
        assert ground & set(objective.hexes), f"nobody can reach {objective.name}"
    for unit in scenario.units:
        assert unit.position is None or unit.position in ground


@pytest.mark.parametrize("name", OWN)
def test_own_scenarios_are_balanced_in_points(name: str) -> None:
    first, second = (
        sum(unit.type.value for unit in load_scenario(name).units if unit.player == player) for player in (1, 2)
    )
    assert abs(first - second) <= 0.05 * max(first, second)


def test_standard_map() -> None:
    scenario = load_scenario("macro_default")
    assert (scenario.cols, scenario.rows) == (25, 21)
    assert len(scenario.walls) == 72 + 12
    assert [objective.name for objective in scenario.objectives] == [
        "West",
        "North",
        "East",
        "South",
        "Center",
    ]
    assert scenario.objectives[1].hexes == ((12, 1), (12, 2), (11, 1), (11, 0), (12, 0), (13, 0), (13, 1))
    assert scenario.zones == {1: Zone(0, 24, 13, 20), 2: Zone(0, 24, 0, 7)}
    assert scenario.random_deployment


def test_free_hexes_of_the_zones_of_the_standard_map() -> None:
    scenario = load_scenario("macro_default")
    assert scenario.zones is not None
    rooms = {
        player: sum(
            (col, row) not in scenario.walls
            for col in range(zone.first_col, zone.last_col + 1)
            for row in range(zone.first_row, zone.last_row + 1)
        )
        for player, zone in scenario.zones.items()
    }
    assert rooms == {1: 159, 2: 171}


def test_roster_of_the_macro_scenario() -> None:
    assert roster(load_scenario("macro_default")) == [
        *[(1, "TyranidWarriorRanged")] * 2,
        *[(1, "Hormagaunt")] * 7,
        (2, "IntercessorSergeant"),
        (2, "IntercessorGrenadeLauncher"),
        *[(2, "Intercessor")] * 4,
    ]


def test_roster_order_is_that_of_the_file_not_of_the_ids() -> None:
    ids = [unit.id for unit in load_scenario("pve").units]
    assert ids == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "14", "13"]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("spacemarine_rangedswarm_bot_1", 4, 10),
        ("spacemarine_rangedswarm_bot_2", 4, 6),
        ("spacemarine_rangedswarm_bot_3", 4, 5),
        ("spacemarine_rangedswarm_bot_4", 4, 3),
        ("spacemarine_rangedswarm_bot_5", 4, 4),
        ("tyranid_meleeswarm_bot_1", 12, 4),
        ("tyranid_rangedtroop_bot_1", 4, 6),
    ],
)
def test_bot_scenarios_are_of_the_known_sizes(name: str, first: int, second: int) -> None:
    players = [player for player, _ in roster(load_scenario(name))]
    assert (players.count(1), players.count(2)) == (first, second)


@pytest.mark.parametrize(
    ("col", "row", "position"),
    [
        ("3", "4", (3, 4)),
        (3.9, 4.2, (3, 4)),
        (" 3.5 ", 4, (3, 4)),
        (-0.9, "-0.5", (0, 0)),
        ("1e1", 0, (10, 0)),
    ],
)
def test_coordinates_may_be_text_or_fractions(col: object, row: object, position: Hex, minimal: dict[str, Any]) -> None:
    minimal["units"][1].update(col=col, row=row)
    assert build_scenario(minimal, name="case").units[1].position == position


def test_side_without_units_is_allowed(minimal: dict[str, Any]) -> None:
    del minimal["units"][1]
    assert roster(build_scenario(minimal, name="case")) == [(1, "Intercessor")]


def test_walls_are_those_of_the_default_board_when_the_file_names_none(minimal: dict[str, Any]) -> None:
    del minimal["wall_hexes"]
    minimal["units"] = minimal["units"][:1]
    minimal["units"][0]["col"] = 0
    assert build_scenario(minimal, name="case").walls == load_scenario("macro_default").walls


def test_own_board_has_no_walls_but_its_own(minimal: dict[str, Any]) -> None:
    del minimal["wall_hexes"]
    minimal["board"] = {"cols": 15, "rows": 16}
    half_cells = {(col, 15) for col in range(1, 15, 2)}
    assert build_scenario(minimal, name="case").walls == half_cells
    minimal["board"]["wall_hexes"] = [[2, 2]]
    assert build_scenario(minimal, name="case").walls == half_cells | {(2, 2)}


def test_repeated_walls_and_walls_on_half_cells_are_harmless(minimal: dict[str, Any]) -> None:
    minimal["wall_hexes"] = [[2, 2], [2, 2], [1, 20]]
    assert len(build_scenario(minimal, name="case").walls) == 12 + 1


def test_objectives_may_overlap_each_other_and_walls(minimal: dict[str, Any]) -> None:
    minimal["wall_hexes"] = [[7, 7]]
    minimal["objectives"] = [{"id": "a", "hexes": [[7, 7], [7, 8]]}, {"id": "b", "hexes": [[7, 8], [7, 8]]}]
    found = build_scenario(minimal, name="case").objectives
    assert [(objective.id, objective.name, objective.hexes) for objective in found] == [
        ("a", "a", ((7, 7), (7, 8))),
        ("b", "b", ((7, 8),)),
    ]


def test_older_names_of_keys_are_read_where_the_newer_are_absent(minimal: dict[str, Any]) -> None:
    minimal["objective_hexes"] = minimal.pop("objectives")
    minimal["primary_objective"] = minimal.pop("primary_objectives")[0]
    scenario = build_scenario(minimal, name="case")
    assert [objective.name for objective in scenario.objectives] == ["Center"]
    assert [scoring.id for scoring in scenario.scoring] == ["objectives_control"]


def test_primary_objectives_may_be_one_id(minimal: dict[str, Any]) -> None:
    minimal["primary_objectives"] = "objectives_control"
    assert [scoring.id for scoring in build_scenario(minimal, name="case").scoring] == ["objectives_control"]


def test_authored_positions_are_not_read_when_they_are_drawn(minimal: dict[str, Any]) -> None:
    minimal |= {"deployment_zone": "hammer", "deployment_type": "random", "wall_hexes": [[1, 1]]}
    minimal["units"][0].update(col=99, row="anywhere")
    assert [unit.position for unit in build_scenario(minimal, name="case").units] == [None, None]


def test_zones_are_cut_to_a_small_board(minimal: dict[str, Any]) -> None:
    minimal |= {"board": {"cols": 13, "rows": 16}, "deployment_zone": "hammer", "deployment_type": "fixed"}
    assert build_scenario(minimal, name="case").zones == {1: Zone(0, 12, 13, 15), 2: Zone(0, 12, 0, 7)}


def test_comments_are_allowed_in_every_object(minimal: dict[str, Any]) -> None:
    for entry in (minimal, minimal["units"][0], minimal["objectives"][0]):
        entry["_comment"] = ["anything", {"at": "all"}]
    build_scenario(minimal, name="case")


def test_own_definitions_take_precedence_over_the_catalogue(minimal: dict[str, Any]) -> None:
    minimal["custom_unit_types"] = {"Intercessor": {"based_on": "Intercessor", "stats": {"HP_MAX": 5}}}
    changed = build_scenario(minimal, name="case").units[0].type
    shipped = load_scenario("macro_default").units[-1].type
    assert (changed.hit_points, changed.ranged) == (5, shipped.ranged)
    assert shipped.hit_points == 2


def test_custom_type_keeps_what_it_does_not_change(minimal: dict[str, Any]) -> None:
    minimal["custom_unit_types"] = {"Leaper": {"based_on": "Hormagaunt", "stats": {"OC": 0}}}
    minimal["units"][1]["unit_type"] = "Leaper"
    leaper = build_scenario(minimal, name="case").units[1].type
    assert (leaper.objective_control, leaper.move, leaper.rules) == (0, 10, ("charge_after_advance",))
    assert leaper.agent_key == "Tyranid_Infantry_Swarm_MeleeSwarm"


def test_path_and_name_give_the_same_scenario(minimal: dict[str, Any], write: Callable[[object], Path]) -> None:
    path = write(minimal)
    assert load_scenario(str(path)) == load_scenario(path)
    assert load_scenario(path).name == "case"


def test_lab_scenario_equals_its_recorded_game() -> None:
    recorded = json.loads((SAMPLES / "rule_lab_recorded.json").read_text(encoding="utf-8"))
    scenario = load_scenario(SAMPLES / "rule_lab.json")
    assert [scenario.cols, scenario.rows] == recorded["board"]
    assert scenario.walls == {(col, row) for col, row in recorded["walls"]}
    units = [
        {
            "id": unit.id,
            "type": unit.type.name,
            "player": unit.player,
            "col": unit.position and unit.position[0],
            "row": unit.position and unit.position[1],
            "hp": unit.type.hit_points,
            "move": unit.type.move,
            "toughness": unit.type.toughness,
            "armor_save": unit.type.armor_save,
            "invul_save": unit.type.invulnerable_save,
            "leadership": unit.type.leadership,
            "oc": unit.type.objective_control,
            "value": unit.type.value,
            "rules": list(unit.type.rules),
            "ranged": [weapon.code for weapon in unit.type.ranged],
            "melee": [weapon.code for weapon in unit.type.melee],
            "faction": unit.type.faction,
            "tanking": unit.type.tanking_level,
            "target_kind": unit.type.target_type,
            "move_kind": unit.type.move_type,
            "role": unit.type.role,
        }
        for unit in scenario.units
    ]
    assert units == recorded["units"]
    weapons = {
        weapon.code: {
            "name": weapon.name,
            "range": weapon.range,
            "attacks": weapon.attacks,
            "hit": weapon.hit,
            "strength": weapon.strength,
            "ap": weapon.ap,
            "damage": weapon.damage,
            "rules": list(weapon.rules),
            "combi": weapon.combi,
        }
        for unit in scenario.units
        for weapon in unit.type.ranged + unit.type.melee
    }
    assert weapons == recorded["weapons"]
