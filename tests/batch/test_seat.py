"""One player learns, the other is played inside ``step``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from w40k_marl.env.policies import RandomPolicy
from w40k_marl.env.seats import SeatEnv
from w40k_marl.errors import ContentError, IllegalActionError, NotAnActionError, W40KError

SEATS = pytest.mark.parametrize("seat", [1, 2])


def choose(env: SeatEnv, random: np.random.Generator) -> int:
    return int(random.choice(np.flatnonzero(env.action_masks())))


def play(env: SeatEnv, random: np.random.Generator) -> tuple[list[float], list[bytes]]:
    """One game at random: the rewards, and what was seen."""
    rewards, seen, over = [], [], False
    while not over:
        observation, reward, over, truncated, info = env.step(choose(env, random))
        rewards.append(reward)
        seen.append(observation.tobytes())
        assert not truncated
        assert info == {}
    return rewards, seen


@SEATS
@pytest.mark.parametrize("scenario", ["small_board", ["pve", "macro_default"]])
def test_gymnasium_finds_nothing_wrong(seat: int, scenario: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not specified with a spec.*")
        check_env(SeatEnv(scenario, seat=seat), skip_render_check=True)


@SEATS
def test_rewards_of_games_are_wins_less_losses(seat: int) -> None:
    env, random, balance = SeatEnv("small_board", seat=seat), np.random.default_rng(1), {0: 0, 1: 0, 2: 0}
    total = 0.0
    for game in range(60):
        env.reset(seed=game)
        rewards, _ = play(env, random)
        assert not any(rewards[:-1])
        total += sum(rewards)
        balance[env.session.summary()[2]] += 1
        assert not env.action_masks().any()
    assert total == balance[seat] - balance[3 - seat]
    assert balance[1] > 3
    assert balance[2] > 3, "a loser hears of its loss"


def test_end_by_the_opponent_is_credited_to_the_learners_last_action() -> None:
    """Player 2 has the last turn; what it does there still counts for player 1."""
    random, last_words = np.random.default_rng(2), {-1.0: 0, 0.0: 0, 1.0: 0}
    moves: list[int] = []
    policy = RandomPolicy(3)

    def opponent(observations: Any, masks: Any) -> Any:
        moves.append(1)
        return policy(observations, masks)

    env = SeatEnv("small_board", opponent=opponent, max_turns=2)
    for game in range(60):
        env.reset(seed=game)
        over = False
        while not over:
            moves.clear()
            _, reward, over, _, _ = env.step(choose(env, random))
        if moves:
            last_words[reward] += 1
            assert env.session.summary()[2] == {1.0: 1, -1.0: 2, 0.0: 0}[reward]
    assert last_words[-1.0] > 3
    assert last_words[1.0] > 3


@SEATS
def test_learner_sees_its_own_decisions_only(seat: int) -> None:
    env, random = SeatEnv("small_board", seat=seat), np.random.default_rng(4)
    observation, _ = env.reset(seed=1)
    over = False
    while not over:
        assert env.session.acting_side == seat - 1
        expected, mask = env.session.view(seat - 1)
        assert observation.tobytes() == expected.tobytes()
        assert env.action_masks().tolist() == mask.astype(bool).tolist()
        observation, _, over, _, _ = env.step(choose(env, random))
    assert observation.tobytes() == env.session.view(seat - 1)[0].tobytes(), "the end, as the learner sees it"


@SEATS
def test_opponent_sees_its_own_decisions_only(seat: int) -> None:
    calls = 0

    def opponent(observations: Any, masks: Any) -> Any:
        nonlocal calls
        calls += 1
        expected, mask = env.session.view(2 - seat)
        assert observations.shape == (1, env.layout.observation_size)
        assert masks.shape == (1, env.layout.action_count)
        assert observations.tobytes() == expected.tobytes()
        assert masks.tobytes() == mask.tobytes()
        return np.argmax(masks, axis=1)

    env = SeatEnv("small_board", seat=seat, opponent=opponent)
    env.reset(seed=1)
    play(env, np.random.default_rng(1))
    assert calls > 10


def test_opponent_that_plays_against_the_mask_is_told() -> None:
    env = SeatEnv("small_board", seat=2, opponent=lambda observations, masks: np.array([20]))
    with pytest.raises(IllegalActionError, match=r"policy: expected one of \[0, 1, 2\], got 20"):
        env.reset(seed=1)


@pytest.mark.parametrize("action", [28, -1, 29, 10**30])
@SEATS
def test_illegal_action_loses_the_game(seat: int, action: int) -> None:
    env = SeatEnv("small_board", seat=seat)
    observation, _ = env.reset(seed=1)
    last, reward, terminated, truncated, _ = env.step(action)
    assert (reward, terminated, truncated) == (-1.0, True, False)
    assert last.tobytes() == observation.tobytes()
    assert not env.action_masks().any()
    with pytest.raises(W40KError, match=r"expected reset\(\)"):
        env.step(0)
    env.reset(seed=1)
    assert env.action_masks().any()
    assert play(env, np.random.default_rng(1))


@pytest.mark.parametrize("action", [1.5, None, "0", [0]])
def test_what_is_no_number_is_refused(action: Any) -> None:
    env = SeatEnv("small_board")
    env.reset(seed=1)
    with pytest.raises(NotAnActionError, match="expected a whole number from 0 to 28, got "):
        env.step(action)
    env.step(np.int64(0))


def test_step_without_a_game_is_refused() -> None:
    env = SeatEnv("small_board", max_turns=1)
    with pytest.raises(W40KError, match=r"step: expected reset\(\) before the first step"):
        env.step(0)
    env.reset(seed=1)
    play(env, np.random.default_rng(1))
    with pytest.raises(W40KError, match="after the end of a game"):
        env.step(0)


@SEATS
def test_seed_decides_all_games_after_it(seat: int) -> None:
    def course(seed: int) -> list[Any]:
        env, random, games = SeatEnv(["small_board", "pve"], seat=seat, max_turns=2), np.random.default_rng(5), []
        for game in range(3):
            first, _ = env.reset(seed=seed if game == 0 else None)
            games.append((first.tobytes(), play(env, random)))
        return games

    assert course(7) == course(7)
    assert course(7) != course(8)


def test_game_of_a_given_seed() -> None:
    env = SeatEnv("pve", opponent=lambda observations, masks: np.argmax(masks, axis=1))
    first, _ = env.reset(options={"game_seed": 77})
    assert int(env.session.games[0].seed) == 77
    env.reset()
    assert int(env.session.games[0].seed) != 77
    assert env.reset(options={"game_seed": 77})[0].tobytes() == first.tobytes()


@pytest.mark.parametrize("seat", [0, 3, "1", None])
def test_seat_that_is_none_is_refused(seat: Any) -> None:
    with pytest.raises(ContentError, match="seat: expected 1 or 2, got"):
        SeatEnv("small_board", seat=seat)


def test_seat_without_units_is_named(scenario_of: Callable[..., Path]) -> None:
    env = SeatEnv(scenario_of((1, "Intercessor", 4, 10)), seat=2, max_turns=1)
    with pytest.raises(W40KError, match="seat 2: expected a decision within 100 games, got none"):
        env.reset(seed=1)


def test_games_without_a_decision_are_begun_again(scenario_of: Callable[..., Path]) -> None:
    """Two Intercessors often shoot a lone Termagant before it has moved: not the learner's game."""
    squad = [(1, "Intercessor", column, 6) for column in (4, 6)]
    env = SeatEnv(scenario_of(*squad, (2, "Termagant", 5, 3)), seat=2, max_turns=1)
    begun: list[int] = []
    reset = env.session.reset

    def counted(*arguments: Any) -> None:
        begun.append(1)
        reset(*arguments)

    env.session.reset = counted  # type: ignore[method-assign]
    for game in range(20):
        observation, _ = env.reset(seed=game)
        assert env.action_masks().any()
        assert not env.session.over
        assert observation.tobytes() == env.session.view(1)[0].tobytes()
    assert len(begun) > 25


def test_random_policy_is_uniform_over_each_mask() -> None:
    masks = np.zeros((3000, 9), dtype=np.int8)
    masks[:1000, 4] = 1
    masks[1000:, [0, 3, 8]] = 1
    chosen = RandomPolicy(1)(np.zeros((3000, 1), dtype=np.float32), masks)
    assert (chosen[:1000] == 4).all()
    values, counts = np.unique(chosen[1000:], return_counts=True)
    assert values.tolist() == [0, 3, 8]
    assert (np.abs(counts - 2000 / 3) < 5 * np.sqrt(2000 / 3)).all()
    assert RandomPolicy(1)(np.zeros((3000, 1), dtype=np.float32), masks).tolist() == chosen.tolist()
