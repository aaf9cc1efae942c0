"""The shooting phase: the worked examples of spec 04 section 16, target lists, weapons, advances, who decides."""

from __future__ import annotations

from typing import Any

import pytest

WAIT, ADVANCE = 11, 12


# --- the worked examples --------------------------------------------------------------------------------------
#
#     col   4   ...   14   16   18
#   row  9                       v4 Warrior
#   row 10  ^1             v2
#   row 12             v3

OPPOSITE = ("v2 Hormagaunt 16,10", "v3 Hormagaunt 14,12", "v4 TyranidWarriorRanged 18,9")


def test_first_shot_is_the_agents_the_others_go_to_the_first_slot(play: Any) -> None:
    """Example A: the Warrior, who can shoot back, heads the list; then the nearer Hormagaunt."""
    table = play("^1 Intercessor 4,10", *OPPOSITE)
    table.skip_to("shoot")
    table.select("1")
    assert table.targets() == ["4", "3", "2"]
    assert table.mask() == {4, 5, 6, WAIT, ADVANCE}
    table.act(5, "hit 5, wound 2 | hit 3, wound 3 | hit 2 | hit 2")
    assert [event["target"] for event in table.events("attacked")] == ["3", "4", "4", "4"]
    assert table.where == (1, 1, "charge")
    assert table.marked("shot") == ["1"]


def test_agents_shots_stay_on_their_target_until_it_dies(play: Any) -> None:
    """Examples A and A2 where agents decide: three dice kill unit 3, then the agent chooses for the shots left."""
    table = play("^1 Intercessor 4,10", *OPPOSITE, decisions="agent")
    table.skip_to("shoot")
    table.select("1")
    assert table.targets() == ["4", "3", "2"]
    table.act(5, "hit 5, wound 2 | hit 4, wound 4, save 4")
    assert [event["target"] for event in table.events("attacked")] == ["3", "3"]
    assert (table.living(), table.targets()) == (["1", "2", "4"], ["4", "2"])
    assert table.mask() == {4, 5, WAIT}  # no advance once a shot is fired
    table.act(4, "hit 4, wound 4 | hit 4, wound 4")
    assert [event["target"] for event in table.events("attacked")] == ["4", "4"]
    assert table.where == (1, 1, "charge")


def test_second_unit_with_the_same_weapon_has_its_own_shots(play: Any) -> None:
    """Example A2 under D1 and D5: the second rifle sees all targets, and one step is enough to advance."""
    table = play("^1 Intercessor 4,10", "^5 Intercessor 4,12", *OPPOSITE)
    table.skip_to("shoot")
    table.play("1", 4, "hit 1, hit 1, hit 1, hit 1")
    table.select("5")
    assert table.targets() == ["4", "3", "2"]
    assert table.mask() == {4, 5, 6, WAIT, ADVANCE}
    before = table.hex("5")
    assert table.act(ADVANCE, "advance 4")[0]["event"] == "advanced"
    assert table.hex("5") != before


def test_launcher_chooses_krak_against_a_warrior(play: Any) -> None:
    """Example B. D2: a number of attacks that is not used is not rolled, so four dice are all."""
    table = play("^1 IntercessorGrenadeLauncher 4,10", "v2 TyranidWarriorRanged 16,10", "v3 Hormagaunt 14,12")
    table.skip_to("shoot")
    assert table.selected_weapon("1") == 0
    table.select("1")
    assert table.targets() == ["2", "3"]
    assert table.mask() == {4, 5, WAIT, ADVANCE}
    table.act(4, "hit 4, wound 3, save 2, damage 5")
    assert table.living() == ["1", "3"]
    assert table.marked("shot") == ["1"]
    assert table.selected_weapon("1") == 1


def test_combi_choice_outlives_the_activation(play: Any) -> None:
    """Example B, next turn: the krak profile is still the selected one (K13); a new activation forgets it."""
    table = play("^1 IntercessorGrenadeLauncher 4,10", "v2 Carnifex 20,10")
    table.skip_to("shoot")
    table.play("1", 4, "hit 1")
    assert table.selected_weapon("1") == 1
    table.skip_to("shoot", player=1, turn=2)
    assert table.selected_weapon("1") == 1
    table.play("1", ADVANCE, "advance 1")  # starts an activation: no profile is shut any more
    assert table.selected_weapon("1") == 0


