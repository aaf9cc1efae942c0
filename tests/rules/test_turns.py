"""The turn machine: phases in a row, sides without units, marks, control, victory points, the end, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import config

from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.rules import engine
from w40k_marl.rules.bits import NOTHING, bit, count, first, has
from w40k_marl.rules.state import MELEE, NOBODY, RANGED
from w40k_marl.testing import forcing

WAIT = 11

# three objectives far apart on a small board, a unit for each side to hold one
PLACES = {"west": "0,5", "middle": "6,5", "east": "12,5"}
BOARD = (13, 11)


def scoring(**changes: Any) -> dict[str, Any]:
    """The shipped scoring rule with changes."""
    conditions = changes.pop(
        "conditions", {"control_at_least_one": 5, "control_at_least_two": 5, "control_more_than_opponent": 5}
    )
    return {
        "id": changes.pop("id", "test"),
        "scoring": {
            "start_turn": changes.pop("start_turn", 2),
            "max_points_per_turn": changes.pop("cap", 15),
            "rules": [{"points": points, "condition": condition} for condition, points in conditions.items()],
        },
        "timing": {"default_phase": "command", "round5_second_player_phase": changes.pop("last", "fight")},
        "control": {
            "method": "oc_sum_greater",
            "control_method": changes.pop("control", "sticky"),
            "tie_behavior": "no_control",
        },
        **changes,
    }


@pytest.fixture
def hold(play: Any) -> Any:
    """Wall-bound units that cannot see or reach each other, on objectives where a test puts them."""

    def table(*units: str, **keywords: Any) -> Any:
        walls = " ".join(f"{col},{row}" for col in (3, 9) for row in range(11))
        keywords = {"board": BOARD, "walls": walls, "objectives": PLACES, **keywords}
        return play(*units, **keywords)

    return table


def points_by_turn(table: Any) -> list[tuple[int, int, tuple[int, int]]]:
    """Wait through the game; turn, player and victory points whenever they have changed."""
    found: list[tuple[int, int, tuple[int, int]]] = []
    while not table.over:
        before = table.points()
        table.skip_one()
        if table.points() != before:
            found.append((table.turn, table.player, table.points()))
    return found


# --- phases and sides -----------------------------------------------------------------------------------------


def test_phases_follow_each_other_and_both_players_have_each_turn(play: Any) -> None:
    table = play("^1 Carnifex 4,10", "v2 Carnifex 14,10", walls="9,9 9,10 9,8")
    seen = [table.where]
    while not table.over:
        table.skip_one()
        if table.where != seen[-1]:
            seen.append(table.where)
    one_turn = [(player, phase) for player in (1, 2) for phase in ("move", "shoot", "charge")]
    assert seen[:-1] == [(turn, *entry) for turn in range(1, 6) for entry in one_turn]
    assert seen[-1] == (5, 2, "fight")  # nothing begins after the last fight phase


def test_side_without_units_is_skipped(play: Any) -> None:
    """Player 1 alone: ten steps a turn of it are two activations; its last shooting step ends the game."""
    table = play("^1 Intercessor 4,10")
    steps = 0
    seen = []
    while not table.over:
        seen.append(table.where)
        table.skip_one()
        steps += 1
    assert seen == [(turn, 1, phase) for turn in range(1, 6) for phase in ("move", "shoot")]
    assert table.result == (1, "value_tiebreaker")


def test_first_player_without_units_cascades_at_reset(play: Any) -> None:
    table = play("v1 Intercessor 4,10")
    assert table.where == (1, 2, "move")
    table.finish()
    assert table.result == (2, "value_tiebreaker")


def test_units_shut_in_cascade_through_whole_turns(play: Any) -> None:
    """02 2.2 step 7, and against 03 rule 5d: an empty movement pool at reset goes on to the shooting phase."""
    table = play("^1 Intercessor 0,0", "v2 Intercessor 20,10", walls="1,0 0,1")
    assert table.where == (1, 1, "shoot")


def test_wiped_out_side_does_not_end_the_game(play: Any) -> None:
    """K3: the rest of the pool is still activated, then the survivors play turn after turn."""
    table = play("^1 Intercessor 4,10", "^2 Intercessor 4,14", "v3 Hormagaunt 12,10")
    table.skip_to("shoot")
    table.play("1", 4, "hit 4, wound 4, save 4")
    assert table.living() == ["1", "2"]
    assert table.pool() == ["2"]
    table.select("2")
    assert table.mask() == {WAIT, 12}
    table.act(WAIT)
    assert table.where == (2, 1, "move")
    assert [event["player"] for event in table.events("phase_began")] == [1, 1, 2, 2, 2, 2, 2, 1, 1]
    table.finish()
    assert table.turn == 5


def test_marks_of_both_sides_end_with_each_command_phase(play: Any) -> None:
    table = play("^1 Carnifex 2,10", "v2 Carnifex 22,10")
    table.play("1", 0)
    assert table.marked("moved") == ["1"]
    table.play("1", 12)
    assert table.where == (1, 2, "move")
    assert table.marked("moved") == table.marked("advanced") == []
    table.play("2", 2)
    assert table.marked("moved") == ["2"]


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 7])
def test_turn_limit_is_an_argument(hold: Any, turns: int) -> None:
    """D14: the last round is that of ``max_turns``, also for the second player's scoring."""
    table = hold("^1 Termagant 0,5", "v2 Termagant 12,5", max_turns=turns)
    found = points_by_turn(table)
    assert (table.turn, table.over) == (turns, True)
    firsts = [(turn, 1) for turn in range(2, turns + 1)]
    seconds = [(turn, 2) for turn in range(2, turns + 1)]
    assert [(turn, player) for turn, player, _ in found] == sorted(firsts + seconds)
    assert table.points() == (5 * (turns - 1), 5 * (turns - 1))


