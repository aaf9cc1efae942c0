"""RLlib's new API stack, in an environment of its own. ``tox -e rllib``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore")]
WHY = 'needs the extra "rllib": tox -e rllib'
pytest.importorskip("torch", reason=WHY)
pytest.importorskip("ray.rllib", reason=WHY)

import ray  # noqa: E402
import torch  # noqa: E402
from ray.rllib.algorithms.ppo import PPOConfig  # noqa: E402
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec  # noqa: E402
from ray.rllib.core.rl_module.rl_module import RLModuleSpec  # noqa: E402
from ray.tune.registry import register_env  # noqa: E402

from w40k_marl.env.wrappers import RLlibNames  # noqa: E402
from w40k_marl.train.rllib import SELECT, UnitTypeRouter, rllib_env, routes  # noqa: E402
from w40k_marl.w40k_v0 import env as plain_env  # noqa: E402

GAME = {"scenario": "small_board", "max_turns": 2}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    register_env("w40k", rllib_env)
    yield
    ray.shutdown()


def router(player: str) -> UnitTypeRouter:
    env = RLlibNames(plain_env(**GAME))
    return UnitTypeRouter(
        observation_space=env.observation_space(player),
        action_space=env.action_space(player),
        model_config=routes(**GAME)[player],
    )


def test_every_unit_type_has_its_network() -> None:
    configs = routes(**GAME)
    assert configs["player_1"]["networks"] == [SELECT, "AssaultIntercessor", "Intercessor", "IntercessorSergeant"]
    assert configs["player_2"]["networks"] == [SELECT, "Genestealer", "Termagant", "TyranidWarriorRanged"]
    assert configs["player_1"]["network_of_slot"][:4] == [3, 2, 1, 0]
    assert configs["player_2"]["network_of_slot"][:5] == [3, 1, 2, 2, 0]


def test_network_is_that_of_the_acting_unit() -> None:
    """Along a whole game, for both players; and no action that the mask forbids has a chance."""
    routers = {player: router(player) for player in ("player_1", "player_2")}
    env = RLlibNames(plain_env(**GAME))
    env.reset(seed=2)
    random, met = np.random.default_rng(1), set()
    while not env.terminations[agent := env.agent_selection]:
        seen = {name: torch.as_tensor(value[None]) for name, value in env.observe(agent).items()}
        game = env.unwrapped.session
        unit = game.setting.units[int(game.games[0].active)] if game.active_unit else None
        module = routers[agent]
        network = module.model_config["networks"][int(module.route(seen["observations"])[0])]
        assert network == (unit.type.name if unit else SELECT)
        met.add(network)
        with torch.no_grad():
            logits = module.forward_inference({"obs": seen})["action_dist_inputs"][0]
        assert ((logits > -1e37).numpy() == (seen["action_mask"][0] > 0).numpy()).all()
        assert module.compute_values({"obs": seen}).shape == (1,)
        env.step(int(random.choice(np.flatnonzero(env.observe(agent)["action_mask"]))))
    assert len(met) == 7


@pytest.mark.parametrize("runners", [0, 1])
def test_ppo_trains_both_players(cluster: None, runners: int) -> None:
    modules = {
        player: RLModuleSpec(module_class=UnitTypeRouter, model_config=config)
        for player, config in routes(**GAME).items()
    }
    algorithm = (
        PPOConfig()
        .environment("w40k", env_config=GAME)
        .env_runners(num_env_runners=runners, num_envs_per_env_runner=1)
        .multi_agent(policies=set(modules), policy_mapping_fn=lambda agent, episode, **kwargs: agent)
        .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs=modules))
        .training(train_batch_size_per_learner=400, minibatch_size=128, num_epochs=1)
        .build_algo()
    )
    try:
        result: dict[str, Any] = algorithm.train()
    finally:
        algorithm.stop()
    sampled = result["env_runners"]
    assert sampled["num_env_steps_sampled"] >= 400
    assert sampled["num_episodes"] >= 2
    assert set(sampled["agent_episode_returns_mean"]) == {"player_1", "player_2"}
    assert sum(sampled["agent_episode_returns_mean"].values()) == pytest.approx(0), "no game lost by an illegal action"
    for player in modules:
        assert np.isfinite(result["learners"][player]["total_loss"])
