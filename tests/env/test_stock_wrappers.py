"""``env()`` beside PettingZoo's three wrappers around ``raw_env()``: where they agree, and that it is exactly there."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pettingzoo.utils import wrappers
from pettingzoo.utils.env import AECEnv
from pettingzoo.utils.env_logger import EnvLogger

from w40k_marl import w40k_v0
from w40k_marl.env.aec import Env

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"scenario": "small_board"}
Pair = tuple[AECEnv[str, Any, Any], AECEnv[str, Any, Any]]


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Forget what was warned of, and keep PettingZoo's handler from printing."""
    Env._warned_of_illegal = False
    EnvLogger.suppress_output()
    EnvLogger.flush()
    yield
    EnvLogger.flush()
    EnvLogger.unsuppress_output()


@pytest.fixture
def pair() -> Pair:
    """Ours, and the stock stack."""
    env: AECEnv[str, Any, Any] = w40k_v0.raw_env(**SETTINGS)
    env = wrappers.TerminateIllegalWrapper(env, illegal_reward=-1)
    env = wrappers.AssertOutOfBoundsWrapper(env)
    return w40k_v0.env(**SETTINGS), wrappers.OrderEnforcingWrapper(env)


def last(env: AECEnv[str, Any, Any]) -> tuple[object, ...]:
    """All that a client sees of the moment, but the mask."""
    observation, reward, termination, truncation, info = env.last()
    assert observation is not None
    vector = observation["observation"].tolist()
    return env.agent_selection, list(env.agents), vector, reward, termination, truncation, info


def reached(pair: Pair, seed: int, steps: int) -> None:
    """Bring both to the same moment of the same game."""
    for env in pair:
        random = np.random.default_rng(seed)
        env.reset(seed=seed)
        for _ in range(steps):
            env.step(int(random.choice(np.flatnonzero(env.last()[0]["action_mask"]))))


def test_random_games_look_the_same(pair: Pair) -> None:
    ours, stock = pair
    random = np.random.default_rng(5)
    for env in pair:
        env.reset(seed=5)
    for _ in range(2):
        while ours.agents:
            assert last(ours) == last(stock)
            observation, _, over, _, _ = ours.last()
            assert observation["action_mask"].tolist() == stock.last()[0]["action_mask"].tolist()
            action = None if over else int(random.choice(np.flatnonzero(observation["action_mask"])))
            for env in pair:
                env.step(action)
            assert ours.rewards == stock.rewards
        assert stock.agents == []
        for env in pair:
            env.reset()


@pytest.mark.parametrize("steps", [0, 1, 7, 23, 60])
def test_masked_action_ends_the_game_in_the_same_way(pair: Pair, steps: int) -> None:
    reached(pair, steps, steps)
    culprit = pair[0].agent_selection
    illegal = int(np.flatnonzero(pair[0].observe(culprit)["action_mask"] == 0)[0])
    for env in pair:
        env.step(illegal)
    ours, stock = pair
    assert ours.terminations == stock.terminations == ours.truncations == {"player_1": True, "player_2": True}
    assert ours.truncations == stock.truncations
    assert ours.rewards == stock.rewards == {"player_1": 0, "player_2": 0} | {culprit: -1}
    for _ in range(2):
        assert last(ours) == last(stock)
        assert ours.last()[1] == (-1 if ours.agent_selection == culprit else 0)
        for env in pair:
            env.step(None)
    assert ours.agents == stock.agents == []


def test_game_after_an_illegal_end_is_a_game_like_any(pair: Pair) -> None:
    ours, _ = pair
    reached(pair, 1, 5)
    ours.step(int(np.flatnonzero(ours.observe(ours.agent_selection)["action_mask"] == 0)[0]))
    assert not ours.observe("player_1")["action_mask"].any()
    assert not ours.observe("player_2")["action_mask"].any()
    reached(pair, 2, 40)
    assert last(ours) == last(pair[1])