# --- victory points -------------------------------------------------------------------------------------------


def test_points_are_scored_from_turn_two_and_last_at_the_end_of_the_fight(hold: Any) -> None:
    """Player 1 holds two of three (5 + 5 + 5), player 2 one (5)."""
    table = hold("^1 Termagant 0,5", "^3 Termagant 6,5", "v2 Termagant 12,5")
    found = points_by_turn(table)
    assert found == [
        (2, 1, (15, 0)), (2, 2, (15, 5)), (3, 1, (30, 5)), (3, 2, (30, 10)),
        (4, 1, (45, 10)), (4, 2, (45, 15)), (5, 1, (60, 15)), (5, 2, (60, 20)),
    ]  # fmt: skip
    assert table.result == (1, "objectives")
    assert [event["event"] for event in table.events()][-2:] == ["scored", "game_over"]


def test_second_player_may_score_its_last_round_at_its_command(hold: Any) -> None:
    table = hold("^1 Termagant 0,5", "v2 Termagant 12,5", scoring=[scoring(last="command")])
    table.skip_to("move", player=2, turn=5)
    assert table.points() == (20, 20)
    table.finish()
    assert table.points() == (20, 20)


def test_scoring_from_turn_one_pays_inside_reset(hold: Any) -> None:
    table = hold("^1 Termagant 0,5", "v2 Termagant 12,5", scoring=[scoring(start_turn=1)])
    assert table.points() == (5, 0)
    assert table.control() == [1, 0, 2]


def test_points_of_a_turn_are_capped(hold: Any) -> None:
    table = hold("^1 Termagant 0,5", "^3 Termagant 6,5", "v2 Termagant 12,5", scoring=[scoring(cap=7)])
    assert points_by_turn(table)[0] == (2, 1, (7, 0))


def test_several_scorings_add_up_each_with_its_cap(hold: Any) -> None:
    both = [scoring(id="a", cap=7), scoring(id="b", conditions={"control_more_than_opponent": 4}, start_turn=3)]
    table = hold("^1 Termagant 0,5", "^3 Termagant 6,5", "v2 Termagant 12,5", scoring=both)
    assert [entry for entry in points_by_turn(table) if entry[1] == 1][:2] == [(2, 1, (7, 0)), (3, 1, (18, 5))]


