"""The mask where other clients look for it. Needs no client."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test
from pettingzoo.utils.conversions import turn_based_aec_to_parallel

from w40k_marl.env.wrappers import MaskInInfos, RLlibNames

Make = Callable[..., Any]
DIALECTS = pytest.mark.parametrize("dialect", [MaskInInfos, RLlibNames])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pettingzoo_finds_nothing_wrong(make: Make) -> None:
    """Of the form with masks in infos; RLlib's float masks are not what PettingZoo's tests know."""
    api_test(MaskInInfos(make()), 300)


def test_parallel_form_of_infos_is_sound(make: Make) -> None:
    parallel_api_test(turn_based_aec_to_parallel(MaskInInfos(make())), 200)


def test_every_moment_is_that_of_the_plain_environment(make: Make) -> None:
    plain, infos, rllib = make(), MaskInInfos(make()), RLlibNames(make())
    for env in (plain, infos, rllib):
        env.reset(seed=4)
    random = np.random.default_rng(1)
    while plain.agents:
        for agent in plain.agents:
            seen, renamed = plain.observe(agent), rllib.observe(agent)
            assert infos.observe(agent).tobytes() == seen["observation"].tobytes()
            assert infos.infos[agent]["action_mask"].tolist() == seen["action_mask"].tolist()
            assert infos.infos[agent].keys() == {*plain.infos[agent], "action_mask"}
            assert infos.infos == infos.infos
            assert renamed["observations"].tobytes() == seen["observation"].tobytes()
            assert renamed["action_mask"].tolist() == seen["action_mask"].tolist()
            assert infos.observation_space(agent).contains(infos.observe(agent))
            assert rllib.observation_space(agent).contains(renamed)
            assert infos.rewards == plain.rewards
        agent = plain.agent_selection
        assert agent == infos.agent_selection == rllib.agent_selection
        legal = np.flatnonzero(plain.observe(agent)["action_mask"])
        action = None if plain.terminations[agent] else int(random.choice(legal))
        for env in (plain, infos, rllib):
            env.step(action)
    assert infos.infos == {}


def test_last_tells_the_mask(make: Make) -> None:
    env = MaskInInfos(make())
    env.reset(seed=1)
    observation, _, _, _, info = env.last()
    assert observation.shape == (922,)
    assert info["action_mask"].sum() == 3


@DIALECTS
def test_copy_plays_on_by_itself(make: Make, dialect: Any) -> None:
    env = dialect(make())
    env.reset(seed=1)
    other = copy.deepcopy(env)
    env.step(0)
    other.step(1)
    assert env.unwrapped.session.active_unit == "1"
    assert other.unwrapped.session.active_unit == "2"


def test_mask_is_that_of_a_restored_game(make: Make) -> None:
    env = MaskInInfos(make())
    env.reset(seed=1)
    before, snapshot = env.infos["player_1"]["action_mask"].tolist(), env.snapshot()
    env.step(0)
    assert env.infos["player_1"]["action_mask"].tolist() != before
    env.restore(snapshot)
    assert env.infos["player_1"]["action_mask"].tolist() == before
