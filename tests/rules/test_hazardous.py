"""HAZARDOUS: when its die is rolled, what a 1 costs, and how a unit that dies of it leaves its phase."""

from __future__ import annotations

from typing import Any

import pytest

WAIT, ADVANCE, CHARGE, FIGHT = 11, 12, 9, 10


@pytest.fixture
def arena(play: Any, weapon: Any) -> Any:
    """Units of 3 hit points with a hazardous gun and a hazardous maul (``Bomber``), and with a club (``Clubber``)."""
    hazard = ("HAZARDOUS",)
    stats = {"HP_MAX": 3, "T": 4, "ARMOR_SAVE": 7, "MOVE": 4}
    base = {"based_on": "Carnifex", "stats": stats}
    types = {
        "Bomber": {**base, "ranged": ["bomb"], "melee": ["maul"]},
        "Twin": {**base, "ranged": ["bomb", "mine"], "melee": ["maul"]},
        "Giant": {**base, "stats": {**stats, "HP_MAX": 10}, "ranged": ["bomb"], "melee": ["maul"]},
        "Clubber": {**base, "ranged": [], "melee": ["club"]},
    }
    weapons = {
        "bomb": weapon(range=12, attacks=2, rules=hazard),
        "mine": weapon(range=12, rules=hazard),
        "maul": weapon(rules=hazard),
        "club": weapon(),
    }

    def table(*units: str, **options: Any) -> Any:
        return play(*units, types=types, weapons=weapons, **{"weapon_rules": "full", "decisions": "agent"} | options)

    return table


def named(table: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(event.values())[1:] for event in table.events(*names)]


# --- the die --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("face", range(1, 7))
def test_a_one_in_six_costs_three_hit_points(arena: Any, face: int, decisions: str) -> None:
    table = arena("^1 Giant 2,2", "v2 Clubber 8,2", decisions=decisions)
    table.skip_to("shoot")
    table.play("1", 4, f"hit 1, hit 1, hazard {face}")
    damage = 3 if face == 1 else 0
    assert table.hp("1") == 10 - damage
    assert named(table, "hazard_rolled") == [("1", "bomb", face, damage)]
    assert table.marked("shot") == ["1"]


def test_it_is_a_label_in_the_reference_setting(arena: Any) -> None:
    table = arena("^1 Bomber 2,2", "v2 Clubber 8,2", weapon_rules="reference")
    table.skip_to("shoot")
    table.play("1", 4, "hit 1, hit 1")
    assert table.phase == "charge"


def test_nothing_is_rolled_for_a_weapon_that_was_not_used(arena: Any) -> None:
    table = arena("^1 Bomber 2,2", "v2 Clubber 8,2")
    table.skip_to("shoot")
    table.play("1", WAIT, "")
    table = arena("^1 Bomber 2,2", "v2 Clubber 16,2")
    table.skip_to("shoot")
    table.play("1", ADVANCE, "advance 1")
    assert named(table, "hazard_rolled") == []


def test_stopping_with_shots_left_rolls_it(arena: Any) -> None:
    """The first shot kills and the second is kept: the weapon was used."""
    table = arena("^1 Giant 2,2", "v2 Termagant 8,2", "v3 Clubber 8,4")
    table.skip_to("shoot")
    table.select("1")
    table.act(4 + table.targets().index("2"), "hit 3, wound 3, save 1")
    assert (table.living(), named(table, "hazard_rolled")) == (["1", "3"], [])
    table.act(WAIT, "hazard 1")
    assert table.hp("1") == 7


def test_each_weapon_used_has_its_die_in_slot_order(arena: Any) -> None:
    table = arena("^1 Twin 2,2", "v2 Clubber 8,2", decisions="reference")
    table.skip_to("shoot")
    table.play("1", 4, "hit 1, hit 1, hit 1, hazard 2, hazard 3")
    assert named(table, "hazard_rolled") == [("1", "bomb", 2, 0), ("1", "mine", 3, 0)]


def test_no_die_after_death(arena: Any) -> None:
    table = arena("^1 Twin 2,2", "v2 Clubber 8,2", decisions="reference")
    table.skip_to("shoot")
    table.play("1", 4, "hit 1, hit 1, hit 1, hazard 1")
    assert table.living() == ["2"]


