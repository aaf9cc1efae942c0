"""Many games in one process as a stable-baselines3 ``VecEnv`` with masks, for ``MaskablePPO``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..env.interrupted import Interruptible
from ..env.seats import SeatVectorEnv
from ..errors import W40KError, how_to_install
from ..reward.weights import INFO_KEYS

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ModuleNotFoundError as _missing:
    if (_missing.name or "").partition(".")[0] not in ("stable_baselines3", "torch"):
        raise
    raise ModuleNotFoundError(
        f"w40k_marl.train needs stable-baselines3 and sb3-contrib: {how_to_install('train')}", name=_missing.name
    ) from None

Indices = int | Iterable[int] | None


class SeatVecEnv(Interruptible, VecEnv):
    """The seats of a ``SeatVectorEnv`` as one stable-baselines3 ``VecEnv``.

    ``infos`` of a seat whose game has ended: ``terminal_observation``, ``TimeLimit.truncated``
    (never), ``episode`` (``r``: return, ``l``: decisions, as in ``Monitor``), ``winner`` and
    ``victory_points``. With the option ``rewards`` the ``infos`` of every seat also hold
    ``reward/<term>``. ``env_method`` supports only ``action_masks``; attributes are those of the
    ``SeatVectorEnv``, the same for all seats: ``set_attr("opponent", policy)`` sets the policy of
    the other seats.

    If an exception, such as that of Ctrl-C in ``learn``, interrupts a reset or step, ``step`` and
    the masks raise InterruptedStepError until ``reset``; ``model.set_env(model.get_env())`` makes
    the next ``learn`` call it.
    """

    _way_on = "reset(), or model.set_env(model.get_env()) before learn(),"

    def __init__(self, seats: SeatVectorEnv) -> None:
        """Take the seats; their own ``reset`` and ``step`` must not be called after this."""
        self.seats = seats
        self._chosen = np.zeros(seats.num_envs, dtype=np.int64)
        self._returns = np.zeros(seats.num_envs)
        self._lengths = np.zeros(seats.num_envs, dtype=np.int64)
        super().__init__(seats.num_envs, seats.single_observation_space, seats.single_action_space)

    def reset(self) -> NDArray[np.float32]:
        """Begin a game at every seat, with the seed that ``seed`` has set."""
        observations, _ = self._change(self.seats, self.seats.reset, seed=self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        self._returns[:] = self._lengths[:] = 0
        self._unfinished = False
        return observations

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Keep the actions for ``step_wait``."""
        self._chosen = actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step every game."""
        self._check_finished()
        observations, rewards, ended, _, told = self._change(self.seats, self.seats.step, self._chosen)
        self._returns += rewards
        self._lengths += 1
        infos = self._terms(told)
        for row in np.flatnonzero(ended).tolist():
            infos[row] |= self._last_info(row, told)
        self._returns[ended] = 0
        self._lengths[ended] = 0
        self._unfinished = False
        return observations, rewards, ended, infos

    def _terms(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the payment of each term of reward to each seat; empty if terms are not paid."""
        names = [name for name in INFO_KEYS if name in told]
        if not names:
            return [{} for _ in range(self.num_envs)]
        columns = [told[name].tolist() for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _last_info(self, row: int, told: dict[str, Any]) -> dict[str, Any]:
        return {
            "terminal_observation": told["final_obs"][row],
            "TimeLimit.truncated": False,
            "episode": {"r": float(self._returns[row]), "l": int(self._lengths[row])},
            "winner": int(told["winner"][row]),
            "victory_points": told["victory_points"][row].tolist(),
        }

    def close(self) -> None:
        """End the threads of the batch."""
        self.seats.close()

    # --- access to single environments, required by stable-baselines3 --------------------------------------

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Return the masks of some seats, each bool (actions,)."""
        if method_name != "action_masks" or method_args or method_kwargs:
            raise AttributeError(f"env_method: expected action_masks without arguments, got {method_name}")
        self._check_finished()
        masks = self.seats.action_masks()
        return [masks[row] for row in self._get_indices(indices)]

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Return an attribute of the ``SeatVectorEnv``, once for each seat."""
        return [getattr(self.seats, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Set an attribute of the ``SeatVectorEnv``, for all seats."""
        if not hasattr(self.seats, attr_name):
            raise AttributeError(f"set_attr: expected an attribute of SeatVectorEnv, got {attr_name}")
        if len(list(self._get_indices(indices))) != self.num_envs:
            raise W40KError("set_attr: expected all seats, which have their attributes in common, got some of them")
        setattr(self.seats, attr_name, value)

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Indices = None) -> list[bool]:
        """Return True for ``Monitor``, whose work this class does; no seat has another wrapper."""
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]
