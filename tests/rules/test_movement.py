"""The movement phase: who may move, where to, what each strategy picks, what a flee is (the example of spec 03 4.1)."""

from __future__ import annotations

from typing import Any

import pytest

WAIT = 11


@pytest.fixture
def corner(play: Any) -> Any:
    """Unit 1 in a corner of walls and a friend, an enemy four hexes away (spec 03 4.1); MOVE is 2.

      col   8   9  10  11  12  13  14
    row 7          ###  2
    row 8           1               v3     (odd columns half a hex lower)
    row 9      ###
    """
    types = {"Slow": {"based_on": "Termagant", "stats": {"MOVE": 2}}}
    return play("^1 Slow 10,8", "^2 Intercessor 11,7", "v3 Hormagaunt 14,8", walls="10,7 9,9", types=types)


RINGS = [(11, 8), (10, 9), (9, 8), (9, 7), (12, 8), (12, 9), (11, 9), (10, 10), (8, 9), (8, 8), (9, 6), (8, 7)]


def test_destinations_come_in_path_order(corner: Any) -> None:
    assert corner.destinations("1") == RINGS


@pytest.mark.parametrize(("micro", "where"), [(0, (12, 8)), (1, (11, 8)), (2, (8, 9))])
def test_strategies_break_ties_by_path_order(corner: Any, micro: int, where: tuple[int, int]) -> None:
    """Aggressive ends at distance 2; tactical counts one enemy in range 18 everywhere; defensive at distance 6."""
    corner.play("1", micro)
    assert corner.hex("1") == where
    assert corner.marked("moved") == ["1"]
    assert corner.marked("fled") == []
    assert corner.events("moved") == [{"event": "moved", "unit": "1", "from_hex": (10, 8), "to_hex": where, "fled": 0}]


@pytest.mark.parametrize("face", [1, 7, 12])
def test_random_strategy_is_one_uniform_choice_among_the_destinations(corner: Any, face: int) -> None:
    corner.play("1", 3, f"move_choice {face}")
    assert corner.hex("1") == RINGS[face - 1]


def test_moves_neither_cross_nor_stop_next_to_enemies(play: Any) -> None:
    table = play("^1 Terminator 2,10", "v2 Hormagaunt 5,10")  # MOVE 5
    found = set(table.destinations("1"))
    assert not found & {(5, 9), (6, 10), (6, 11), (5, 11), (4, 11), (4, 10)}
    assert (5, 10) not in found
    assert (7, 10) not in found  # five steps in a straight line, six around


def test_pool_holds_units_with_a_free_unthreatened_neighbour(play: Any) -> None:
    """Unit 1 is shut in by the corner and a friend; unit 2 touches an enemy but can step back; 3 cannot."""
    table = play(
        "^1 Intercessor 0,0", "^4 Intercessor 0,1", "^2 Intercessor 10,10", "^3 Intercessor 20,10",
        "v5 Hormagaunt 10,9", "v6 Hormagaunt 20,9", "v7 Hormagaunt 19,11", "v8 Hormagaunt 21,11",
        walls="1,0",
    )  # fmt: skip
    assert table.pool() == ["4", "2"]


def test_leaving_contact_by_a_move_is_a_flee(play: Any) -> None:
    table = play("^1 AssaultIntercessor 10,10", "^3 AssaultIntercessor 24,0", "v2 Hormagaunt 10,9")
    table.play("1", 2)
    assert table.marked("moved") == table.marked("fled") == ["1"]
    table.play("3", WAIT)
    # who fled neither shoots nor advances nor charges
    assert table.where == (1, 1, "shoot")
    assert table.pool() == ["3"]
    table.play("3", WAIT)
    assert table.where == (1, 2, "move")
    assert table.marked("moved") == table.marked("fled") == []


def test_wait_leaves_no_mark(corner: Any) -> None:
    corner.select("1")
    assert corner.mask() == {0, 1, 2, 3, WAIT}
    corner.act(WAIT)
    assert corner.marked("moved") == []
    assert corner.hex("1") == (10, 8)
    assert corner.pool() == ["2"]


def test_without_enemies_every_strategy_takes_the_first_hex_and_rolls_nothing(play: Any) -> None:
    for micro in range(4):
        table = play("^1 Intercessor 10,10")
        table.play("1", micro, "")
        assert table.hex("1") == (10, 9)


def test_tactical_counts_enemies_within_the_longest_range(play: Any) -> None:
    """With MOVE 6 a bolt rifle (24) reaches the first enemy from everywhere, the second only from the east."""
    table = play("^1 Intercessor 2,10", "v2 Termagant 20,10", "v3 Termagant 31,10", board=(40, 21))
    table.play("1", 1)
    first = next(place for place in play("^1 Intercessor 2,10", board=(40, 21)).destinations("1")
                 if far(place, (31, 10)) <= 24)  # fmt: skip
    assert table.hex("1") == first


def test_tactical_without_ranged_weapons_is_the_first_hex(play: Any) -> None:
    table = play("^1 Hormagaunt 10,10", "v2 Termagant 20,10")
    table.play("1", 1)
    assert table.hex("1") == (10, 9)


def test_unit_shut_in_since_the_phase_began_stays(play: Any) -> None:
    """Unit 1 in the corner has one way out, (1,0); unit 2 takes it first."""
    types = {"Slow": {"based_on": "Intercessor", "stats": {"MOVE": 1}}}
    table = play("^1 Slow 0,0", "^2 Slow 2,0", "v3 Termagant 0,6", board=(9, 9), walls="0,1 2,1 3,0", types=types)
    table.play("2", 0)
    assert table.hex("2") == (1, 0)
    assert [event["event"] for event in table.play("1", 0)][:2] == ["no_destination", "phase_began"]
    assert table.hex("1") == (0, 0)
    assert table.marked("moved") == ["2"]


def test_odd_columns_of_the_last_row_are_walls(play: Any) -> None:
    """K1: half of them lies off the board."""
    table = play("^1 Intercessor 10,20", "v2 Termagant 20,2")
    assert [place for place in table.destinations("1") if place[1] == 20 and place[0] % 2] == []


def far(a: tuple[int, int], b: tuple[int, int]) -> int:
    """Distance by cube coordinates."""
    (x1, z1), (x2, z2) = ((col, row - (col - (col & 1)) // 2) for col, row in (a, b))
    return max(abs(x1 - x2), abs(z1 - z2), abs(x1 + z1 - x2 - z2))
