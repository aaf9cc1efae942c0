"""Ctrl-C in the middle of learning. Needs the extra ``train``: ``tox -e train``."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.seats import SeatVectorEnv
from w40k_marl.errors import W40KError

WHY = 'needs the extra "train": tox -e train'
pytest.importorskip("stable_baselines3", reason=WHY)
pytest.importorskip("sb3_contrib", reason=WHY)

from sb3_contrib import MaskablePPO  # noqa: E402
from sb3_contrib.common.maskable.utils import get_action_masks  # noqa: E402

from w40k_marl.train.vec_env import SeatVecEnv  # noqa: E402

Interrupt = Callable[[Callable[[], object], int], int]

REFUSAL = r"^SeatVecEnv: expected reset\(\), or model.set_env\(model.get_env\(\)\) before learn\(\), after"


def last_legal(observations: Any, masks: Any) -> Any:
    return masks.shape[1] - 1 - np.argmax(masks[:, ::-1], axis=1)


def make(opponent: Any = last_legal, games: int = 4) -> SeatVecEnv:
    return SeatVecEnv(SeatVectorEnv("small_board", games, max_turns=1, opponent=opponent))


def step(env: SeatVecEnv) -> Any:
    observations, rewards, dones, infos = env.step(get_action_masks(env).argmax(axis=1))
    return observations.tobytes(), rewards.tolist(), dones.tolist(), str(infos)


def test_interrupted_at_every_place(interrupt: Interrupt) -> None:
    """The step is refused afterwards, or it and the returns of episodes are whole."""
    env = make()
    env.seed(1)
    env.reset()
    for _ in range(5):
        step(env)

    def future(env: SeatVecEnv) -> list[Any]:
        env = copy.deepcopy(env)
        return [get_action_masks(env).tolist(), *(step(env) for _ in range(40))]

    def anew(env: SeatVecEnv) -> list[Any]:
        env.seed(2)
        return [env.reset().tobytes(), *future(env)]

    after, actions = copy.deepcopy(env), get_action_masks(env).argmax(axis=1)
    count = interrupt(lambda: after.step(actions), -1)
    before, done, fresh = future(env), future(after), anew(copy.deepcopy(env))
    assert any("episode" in entry[3] for entry in before[1:]), "games end within the steps that are compared"
    refused = 0
    for place in range(count):
        interrupted = copy.deepcopy(env)
        interrupt(lambda env=interrupted: env.step(actions), place)  # type: ignore[misc]
        try:
            get_action_masks(interrupted)
        except W40KError:
            refused += 1
            for call in (lambda env=interrupted: env.step(actions), lambda env=interrupted: get_action_masks(env)):
                with pytest.raises(W40KError, match=REFUSAL):
                    call()
            if refused % 20 == 1:
                assert anew(interrupted) == fresh
        else:
            assert future(interrupted) in (before, done), f"place {place}"
    assert count > refused > 0


@pytest.mark.parametrize("call", [3, 20])
def test_learning_goes_on_after_ctrl_c_with_new_games(call: int) -> None:
    calls = iter(range(1, 1_000_000))

    def opponent(observations: Any, masks: Any) -> Any:
        if next(calls) == call:
            raise KeyboardInterrupt
        return last_legal(observations, masks)

    env = make(opponent)
    model = MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=32, n_epochs=1, seed=1)
    with pytest.raises(KeyboardInterrupt):
        model.learn(10_000)
    learnt = model.num_timesteps
    with pytest.raises(W40KError, match=REFUSAL):
        model.learn(128, reset_num_timesteps=False)
    model.set_env(model.get_env())
    model.learn(128, reset_num_timesteps=False)
    assert model.num_timesteps == learnt + 128
    env.close()


def test_step_that_is_refused_leaves_the_seats_as_they_were() -> None:
    env = make()
    env.reset()
    before = get_action_masks(env).tolist()
    with pytest.raises(W40KError, match="expected whole numbers"):
        env.step(np.zeros(3, dtype=np.int64))
    assert get_action_masks(env).tolist() == before
    step(env)
