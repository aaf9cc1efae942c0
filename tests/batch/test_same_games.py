"""The rows of a batch are the games of ``raw_env``, action by action, dice included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.env.aec import PLAYERS, RawEnv
from w40k_marl.env.batch import BatchEnv

Settled = Callable[[Any], bytes]


class Alone:
    """The single environment that should be what one row of a batch is."""

    def __init__(self, batch: BatchEnv, row: int, settled: Settled, **settings: Any) -> None:
        self.batch, self.row, self.settled, self.episode = batch, row, settled, 0
        self.env: RawEnv = w40k_v0.raw_env(**settings)
        self.begin()

    def begin(self) -> None:
        self.env.reset(options={"game_seed": self.batch.game_seed(self.row, self.episode)})
        self.episode += 1

    def step(self, action: int) -> bool:
        """Step, compare what the step paid, and begin again after an end; whether there was one."""
        batch, row = self.batch, self.row
        self.env.step(action)
        over = all(self.env.terminations.values())
        assert batch.rewards[row].tolist() == [self.env.rewards[player] for player in PLAYERS]
        assert batch.ended[row] == over
        if over:
            _, _, winner, *_, points, enemy_points = self.env.session.summary()
            assert batch.results[row].tolist() == [winner, points, enemy_points]
            self.begin()
        return over

    def compare(self) -> None:
        batch, row, env = self.batch, self.row, self.env
        seen = env.observe(env.agent_selection)
        assert PLAYERS[batch.acting_sides[row]] == env.agent_selection
        assert batch.observations[row].tobytes() == seen["observation"].tobytes()
        assert batch.action_masks[row].tobytes() == seen["action_mask"].tobytes()
        assert self.settled(batch.games[row]) == self.settled(env.session.games[0])
        assert batch.episodes[row] == self.episode
        active = env.session.active_unit
        unit = batch.setting_of(row).units[int(batch.active_units[row])] if batch.active_units[row] >= 0 else None
        assert (unit.id if unit else None) == active
        assert batch.unit_type(row) == (unit.type.name if unit else None)


def follow(batch: BatchEnv, singles: list[Alone], steps: int) -> list[int]:
    """Play a batch and single environments side by side; how many games ended in each row."""
    ended = [0] * len(singles)
    for single in singles:
        single.compare()
    for _ in range(steps):
        actions = batch.random_actions()
        batch.step(actions)
        for index, single in enumerate(singles):
            ended[index] += single.step(int(actions[single.row]))
            single.compare()
    return ended


@pytest.mark.parametrize("decisions", ["agent", "reference"])
def test_every_row_is_a_single_game(settled: Settled, decisions: str) -> None:
    batch = BatchEnv("small_board", 6, decisions=decisions, max_turns=2)
    batch.reset(seed=5)
    settings = {"scenario": "small_board", "decisions": decisions, "max_turns": 2}
    singles = [Alone(batch, row, settled, **settings) for row in range(6)]
    assert min(follow(batch, singles, 300)) >= 3, "several games a row, begun anew by themselves"


@pytest.mark.parametrize("decisions", ["agent", "reference"])
def test_every_row_is_a_single_game_with_all_weapon_rules(settled: Settled, decisions: str) -> None:
    settings = {"decisions": decisions, "max_turns": 2, "weapon_rules": "full"}
    batch = BatchEnv("weapon_rules_lab", 4, **settings)
    batch.reset(seed=5)
    singles = [Alone(batch, row, settled, scenario="weapon_rules_lab", **settings) for row in range(4)]
    assert min(follow(batch, singles, 300)) >= 3


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_of_mixed_scenarios_in_threads(settled: Settled, threads: int) -> None:
    names = ["pve", "small_board", "open_field"]
    batch = BatchEnv(names, 300, max_turns=1, num_threads=threads)
    batch.reset(seed=9)
    singles = []
    for row in (0, 99, 100, 127, 128, 199, 200, 299):
        name = batch.setting_of(row).scenario.name
        assert name == names[row // 100]
        singles.append(Alone(batch, row, settled, scenario=name, max_turns=1))
    assert sum(follow(batch, singles, 160)) >= len(singles)
    batch.close()


@pytest.mark.slow
def test_long_games_of_every_scenario(settled: Settled) -> None:
    from w40k_marl.content.scenario import list_scenarios

    for name in list_scenarios():
        batch = BatchEnv(name, 3)
        batch.reset(seed=2)
        assert min(follow(batch, [Alone(batch, row, settled, scenario=name) for row in range(3)], 1500)) >= 1


@pytest.mark.parametrize("threads", [1, 2])
def test_size_and_threads_change_no_game(settled: Settled, threads: int) -> None:
    """Game by row, not by place in a block: a larger batch begins with the games of a smaller one."""
    small, large = BatchEnv("small_board", 5), BatchEnv("small_board", 260, num_threads=threads)
    small.reset(seed=3)
    large.reset(seed=3)
    for _ in range(200):
        actions = large.random_actions()
        assert small.random_actions().tolist() == actions[:5].tolist()
        large.step(actions)
        small.step(actions[:5])
        assert [settled(game) for game in small.games] == [settled(game) for game in large.games[:5]]
    large.close()


def test_seeds_of_games_are_all_different_and_repeatable() -> None:
    batch = BatchEnv("small_board", 50)
    batch.reset(seed=1)
    seeds = [batch.game_seed(row, episode) for row in range(50) for episode in range(20)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
    batch.reset()
    assert batch.game_seed(0, 0) != seeds[0], "the stream goes on"
    batch.reset(seed=1)
    assert batch.game_seed(0, 0) == seeds[0]
    assert np.array_equal(batch.episodes, np.ones(50))


def test_environments_are_found_in_their_room() -> None:
    import w40k_marl.env as room
    from w40k_marl.env.batch import BatchEnv
    from w40k_marl.env.seats import MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv

    views = [MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv]
    assert [getattr(room, name) for name in room.__all__] == [BatchEnv, *views]
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = room.nothing_of_the_kind
