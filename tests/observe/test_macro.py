"""The macro observation as a dictionary and as a vector, on positions whose numbers one can count."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.content.game_rules import load_game_rules
from w40k_marl.content.paths import CONTENT
from w40k_marl.content.scenario import build_scenario, load_scenario
from w40k_marl.content.world import Setting, build_setting
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError, W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.observation import (
    MacroObservation,
    macro_observation,
    macro_vector,
    macro_vector_size,
)
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.observe.macro.profile_kernel import SELECTABLE_RANGED, STATUS_FIELDS
from w40k_marl.observe.macro.unit_status import write_statuses
from w40k_marl.rules.hexes import longest_distance
from w40k_marl.rules.state import new_games

Play = Callable[[Session, int], Iterator[int]]

UNITS = (
    "^1 Intercessor 2,2",
    "^10 Termagant 3,8",
    "^2 Hormagaunt 9,9",
    "v11 Carnifex 8,9",
    "v3 Intercessor 12,4",
)
OBJECTIVES = {"left": "2,2 3,2 2,3", "right": "9,9 9,10"}


@pytest.fixture
def seen(table: Any) -> MacroObservation:
    place = table(*UNITS, board=(20, 14), objectives=OBJECTIVES)
    return macro_observation(place.setting, place.games)


# --- the dictionary -------------------------------------------------------------------------------------------


def test_keys_are_those_of_the_document(seen: MacroObservation) -> None:
    assert list(seen) == [
        "global", "units", "objectives", "ally_ids", "enemy_ids", "attrition_objective_index", "eligible_mask",
    ]  # fmt: skip
    assert list(seen["global"]) == ["turn", "phase", "current_player", "objectives_controlled", "army_value_diff"]
    assert {"id", "unitType", "col", "row", "hp", "hp_max", "value", "dist_obj"} < set(seen["units"][0])


def test_game_as_a_whole(seen: MacroObservation) -> None:
    """OC 2 of the Intercessor on the left; on the right the Hormagaunt alone, the Carnifex stands beside it."""
    assert seen["global"] == {
        "turn": 1,
        "phase": "move",
        "current_player": 1,
        "objectives_controlled": {"p1": 2, "p2": 0},
        "army_value_diff": (18 + 6 + 7) - (125 + 18),
    }


def test_units_stand_in_the_order_of_their_ids_as_text(seen: MacroObservation) -> None:
    assert [unit["id"] for unit in seen["units"]] == ["1", "10", "11", "2", "3"]
    assert seen["ally_ids"] == ["1", "10", "2"]
    assert seen["enemy_ids"] == ["11", "3"]


def test_entry_of_a_unit(seen: MacroObservation) -> None:
    assert seen["units"][1] == {
        "id": "10",
        "unitType": "Termagant",
        "player": 1,
        "col": 3,
        "row": 8,
        "hp": 1,
        "hp_max": 1,
        "value": 6,
        "dist_obj": 6,
        "best_ranged_target_onehot": [1.0, 0.0, 0.0],
        "best_melee_target_onehot": [1.0, 0.0, 0.0],
        "attack_mode_ratio": pytest.approx(0.428571, abs=5e-7),
        "hp_ratio": 1.0,
        "value_norm": 6 / 200,
        "pos_col_norm": 3 / 19,
        "pos_row_norm": 8 / 13,
        "dist_obj_norm": 6 / longest_distance(20, 14),
    }


def test_objectives_are_scaled_by_columns_and_rows(seen: MacroObservation) -> None:
    """Units are scaled by the last column and row, objectives are not."""
    left, right = seen["objectives"]
    assert (left["id"], left["col"], left["row"]) == ("left", 7 / 3, 7 / 3)
    assert (left["col_norm"], left["row_norm"]) == (7 / 3 / 20, 7 / 3 / 14)
    assert (right["col"], right["row"]) == (9.0, 9.5)
    assert [objective["control_state"] for objective in seen["objectives"]] == [1.0, 1.0]
    assert seen["attrition_objective_index"] == 1


def test_control_is_seen_by_the_player_whose_turn_it_is(table: Any) -> None:
    place = table(*UNITS, board=(20, 14), objectives=OBJECTIVES)
    place.skip_to("shoot", player=2)
    later = macro_observation(place.setting, place.games)
    assert (later["global"]["current_player"], later["global"]["phase"]) == (2, "shoot")
    assert later["objectives"][0]["control_state"] == -1.0
    assert later["ally_ids"] == ["11", "3"]


def test_equal_control_counts_for_nobody(table: Any) -> None:
    place = table("^1 Intercessor 2,2", "v2 Intercessor 2,3", "v3 Carnifex 15,9", board=(20, 14), objectives=OBJECTIVES)
    here = macro_observation(place.setting, place.games)
    assert here["global"]["objectives_controlled"] == {"p1": 0, "p2": 0}
    assert [objective["control_state"] for objective in here["objectives"]] == [0.0, 0.0]


def test_dead_units_vanish(table: Any) -> None:
    place = table(*UNITS, board=(20, 14), objectives=OBJECTIVES)
    place.skip_to("fight")
    place.strike("11", "2", "hit 6, wound 6, save 1")
    later = macro_observation(place.setting, place.games)
    assert [unit["id"] for unit in later["units"]] == ["1", "10", "11", "3"]
    assert len(later["eligible_mask"]) == 4
    assert later["global"]["objectives_controlled"] == {"p1": 1, "p2": 0}
    assert later["global"]["army_value_diff"] == (18 + 6) - (125 + 18)


# --- the pool -------------------------------------------------------------------------------------------------


def pool_of(seen: MacroObservation) -> list[str]:
    return [unit["id"] for unit, eligible in zip(seen["units"], seen["eligible_mask"], strict=True) if eligible]


def test_eligible_are_those_that_the_rules_would_let_act(play: Play) -> None:
    """Also those of the other player in the fight phase, and the unit whose activation is open."""
    session = Session("asymmetric")
    others = 0
    for _ in play(session, 8):
        seen = session.macro_observation()
        assert len(seen["eligible_mask"]) == len(seen["units"])
        eligible = pool_of(seen)
        if session.active_unit is None:
            assert sorted(eligible) == sorted(session.pool())
            others += not set(eligible) & set(seen["ally_ids"])
        else:
            assert session.active_unit in eligible
    assert others > 0, "nobody fought in the other player's turn"
    assert pool_of(session.macro_observation()) == []


def test_both_players_see_the_same(table: Any) -> None:
    """There is one observation: nothing in it depends on who asks."""
    place = table(*UNITS, board=(20, 14), objectives=OBJECTIVES)
    before = place.games.tobytes()
    assert macro_observation(place.setting, place.games) == macro_observation(place.setting, place.games)
    assert place.games.tobytes() == before


# --- the vector -----------------------------------------------------------------------------------------------


def test_vector_of_the_default_scenario_has_the_length_of_the_specification() -> None:
    assert macro_vector_size(15, 6) == 208
    session = Session("macro_default")
    session.reset(np.random.default_rng(0))
    vector = macro_vector(session.macro_observation(), units=15, objectives=6, max_turns=5)
    assert (vector.shape, vector.dtype) == ((208,), np.float32)
    assert (vector[-3:] == 0).all(), "one place for an objective is always free"


def test_vector_in_the_order_of_the_document(seen: MacroObservation) -> None:
    vector = macro_vector(seen, units=6, objectives=3, max_turns=5)
    assert vector[:10].tolist() == pytest.approx([0.2, 1, 0, 0, 0, 1, 0, 2, 0, -112])
    termagant = [1, 0, 0, 1, 0, 0, 0.4285714, 1, 0.03, 3 / 19, 8 / 13, 6 / longest_distance(20, 14)]
    assert vector[22:34].tolist() == pytest.approx(termagant)
    assert (vector[70:82] == 0).all()
    assert vector[82:88].tolist() == pytest.approx([7 / 60, 7 / 42, 1, 9 / 20, 9.5 / 14, 1])
    assert (vector[88:] == 0).all()
    assert len(vector) == 91


@pytest.mark.parametrize(("units", "objectives", "key"), [(4, 3, "units"), (6, 1, "objectives")])
def test_more_than_there_are_rows_is_refused(seen: MacroObservation, units: int, objectives: int, key: str) -> None:
    with pytest.raises(ContentError, match=rf"macro vector: {key}: expected at most \d, got \d"):
        macro_vector(seen, units=units, objectives=objectives, max_turns=5)


# --- refusals -------------------------------------------------------------------------------------------------


def changed(**scenario: Any) -> Setting:
    return build_setting(replace(load_scenario("small_board"), **scenario), load_game_rules())


def begun(setting: Setting) -> Any:
    games = new_games(1, 16, 8)
    games[0].phase = 1
    return games


def test_largest_distance_is_worked_out_with_the_scenario() -> None:
    assert int(Session("macro_default").setting.world.max_range) == longest_distance(25, 21) == 32
    assert longest_distance(8, 8) == 11


def test_missing_largest_distance_is_refused() -> None:
    setting = changed()
    setting.worlds[0].max_range = 0
    with pytest.raises(ContentError, match=r"small_board: max_range: expected .*, got 0"):
        macro_observation(setting, begun(setting))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"cols": 1, "objectives": ()}, "board.cols"),
        ({"rows": 1, "objectives": ()}, "board.rows"),
        ({"objectives": ()}, "objectives"),
    ],
)
def test_board_that_cannot_be_described_is_refused(change: dict[str, Any], key: str) -> None:
    setting = changed(**change, walls=frozenset())
    with pytest.raises(ContentError) as caught:
        macro_observation(setting, begun(setting))
    assert caught.value.key == key


def test_objective_without_hexes_is_refused() -> None:
    objectives = load_scenario("small_board").objectives
    setting = changed(objectives=(*objectives[:-1], replace(objectives[-1], hexes=())))
    with pytest.raises(ContentError, match="hexes: expected at least one hex, got none"):
        macro_observation(setting, begun(setting))


def test_unit_without_hit_points_is_refused() -> None:
    first, *others = load_scenario("small_board").units
    setting = changed(units=(replace(first, type=replace(first.type, hit_points=0)), *others))
    with pytest.raises(ContentError, match=r"HP_MAX of .*: expected at least 1, got 0"):
        macro_observation(setting, begun(setting))


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ({"macro_max_unit_value": 0}, "macro_max_unit_value"),
        ({"macro_target_weights": replace(load_game_rules().macro_target_weights, elite=-1.0)}, "elite"),
    ],
)
def test_game_rules_that_cannot_be_used_are_refused(rules: dict[str, Any], key: str) -> None:
    setting = build_setting(load_scenario("small_board"), replace(load_game_rules(), **rules))
    with pytest.raises(ContentError, match=key):
        macro_observation(setting, begun(setting))


def test_game_that_has_not_begun_is_refused() -> None:
    with pytest.raises(W40KError, match="macro observation: expected a game in phase move, shoot, charge, fight, got"):
        Session("small_board").macro_observation()


def test_options_of_another_kind_are_refused() -> None:
    wrong: Any = {"best_weapons": 2}
    with pytest.raises(ContentError, match="argument: profile: expected None or ProfileOptions"):
        Session("small_board", profile=wrong)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda rules: rules["macro_target_weights"].pop("troop"), "macro_target_weights.troop"),
        (lambda rules: rules["macro_target_weights"].update(elite=-1), "macro_target_weights.elite"),
        (lambda rules: rules.update(macro_max_unit_value=0), "macro_max_unit_value"),
        (lambda rules: rules.pop("macro_max_unit_value"), "macro_max_unit_value"),
    ],
)
def test_game_rules_are_refused_as_they_are_read(
    change: Callable[[dict[str, Any]], Any], key: str, tmp_path: Path
) -> None:
    rules = json.loads((CONTENT / "game_rules.json").read_text(encoding="utf-8"))
    change(rules)
    path = tmp_path / "game_rules.json"
    path.write_text(json.dumps(rules), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        Session("small_board", game_rules=path, layout=Layout(macro=True))
    assert (caught.value.file, caught.value.key) == (str(path), key)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"stats": {"HP_MAX": 0}}, "custom_unit_types.Ghost.stats.HP_MAX"),
        ({"ranged": [], "melee": []}, "custom_unit_types.Ghost"),
    ],
)
def test_unit_types_are_refused_as_they_are_read(data: dict[str, Any], key: str) -> None:
    types = {"Ghost": {"based_on": "Termagant", **data}}
    units = [{"id": 1, "unit_type": "Ghost", "player": 1, "col": 1, "row": 1}]
    scenario = {"units": units, "custom_unit_types": types, "primary_objectives": "objectives_control"}
    scenario["objectives"] = [{"id": 1, "hexes": [[3, 3]]}]
    with pytest.raises(ContentError) as caught:
        build_scenario(scenario, name="ghost")
    assert caught.value.key == key


@pytest.mark.parametrize("objectives", [[], [{"id": 1, "hexes": []}]])
def test_objectives_are_refused_as_they_are_read(objectives: list[Any]) -> None:
    units = [{"id": 1, "unit_type": "Termagant", "player": 1, "col": 1, "row": 1}]
    with pytest.raises(ContentError, match="objectives"):
        build_scenario({"units": units, "objectives": objectives, "primary_objectives": "objectives_control"}, name="x")


def test_board_of_one_column_is_refused_with_the_layout(tmp_path: Path) -> None:
    """It can be played, so the file is accepted; only what cannot be scaled is refused."""
    scenario = {
        "board": {"cols": 1, "rows": 9},
        "units": [
            {"id": 1, "unit_type": "Termagant", "player": 1, "col": 0, "row": 1},
            {"id": 2, "unit_type": "Termagant", "player": 2, "col": 0, "row": 7},
        ],
        "objectives": [{"id": 1, "hexes": [[0, 4]]}],
        "primary_objectives": "objectives_control",
    }
    path = tmp_path / "lane.json"
    path.write_text(json.dumps(scenario), encoding="utf-8")
    assert Session(path).setting.scenario.cols == 1
    with pytest.raises(ContentError, match=r"lane: board\.cols: expected at least 2, .*, got 1"):
        Session(path, layout=Layout(macro=True))


# --- threats and priorities -----------------------------------------------------------------------------------


def test_extras_have_a_row_for_each_unit_and_objective(table: Any) -> None:
    """Against the Carnifex: talons, bolt rifle and fleshborer, each the best weapon of its unit, on 8 hit points."""
    place = table(*UNITS, board=(20, 14), objectives=OBJECTIVES)
    seen = macro_observation(place.setting, place.games, extras=True)
    threats = dict(zip([unit["id"] for unit in seen["units"]], seen["threats"], strict=True))
    longest = longest_distance(20, 14)
    assert threats["2"] == pytest.approx({"ally": 1.0, "eligible": 1.0, "enemy_distance": 1 / longest, "threat": 1.0})
    assert (threats["11"]["ally"], threats["11"]["eligible"]) == (-1.0, 0.0)
    claws = 3 * (3 / 6) * (1 / 6) * (2 / 6)
    rifle = 4 * (4 / 6) * (1 / 6) * (2 / 6)
    gun = 1 * (3 / 6) * (2 / 6) * (1 / 6)
    assert threats["11"]["threat"] == pytest.approx((claws + rifle + gun) / 8)


def test_priorities_tell_what_there_is_to_win_or_lose(table: Any) -> None:
    place = table(*UNITS, board=(20, 14), objectives=OBJECTIVES)
    longest = longest_distance(20, 14)
    left, right = macro_observation(place.setting, place.games, extras=True)["priorities"]
    assert (left["ally_strength"], left["enemy_strength"]) == pytest.approx((0.2, 0.0))
    assert (left["ally_distance"], right["ally_distance"]) == (0.0, 0.0)
    assert right["enemy_distance"] == pytest.approx(1 / longest)
    assert right["priority"] == pytest.approx(1 - 1 / longest), "held, and an enemy stands beside it"
    assert left["priority"] < right["priority"]


# --- evolutions in a game -------------------------------------------------------------------------------------


def profiles(place: Any, **options: Any) -> dict[str, tuple[bool, bool, float]]:
    """Whether each unit shoots and fights, and its ratio."""
    seen = macro_observation(place.setting, place.games, options=ProfileOptions(**options))
    return {
        unit["id"]: (
            any(unit["best_ranged_target_onehot"]),
            any(unit["best_melee_target_onehot"]),
            unit["attack_mode_ratio"],
        )
        for unit in seen["units"]
    }


def test_real_range_adds_the_move_while_it_is_to_come(table: Any) -> None:
    """Termagants: range 18, MOVE 6, charges of 12 steps."""
    place = table("^1 Termagant 2,6", "v2 Termagant 26,6", "v3 Termagant 28,2", board=(40, 14))
    assert profiles(place, real_range=True) == {
        "1": (True, False, 0.0),
        "2": (True, False, 0.0),
        "3": (False, False, 0.5),
    }
    place.skip_to("shoot")
    assert profiles(place, real_range=True)["1"] == (False, False, 0.5), "its move is behind it"
    assert profiles(place, real_range=True)["2"] == (True, False, 0.0), "the other's is to come"


def test_real_range_needs_sight(table: Any) -> None:
    wall = " ".join(f"8,{row}" for row in range(14))
    place = table("^1 Intercessor 2,6", "v2 Intercessor 12,6", board=(20, 14), walls=wall)
    assert profiles(place, real_range=True) == {"1": (False, False, 0.5), "2": (False, False, 0.5)}


@pytest.mark.parametrize(("column", "fights"), [(15, True), (16, False)])
def test_real_range_of_melee_is_a_charge(table: Any, column: int, fights: bool) -> None:
    place = table("^1 Hormagaunt 2,6", f"v2 Hormagaunt {column},6", board=(30, 14))
    assert profiles(place, real_range=True)["1"] == (False, fights, 1.0 if fights else 0.5)


def test_real_range_of_melee_follows_paths(table: Any) -> None:
    wall = " ".join(f"8,{row}" for row in range(13))
    place = table("^1 Hormagaunt 7,1", "v2 Hormagaunt 9,1", board=(20, 14), walls=wall)
    assert profiles(place, real_range=True)["1"][1] is False


def test_unit_in_contact_fights_and_shoots_with_pistols_only(table: Any) -> None:
    """The Intercessor has rifle and pistol, so it goes on shooting; a Termagant beside an enemy has no pistol."""
    place = table("^1 Intercessor 5,5", "^2 Termagant 9,9", "v3 Hormagaunt 5,6", "v4 Hormagaunt 9,10", board=(20, 14))
    place.skip_to("shoot")
    for options in ({"weapon_rules": True}, {"selectable_only": True}):
        found = profiles(place, **options)
        assert (found["1"][:2], found["2"][:2]) == ((True, True), (False, True)), options


def test_weapon_rules_after_an_advance(table: Any) -> None:
    """A bolt rifle has ASSAULT, a storm bolter has not."""
    types = {"Gunner": {"based_on": "Terminator", "ranged": ["storm_bolter"]}}
    units = ("^1 Intercessor 2,2", "^2 Gunner 2,10", "^4 Gunner 2,12", "v3 Carnifex 18,6")
    place = table(*units, board=(20, 14), types=types)
    place.skip_to("shoot")
    for unit in ("1", "2"):
        place.select(unit)
        place.act(12, "advance 1")
        if place.game.active >= 0:
            place.act(11)
    found = profiles(place, weapon_rules=True)
    assert [found[unit][0] for unit in "124"] == [True, False, True]


def test_selectable_only_knows_what_is_fired_in_the_open_activation(table: Any) -> None:
    """What the active unit has fired is no matter to the same unit beside it."""
    types = {"Gunner": {"based_on": "Terminator", "ranged": ["storm_bolter", "bolt_rifle"]}}
    units = ("^1 Gunner 2,6", "^2 Gunner 2,8", "v3 Carnifex 12,7")
    place = table(*units, board=(20, 14), types=types, decisions="agent")
    place.skip_to("shoot")
    place.play("1", 4, "hit 1, hit 1, hit 1, hit 1")
    status = np.zeros((32, STATUS_FIELDS), dtype=np.int64)
    write_statuses(*place.arguments, status)
    assert place.game.active == place.number("1")
    assert [status[place.number(unit), SELECTABLE_RANGED] for unit in "12"] == [0b01, 0b11]
    place.act(11)
    write_statuses(*place.arguments, status)
    assert [status[place.number(unit), SELECTABLE_RANGED] for unit in "12"] == [0, 0b11], "it has shot"


def test_selectable_only_of_melee_is_contact(table: Any) -> None:
    place = table("^1 Hormagaunt 5,5", "^2 Hormagaunt 9,9", "v3 Hormagaunt 5,6", board=(20, 14))
    found = profiles(place, selectable_only=True)
    assert [found[unit][1] for unit in "123"] == [True, False, True]
    place.skip_to("fight")
    place.strike("3", "1", "hit 1")
    place.end()
    assert [profiles(place, selectable_only=True)[unit][1] for unit in "13"] == [True, False]


def test_dynamic_weights_are_of_the_enemys_whole_army(table: Any) -> None:
    """Player 1 faces a Carnifex and marines: a wound on the Elite counts most; player 2 faces swarms only."""
    place = table(*UNITS, board=(20, 14))
    seen = macro_observation(place.setting, place.games, options=ProfileOptions(dynamic_weights=True))
    hot = {unit["id"]: unit["best_melee_target_onehot"] for unit in seen["units"]}
    assert hot["1"] == [0.0, 0.0, 1.0]
    assert hot["11"][2] == 0.0
