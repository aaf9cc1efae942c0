"""TorchRL's wrapper. ``tox -e clients``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore")]
WHY = 'needs the extra "clients": tox -e clients'
pytest.importorskip("torchrl", reason=WHY)

from torchrl.envs import MarlGroupMapType, PettingZooWrapper  # noqa: E402
from torchrl.envs.utils import check_env_specs  # noqa: E402


@pytest.mark.parametrize("groups", [None, MarlGroupMapType.ALL_IN_ONE_GROUP])
@pytest.mark.parametrize("state", [True, False])
def test_specs_hold(make: Callable[..., Any], groups: Any, state: bool) -> None:
    check_env_specs(PettingZooWrapper(make(), use_mask=True, return_state=state, group_map=groups))


def test_random_games_are_legal(make: Callable[..., Any]) -> None:
    """The reward of both players arrives in the step that ends the game."""
    base = make()
    env = PettingZooWrapper(base, use_mask=True, return_state=True)
    env.set_seed(1)
    for _ in range(4):
        steps = env.rollout(1000)
        assert not base._ended_illegally
        assert all(base.terminations.values())
        rewards = [float(steps["next", player, "reward"].sum()) for player in base.possible_agents]
        assert sorted(rewards) in ([-1, 1], [0, 0])
        assert steps["state"].shape[-1] == base.layout.state_size
        assert steps["player_1", "action_mask"].shape[-1] == base.layout.action_count