def test_advance_then_assault(play: Any) -> None:
    """Example C: three hexes towards the Warrior, then the rifle; the pistol may not follow an advance."""
    table = play("^1 Intercessor 2,10", "v2 TyranidWarriorRanged 20,10")
    table.skip_to("shoot")
    table.select("1")
    assert table.mask() == {4, WAIT, ADVANCE}
    table.act(ADVANCE, "advance 3")
    assert table.hex("1") == (5, 8)
    assert table.mask() == {4, WAIT}
    table.act(4, "hit 3, wound 6, save 1 | hit 1 | hit 1 | hit 6, wound 2")
    assert table.hp("2") == 2
    assert table.where == (1, 2, "move")  # who advanced does not charge


def test_wait_after_an_advance_counts_as_advanced_only(play: Any) -> None:
    table = play("^1 Intercessor 2,10", "^3 Intercessor 2,14", "v2 TyranidWarriorRanged 20,10")
    table.skip_to("shoot")
    table.play("1", ADVANCE, "advance 3")
    table.act(WAIT)
    assert table.marked("advanced") == ["1"]
    assert table.marked("shot") == table.marked("moved") == []


def test_advance_without_assault_weapon_ends_the_activation(play: Any) -> None:
    """Example D under D2: the roll of the advance is the only die."""
    table = play("^1 IntercessorGrenadeLauncher 2,10", "^3 Termagant 2,14", "v2 TyranidWarriorRanged 20,10")
    table.skip_to("shoot")
    table.play("1", ADVANCE, "advance 2")
    assert table.pool() == ["3"]
    assert table.marked("advanced") == ["1"]


def test_two_pistols_in_contact(play: Any) -> None:
    """Example E under D1: the second pistol is not used up by the first, and its wait is a wait."""
    table = play("^1 AssaultIntercessor 10,9", "^2 AssaultIntercessor 10,7", "v3 Carnifex 10,8", "v4 Carnifex 10,2")
    table.skip_to("shoot")
    for unit in ("1", "2"):
        table.select(unit)
        assert table.targets() == ["3", "4"]  # a pistol in contact may also aim far (K8)
        assert table.mask() == {4, 5, WAIT}
        table.act(*((4, "hit 6, wound 6, save 6") if unit == "1" else (WAIT, "")))
        if unit == "1":
            assert table.marked("shot") == ["1"]
    assert table.where == (1, 1, "fight")
    assert table.hp("3") == 8
    assert table.marked("shot") == ["1"]


def test_blocked_advance_rolls_a_fresh_die_each_time(play: Any) -> None:
    """Example F under D5 and D6: one step, one die, no move; nothing is kept for the next turn."""
    table = play("^1 Hormagaunt 0,0", "v2 Termagant 20,10", walls="1,0 0,1")
    assert table.where == (1, 1, "shoot")  # nobody can move
    for turn, face in ((1, 3), (2, 5)):
        table.skip_to("shoot", player=1, turn=turn)
        table.select("1")
        assert table.mask() == {WAIT, ADVANCE}
        assert table.act(ADVANCE, f"advance {face}")[0] == {"event": "advance_blocked", "unit": "1", "roll": face}
        assert table.hex("1") == (0, 0)
        assert table.marked("advanced") == []


# --- who can be shot, and in which order ----------------------------------------------------------------------


def test_walls_hide_units_do_not(play: Any) -> None:
    """Unit 4 stands behind a wall, unit 3 behind unit 2."""
    table = play(
        "^1 Carnifex 4,10", "v2 Carnifex 8,10", "v3 Carnifex 12,10", "v4 Carnifex 4,2", walls="4,6"
    )  # fmt: skip
    assert table.shooting_list("1") == ["2", "3"]


