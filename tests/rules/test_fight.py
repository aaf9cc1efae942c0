"""The fight phase: the worked examples of spec 05 section 11, who goes when, targets, weapons, attacks left over."""

from __future__ import annotations

from typing import Any

import pytest

CHARGE, FIGHT, WAIT = 9, 10, 11


# --- example 1: alternation, a kill, attacks left over --------------------------------------------------------
#
#     col   10  11
#   row  7      v4 Sergeant
#   row  8  ^1  v3 Intercessor        (^1 a Warrior)

BRAWL = ("^1 TyranidWarriorRanged 10,8", "v3 Intercessor 11,8", "v4 IntercessorSergeant 11,7")


def first_strike(table: Any) -> None:
    table.skip_to("fight")
    assert (table.stage, table.pool()) == ("alternating_other", ["3", "4"])
    table.play("3", FIGHT, "hit 2 | hit 4, wound 5, save 3 | hit 6, wound 2")
    assert table.hp("1") == 2
    assert (table.stage, table.pool()) == ("alternating_active", ["1"])


def last_strike(table: Any) -> None:
    assert table.living() == ["1", "4"]
    assert (table.hp("4"), table.marked("fought")) == (1, ["1", "3"])
    assert (table.stage, table.pool()) == ("cleanup_other", ["4"])
    table.play("4", FIGHT, "hit 3, wound 3, save 3")  # kills; two attacks are lost
    assert table.living() == ["4"]
    assert table.where == (1, 2, "move")


def test_attacks_go_on_against_the_next_enemy(play: Any) -> None:
    table = play(*BRAWL)
    first_strike(table)
    table.strike("1", "3", "hit 3, wound 4, save 3")
    table.strike("1", "3", "hit 5, wound 3, save 2")
    assert "3" not in table.living()
    table.strike("1", "4", "hit 6, wound 4, save 2")
    table.strike("1", "4", "hit 3, wound 1")
    table.strike("1", "4", "hit 4, wound 3, save 6")
    table.end()
    last_strike(table)


def test_agent_chooses_again_when_its_target_dies(play: Any) -> None:
    table = play(*BRAWL, decisions="agent")
    first_strike(table)
    table.select("1")
    assert table.mask() == {4, 5, FIGHT}
    table.act(4, "hit 3, wound 4, save 3 | hit 5, wound 3, save 2")
    assert table.targets() == ["4"]
    assert table.mask() == {4, FIGHT}  # attacks cannot be kept
    table.act(FIGHT, "hit 6, wound 4, save 2 | hit 3, wound 1 | hit 4, wound 3, save 6")
    last_strike(table)


def test_reference_goes_on_against_the_next_enemy_in_the_same_step(play: Any) -> None:
    table = play("^1 TyranidWarriorRanged 10,8", "v3 Termagant 11,8", "v4 Termagant 11,7")
    table.skip_to("fight")
    table.play("3", FIGHT, "hit 1")
    table.select("1")
    assert table.mask() == {FIGHT}
    table.act(FIGHT, "hit 3, wound 3, save 2 | hit 1 | hit 1 | hit 1 | hit 1")
    assert [event["target"] for event in table.events("attacked")] == ["3", "4", "4", "4", "4"]


def test_first_target_is_the_first_of_the_roster_or_the_slot(play: Any) -> None:
    for micro, target in ((FIGHT, "3"), (4, "3"), (5, "4")):
        table = play(*BRAWL, decisions="agent")
        first_strike(table)
        events = table.play("1", micro, "hit 1, hit 1, hit 1, hit 1, hit 1")
        assert {event["target"] for event in events if event["event"] == "attacked"} == {target}


# --- example 2: chargers, and one left without a target ------------------------------------------------------


def test_charger_whose_target_is_dead_passes(play: Any) -> None:
    table = play("^1 Hormagaunt 10,8", "^2 Hormagaunt 10,12", "v3 Termagant 13,8", "v4 Termagant 14,12")
    table.skip_to("charge")
    table.play("1", CHARGE, "charge 1, charge 2")
    table.play("2", CHARGE, "charge 2, charge 2")
    table.play("1", FIGHT, "hit 4, wound 5, save 4")
    assert table.living() == ["1", "2", "4"]
    assert (table.stage, table.pool(), table.marked("fought")) == ("chargers", ["2"], ["1"])
    assert table.play("2", FIGHT, "")[0] == {"event": "passed", "unit": "2"}
    assert table.where == (1, 2, "move")


# --- example 3: dice-valued attacks and damage, two weapons ---------------------------------------------------


@pytest.fixture
def duel(play: Any, weapon: Any) -> Any:
    def table(decisions: str, *weapons: str) -> Any:
        found = play(
            "^1 Fighter 10,8", "v2 Tough 10,7", decisions=decisions,
            types={
                "Fighter": {"based_on": "Carnifex", "melee": list(weapons)},
                "Tough": {"based_on": "CaptainGravis", "stats": {"INVUL_SAVE": 7}, "melee": ["tap"]},
            },
            weapons={
                "flail": weapon(attacks="D6", hit=4, strength=4),
                "hammer": weapon(attacks=2, hit=2, strength=8, ap=-3, damage="D3"),
                "tap": weapon(),
            },
        )  # fmt: skip
        found.skip_to("fight")
        found.play("2", FIGHT, "hit 1")
        return found

    return table


@pytest.mark.parametrize("decisions", ["reference", "agent"])
def test_better_weapon_makes_its_own_number_of_attacks(duel: Any, decisions: str) -> None:
    """Example 3 under D19: two attacks, those of the weapon that is used, and no die for the flail's number."""
    table = duel(decisions, "flail", "hammer")
    table.play("1", FIGHT, "hit 3, wound 5, save 2, damage 2 | hit 6, wound 4, save 5, damage 5")
    assert table.hp("2") == 2
    assert table.marked("fought") == []  # the turn is over
    assert table.where == (1, 2, "move")


