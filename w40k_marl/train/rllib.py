"""The game for RLlib's new API stack, and a module that chooses
the network by the acting unit's type.

RLlib maps an agent to a policy once an episode, and agents are
players here; so the module makes the choice.
"""

from __future__ import annotations

from typing import Any

from ..env.aec import PLAYERS, RawEnv
from ..env.loading import ScenarioName
from ..env.wrappers import RLlibNames
from ..errors import how_to_install
from ..w40k_v0 import env

try:
    import torch
    from ray.rllib.core.columns import Columns
    from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
    from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
    from ray.rllib.env.wrappers.pettingzoo_env import PettingZooEnv
except ImportError as _missing:
    raise ModuleNotFoundError(
        f"w40k_marl.train.rllib needs RLlib and PyTorch: {how_to_install('rllib')} ({_missing})"
    ) from None

SELECT = "select"
"""The network that chooses the unit to activate."""

_LOWEST = -1e38


def rllib_env(config: dict[str, Any]) -> Any:
    """Return the game for ``register_env``; ``config`` holds arguments of ``w40k_v0.env``."""
    return PettingZooEnv(RLlibNames(env(**config)))


def routes(scenario: ScenarioName, **arguments: Any) -> dict[str, dict[str, Any]]:
    """Return the ``model_config`` of the ``UnitTypeRouter`` of each player, for one fixed scenario.

    ``networks`` names them, ``SELECT`` first; ``network_of_slot`` is the number of each roster
    slot's network.
    """
    game = RawEnv(scenario, **arguments)
    fields, per_side = game.layout.field_names(), game.layout.units_per_side
    configs: dict[str, dict[str, Any]] = {}
    for side, player in enumerate(PLAYERS):
        units = game.session.setting.units[side * per_side : (side + 1) * per_side]
        networks = [SELECT, *sorted({unit.type.name for unit in units if unit})]
        configs[player] = {
            "networks": networks,
            "network_of_slot": [networks.index(unit.type.name) if unit else 0 for unit in units],
            "present_field": fields.index("active_unit.present"),
            "slot_field": fields.index("active_unit.slot"),
            "hidden": 128,
        }
    return configs


class UnitTypeRouter(TorchRLModule, ValueFunctionAPI):
    """A network for each unit type of a player and one for selections; ``routes`` makes its
    ``model_config``.

    Observations: ``{"observations": (b, observation_size), "action_mask": (b, actions)}``, named as
    in ``RLlibNames``.
    """

    def setup(self) -> None:
        """Make the networks: one output for each action, and one for the value."""
        config = self.model_config
        size = self.observation_space["observations"].shape[0]
        self.register_buffer("network_of_slot", torch.tensor(config["network_of_slot"]))
        self.networks = torch.nn.ModuleDict(
            {
                name: torch.nn.Sequential(
                    torch.nn.Linear(size, config["hidden"]),
                    torch.nn.Tanh(),
                    torch.nn.Linear(config["hidden"], int(self.action_space.n) + 1),
                )
                for name in config["networks"]
            }
        )

    def route(self, observations: Any) -> Any:
        """Return the number of the network of each observation, (b,)."""
        slots = len(self.network_of_slot)
        slot = torch.round(observations[:, self.model_config["slot_field"]] * slots).long()
        present = observations[:, self.model_config["present_field"]] > 0
        return torch.where(present, self.network_of_slot[slot.clamp(0, slots - 1)], 0)

    def _outputs(self, batch: dict[str, Any]) -> Any:
        """Return logits and value of each observation from its own network, (b, actions + 1)."""
        observations = batch[Columns.OBS]["observations"]
        every = torch.stack([network(observations) for network in self.networks.values()], dim=1)
        return every[torch.arange(len(observations)), self.route(observations)]

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        mask = batch[Columns.OBS]["action_mask"]
        return {Columns.ACTION_DIST_INPUTS: self._outputs(batch)[:, :-1] + torch.log(mask).clamp(min=_LOWEST)}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> Any:
        """Return the value of each observation, (b,)."""
        return self._outputs(batch)[:, -1]