def test_enemies_that_touch_a_friend_are_not_shot_at(play: Any) -> None:
    """R-3: unit 5 touches unit 3, so only a pistol of unit 3 itself may aim at it."""
    table = play(
        "^1 Carnifex 4,10", "^3 AssaultIntercessor 10,10", "^4 Carnifex 16,2", "v5 Carnifex 10,9", "v6 Carnifex 4,2"
    )  # fmt: skip
    assert table.shooting_list("1") == ["6"]
    assert table.shooting_list("3") == ["5", "6"]
    table.skip_to("shoot")
    assert table.pool() == ["1", "3", "4"]


def test_unit_in_contact_without_pistol_does_not_act(play: Any) -> None:
    table = play("^1 Carnifex 10,10", "^2 Intercessor 20,18", "v3 Carnifex 10,9")
    table.skip_to("shoot")
    assert table.pool() == ["2"]


def test_rifle_is_silent_in_contact(play: Any) -> None:
    table = play("^1 Intercessor 10,10", "v2 Carnifex 10,9", "v3 Carnifex 10,2")
    table.skip_to("shoot")
    assert table.selected_weapon("1") == 1  # the pistol
    table.select("1")
    assert table.mask() == {4, 5, WAIT}
    assert table.act(5, "hit 2")[0]["weapon"] == "bolt_pistol"


def test_list_follows_danger_then_kind_then_distance(play: Any) -> None:
    """Enemies with ranged weapons first; among the others those of 2 or 3 hit points, then the nearest, then roster."""
    table = play(
        "^1 TyranidWarriorRanged 2,10",
        "v2 Hormagaunt 10,10", "v3 Hormagaunt 6,10", "v4 Genestealer 14,10", "v5 Termagant 18,10", "v6 Hormagaunt 2,14",
    )  # fmt: skip
    assert table.shooting_list("1") == ["5", "4", "3", "6", "2"]


def test_selected_weapon_of_an_enemy_orders_the_list(play: Any, weapon: Any) -> None:
    """K13: a launcher is less dangerous than the gunner with frag selected, more so with krak, which it keeps."""
    table = play(
        "^1 TyranidWarriorRanged 2,10", "v2 Gunner 16,10", "v3 IntercessorGrenadeLauncher 16,12",
        types={"Gunner": {"based_on": "Intercessor", "ranged": ["gun"]}},
        weapons={"gun": weapon(range=24, strength=6, ap=-1)},
    )  # fmt: skip
    assert table.shooting_list("1") == ["2", "3"]
    table.skip_to("shoot", player=2)
    table.play("3", 4, "hit 1")
    assert table.selected_weapon("3") == 1
    table.skip_to("move", player=1, turn=2)
    assert table.shooting_list("1") == ["3", "2"]


def test_five_slots_at_most(play: Any) -> None:
    enemies = [f"v{number} Termagant {number * 2},4" for number in range(2, 9)]
    table = play("^1 Carnifex 10,16", *enemies)
    table.skip_to("shoot")
    table.select("1")
    assert len(table.targets()) == 7
    assert table.mask() == {4, 5, 6, 7, 8, WAIT, ADVANCE}


# --- weapons --------------------------------------------------------------------------------------------------


@pytest.fixture
def guns(play: Any, weapon: Any) -> Any:
    """A unit with a weak long gun and a strong short one; one enemy near, one far."""

    def table(decisions: str, **stats: Any) -> Any:
        found = play(
            "^1 Gunner 2,10", "v2 Carnifex 6,10", "v3 Carnifex 16,10", decisions=decisions,
            types={"Gunner": {"based_on": "Carnifex", "ranged": ["long", "short"]}},
            weapons={"long": weapon(range=24, strength=3, attacks=2), "short": weapon(range=6, strength=9, attacks=3)},
        )  # fmt: skip
        found.skip_to("shoot")
        found.select("1")
        return found

    return table


def test_automatic_weapon_choice_does_not_ask_for_reach(guns: Any) -> None:
    """K14: the short gun is usable because of unit 2, and its first shot at unit 3, ten hexes beyond, is resolved."""
    table = guns("reference")
    far = table.targets().index("3")
    table.act(4 + far, "hit 1, hit 1, hit 1 | hit 1, hit 1")
    assert [event["weapon"] for event in table.events("attacked")] == ["short"] * 3 + ["long"] * 2