def test_sticky_control_stays_when_the_unit_leaves(hold: Any) -> None:
    """K4: nobody on it changes nothing; occupied objectives would fall back to nobody."""
    for method, after in (("sticky", [1, 0, 0]), ("occupy", [0, 0, 0])):
        table = hold("^1 Termagant 0,5", scoring=[scoring(control=method)])
        table.skip_to("move", player=1, turn=2)
        assert table.control() == [1, 0, 0]
        table.play("1", 0)  # without an enemy: the first hex in path order
        assert table.hex("1") == (0, 4)
        assert table.control() == [1, 0, 0]  # not looked at before the next scoring
        table.skip_to("move", player=1, turn=3)
        assert table.control() == after


def test_equal_sums_change_nothing_when_sticky_and_free_when_occupied(play: Any) -> None:
    """Two units touch on an objective of two hexes; the heavier sum wins, equal sums are a tie."""
    for method, kinds, after in (
        ("sticky", ("Termagant", "Termagant"), [0]),
        ("occupy", ("Termagant", "Termagant"), [0]),
        ("sticky", ("Termagant", "Carnifex"), [2]),
        ("sticky", ("Carnifex", "Genestealer"), [1]),
    ):
        types = {kind: {"based_on": kind, "melee": [], "ranged": ["fleshborer"]} for kind in kinds}
        table = play(
            f"^1 {kinds[0]} 4,4", f"v2 {kinds[1]} 4,5", objectives={"o": "4,4 4,5"}, board=(9, 9),
            types=types, scoring=[scoring(control=method)],
        )  # fmt: skip
        table.skip_to("move", player=1, turn=2)
        assert table.control() == after


def test_crossing_an_objective_between_scorings_does_not_count(hold: Any) -> None:
    table = hold("^1 Termagant 0,4", "v2 Termagant 12,5")
    table.skip_to("move", player=1, turn=2)
    assert table.control() == [0, 0, 2]


def test_dead_side_keeps_scoring_what_it_controls(play: Any) -> None:
    """Player 2 holds the corner from turn 2 on, dies, and is paid to the end."""
    table = play("^1 Intercessor 4,4", "v2 Termagant 4,8", board=(9, 11), objectives={"corner": "4,8", "none": "0,0"})
    table.skip_to("shoot", player=1, turn=2)
    assert table.control() == [2, 0]
    table.play("1", 4, "hit 6, wound 6, save 1")
    assert table.living() == ["1"]
    table.finish()
    assert table.points() == (0, 40)
    assert table.result == (2, "objectives")


# --- the end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "result"),
    [
        (("^1 Termagant 1,1", "v2 Intercessor 11,1"), (2, "value_tiebreaker")),
        (("^1 Carnifex 1,1", "v2 Intercessor 11,1"), (1, "value_tiebreaker")),
        (("^1 Termagant 1,1", "v2 Termagant 11,1"), (0, "draw")),
        (("^1 Termagant 1,1", "v2 Termagant 12,5"), (2, "objectives")),
        (("^1 Termagant 0,5", "v2 Carnifex 11,1"), (1, "objectives")),
    ],
)
def test_winner(hold: Any, units: tuple[str, str], result: tuple[int, str]) -> None:
    table = hold(*units)
    table.finish()
    assert table.result == result


def test_nothing_is_legal_after_the_end(hold: Any) -> None:
    table = hold("^1 Termagant 1,1", "v2 Termagant 11,1")
    table.finish()
    before = table.games.tobytes()
    assert table.actions() == []
    assert [table.try_step(action) for action in (0, 20, -1, 99)] == [engine.GAME_IS_OVER] * 4
    assert table.games.tobytes() == before