def test_save_of_six_and_failed_wound_end_the_attacks_of_the_example(duel: Any) -> None:
    table = duel("reference", "flail", "hammer")
    table.play("1", FIGHT, "hit 4, wound 4, save 6 | hit 2, wound 2")
    assert table.hp("2") == 6


def test_dice_valued_number_of_melee_attacks(duel: Any) -> None:
    table = duel("reference", "flail")
    table.play("1", FIGHT, "num_attacks 4, hit 3, hit 3, hit 3, hit 3")
    assert len(table.events("attacked")) == 4


# --- who goes when --------------------------------------------------------------------------------------------


@pytest.fixture
def tappers(play: Any, weapon: Any) -> Any:
    """Units that strike once: ``^`` of the side whose turn it is, ``v`` of the other."""

    def table(*places: str, decisions: str = "reference") -> Any:
        return play(
            *(f"{sign_and_id} Tapper {place}" for sign_and_id, place in (entry.split() for entry in places)),
            types={"Tapper": {"based_on": "Carnifex", "ranged": [], "melee": ["tap"]}}, weapons={"tap": weapon()},
            decisions=decisions,
        )  # fmt: skip

    return table


@pytest.mark.parametrize(
    ("places", "order"),
    [
        (
            ["^A1 10,10", "^A2 10,8", "vX1 10,9"],
            ["X1 alternating_other", "A1 cleanup_active", "A2 cleanup_active"],
        ),
        (
            ["^A1 10,10", "vX1 10,9", "vX2 10,11", "vX3 11,10"],
            ["X1 alternating_other", "A1 alternating_active", "X2 cleanup_other", "X3 cleanup_other"],
        ),
        (
            ["^A1 10,10", "^A2 20,10", "vX1 10,9", "vX2 20,9"],
            ["X1 alternating_other", "A1 alternating_active", "X2 alternating_other", "A2 cleanup_active"],
        ),
    ],
)
def test_order_of_activations(tappers: Any, places: list[str], order: list[str]) -> None:
    """The table of spec 05 rule 18. The label is the one in force during the activation."""
    table = tappers(*places)
    table.skip_to("fight")
    happened = []
    while table.where == (1, 1, "fight"):
        unit, label = table.pool()[0], table.stage
        table.play(unit, FIGHT, "hit 1")
        happened.append(f"{unit} {label}")
    assert happened == order


def test_chargers_first_then_the_other_side(tappers: Any) -> None:
    """K5: A3 charged; then the pools are built anew and X1, of the side whose turn it is not, begins."""
    table = tappers("^A1 10,10", "^A3 20,14", "vX1 10,9", "vX2 20,10", decisions="agent")
    table.skip_to("charge")
    table.play("A3", CHARGE, "charge 6, charge 6")
    happened = []
    while table.where == (1, 1, "fight"):
        unit = table.pool()[0]
        happened.append((unit, table.stage))
        table.play(unit, FIGHT, "hit 1")
    assert happened == [
        ("A3", "chargers"),
        ("X1", "alternating_other"),
        ("A1", "alternating_active"),
        ("X2", "cleanup_other"),
    ]


def test_any_unit_of_the_pool_may_go_first(tappers: Any) -> None:
    table = tappers("^A1 10,10", "vX1 10,9", "vX2 10,11")
    table.skip_to("fight")
    table.play("X2", FIGHT, "hit 1")
    assert table.marked("fought") == ["X2"]
    table.play("A1", FIGHT, "hit 1")
    assert table.pool() == ["X1"]


def test_enemies_killed_by_chargers_do_not_strike_back(play: Any) -> None:
    table = play("^1 Carnifex 10,12", "v2 Termagant 10,8", "v3 Carnifex 24,0")
    table.skip_to("charge")
    table.play("1", CHARGE, "charge 6, charge 6")
    assert table.hex("1") == (10, 9)
    table.play("1", FIGHT, "hit 4, wound 2, save 1")
    assert table.where == (1, 2, "move")


@pytest.mark.parametrize("decisions", ["reference", "agent"])
def test_unit_without_melee_weapons_passes(play: Any, weapon: Any, decisions: str) -> None:
    """D12: it takes its turn and does nothing; it is not marked, and the phase goes on."""
    table = play(
        "^1 Tapper 10,10", "^2 Tapper 10,8", "v3 Gun 10,9", decisions=decisions, weapons={"tap": weapon()},
        types={"Gun": {"based_on": "Termagant", "melee": []}, "Tapper": {"based_on": "Hormagaunt", "melee": ["tap"]}},
    )  # fmt: skip
    table.skip_to("fight")
    table.select("3")
    assert FIGHT in table.mask()
    assert table.act(FIGHT, "")[0] == {"event": "passed", "unit": "3"}
    assert table.marked("fought") == []
    assert (table.stage, table.pool()) == ("cleanup_active", ["1", "2"])


def test_target_lists_of_the_fight_are_in_roster_order_and_five_slots(tappers: Any) -> None:
    ring = ["10,9", "11,9", "11,10", "10,11", "9,10", "9,9"]
    table = tappers("^A 10,10", *(f"vX{index} {place}" for index, place in enumerate(ring)), decisions="agent")
    table.skip_to("fight")
    table.play("X3", FIGHT, "hit 1")
    table.select("A")
    assert table.targets() == ["X0", "X1", "X2", "X3", "X4", "X5"]
    assert table.mask() == {4, 5, 6, 7, 8, FIGHT}
