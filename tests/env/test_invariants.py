"""The checker is silent over sound games and names what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.invariants import InvariantError, check_invariants
from w40k_marl.rules.state import Game

Play = Callable[..., Iterator[tuple[str, int]]]


@pytest.mark.parametrize("weapon_rules", ["reference", "full"])
@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("scenario", list_scenarios())
def test_games_are_sound(play: Play, scenario: str, decisions: str, weapon_rules: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, decisions=decisions, max_turns=3, weapon_rules=weapon_rules)
    env.reset(seed=1)
    for _ in play(env, 1):
        check_invariants(env.session)
    check_invariants(env.session)


@pytest.fixture
def env() -> RawEnv:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    return env


def set_pool(game: Game) -> None:
    game.pool[1] = 1


def kill_without_leaving(game: Game) -> None:
    game.hit_points[0] = 0
    game.alive[0] &= ~np.uint64(1)


def wound_to_death(game: Game) -> None:
    game.hit_points[1] = 0


def heal_too_much(game: Game) -> None:
    game.hit_points[1] = 50


def step_on_another(game: Game) -> None:
    game.hexes[1] = game.hexes[0]


def step_on_a_wall(game: Game) -> None:
    game.hexes[0] = 3 * 64 + 9


def step_off_the_board(game: Game) -> None:
    game.hexes[0] = 20 * 64


def empty_pool(game: Game) -> None:
    game.pool[0] = 0


def end(game: Game) -> None:
    game.over = 1


def attack_without_activation(game: Game) -> None:
    game.attacks_left = 2


def keep_a_hazard(game: Game) -> None:
    game.hazards = 1


def use_a_label(game: Game) -> None:
    game.active, game.hazards = 0, 1


def activate_a_stranger(game: Game) -> None:
    game.active = 16


def lose_points(game: Game) -> None:
    game.victory_points[0] = -1


def flee_without_moving(game: Game) -> None:
    game.fled[0] = 1


def hold_what_is_not_there(game: Game) -> None:
    game.control[7] = 1


def go_on_too_long(game: Game) -> None:
    game.turn = 6


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (set_pool, "units wait to fight outside the fight phase"),
        (kill_without_leaving, "dead units in the pool of player 1"),
        (wound_to_death, "unit 1 has 0 hit points and is alive"),
        (heal_too_much, "unit 1 has 50 hit points of 2"),
        (step_on_another, "units 0 and 1 stand on one hex"),
        (step_on_a_wall, "unit 0 stands on a wall or off the board"),
        (step_off_the_board, "unit 0 stands on a wall or off the board"),
        (empty_pool, "nobody may act and the game is not over"),
        (end, "the game is over before the end of its last round"),
        (attack_without_activation, "something is left of an activation that is closed"),
        (keep_a_hazard, "something is left of an activation that is closed"),
        (use_a_label, "unit 0 has used weapons whose hazard is a label"),
        (activate_a_stranger, "unit 16 is active and the other player is to act"),
        (lose_points, "victory points below 0"),
        (flee_without_moving, "have fled and not moved"),
        (hold_what_is_not_there, "objective 7 is controlled by 1"),
        (go_on_too_long, "turn 6 of side 0"),
    ],
)
def test_fault_is_named(env: RawEnv, fault: Callable[[Game], None], message: str) -> None:
    check_invariants(env.session)
    fault(env.session.games[0])
    with pytest.raises(InvariantError, match=message):
        check_invariants(env.session)