# --- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decisions", ["reference", "agent"])
def test_every_action_outside_the_mask_is_refused_and_changes_nothing(play: Any, decisions: str) -> None:
    """D10. All actions at every step of a game."""
    table = play(
        "^1 Intercessor 4,10", "^2 Hormagaunt 6,10", "v3 Intercessor 9,10", "v4 AssaultIntercessor 11,12",
        decisions=decisions,
    )  # fmt: skip
    random = np.random.default_rng(8)
    while not table.over:
        legal, before = table.actions(), table.games.tobytes()
        for action in range(-2, 31):
            if action not in legal:
                expected = engine.NOT_LEGAL if 0 <= action < 29 else engine.NOT_AN_ACTION
                assert table.try_step(action) == expected
        assert table.games.tobytes() == before
        table.step(int(random.choice(legal)))


def test_selections_while_nobody_is_active_and_micro_actions_afterwards(play: Any) -> None:
    table = play("^1 Intercessor 4,10", "^2 Hormagaunt 6,10", "v3 Intercessor 19,10")
    assert table.actions() == [0, 1]
    assert table.game.active == NOBODY
    table.select("2")
    assert table.actions() == [16, 17, 18, 19, 27]


def test_who_acts_is_the_owner_of_the_unit(play: Any) -> None:
    table = play("^1 Carnifex 4,10", "v2 Carnifex 4,9")
    table.skip_to("fight")
    assert (table.player, engine.side_to_act(table.games, 0)) == (1, 1)
    table.play("2", 10, "hit 1, hit 1, hit 1, hit 1, hit 1, hit 1")
    assert (table.player, engine.side_to_act(table.games, 0)) == (1, 0)


# --- deployment -----------------------------------------------------------------------------------------------


@pytest.fixture
def drawn() -> Any:
    """A game of the default scenario, whose units are put at random: reset with a seed, hexes back."""
    from w40k_marl.env.session import Session

    session = Session("macro_default")

    def positions(seed: int) -> list[tuple[int, int]]:
        answer = engine.reset(session.setting.worlds, session.setting.board, session.games, 0, np.uint64(seed))
        assert answer == engine.ACCEPTED
        game = session.games[0]
        numbers = [number for number, unit in enumerate(session.setting.units) if unit]
        return [(int(game.hexes[number]) >> 6, int(game.hexes[number]) & 63) for number in numbers]

    positions.session = session  # type: ignore[attr-defined]
    return positions


def test_random_deployment_is_drawn_at_every_reset_from_the_seed(drawn: Any) -> None:
    """D9."""
    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_random_deployment_keeps_to_the_zones_and_off_walls(drawn: Any) -> None:
    scenario = drawn.session.setting.scenario
    units = [unit for unit in drawn.session.setting.units if unit]
    for seed in range(50):
        places = drawn(seed)
        assert len(set(places)) == len(places)
        assert not set(places) & scenario.walls
        for unit, (col, row) in zip(units, places, strict=True):
            zone = scenario.zones[unit.player]
            assert zone.first_col <= col <= zone.last_col
            assert zone.first_row <= row <= zone.last_row


def test_deployment_without_room_is_answered(drawn: Any) -> None:
    """The load refuses such scenarios; a world made by hand is answered by a number."""
    session = drawn.session
    worlds = session.setting.worlds.copy()
    worlds[0].zone[0] = (0, 0, 0, 2)  # three hexes for nine units
    worlds.setflags(write=False)
    answer = engine.reset(worlds, session.setting.board, session.games, 0, np.uint64(1))
    assert answer == engine.NO_ROOM_TO_DEPLOY


# --- capacities -----------------------------------------------------------------------------------------------


def random_steps(table: Any, count: int) -> int:
    random = np.random.default_rng(0)
    for step in range(count):
        if table.over:
            return step
        table.step(int(random.choice(table.actions())))
    return count


def test_sixty_four_units_a_side_play(play: Any) -> None:
    units = [f"^a{n} Intercessor {n % 25},{18 - 2 * (n // 25)}" for n in range(64)]
    units += [f"vb{n} Hormagaunt {n % 25},{2 * (n // 25)}" for n in range(64)]
    table = play(*units, layout=Layout(64, 64), decisions="agent")
    assert len(table.pool()) == 64
    assert random_steps(table, 600) == 600