def test_agents_weapons_reach_their_target(guns: Any) -> None:
    """The long gun for unit 3; then the short one may still fire, at unit 2 only, and the agent may stop."""
    table = guns("agent")
    far = table.targets().index("3")
    table.act(4 + far, "hit 1, hit 1")
    assert {event["weapon"] for event in table.events("attacked")} == {"long"}
    assert table.targets() == ["2"]
    assert table.mask() == {4, WAIT}
    table.act(4, "hit 1, hit 1, hit 1")
    assert {event["weapon"] for event in table.events("attacked")} == {"short"}
    assert table.where == (1, 1, "charge")


def test_agent_stops_with_shots_left(play: Any) -> None:
    table = play("^1 Intercessor 4,10", *OPPOSITE, decisions="agent")
    table.skip_to("shoot")
    table.select("1")
    table.act(5, "hit 4, wound 4, save 4")
    assert table.act(WAIT)[0] == {"event": "stopped_shooting", "unit": "1", "shots_left": 3}
    assert table.marked("shot") == ["1"]
    assert table.where == (1, 1, "charge")


@pytest.mark.parametrize("decisions", ["reference", "agent"])
def test_shots_are_lost_when_no_target_is_left(play: Any, decisions: str) -> None:
    table = play("^1 Intercessor 4,10", "v2 Hormagaunt 12,10", decisions=decisions)
    table.skip_to("shoot")
    events = table.play("1", 4, "hit 4, wound 4, save 4")
    assert {"event": "stopped_shooting", "unit": "1", "shots_left": 3} in events
    assert table.living() == ["1"]


@pytest.mark.parametrize("decisions", ["reference", "agent"])
def test_only_one_profile_of_a_combi_weapon_fires(play: Any, decisions: str) -> None:
    """After krak neither frag (same group) nor the pistol (no pistol after another weapon) may fire."""
    table = play("^1 IntercessorGrenadeLauncher 4,10", "v2 TyranidWarriorRanged 12,10", decisions=decisions)
    table.skip_to("shoot")
    table.play("1", 4, "hit 1")
    assert table.where == (1, 1, "charge")


def test_pistol_then_no_other_weapon(play: Any, weapon: Any) -> None:
    """A strong pistol is chosen first; the rifle may not follow."""
    table = play(
        "^1 Gunner 4,10", "v2 Carnifex 10,10",
        types={"Gunner": {"based_on": "Carnifex", "ranged": ["rifle", "pistol"]}},
        weapons={"rifle": weapon(range=24), "pistol": weapon(range=12, strength=9, rules=("PISTOL",))},
    )  # fmt: skip
    table.skip_to("shoot")
    table.play("1", 4, "hit 1")
    assert table.selected_weapon("1") == 1
    assert table.phase == "charge"


def test_advance_takes_the_hexes_next_to_an_enemy_just_killed(play: Any) -> None:
    """D7: the zone next to enemies is that of the moment."""
    table = play("^1 Carnifex 4,10", "^2 Hormagaunt 10,12", "v3 Hormagaunt 10,9", "v4 Hormagaunt 10,2")
    table.skip_to("shoot")
    assert (10, 10) not in table.destinations("2", 3)
    table.select("1")
    table.act(4 + table.targets().index("3"), "hit 4, wound 4, save 1 " + "| hit 1" * 5)
    assert "3" not in table.living()
    assert {(10, 10), (10, 9)} <= set(table.destinations("2", 3))


def test_wait_marks_nothing(play: Any) -> None:
    table = play("^1 Intercessor 4,10", "^2 Intercessor 6,10", *OPPOSITE[2:])
    table.skip_to("shoot")
    assert table.play("1", WAIT)[0] == {"event": "waited", "unit": "1"}
    assert table.marked("shot") == table.marked("advanced") == []
    assert table.pool() == ["2"]
