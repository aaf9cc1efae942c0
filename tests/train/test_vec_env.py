"""The seats as stable-baselines3 wants them. Needs the extra ``train``: ``tox -e train``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.policies import RandomPolicy
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.errors import W40KError
from w40k_marl.reward.weights import INFO_KEYS

WHY = 'needs the extra "train": tox -e train'
pytest.importorskip("stable_baselines3", reason=WHY)
pytest.importorskip("sb3_contrib", reason=WHY)

from sb3_contrib import MaskablePPO  # noqa: E402
from sb3_contrib.common.maskable.evaluation import evaluate_policy  # noqa: E402
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported  # noqa: E402
from stable_baselines3.common.env_checker import check_env  # noqa: E402
from stable_baselines3.common.monitor import Monitor  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecMonitor  # noqa: E402

from w40k_marl.train.vec_env import SeatVecEnv  # noqa: E402

Make = Callable[..., SeatVecEnv]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[SeatVecEnv] = []

    def one(games: int = 8, **settings: Any) -> SeatVecEnv:
        made.append(SeatVecEnv(SeatVectorEnv("small_board", games, **{"max_turns": 1, **settings})))
        return made[-1]

    yield one
    for env in made:
        env.close()


def choose(env: VecEnv, random: RandomPolicy) -> Any:
    return random(np.zeros((env.num_envs, 1), dtype=np.float32), get_action_masks(env).astype(np.int8))


@pytest.mark.parametrize("seat", [1, 2])
def test_single_seat_passes_the_checker(seat: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(SeatEnv("small_board", seat=seat))


def test_masks_are_found_and_are_those_of_the_games(make: Make) -> None:
    env = make()
    assert is_masking_supported(env)
    env.reset()
    masks = get_action_masks(env)
    assert masks.dtype == np.bool_
    assert masks.tolist() == (env.seats.batch.action_masks == 1).tolist()
    assert [mask.tolist() for mask in env.env_method("action_masks", indices=[2, 5])] == masks[[2, 5]].tolist()
    assert env.env_method("action_masks", indices=3)[0].tolist() == masks[3].tolist()


def test_steps_are_those_of_the_seats(make: Make) -> None:
    """Episodes told as Monitor does, and the last observation of each."""
    env, seats = make(), SeatVectorEnv("small_board", 8, max_turns=1)
    env.seed(5)
    assert env.reset().tobytes() == seats.reset(seed=5)[0].tobytes()
    random, returns, lengths, finished = RandomPolicy(1), np.zeros(8), np.zeros(8), 0
    for _ in range(60):
        actions = choose(env, random)
        observations, rewards, dones, infos = env.step(actions)
        expected = seats.step(actions)
        returns += rewards
        lengths += 1
        for one, other in zip((observations, rewards, dones), expected[:3], strict=True):
            assert one.tobytes() == other.tobytes()
        for row, info in enumerate(infos):
            assert bool(info) == dones[row]
            if info:
                assert info["terminal_observation"].tobytes() == expected[4]["final_obs"][row].tobytes()
                assert info["episode"] == {"r": returns[row], "l": lengths[row]}
                assert info["TimeLimit.truncated"] is False
                assert info["winner"] == expected[4]["winner"][row]
                assert info["victory_points"] == expected[4]["victory_points"][row].tolist()
                returns[row] = lengths[row] = 0
                finished += 1
    assert finished > 8


def test_terms_of_reward_are_told_of_every_seat(make: Make) -> None:
    """They add up to the reward, at the end of a game beside what is told of it."""
    env = make(4, rewards="MacroController")
    env.reset()
    random, finished = RandomPolicy(1), 0
    for _ in range(60):
        _, rewards, dones, infos = env.step(choose(env, random))
        for reward, done, info in zip(rewards, dones, infos, strict=True):
            assert sum(info[key] for key in INFO_KEYS) == pytest.approx(float(reward), abs=1e-6)
            assert ("episode" in info) == bool(done)
            finished += bool(done)
    assert finished > 4


def test_seed_is_for_the_next_reset_only(make: Make) -> None:
    env = make()
    env.seed(1)
    first = env.reset().tobytes(), env.seats.batch.game_seed(0, 0)
    assert (env.reset().tobytes(), env.seats.batch.game_seed(0, 0)) != first
    env.seed(1)
    assert (env.reset().tobytes(), env.seats.batch.game_seed(0, 0)) == first


def test_attributes_are_those_of_all_seats(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    env = make()
    assert env.get_attr("side") == [0] * 8
    assert env.get_attr("layout", indices=[1])[0] is env.seats.layout
    assert not env.has_attr("nonsense")
    assert env.render_mode is None
    assert env.env_is_wrapped(Monitor) == [True] * 8
    assert env.env_is_wrapped(VecMonitor, indices=0) == [False]
    with pytest.raises(AttributeError, match="expected action_masks without arguments, got render"):
        env.env_method("render")
    with pytest.raises(AttributeError, match="got nonsense"):
        env.set_attr("nonsense", 1)
    with pytest.raises(W40KError, match="expected all seats"):
        env.set_attr("opponent", None, indices=[1])


def test_opponent_can_be_exchanged(make: Make) -> None:
    calls: list[int] = []

    def first_legal(observations: Any, masks: Any) -> Any:
        calls.append(len(masks))
        return np.argmax(masks, axis=1)

    env = make()
    env.reset()
    env.set_attr("opponent", first_legal)
    for _ in range(30):
        env.step(choose(env, RandomPolicy(1)))
    assert sum(calls) > 50
    env.set_attr("opponent", None)
    before = len(calls)
    for _ in range(30):
        env.step(choose(env, RandomPolicy(1)))
    assert len(calls) == before


def test_wrappers_of_vectors_keep_the_masks(make: Make) -> None:
    env = VecFrameStack(make(), 2)
    env.reset()
    assert get_action_masks(env).shape == (8, 29)
    env.step(choose(env, RandomPolicy(1)))


def test_maskable_ppo_learns_in_64_games(make: Make) -> None:
    env = make(64, max_turns=None)
    model = MaskablePPO("MlpPolicy", env, n_steps=32, batch_size=256, n_epochs=2, seed=1)
    assert model.env is env, "taken as it is"
    model.learn(2_000)
    assert model.num_timesteps >= 2_000
    assert model.ep_info_buffer is not None
    model.learn(4_000, reset_num_timesteps=False)
    assert len(model.ep_info_buffer) > 10
    assert {episode["r"] for episode in model.ep_info_buffer} <= {-1.0, 0.0, 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        returns, lengths = evaluate_policy(model, make(16), n_eval_episodes=32, return_episode_rewards=True)
    assert len(returns) == 32
    assert set(returns) <= {-1.0, 0.0, 1.0}
    assert min(lengths) > 1


def test_maskable_ppo_learns_at_a_single_seat() -> None:
    model = MaskablePPO("MlpPolicy", DummyVecEnv([lambda: SeatEnv("small_board", seat=2)]), n_steps=128, seed=1)
    model.learn(256)
    assert model.num_timesteps == 256


def test_saved_model_plays_on(make: Make, tmp_path: Any) -> None:
    env = make()
    model = MaskablePPO("MlpPolicy", env, n_steps=32, batch_size=64, n_epochs=1, seed=1)
    model.save(tmp_path / "model")
    again = MaskablePPO.load(tmp_path / "model", env=make())
    observations, masks = env.reset(), get_action_masks(env)
    chosen = [one.predict(observations, action_masks=masks, deterministic=True)[0] for one in (model, again)]
    assert chosen[0].tolist() == chosen[1].tolist()
    assert masks[np.arange(8), chosen[0]].all()
