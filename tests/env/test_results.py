"""Rewards, infos, and how a game ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import PLAYERS, Env

Play = Callable[..., Iterator[tuple[str, int]]]
KEYS = {"turn", "phase", "victory_points", "victory_point_margin"}


def whole_game(env: Env, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Sum of `rewards` and sum of what `last()` said, by player, over a game of the usual loop."""
    random = np.random.default_rng(seed)
    paid, told = dict.fromkeys(PLAYERS, 0.0), dict.fromkeys(PLAYERS, 0.0)
    env.reset(seed=seed)
    for agent in env.agent_iter():
        observation, reward, termination, truncation, _ = env.last()
        told[agent] += reward
        if termination or truncation:
            env.step(None)
            continue
        env.step(int(random.choice(np.flatnonzero(observation["action_mask"]))))
        for player, amount in env.rewards.items():
            paid[player] += amount
    return paid, told


@pytest.mark.parametrize("scenario", list_scenarios())
def test_what_is_paid_is_what_last_tells(scenario: str) -> None:
    env = w40k_v0.env(scenario=scenario, max_turns=3)
    for seed in range(4):
        paid, told = whole_game(env, seed)
        assert paid == told
        assert sum(paid.values()) == 0
        winner = int(env.session.games[0].winner)
        assert paid == {
            player: 0 if not winner else 1 if index + 1 == winner else -1 for index, player in enumerate(PLAYERS)
        }


def test_both_players_win_and_both_hear_of_it() -> None:
    env = w40k_v0.env(scenario="small_board")
    results = [tuple(whole_game(env, seed)[1].values()) for seed in range(12)]
    assert {(1.0, -1.0), (-1.0, 1.0)} <= set(results)


def test_draw_pays_nothing(tmp_path: object) -> None:
    env = w40k_v0.env(scenario="mirror_match", max_turns=1)
    env.reset(seed=0)
    while not env.terminations["player_1"]:  # everybody waits, nobody dies, nobody scores in turn 1
        legal = np.flatnonzero(env.observe(env.agent_selection)["action_mask"])
        env.step(27 if 27 in legal else int(legal[0]))
    assert env.infos["player_1"]["victory_points"] == 0
    assert env.rewards == {"player_1": 0, "player_2": 0}
    assert env.session.games[0].winner == 0


def test_nothing_is_paid_before_the_end(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="macro_default")
    env.reset(seed=1)
    for agent, _ in play(env, 1):
        assert env.rewards == {"player_1": 0, "player_2": 0}
        assert env.last()[1] == 0
        assert not any(env.terminations.values())
        assert not any(env.truncations.values())
        assert agent in env.agents


@pytest.mark.parametrize("max_turns", [1, 2, 5, 7])
def test_game_ends_with_the_last_round_and_is_never_truncated(play: Play, max_turns: int) -> None:
    env = w40k_v0.raw_env(scenario="small_board", max_turns=max_turns)
    env.reset(seed=1)
    turns = {env.infos[agent]["turn"] for agent, _ in play(env, 1)}
    assert turns == set(range(1, max_turns + 1))
    assert env.terminations == {"player_1": True, "player_2": True}
    assert env.truncations == {"player_1": False, "player_2": False}
    assert env.events()[-1]["event"] == "game_over"
    for left in (1, 0):
        env.step(None)
        assert len(env.agents) == left == len(env.rewards) == len(env.infos)


def test_a_wiped_out_side_does_not_end_the_game(play: Play) -> None:
    """A game lasts to the end of its last round; the phases of a side without units pass."""
    env = w40k_v0.raw_env(scenario="small_board", max_turns=30)
    env.reset(seed=1)
    wiped_out = set()
    for _ in play(env, 1):
        if not env.session.games[0].alive.all():
            wiped_out.add(env.infos["player_1"]["turn"])
    assert wiped_out
    assert min(wiped_out) < max(wiped_out) == 30


def test_infos_are_numbers_with_the_same_keys_always(play: Play) -> None:
    env = w40k_v0.env(scenario="macro_default")
    env.reset(seed=2)
    margins = set()
    for _ in play(env, 2):
        for info in env.infos.values():
            assert set(info) == KEYS
            assert all(type(value) in (int, float) for value in info.values())
        one, two = (env.infos[player] for player in PLAYERS)
        assert one["victory_point_margin"] == -two["victory_point_margin"]
        assert one["victory_point_margin"] == one["victory_points"] - two["victory_points"]
        assert (one["turn"], one["phase"]) == (two["turn"], two["phase"])
        margins.add(one["victory_point_margin"])
    assert len(margins) > 1
    assert set(env.infos["player_1"]) == KEYS


def test_infos_of_an_earlier_step_stay_as_they_were(play: Play) -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=2)
    first = env.last()[4]
    kept = dict(first)
    for _ in play(env, 2):
        pass
    assert first == kept
    assert env.infos["player_1"] != kept


def test_close_may_be_called_at_any_time_and_twice() -> None:
    env = w40k_v0.env(scenario="small_board", render_mode="ansi")
    env.close()
    env.close()
    env.reset(seed=1)
    env.render()
    env.close()
    env.close()
    assert env.render()
