"""Measures MaskablePPO on our games against the same learner on games without cost, with equal
spaces.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
from rich.console import Console

from w40k_marl.apps.console import say
from w40k_marl.env.seats import SeatVectorEnv

GAMES, STEPS, BATCH, EPOCHS, NETWORK = 64, 128, 512, 4, [320, 320]


class FreeSeats:
    """A ``SeatVectorEnv`` without cost for the learner: zeros, all actions legal, no end."""

    def __init__(self, like: SeatVectorEnv) -> None:
        """Store the spaces."""
        self.num_envs = like.num_envs
        self.single_observation_space = like.single_observation_space
        self.single_action_space = like.single_action_space
        self._masks = np.ones((like.num_envs, like.layout.action_count), dtype=np.bool_)
        self._observations = np.zeros((like.num_envs, like.layout.observation_size), dtype=np.float32)
        self._rewards = np.zeros(like.num_envs, dtype=np.float32)
        self._ended = np.zeros(like.num_envs, dtype=np.bool_)

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        """Return zeros."""
        return self._observations, {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Return zeros."""
        return self._observations, self._rewards.copy(), self._ended, self._ended, {}

    def action_masks(self) -> Any:
        """Return masks in which all actions are legal."""
        return self._masks

    def close(self) -> None:
        """Do nothing."""


class Learner:
    """One measured learner."""

    def __init__(self, seats: Any) -> None:
        """Create the model and let it learn once, as a warm-up."""
        from sb3_contrib import MaskablePPO

        from w40k_marl.train.vec_env import SeatVecEnv

        self.model = MaskablePPO(
            "MlpPolicy",
            SeatVecEnv(seats),
            n_steps=STEPS,
            batch_size=BATCH,
            n_epochs=EPOCHS,
            policy_kwargs={"net_arch": NETWORK},
            device="cpu",
            seed=1,
        )
        self.rates: list[float] = []
        self.learn(1)
        self.rates.clear()

    def learn(self, rollouts: int) -> None:
        """Run some rollouts, each followed by its epochs; return steps per CPU second."""
        steps = GAMES * STEPS * rollouts
        start = time.process_time()
        self.model.learn(steps, reset_num_timesteps=False)
        self.rates.append(steps / (time.process_time() - start))


def bench_ppo(repetitions: int) -> dict[str, Any]:
    """Return medians of interleaved rollouts with one thread of torch."""
    import torch

    torch.set_num_threads(1)
    seats = SeatVectorEnv(num_envs=GAMES)
    ours, free = Learner(seats), Learner(FreeSeats(seats))
    for _ in range(repetitions):
        ours.learn(1)
        free.learn(1)
    ratios = [a / b for a, b in zip(ours.rates, free.rates, strict=True)]
    return {
        "steps_per_second": statistics.median(ours.rates),
        "free_steps_per_second": statistics.median(free.rates),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
    }


def show_ppo(result: dict[str, Any], console: Console) -> None:
    """Print the figures, then a line for other programs."""
    console.print(
        f"MaskablePPO: {result['steps_per_second']:,.0f} steps / CPU second on our games, "
        f"{result['free_steps_per_second']:,.0f} on free ones"
    )
    say(f"ppo: {result['ratio']:.3f} of a zero-cost env")