@pytest.mark.parametrize(
    "board", [(255, 5), (9, 64), (1, 1), (1, 64), (255, 1), pytest.param((255, 64), marks=pytest.mark.slow)]
)
def test_smallest_and_largest_boards_play(play: Any, board: tuple[int, int]) -> None:
    """Units in opposite corners. The sight table of the largest board takes four minutes of work."""
    cols, rows = board
    if config.DISABLE_JIT and cols * rows > 100:
        pytest.skip("the sight table takes too long without the compiler")
    far = f"v2 Carnifex {cols - 1},{rows - 1}"
    table = play("^1 Carnifex 0,0", *([far] if cols * rows > 1 else []), board=board)
    assert random_steps(table, 80) > 1


@pytest.mark.parametrize(
    ("change", "key"),
    [({"board": (256, 10)}, "board.cols"), ({"board": (10, 65)}, "board.rows"), ({"layout": Layout(1, 1)}, "units")],
)
def test_beyond_the_capacities_is_an_error_at_load(play: Any, change: dict[str, Any], key: str) -> None:
    with pytest.raises(ContentError, match=key):
        play("^1 Carnifex 0,0", "^2 Carnifex 2,0", "v3 Carnifex 6,0", **change)


def test_sixty_five_units_are_an_error_at_load(play: Any) -> None:
    units = [f"^a{n} Intercessor {n % 25},{18 - 2 * (n // 25)}" for n in range(65)]
    with pytest.raises(ContentError, match="units of player 1: expected at most 64, got 65"):
        play(*units, layout=Layout(64, 64))


# --- what a replay may force ----------------------------------------------------------------------------------


def test_forced_choices_are_checked(play: Any) -> None:
    """Each wrong choice is answered and changes nothing but the list of the last step's events."""
    table = play("^1 Intercessor 4,10", "^2 Hormagaunt 8,14", "v3 Hormagaunt 12,10", "v4 Carnifex 4,9")
    worlds, _, games, row = table.arguments
    one, two, three, four = (table.number(unit) for unit in "1234")
    assert forcing.force_end(*table.arguments) == forcing.NOT_ACTIVE
    assert forcing.force_move(*table.arguments, 0) == forcing.NOT_ACTIVE
    assert forcing.force_activation(*table.arguments, three) == forcing.NOT_ELIGIBLE
    assert forcing.force_activation(*table.arguments, two) == forcing.DONE
    assert forcing.force_activation(*table.arguments, two) == forcing.DONE
    assert forcing.force_activation(*table.arguments, one) == forcing.NOT_ALLOWED
    assert forcing.force_move(*table.arguments, 12 * 64 + 11) == forcing.OUT_OF_REACH
    assert forcing.force_move(*table.arguments, -1) == forcing.OUT_OF_REACH
    for wrong in (
        forcing.force_advance(*table.arguments, 0),
        forcing.force_charge(*table.arguments, three),
        forcing.force_weapon(*table.arguments, 0),
        forcing.force_shot(worlds, games, row, three),
        forcing.force_strike(worlds, games, row, 0, three),
    ):
        assert wrong == forcing.WRONG_PHASE
    assert forcing.force_move(*table.arguments, 8 * 64 + 15) == forcing.DONE
    assert table.hex("2") == (8, 15)
    table.skip_to("shoot")
    assert forcing.force_activation(*table.arguments, one) == forcing.DONE
    assert forcing.force_weapon(*table.arguments, 2) == forcing.NOT_A_WEAPON
    assert forcing.force_shot(worlds, games, row, four) == forcing.NO_ATTACKS_LEFT
    assert forcing.force_shot(worlds, games, row, two) == forcing.NOT_A_TARGET
    assert forcing.force_advance(*table.arguments, 4 * 64 + 11) == forcing.NOT_ALLOWED  # in contact
    assert forcing.force_end(*table.arguments) == forcing.DONE
    assert forcing.force_activation(*table.arguments, two) == forcing.DONE
    table.script("advance 1")
    assert forcing.force_advance(*table.arguments, 20 * 64 + 15) == forcing.OUT_OF_REACH
    assert forcing.force_end(*table.arguments) == forcing.DONE
    table.skip_to("charge")
    assert forcing.force_activation(*table.arguments, two) == forcing.DONE
    assert forcing.force_charge(*table.arguments, one) == forcing.NOT_A_TARGET
    assert forcing.force_end(*table.arguments) == forcing.DONE
    assert forcing.force_activation(*table.arguments, four) == forcing.DONE
    assert forcing.force_strike(worlds, games, row, 1, one) == forcing.NOT_A_WEAPON
    assert forcing.force_strike(worlds, games, row, 0, two) == forcing.NOT_A_TARGET
    assert forcing.in_contact(worlds, games, row, one)
    assert not forcing.in_contact(worlds, games, row, two)


