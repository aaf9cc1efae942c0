"""Looking changes nothing, and what is seen lies in its space."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import PLAYERS
from w40k_marl.errors import W40KError
from w40k_marl.observe.layout import Layout

Play = Callable[..., Iterator[tuple[str, int]]]


@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("scenario", list_scenarios())
def test_observations_and_state_lie_in_their_spaces(play: Play, scenario: str, decisions: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, decisions=decisions)
    for seed in range(2):
        env.reset(seed=seed)
        for _ in play(env, seed):
            seen = [env.observe(player) for player in PLAYERS]
            for player, observation in zip(PLAYERS, seen, strict=True):
                assert env.observation_space(player).contains(observation)
                assert np.isfinite(observation["observation"]).all()
            assert env.state_space.contains(env.state())
        assert env.state_space.contains(env.state())
        assert env.observation_space("player_1").contains(env.observe("player_1"))


def test_looking_is_pure(play: Play) -> None:
    env = w40k_v0.env(scenario="macro_default", render_mode="ansi")
    env.reset(seed=4)
    for _ in play(env, 4, 60):
        before, stream = env.session.games.tobytes(), copy.deepcopy(env._random.bit_generator.state)
        first = [env.observe(player) for player in PLAYERS]
        second = [env.observe(player) for player in reversed(PLAYERS)][::-1]
        for one, two in zip(first, second, strict=True):
            assert one["observation"].tobytes() == two["observation"].tobytes()
            assert one["action_mask"].tobytes() == two["action_mask"].tobytes()
        assert env.state().tobytes() == env.state().tobytes()
        env.render()
        env.pool()
        env.events()
        env.snapshot()
        assert env.session.games.tobytes() == before
        assert env._random.bit_generator.state == stream


def test_observations_are_fresh_arrays() -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=1)
    seen = env.observe("player_1")
    kept = seen["observation"].copy(), seen["action_mask"].copy()
    env.step(0)
    env.step(16)
    assert (seen["observation"] == kept[0]).all()
    assert (seen["action_mask"] == kept[1]).all()
    seen["action_mask"][:] = 1
    seen["observation"][:] = 0
    assert not env.observe("player_1")["action_mask"].all()


def test_state_is_what_player_1_sees_and_who_is_to_act(play: Play) -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=1)
    for agent, _ in play(env, 1):
        state = env.state()
        assert state[:-2].tolist() == env.observe("player_1")["observation"].tolist()
        assert state[-2:].tolist() == [float(agent == player) for player in PLAYERS]
    assert env.state()[-2:].tolist() == [0, 0]


def test_unknown_agent_is_named() -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=1)
    with pytest.raises(W40KError, match=r"agent: expected one of \['player_1', 'player_2'\], got 'player_3'"):
        env.observe("player_3")


def test_spaces_are_the_same_objects_always() -> None:
    env = w40k_v0.env(scenario="small_board")
    assert env.observation_space("player_1") is env.observation_space("player_1")
    assert env.action_space("player_2") is env.action_space("player_2")
    env.reset(seed=1)
    assert env.observation_space("player_1") is env.observation_space("player_1")


@pytest.mark.parametrize("layout", [Layout(), Layout(units_per_side=64, objectives=64), Layout(24, 12)])
def test_spaces_depend_on_the_layout_alone(layout: Layout) -> None:
    envs = [
        w40k_v0.env(scenario=scenario, decisions=decisions, layout=layout)
        for scenario in list_scenarios()
        for decisions in ("agent", "reference")
    ]
    assert len({str(env.observation_space("player_1")) for env in envs}) == 1
    assert all(env.action_space("player_1") == envs[0].action_space("player_2") for env in envs)
    assert all(env.state_space == envs[0].state_space for env in envs)
    assert envs[0].action_space("player_1").n == layout.units_per_side + 13


def test_view_kept_with_the_step_is_the_one_asked_for_later() -> None:
    """The acting agent's view is written with the step; observed again, or of the other agent, it is the same."""
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=5)
    random = np.random.default_rng(5)
    while not env.session.over:
        env.step(int(random.choice(env.session.legal_actions())))
        for side, agent in enumerate(env.possible_agents):
            first, second = env.observe(agent), env.observe(agent)
            observation, mask = env.session.view(side)
            for one in (first, second):
                assert one["observation"].tobytes() == observation.tobytes()
                assert one["action_mask"].tobytes() == mask.tobytes()
            assert not np.shares_memory(first["observation"], second["observation"])


def test_view_kept_with_the_step_is_forgotten_with_the_game() -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=5)
    start, seen = env.snapshot(), env.observe(env.agent_selection)
    env.step(int(np.flatnonzero(seen["action_mask"])[0]))
    env.restore(start)
    again = env.observe(env.agent_selection)
    assert again["observation"].tobytes() == seen["observation"].tobytes()
    assert again["action_mask"].tobytes() == seen["action_mask"].tobytes()
