"""Measures the agent cycle against PettingZoo's own games and an empty game, interleaved in one
process.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pettingzoo.utils.env import AECEnv
from rich.console import Console
from rich.table import Table

from w40k_marl.apps.console import say

Environment = AECEnv[str, Any, Any]


class EmptyGame(AECEnv[str, Any, Any]):
    """An empty game with our spaces and the usual bookkeeping: the upper limit of the protocol."""

    def __init__(self, like: Environment, length: int) -> None:
        """Use spaces and agents of ``like``; a game lasts ``length`` steps."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.possible_agents = list(like.possible_agents)
        self.length = length
        self._observation_space = like.observation_space(self.possible_agents[0])
        self._action_space = like.action_space(self.possible_agents[0])
        sample = self._observation_space.sample()
        self._observation = {key: np.zeros_like(value) for key, value in sample.items()}
        self._observation["action_mask"][:8] = 1

    def observation_space(self, agent: str) -> Any:
        """Return our space."""
        return self._observation_space

    def action_space(self, agent: str) -> Any:
        """Return our space."""
        return self._action_space

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a game."""
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self.agent_selection = self.agents[0]
        self.steps = 0

    def observe(self, agent: str) -> dict[str, Any]:
        """Return new arrays of zeros."""
        return {key: value.copy() for key, value in self._observation.items()}

    def step(self, action: Any) -> None:
        """Count the step, with the bookkeeping of PettingZoo's tutorial."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self.steps += 1
        if self.steps >= self.length:
            self.terminations = dict.fromkeys(self.agents, True)
        self.agent_selection = self.possible_agents[self.steps & 1]
        self._accumulate_rewards()

    def close(self) -> None:
        """Do nothing."""


@dataclass
class Runner:
    """One environment being measured."""

    name: str
    env: Environment
    is_micro: Callable[[int], bool] = lambda action: False
    rates: list[float] = field(default_factory=list)  # agent steps per CPU second, one a repetition
    games_per_second: list[float] = field(default_factory=list)
    micro_per_second: list[float] = field(default_factory=list)

    def play(self, seconds: float) -> None:
        """Play whole games of random legal actions until ``seconds`` of CPU time have passed."""
        steps = games = micro = 0
        start = time.process_time()
        while (spent := time.process_time() - start) < seconds:
            counted = _one_game(self.env, self.is_micro)
            steps, micro, games = steps + counted[0], micro + counted[1], games + 1
        spent = time.process_time() - start
        self.rates.append(steps / spent)
        self.micro_per_second.append(micro / spent)
        self.games_per_second.append(games / spent)


def _one_game(env: Environment, is_micro: Callable[[int], bool]) -> tuple[int, int]:
    """Run the usual loop: agent_iter, last, masked random pick, step; return its steps and micro
    actions.
    """
    steps = micro = 0
    env.reset()
    for _ in env.agent_iter():
        observation, _, terminated, truncated, _ = env.last()
        if terminated or truncated:
            env.step(None)
            continue
        assert observation is not None, "last() observes"
        action = random.choice(np.flatnonzero(observation["action_mask"]).tolist())
        env.step(action)
        steps += 1
        micro += is_micro(action)
    return steps, micro


def _runners(scenario: str) -> list[Runner]:
    """Return our environment, PettingZoo's two, and the empty game."""
    from pettingzoo.classic import chess_v6, connect_four_v3

    from w40k_marl import w40k_v0

    ours = w40k_v0.env(scenario=scenario)
    ours.reset(seed=1)
    length, _ = _one_game(ours, lambda action: False)
    return [
        Runner("w40k_marl", ours, lambda action: action >= ours.layout.micro_start),
        Runner("connect_four", connect_four_v3.env()),  # type: ignore[no-untyped-call]
        Runner("chess", chess_v6.raw_env()),
        Runner("empty", EmptyGame(ours, length)),
    ]


def bench_aec(scenario: str, repetitions: int, seconds: float) -> dict[str, Any]:
    """Return medians of interleaved repetitions, and our rate as a multiple of the others'."""
    random.seed(1)
    runners = _runners(scenario)
    for runner in runners:
        _one_game(runner.env, runner.is_micro)  # warm up
    for _ in range(repetitions):
        for runner in runners:
            runner.play(seconds)
    ours, *others = runners
    ratios = {
        other.name: statistics.median(a / b for a, b in zip(ours.rates, other.rates, strict=True)) for other in others
    }
    return {
        "scenario": scenario,
        "agent_steps_per_second": {runner.name: statistics.median(runner.rates) for runner in runners},
        "spread": {runner.name: [min(runner.rates), max(runner.rates)] for runner in runners},
        "micro_actions_per_second": statistics.median(ours.micro_per_second),
        "games_per_second": statistics.median(ours.games_per_second),
        "ratios": ratios,
    }


def show_aec(result: dict[str, Any], console: Console) -> None:
    """Print a table, then a line for other programs."""
    table = Table("environment", "agent steps / CPU second", "min", "max", "ours / this")
    for name, rate in result["agent_steps_per_second"].items():
        low, high = result["spread"][name]
        ratio = result["ratios"].get(name)
        table.add_row(name, f"{rate:,.0f}", f"{low:,.0f}", f"{high:,.0f}", f"{ratio:.2f}" if ratio else "")
    console.print(table)
    ratios = result["ratios"]
    say(
        f"aec: {result['agent_steps_per_second']['w40k_marl']:.0f} agent-steps/s, "
        f"{result['micro_actions_per_second']:.0f} micro actions/s, "
        f"{result['games_per_second']:.0f} games/s, {ratios['connect_four']:.1f} x connect_four, "
        f"{ratios['chess']:.0f} x chess, {ratios['empty']:.2f} of empty"
    )