# --- death by one's own weapon --------------------------------------------------------------------------------


def test_dead_shooter_leaves_the_phase_to_the_others(arena: Any) -> None:
    table = arena("^1 Bomber 2,2", "^2 Bomber 2,6", "v3 Clubber 8,2")
    table.skip_to("shoot")
    table.play("1", 4, "hit 1, hit 1, hazard 1")
    assert named(table, "died") == [("1", "1")]
    assert (table.where, table.pool(), table.living()) == ((1, 1, "shoot"), ["2"], ["2", "3"])
    table.play("2", 4, "hit 1, hit 1, hazard 6")
    table.finish()
    assert table.over


def test_last_unit_of_a_side_dies_by_itself(arena: Any) -> None:
    """Its turns pass by, the game is played to its end, and the other side wins."""
    table = arena("^1 Bomber 2,2", "v2 Clubber 8,2")
    table.skip_to("shoot")
    table.play("1", 4, "hit 1, hit 1, hazard 1")
    assert table.where == (1, 2, "move")
    table.finish()
    assert table.result == (2, "value_tiebreaker")


def test_dead_charger_hands_on_to_the_other_side(arena: Any) -> None:
    """The last charger dies: the pools of the second stage are made, without it and with its target."""
    table = arena("^1 Bomber 10,12", "^2 Clubber 11,9", "v3 Clubber 10,9", "v4 Clubber 24,0")
    table.skip_to("charge")
    table.play("1", CHARGE, "charge 3, charge 3")
    assert (table.stage, table.pool()) == ("chargers", ["1"])
    table.play("1", FIGHT, "hit 1, hazard 1")
    assert table.living() == ["2", "3", "4"]
    assert (table.stage, table.pool()) == ("alternating_other", ["3"])
    table.play("3", FIGHT, "hit 1")
    assert (table.stage, table.pool()) == ("cleanup_active", ["2"])


def test_dead_charger_leaves_the_other_chargers(arena: Any) -> None:
    table = arena("^1 Bomber 10,12", "^2 Bomber 13,10", "v3 Clubber 10,9")
    table.skip_to("charge")
    table.play("1", CHARGE, "charge 6, charge 6")
    table.play("2", CHARGE, "charge 6, charge 6")
    table.play("1", FIGHT, "hit 1, hazard 1")
    assert (table.stage, table.pool()) == ("chargers", ["2"])


def test_dead_fighters_leave_the_alternation_in_order(arena: Any) -> None:
    table = arena("^1 Clubber 10,10", "v2 Bomber 10,9", "v3 Bomber 10,11")
    table.skip_to("fight")
    table.play("2", FIGHT, "hit 1, hazard 1")
    assert (table.stage, table.pool()) == ("alternating_active", ["1"])
    table.play("1", FIGHT, "hit 6, wound 6, save 1")
    table.play("3", FIGHT, "hit 1, hazard 1")
    assert (table.living(), table.where) == (["1"], (2, 1, "move")), "the turn of player 2 passed by"


def test_unit_whose_only_enemy_died_by_itself_passes(arena: Any) -> None:
    table = arena("^1 Clubber 10,10", "v2 Bomber 10,9")
    table.skip_to("fight")
    table.play("2", FIGHT, "hit 1, hazard 1")
    assert table.pool() == ["1"]
    table.play("1", FIGHT, "")
    assert named(table, "passed") == [("1",)]


def test_both_die_of_one_activation(arena: Any) -> None:
    """The target falls to the attack, the attacker to its weapon; the phase goes on without either."""
    table = arena("^1 Bomber 10,10", "^2 Clubber 20,10", "v3 Termagant 10,9", "v4 Clubber 20,9")
    table.skip_to("fight")
    table.play("4", FIGHT, "hit 1")
    table.play("1", FIGHT, "hit 6, wound 6, save 1, hazard 1")
    assert named(table, "died") == [("3", "1"), ("1", "1")]
    assert table.pool() == ["2"]
    table.play("2", FIGHT, "hit 1")
    assert table.where == (1, 2, "move")
