"""Rewards by terms in batches and seats: those of the agent cycle, summed up to the learner's next decision."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from w40k_marl import w40k_v0
from w40k_marl.env.aec import PLAYERS
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.policies import RandomPolicy
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.reward.config import RewardsConfig, rewards_config
from w40k_marl.reward.terms import TERM_COUNT, TERM_NAMES
from w40k_marl.reward.weights import INFO_KEYS, contributions, weights_of

EVERYTHING = RewardsConfig({name: 0.5 + number for number, name in enumerate(TERM_NAMES)})
ZERO_SUM = RewardsConfig(rewards_config("MacroController").terms, zero_sum=True)
POINTS = TERM_NAMES.index("victory_points")

both = pytest.mark.parametrize("rewards", [EVERYTHING, ZERO_SUM], ids=["everything", "zero_sum"])


@both
def test_batch_pays_what_the_agent_cycle_pays(rewards: RewardsConfig) -> None:
    batch = BatchEnv("small_board", 4, max_turns=3, rewards=rewards)
    batch.reset(seed=3)
    singles = [w40k_v0.raw_env(scenario="small_board", max_turns=3, rewards=rewards) for _ in range(4)]
    for row, env in enumerate(singles):
        env.reset(options={"game_seed": batch.game_seed(row, 0)})
    ended = np.zeros(4, dtype=int)
    for _ in range(250):
        actions = batch.random_actions()
        batch.step(actions)
        for row, env in enumerate(singles):
            env.step(int(actions[row]))
            assert env.session.earnings is not None
            assert batch.reward_terms[row].tolist() == env.session.earnings.amounts.tolist()
            assert batch.rewards[row] == pytest.approx([env.rewards[player] for player in PLAYERS], rel=1e-6, abs=1e-6)
            if batch.ended[row]:
                ended[row] += 1
                env.reset(options={"game_seed": batch.game_seed(row, ended[row])})
    assert ended.min() >= 2


def test_other_rows_keep_what_they_were_paid() -> None:
    batch = BatchEnv("small_board", 6, rewards=EVERYTHING)
    batch.reset(seed=3)
    for _ in range(40):
        batch.step(batch.random_actions())
    terms, rewards, others = batch.reward_terms.copy(), batch.rewards.copy(), [0, 2, 3, 5]
    batch.step(batch.random_actions(), np.array([1, 4]))
    assert np.array_equal(batch.reward_terms[others], terms[others])
    assert np.array_equal(batch.rewards[others], rewards[others])
    batch.restart(np.array([0]))
    assert not batch.reward_terms[0].any()
    assert not batch.rewards[0].any()


def test_batch_without_rewards_has_no_terms() -> None:
    batch = BatchEnv("small_board", 3)
    batch.reset(seed=1)
    assert batch.reward_terms.shape == (0, 2, TERM_COUNT)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_pay_alike(threads: int) -> None:
    one, many = (BatchEnv("small_board", 260, num_threads=count, rewards=EVERYTHING) for count in (1, threads))
    one.reset(seed=2)
    many.reset(seed=2)
    for _ in range(60):
        actions = one.random_actions()
        one.step(actions)
        many.step(actions)
        assert np.array_equal(one.reward_terms, many.reward_terms)
    assert one.reward_terms.any()
    many.close()


@pytest.mark.parametrize("way", [copy.deepcopy, lambda batch: pickle.loads(pickle.dumps(batch))])
def test_copies_of_a_batch_are_paid_alike(way: Callable[[BatchEnv], BatchEnv]) -> None:
    batch = BatchEnv("small_board", 3, rewards=EVERYTHING)
    batch.reset(seed=2)
    for _ in range(30):
        batch.step(batch.random_actions())
    clone = way(batch)
    for _ in range(30):
        actions = batch.random_actions()
        batch.step(actions)
        clone.step(actions)
        assert np.array_equal(batch.reward_terms, clone.reward_terms)
        assert np.array_equal(batch.rewards, clone.rewards)


# --- seats -----------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("seat", [1, 2])
def test_vector_of_seats_pays_what_single_seats_are_paid(seat: int, rewards: RewardsConfig, first_legal: Any) -> None:
    games, random = 3, np.random.default_rng(5)
    env = SeatVectorEnv("small_board", games, seat=seat, opponent=first_legal, max_turns=3, rewards=rewards)
    _, infos = env.reset(seed=6)
    assert set(infos) == {*INFO_KEYS, *(f"_{key}" for key in INFO_KEYS)}
    singles = [
        SeatEnv("small_board", seat=seat, opponent=first_legal, max_turns=3, rewards=rewards) for _ in range(games)
    ]
    episodes = np.zeros(games, dtype=int)
    for row, single in enumerate(singles):
        single.reset(options={"game_seed": env.batch.game_seed(row, 0)})
    for _ in range(120):
        masks = env.action_masks()
        actions = np.array([int(random.choice(np.flatnonzero(mask))) for mask in masks])
        _, paid, ended, _, infos = env.step(actions)
        for row, single in enumerate(singles):
            _, reward, over, _, info = single.step(actions[row])
            assert over == ended[row]
            assert paid[row] == pytest.approx(reward, rel=1e-5, abs=1e-5)
            assert {key: infos[key][row] for key in INFO_KEYS} == pytest.approx(info)
            assert sum(info.values()) == pytest.approx(reward)
            if over:
                episodes[row] = env.batch.episodes[row] - 1
                single.reset(options={"game_seed": env.batch.game_seed(row, episodes[row])})
    assert episodes.min() >= 2


@pytest.mark.parametrize("seat", [1, 2])
@pytest.mark.parametrize("opponent", [None, RandomPolicy(4)], ids=["inside", "policy"])
def test_all_that_happens_until_the_next_decision_is_credited(seat: int, opponent: Any) -> None:
    """The points of a game, own and conceded, arrive whole, whoever scored them and in whose step."""
    weights = RewardsConfig({"victory_points": 1, "victory_points_conceded": -1, "win": 100, "lose": -100})
    env = SeatVectorEnv("small_board", 8, seat=seat, opponent=opponent, rewards=weights)
    env.reset(seed=2)
    random, total, games = RandomPolicy(1), np.zeros((8, 3)), 0
    for _ in range(200):
        observations, masks = env.batch.observations, env.action_masks()
        _, paid, ended, _, infos = env.step(random(observations, masks.astype(np.int8)).astype(np.int64))
        own, conceded = infos["reward/victory_points"], infos["reward/victory_points_conceded"]
        result = infos["reward/win"] + infos["reward/lose"]
        assert paid == pytest.approx(own + conceded + result)
        total += np.stack([own, conceded, result], axis=1)
        for row in np.flatnonzero(ended):
            points = infos["victory_points"][row]
            assert total[row, :2].tolist() == [points[seat - 1], -points[2 - seat]]
            winner = infos["winner"][row]
            assert total[row, 2] == (0 if winner == 0 else 100 if winner == seat else -100)
            games += 1
        total[ended] = 0
    assert games > 8


def test_a_forfeit_costs_one_and_tells_no_terms() -> None:
    env = SeatVectorEnv("small_board", 2, rewards=EVERYTHING)
    env.reset(seed=1)
    _, paid, ended, _, infos = env.step(np.array([28, 0]))
    assert paid[0] == -1
    assert ended.tolist() == [True, False]
    assert not any(infos[key][0] for key in INFO_KEYS)
    single = SeatEnv("small_board", rewards=EVERYTHING)
    single.reset(seed=1)
    _, reward, over, _, info = single.step(28)
    assert (reward, over, set(info.values())) == (-1.0, True, {0.0})


@pytest.mark.parametrize("seat", [1, 2])
def test_seat_passes_the_checker_of_gymnasium(seat: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(SeatEnv("small_board", seat=seat, rewards="MacroController"), skip_render_check=True)


def test_amounts_of_a_batch_can_be_weighed_anew() -> None:
    batch = BatchEnv("small_board", 5, rewards=EVERYTHING)
    batch.reset(seed=7)
    other = weights_of(rewards_config("Tyranid_Infantry_Swarm_MeleeSwarm"))
    for _ in range(50):
        batch.step(batch.random_actions())
        paid = contributions(other, batch.reward_terms)
        expected = [contributions(other, amounts).tolist() for amounts in batch.reward_terms]
        assert paid.tolist() == expected
