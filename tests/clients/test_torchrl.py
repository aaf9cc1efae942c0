"""TorchRL's wrapper. ``tox -e clients``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore")]
WHY = 'needs the extra "clients": tox -e clients'
pytest.importorskip("torchrl", reason=WHY)

from tensordict.nn import TensorDictModule  # noqa: E402
from torch.distributions import Categorical  # noqa: E402
from torchrl.collectors import Collector  # noqa: E402
from torchrl.envs import MarlGroupMapType, PettingZooWrapper, SerialEnv  # noqa: E402
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


PLAYERS = ["player_1", "player_2"]


def illegal_share(steps: Any) -> float:
    """Share of the actions, of players who were to act, that the mask beside them forbids."""
    forbidden, acted = 0, 0
    for player in PLAYERS:
        legal = steps[player, "action_mask"].gather(-1, steps[player, "action"].unsqueeze(-1)).squeeze(-1)
        acting = steps[player, "mask"].bool()
        forbidden += int((~legal & acting).sum())
        acted += int(acting.sum())
    return forbidden / acted


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_collectors_need_a_policy_that_reads_the_masks(make: Callable[..., Any], batched: bool, masked: bool) -> None:
    """docs/clients.md says so; if this fails without a policy, TorchRL has learned to draw by masks."""

    def one() -> Any:
        return PettingZooWrapper(make(), use_mask=True, return_state=True)

    policy = TensorDictModule(
        lambda *masks: tuple(Categorical(mask.float()).sample() for mask in masks),
        in_keys=[(player, "action_mask") for player in PLAYERS],
        out_keys=[(player, "action") for player in PLAYERS],
    )
    collector = Collector(
        (lambda: SerialEnv(2, one)) if batched else one,
        policy if masked else None,
        frames_per_batch=200,
        total_frames=200,
    )
    shares = [illegal_share(steps) for steps in collector]
    collector.shutdown()
    assert shares == [0] if masked else shares[0] > 0.5
