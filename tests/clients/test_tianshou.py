"""Tianshou's environment and collector. ``tox -e clients``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore")]
WHY = 'needs the extra "clients": tox -e clients'
pytest.importorskip("tianshou", reason=WHY)

from tianshou.algorithm import MultiAgentOffPolicyAlgorithm  # noqa: E402
from tianshou.algorithm.random import MARLRandomDiscreteMaskedOffPolicyAlgorithm  # noqa: E402
from tianshou.data import Collector, VectorReplayBuffer  # noqa: E402
from tianshou.env import DummyVectorEnv  # noqa: E402
from tianshou.env.pettingzoo_env import PettingZooEnv  # noqa: E402


def test_masked_policies_collect_games(make: Callable[..., Any]) -> None:
    bases: list[Any] = []

    def one() -> PettingZooEnv:
        bases.append(make())
        return PettingZooEnv(bases[-1])

    env = one()
    players = [MARLRandomDiscreteMaskedOffPolicyAlgorithm(env.action_space) for _ in env.agents]
    both = MultiAgentOffPolicyAlgorithm(algorithms=list(players), env=env)
    buffer = VectorReplayBuffer(10_000, 2)
    collector = Collector(both, DummyVectorEnv([one, one]), buffer)
    collector.reset()
    result = collector.collect(n_episode=4)
    assert result.n_collected_episodes == 4
    assert result.lens.min() > 10
    assert result.returns.shape == (4, 2)
    assert (result.returns.sum(axis=1) == 0).all(), "one wins what the other loses"
    assert not any(base._ended_illegally for base in bases)
    assert {str(agent) for agent in buffer.obs.agent_id} >= {"player_1", "player_2"}