@pytest.mark.parametrize("action", [-1, 29, 10**30, -(10**30), None, 1.5, "x", np.array([3]), np.bool_(True)])
def test_input_outside_the_space_is_an_assertion_error(pair: Pair, action: object) -> None:
    reached(pair, 1, 3)
    for env in pair:
        before = env.unwrapped.session.games.tobytes()
        with pytest.raises(AssertionError, match="action is not in action space"):
            env.step(action)
        assert env.unwrapped.session.games.tobytes() == before


@pytest.mark.parametrize("number", [int, np.int8, np.int32, np.int64, np.uint16, np.array])
def test_whole_numbers_of_every_type_are_actions(pair: Pair, number: Callable[[int], object]) -> None:
    reached(pair, 1, 3)
    legal = int(np.flatnonzero(pair[0].observe(pair[0].agent_selection)["action_mask"])[0])
    for env in pair:
        env.step(number(legal))
    assert last(pair[0]) == last(pair[1])


def test_true_is_action_1() -> None:
    """As everywhere in Python; the stock stack breaks on it, with an error that names neither action nor space."""
    env = w40k_v0.env(**SETTINGS)
    env.reset(seed=0)
    env.step(True)
    assert env.session.active_unit == "2"


@pytest.mark.parametrize(
    "use",
    [
        lambda env: env.step(0),
        lambda env: env.observe("player_1"),
        lambda env: env.state(),
        lambda env: env.render(),
        lambda env: env.agent_iter(),
        lambda env: env.last(),
        lambda env: env.agents,
        lambda env: env.num_agents,
        lambda env: env.rewards,
        lambda env: env.terminations,
        lambda env: env.truncations,
        lambda env: env.infos,
        lambda env: env.agent_selection,
        lambda env: env.no_such_name,
    ],
)
def test_use_before_reset_raises_the_same_error(pair: Pair, use: Callable[[AECEnv[str, Any, Any]], object]) -> None:
    errors = []
    for env in pair:
        with pytest.raises((AssertionError, AttributeError)) as error:
            use(env)
        errors.append((error.type, str(error.value).replace("RawEnv", "Env")))
    assert errors[0] == errors[1]


def test_live_use_before_reset_is_what_the_wrappers_allow(pair: Pair) -> None:
    for env in pair:
        assert env.possible_agents == ["player_1", "player_2"]
        assert env.max_num_agents == 2
        assert env.action_space("player_1").n == 29
        env.close()


def test_action_of_a_dead_agent_is_refused_in_the_same_way(pair: Pair) -> None:
    reached(pair, 1, 3)
    illegal = int(np.flatnonzero(pair[0].observe(pair[0].agent_selection)["action_mask"] == 0)[0])
    for env in pair:
        env.step(illegal)
        with pytest.raises(ValueError, match="when an agent is dead, the only valid action is None"):
            env.step(0)
        with pytest.raises(AssertionError):
            env.step(99)


def test_step_after_the_end_warns_and_changes_nothing(pair: Pair) -> None:
    for env in pair:
        env.reset(seed=1)
        env.step(28)  # an advance, while a unit is to be selected
        env.step(None)
        env.step(None)
        EnvLogger.flush()
        before = env.unwrapped.session.games.tobytes()
        env.step(0)
        assert any("step() called after all agents" in message for message in EnvLogger.mqueue)
        assert env.unwrapped.session.games.tobytes() == before
        assert env.agents == []


def test_illegal_action_warns_once_a_process(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            env = w40k_v0.env(**SETTINGS)
            env.reset(seed=1)
            env.step(28)
    assert sum("Illegal move made" in record.message for record in caplog.records) == 1


def test_a_stranger_sees_one_warning() -> None:
    program = (
        "from w40k_marl import w40k_v0\n"
        "env = w40k_v0.env(scenario='small_board')\n"
        "for _ in range(3):\n    env.reset(seed=1)\n    env.step(28)\n"
    )
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=settings, capture_output=True, text=True, check=True)
    assert (done.stdout + done.stderr).count("Illegal move made") == 1


def test_raw_env_never_ends_a_game_by_itself(pair: Pair) -> None:
    env = w40k_v0.raw_env(**SETTINGS)
    env.reset(seed=1)
    with contextlib.suppress(ValueError):
        env.step(28)
    assert not any(env.terminations.values())
