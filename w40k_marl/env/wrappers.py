"""Wrappers for clients that expect the mask under another name or in infos.

The environment itself has the mask in the observation.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from pettingzoo.utils.env import AECEnv
from pettingzoo.utils.wrappers import BaseWrapper

from ..errors import ContentError, brief


def _check_environment(env: object) -> None:
    if not isinstance(env, AECEnv):
        raise ContentError("argument", "env", "an environment of w40k_v0", brief(env))


class MaskInInfos(BaseWrapper[str, Any, Any]):
    """The observation is only the vector; ``infos[agent]["action_mask"]`` is the mask, int8
    (actions,).

    For SuperSuit, whose wrappers need a Box, and for clients that read masks from infos: AgileRL,
    OpenSpiel.
    """

    def __init__(self, env: AECEnv[str, Any, Any]) -> None:
        """Wrap an environment whose observations contain the mask.

        Raises ContentError if ``env`` is not such an environment.
        """
        _check_environment(env)
        super().__init__(env)
        self._masks: dict[str, NDArray[np.int8]] = {}

    def observation_space(self, agent: str) -> gymnasium.spaces.Space[Any]:
        """Return the Box of the vector."""
        space: gymnasium.spaces.Dict = self.env.observation_space(agent)  # type: ignore[assignment]
        return space["observation"]

    def observe(self, agent: str) -> Any:
        """Return the vector."""
        observation: Any = self.env.observe(agent)
        return observation["observation"]

    @property
    def infos(self) -> dict[str, dict[str, Any]]:  # type: ignore[override]
        """The infos of the agents, each with the current mask; equal until the game changes."""
        return {agent: {**info, "action_mask": self._mask(agent)} for agent, info in self.env.infos.items()}

    def _mask(self, agent: str) -> NDArray[np.int8]:
        """Return the mask, as the same object until it changes.

        Dictionaries that contain different array objects cannot be compared.
        """
        observation: Any = self.env.observe(agent)
        mask: NDArray[np.int8] = observation["action_mask"]
        if not np.array_equal(self._masks.get(agent), mask):  # type: ignore[arg-type]
            self._masks[agent] = mask
        return self._masks[agent]


class RLlibNames(BaseWrapper[str, Any, Any]):
    """``{"observations", "action_mask"}``, both float32: the keys of RLlib's module for masked
    actions.
    """

    def __init__(self, env: AECEnv[str, Any, Any]) -> None:
        """Create the space. Raises ContentError if ``env`` is not an environment of w40k_v0."""
        _check_environment(env)
        super().__init__(env)
        space: Any = env.observation_space(env.possible_agents[0])
        mask = gymnasium.spaces.Box(0.0, 1.0, space["action_mask"].shape, np.float32)
        self._space = gymnasium.spaces.Dict({"observations": space["observation"], "action_mask": mask})

    def observation_space(self, agent: str) -> gymnasium.spaces.Space[Any]:
        """The same space for both players, always the same object."""
        return self._space

    def observe(self, agent: str) -> Any:
        """Return the observation under these names."""
        seen: Any = self.env.observe(agent)
        return {"observations": seen["observation"], "action_mask": seen["action_mask"].astype(np.float32)}
