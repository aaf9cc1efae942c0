"""The charge phase: the worked example of spec 05 section 4, who may charge, how far, and whom."""

from __future__ import annotations

from typing import Any

import pytest

WAIT, ADVANCE, CHARGE = 11, 12, 9

#     col   10  ...  13  14
#   row  8  ^1       v3
#   row 12  ^2           v4
EXAMPLE = ("^1 Hormagaunt 10,8", "^2 Hormagaunt 10,12", "v3 Termagant 13,8", "v4 Termagant 14,12")


def test_reference_charges_the_first_enemy_of_the_roster(play: Any) -> None:
    table = play(*EXAMPLE)
    table.skip_to("charge")
    assert table.pool() == ["1", "2"]
    table.select("1")
    assert table.mask() == {CHARGE, WAIT}
    assert table.targets() == ["3", "4"]
    assert table.act(CHARGE, "charge 1, charge 2")[0] == {
        "event": "charged", "unit": "1", "target": "3", "from_hex": (10, 8), "to_hex": (12, 8), "roll": 3,
    }  # fmt: skip
    assert table.marked("charged") == ["1"]
    table.play("2", CHARGE, "charge 2, charge 2")  # at unit 3, though unit 4 is nearer
    assert table.hex("2") == (12, 9)
    assert table.marked("charged") == ["1", "2"]
    assert table.marked("moved") == []
    assert (table.phase, table.stage, table.pool()) == ("fight", "chargers", ["1", "2"])


def test_agent_charges_the_nearest_enemy_or_the_one_in_a_slot(play: Any) -> None:
    table = play(*EXAMPLE, decisions="agent")
    table.skip_to("charge")
    table.select("2")
    assert table.mask() == {4, 5, CHARGE, WAIT}
    assert table.targets() == ["3", "4"]
    before = table.games.copy()
    assert table.act(CHARGE, "charge 6, charge 6")[0]["target"] == "4"
    for micro, target in ((4, "3"), (5, "4")):
        table.games[:] = before
        assert table.act(micro, "charge 6, charge 6")[0]["target"] == target


def test_nearest_enemy_ties_by_roster(play: Any) -> None:
    table = play("^1 Hormagaunt 10,10", "v3 Termagant 10,14", "v2 Termagant 10,6", decisions="agent")
    table.skip_to("charge")
    assert table.play("1", CHARGE, "charge 1, charge 1")[0] == {
        "event": "charge_failed", "unit": "1", "target": "3", "roll": 2,
    }  # fmt: skip


def test_failed_charge_stays_and_is_not_marked(play: Any) -> None:
    table = play(*EXAMPLE)
    table.skip_to("charge")
    table.play("2", CHARGE, "charge 1, charge 2")
    assert table.hex("2") == (10, 12)
    assert table.marked("charged") == []
    assert table.pool() == ["1"]


def test_wait_rolls_nothing(play: Any) -> None:
    table = play(*EXAMPLE)
    table.skip_to("charge")
    table.play("1", WAIT, "")
    assert table.marked("charged") == []
    assert table.pool() == ["2"]


@pytest.mark.parametrize(("away", "may"), [(2, True), (13, True), (14, False)])
def test_reach_is_twelve_steps_to_a_hex_next_to_the_enemy(play: Any, away: int, may: bool) -> None:
    table = play("^1 Carnifex 10,20", f"v2 Termagant 10,{20 - away}")
    table.skip_to("shoot")
    table.play("1", WAIT)
    assert (table.phase == "charge") == may


def test_walls_lengthen_the_way(play: Any) -> None:
    """Ten hexes in a straight line, more than twelve around a wall across the board with a gap at its end."""
    wall = " ".join(f"{col},10" for col in range(24))
    table = play("^1 Carnifex 2,15", "v2 Termagant 2,5", walls=wall)
    table.skip_to("shoot")
    table.play("1", WAIT)
    assert table.where == (1, 2, "move")


def test_charge_passes_enemies_that_a_move_may_not_pass(play: Any) -> None:
    """K6: a corridor with an enemy at its side; unit 4 waits at its end.

    row 3   ####################
    row 4   ^1 . . . . . . . v4
    row 5   # # # # v3 # # #
    """
    walls = " ".join(f"{col},{row}" for col in range(12) for row in (3, 5) if (col, row) != (5, 5))
    table = play("^1 Hormagaunt 0,4", "v3 Carnifex 5,5", "v4 Termagant 9,4", walls=walls, decisions="agent")
    assert max(col for col, _ in table.destinations("1")) < 5
    table.skip_to("charge")
    table.select("1")
    assert table.targets() == ["3", "4"]
    table.act(5, "charge 6, charge 6")
    assert table.hex("1")[0] == 8


def test_who_fled_does_not_charge(play: Any) -> None:
    table = play("^1 Hormagaunt 10,10", "v2 Termagant 10,9", "v3 Termagant 20,10")
    table.play("1", 2)
    assert table.where == (1, 2, "move")


def test_who_touches_an_enemy_does_not_charge(play: Any) -> None:
    table = play("^1 Intercessor 10,10", "^4 Carnifex 16,16", "v2 Carnifex 10,9", "v3 Carnifex 12,14")
    table.skip_to("charge")
    assert table.pool() == ["4"]


def test_who_advanced_charges_only_by_a_unit_rule(play: Any) -> None:
    """K9: Hormagaunts have charge_after_advance."""
    table = play("^1 Hormagaunt 10,16", "^2 Termagant 14,16", "v3 Carnifex 12,6", walls="11,10 12,10 13,10")
    table.skip_to("shoot")
    table.play("1", ADVANCE, "advance 2")
    table.play("2", ADVANCE, "advance 2")
    assert table.where == (1, 1, "charge")
    assert table.pool() == ["1"]


def test_charging_again_needs_no_melee_weapon_and_no_quiet_gun(play: Any) -> None:
    """Having shot, or having nothing to fight with, does not matter."""
    types = {"Gun": {"based_on": "Termagant", "melee": []}}
    table = play("^1 Gun 10,10", "v2 Carnifex 10,6", types=types)
    table.skip_to("shoot")
    table.play("1", 4, "hit 1")
    assert table.pool() == ["1"]
    table.play("1", CHARGE, "charge 6, charge 6")
    assert table.marked("charged") == ["1"]
    assert table.stage == "chargers"


@pytest.mark.parametrize("decisions", ["reference", "agent"])
def test_way_blocked_by_a_friend_since_the_phase_began(play: Any, decisions: str) -> None:
    """Enemy 3 in the corner can be reached through (1,0) only; unit 1 is there first."""
    table = play("^1 Hormagaunt 4,0", "^2 Hormagaunt 4,2", "v3 Termagant 0,0", walls="0,1", decisions=decisions)
    table.skip_to("charge")
    assert table.pool() == ["1", "2"]
    table.play("1", CHARGE, "charge 6, charge 6")
    assert table.hex("1") == (1, 0)
    table.select("2")
    assert table.targets() == []
    if decisions == "agent":
        assert table.mask() == {WAIT}
    else:
        assert table.mask() == {CHARGE, WAIT}
        assert table.act(CHARGE, "")[0] == {"event": "passed", "unit": "2"}
        assert table.marked("charged") == ["1"]
