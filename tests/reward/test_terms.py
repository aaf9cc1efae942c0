"""Each term in a position small enough to work out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from w40k_marl.reward import terms
from w40k_marl.reward.terms import TERM_NAMES
from w40k_marl.rules.state import MAX_EVENTS

WAIT, ADVANCE, CHARGE, FIGHT = 11, 12, 9, 10
AGGRESSIVE, TACTICAL, DEFENSIVE = 0, 1, 2
SHOOT = 4


def test_names_and_numbers_of_terms_are_in_one_order() -> None:
    assert [getattr(terms, name.upper()) for name in TERM_NAMES] == list(range(len(TERM_NAMES)))


def duel(play: Any, weapon: Any, *others: str, decisions: str = "agent", **gun: Any) -> Any:
    """Unit 1 with one gun, which can reach everything, and the units that it meets."""
    return play(
        "^1 Gunner 2,2",
        *others,
        weapons={"gun": weapon(range=24, **gun)},
        types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun"]}},
        decisions=decisions,
    )


# --- damage, kills, attacks ------------------------------------------------------------------------------------


def test_damage_is_the_share_of_hit_points_by_value(play: Any, weapon: Any) -> None:
    """One hit point of a TyranidWarriorRanged, of three, worth 24: 8."""
    table = duel(play, weapon, "v2 TyranidWarriorRanged 8,2", attacks=2)
    table.skip_to("shoot")
    table.select("1")
    assert table.brought(1) == table.brought(2) == {}, "a selection brings nothing"
    table.act(SHOOT, "hit 6, wound 6, save 1, hit 1")
    assert table.hp("2") == 2
    assert table.brought(1) == {"damage_dealt": 8, "attacks": 1}
    assert table.brought(2) == {"damage_received": 8}


def test_a_killing_blow_counts_no_more_than_the_hit_points_left(play: Any, weapon: Any) -> None:
    table = duel(play, weapon, "v2 Hormagaunt 8,2", attacks=3, damage=5)
    table.skip_to("shoot")
    table.play("1", SHOOT, "hit 6, wound 6, save 1")
    assert table.living() == ["1"]
    assert table.brought(1) == {"damage_dealt": 7, "attacks": 1, "kills": 1}, "VALUE 7, not five times that"
    assert table.brought(2) == {"damage_received": 7}


def test_melee_is_paid_as_shooting_is_and_to_the_player_who_acts(play: Any) -> None:
    """In the turn of player 1 the unit of player 2 fights back: it is player 2 who is paid."""
    table = play("^1 Carnifex 5,5", "v2 Hormagaunt 5,6", "v3 Hormagaunt 20,5", decisions="agent")
    table.skip_to("fight", player=1)
    table.select("2")
    assert table.player == 1
    table.act(FIGHT, "hit 6, wound 6, save 1, hit 1, hit 1")
    assert table.brought(2) == {"damage_dealt": 125 / 8, "attacks": 1}
    assert table.brought(1) == {"damage_received": 125 / 8}
    table.select("1")
    table.act(FIGHT, "hit 6, wound 6, save 1")
    assert table.brought(1) == {"damage_dealt": 7, "attacks": 1, "kills": 1, "melee_kills": 1}


def test_no_hit_is_an_attack_all_the_same(play: Any, weapon: Any) -> None:
    table = duel(play, weapon, "v2 Hormagaunt 8,2", attacks=2)
    table.skip_to("shoot")
    table.play("1", SHOOT, "hit 1, hit 1")
    assert table.brought(1) == {"attacks": 1}


# --- moves -----------------------------------------------------------------------------------------------------

MIDDLE = {"middle": "12,10"}


def test_progress_is_the_way_that_a_move_saves(play: Any) -> None:
    """The board is 32 hexes long; the Hormagaunt moves ten hexes along the column of the objective."""
    table = play("^1 Hormagaunt 12,0", "v2 Intercessor 12,20", objectives=MIDDLE)
    moved = table.play("1", AGGRESSIVE)[0]
    (_, start), (column, end) = moved["from_hex"], moved["to_hex"]
    assert (column, start) == (12, 0)
    assert table.brought(1)["progress"] == pytest.approx((10 - abs(10 - end)) / 32)
    assert table.brought(2) == {}


def test_ways_that_end_where_they_began_sum_to_nothing(play: Any) -> None:
    table = play("^1 Hormagaunt 12,0", "v2 Intercessor 12,20", objectives={"corner": "24,1"})
    world, board, before = table.setting.worlds[0], table.setting.board, table.games[0]
    random = np.random.default_rng(1)
    way = [
        int(column) * 64 + int(row)
        for column, row in zip(random.integers(25, size=40), random.integers(20, size=40), strict=True)
    ]
    steps = [
        terms._progress(world, board, before, 0, start, end) for start, end in zip(way, [*way[1:], way[0]], strict=True)
    ]
    assert max(steps) > 0.3
    assert sum(steps) == pytest.approx(0, abs=1e-12)


def test_objectives_that_the_player_controls_are_no_goals(play: Any) -> None:
    """Unit 1 stands on the near objective and takes it in turn 2; then the far one is what it comes nearer to."""
    table = play("^1 Intercessor 12,10", "v2 Hormagaunt 0,0", objectives={"here": "12,10", "far": "12,20"})
    table.play("1", AGGRESSIVE)
    assert table.brought(1)["progress"] < 0, "away from both"
    table = play("^1 Intercessor 12,10", "v2 Hormagaunt 12,0", objectives={"here": "12,10", "far": "12,20"})
    table.skip_to("move", player=1, turn=2)
    assert table.control() == [1, 0]
    moved = table.play("1", AGGRESSIVE)[0]
    assert table.brought(1)["progress"] == pytest.approx((moved["to_hex"][1] - 10) / 32)
    assert moved["to_hex"][1] < 10, "towards the enemy, away from the far objective"


def test_who_controls_everything_makes_no_progress(play: Any) -> None:
    table = play("^1 Intercessor 12,10", "v2 Hormagaunt 12,0", objectives={"here": "12,10"})
    table.skip_to("move", player=1, turn=2)
    assert table.control() == [1]
    assert table.play("1", DEFENSIVE)[0]["event"] == "moved"
    assert table.brought(1) == {}


def test_advances_and_charges_make_progress_too(play: Any) -> None:
    table = play("^1 Hormagaunt 12,0", "v2 Intercessor 12,14", objectives=MIDDLE, decisions="agent")
    table.skip_to("shoot", player=1)
    table.play("1", ADVANCE, "advance 3")
    assert table.brought(1)["progress"] == pytest.approx(3 / 32)
    table = play("^1 Hormagaunt 12,0", "v2 Intercessor 12,8", objectives=MIDDLE, decisions="agent")
    table.skip_to("charge", player=1)
    table.play("1", CHARGE, "charge 6, charge 6")
    assert table.brought(1) == {"progress": pytest.approx(7 / 32), "charges": 1}


def test_a_charge_that_fails_is_no_charge(play: Any) -> None:
    table = play("^1 Hormagaunt 12,0", "v2 Intercessor 12,8", decisions="agent")
    table.skip_to("charge", player=1)
    table.play("1", CHARGE, "charge 1, charge 1")
    assert table.brought(1) == {}


def test_waiting_is_to_do_nothing_at_all(play: Any) -> None:
    table = play("^1 Intercessor 2,2", "v2 Hormagaunt 8,2", decisions="agent")
    table.play("1", WAIT)
    assert table.brought(1) == {"waiting": 1}


def test_presence_is_told_when_an_activation_ends_on_an_objective(play: Any) -> None:
    table = play("^1 Intercessor 12,10", "^2 Intercessor 2,2", "v3 Hormagaunt 20,2", objectives=MIDDLE)
    table.play("1", WAIT)
    assert table.brought(1) == {"waiting": 1, "objective_presence": 1}
    table.play("2", WAIT)
    assert table.brought(1) == {"waiting": 1}


# --- control, points, result -----------------------------------------------------------------------------------


def test_control_is_paid_when_points_are_scored(play: Any) -> None:
    """Scoring begins in turn 2: unit 1 holds the middle and scores 5 for one objective, 5 for having more."""
    table = play("^1 Intercessor 12,10", "v2 Hormagaunt 20,2", objectives=MIDDLE)
    table.skip_to("move", player=1, turn=2)
    assert table.points() == (10, 0)
    expected = {"victory_points": 10.0, "objectives_captured": 1.0, "objectives_held": 1.0}
    assert {name: table.sum_of(name, 1) for name in expected} == expected
    assert table.sum_of("victory_points_conceded", 2) == 10
    assert table.sum_of("objectives_captured", 2) == table.sum_of("objectives_lost", 1) == 0


def test_control_lost_is_one_players_loss_and_the_others_gain(play: Any) -> None:
    table = play("^1 Intercessor 12,10", "v2 Hormagaunt 20,2", objectives=MIDDLE)
    table.skip_to("move", player=1, turn=2)
    table.total[:] = 0
    table.game.hexes[table.number("1")], table.game.hexes[table.number("2")] = 2 * 64 + 2, 12 * 64 + 10
    table.skip_to("move", player=2, turn=2)
    assert table.control() == [2]
    assert table.sum_of("objectives_captured", 2) == table.sum_of("objectives_lost", 1) == 1
    assert table.sum_of("objectives_captured", 1) == table.sum_of("objectives_lost", 2) == 0
    assert table.sum_of("objectives_held", 2) == 1


@pytest.mark.parametrize("end", ["fight", "command"])
def test_the_second_player_holds_as_often_as_it_scores(play: Any, end: str) -> None:
    """Both have an objective. In the last round player 2 scores at the end of its turn, or as it begins."""
    scoring = {
        "id": "mine",
        "scoring": {
            "start_turn": 1,
            "max_points_per_turn": 15,
            "rules": [{"points": 5, "condition": "control_at_least_one"}],
        },
        "timing": {"default_phase": "command", "round5_second_player_phase": end},
        "control": {"method": "oc_sum_greater", "control_method": "sticky", "tie_behavior": "no_control"},
    }
    objectives = {"one": "2,2", "two": "22,18"}
    table = play("^1 Intercessor 2,2", "v2 Hormagaunt 22,18", objectives=objectives, scoring=[scoring], max_turns=2)
    table.finish()
    assert table.points() == (10, 10)
    assert table.sum_of("objectives_held", 1) == 1, "turn 1 is scored before the first step"
    assert table.sum_of("objectives_held", 2) == 2


@pytest.mark.parametrize(("winner", "result"), [(1, ("win", "lose")), (2, ("lose", "win")), (0, ("draw", "draw"))])
def test_result_is_for_both_players_whoever_acts_last(play: Any, winner: int, result: tuple[str, str]) -> None:
    places = {1: ("12,10", "20,2"), 2: ("20,2", "12,10"), 0: ("2,2", "20,2")}[winner]
    units = [f"{sign}{number} Intercessor {place}" for sign, number, place in zip("^v", (1, 2), places, strict=True)]
    table = play(*units, objectives=MIDDLE, max_turns=2)
    table.finish()
    assert table.result[0] == winner
    for player in (1, 2):
        assert {name: table.sum_of(name, player) for name in ("win", "lose", "draw")} == {
            name: float(name == result[player - 1]) for name in ("win", "lose", "draw")
        }
        assert result[player - 1] in table.brought(player), "in the last step"


# --- long steps ------------------------------------------------------------------------------------------------


def test_nothing_is_lost_where_events_are(play: Any, weapon: Any) -> None:
    """A hundred attacks in one step overflow the buffer of events; damage, kills and what follows are counted whole."""
    table = duel(play, weapon, "v2 Hormagaunt 8,2", "v3 Carnifex 8,4", decisions="reference", attacks=500)
    table.skip_to("shoot")
    table.select("1")
    types = table.setting.scenario.units
    hit_points = {unit.id: unit.type.hit_points for unit in types}
    table.act(SHOOT)
    assert table.game.event_count == MAX_EVENTS
    lost = {unit.id: hit_points[unit.id] - table.hp(unit.id) for unit in types[1:]}
    value = sum(unit.type.value * lost[unit.id] / unit.type.hit_points for unit in types[1:])
    assert value > 0
    fallen = sum(not table.hp(unit.id) for unit in types[1:])
    assert fallen > 0
    assert table.brought(1) == {"damage_dealt": value, "attacks": 1, "kills": fallen}


def test_rounds_that_pass_by_themselves_are_counted_whole(play: Any) -> None:
    """The last unit of the other side falls and nobody is left to act: twenty rounds go by in one step."""
    table = play("^1 Carnifex 12,10", "v2 Hormagaunt 12,9", objectives=MIDDLE, max_turns=20)
    table.skip_to("move", player=1, turn=2)
    table.game.alive[:] = 0
    table.game.pool[:] = 0
    before = table.points()
    table.total[:] = 0
    table.game.active = table.number("1")
    table.act(WAIT)
    assert table.over
    assert table.game.events_lost > 0
    assert table.points()[0] - before[0] == 10 * 18
    assert table.brought(1)["objectives_held"] == 18
    assert table.brought(1)["victory_points"] == table.brought(2)["victory_points_conceded"] == 10 * 18
    assert table.brought(1)["win"] == table.brought(2)["lose"] == 1