def test_scripted_dice_are_handed_out_for_their_purpose_only(play: Any) -> None:
    """A die that was not scripted shows 1 and is reported, as are impossible faces."""
    table = play("^1 Carnifex 4,10", "v2 Carnifex 14,10")
    table.skip_to("shoot")
    for dice in ("wound 3", "hit 7", "hit 0"):
        table.select("1") if table.game.active == NOBODY else None
        before = table.games.copy()
        with pytest.raises(AssertionError, match="a die for hit was rolled that was not given"):
            table.act(4, dice)
        table.games[:] = before
    with pytest.raises(AssertionError, match="were not rolled"):
        table.act(WAIT, "hit 3")


# --- small things ---------------------------------------------------------------------------------------------


def test_sets_of_units_are_words() -> None:
    for members in ([], [0], [3, 17], [63], list(range(64))):
        word = NOTHING
        for member in members:
            word |= bit(member)
        assert [member for member in range(64) if has(word, member)] == members
        assert (first(word), count(word)) == (members[0] if members else -1, len(members))


def test_events_beyond_the_buffer_are_counted(play: Any, weapon: Any) -> None:
    """A hundred attacks in one step: the buffer is full, the game is not harmed."""
    table = play(
        "^1 Gunner 2,2", "v2 Carnifex 8,2", weapons={"gun": weapon(range=24, attacks=100)},
        types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun"]}},
    )  # fmt: skip
    table.skip_to("shoot")
    table.play("1", 4)
    assert table.game.event_count + table.game.events_lost > 100
    assert {event["event"] for event in table.events()} <= {"attacked", "died", "stopped_shooting"}


def test_questions_of_a_replay(play: Any) -> None:
    """What level B asks on copies of a game: weapons, lists, pools; each answer is that of the rules."""
    table = play("^1 Intercessor 4,10", "^2 AssaultIntercessor 20,10", "v3 Hormagaunt 20,9", "v4 Carnifex 12,10")
    table.skip_to("shoot")
    worlds, board, games, row = table.arguments
    three, four = table.number("3"), table.number("4")
    forcing.begin_shooting_phase(worlds, board, games, row)
    assert table.pool() == ["1", "2"]
    table.select("1")
    forcing.begin_activation(worlds, board, games, row)
    forcing.begin_activation(worlds, board, games, row)
    assert forcing.usable_slots(worlds, board, games, row) == 0b11
    assert forcing.best_slot(worlds, board, games, row, RANGED, four) == 0
    assert forcing.force_weapon(*table.arguments, 1) == forcing.DONE
    table.shot("1", "4", "hit 1")
    assert not forcing.prepare_next_shot(worlds, board, games, row)  # the rifle may not follow a pistol
    assert forcing.force_end(*table.arguments) == forcing.DONE
    table.skip_to("fight")
    table.play("3", 10, "hit 1, hit 1, hit 1")
    table.select("2")
    assert forcing.best_slot(worlds, board, games, row, MELEE, three) == 0
    table.strike("2", "3", "hit 6, wound 6, save 1")
    forcing.list_opponents_now(worlds, games, row)
    assert table.targets() == []
    forcing.force_control(worlds, board, games, row)
    assert table.control() == [0]
