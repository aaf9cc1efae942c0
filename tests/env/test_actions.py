"""Masks, refusals, and the order of the sub-steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import PLAYERS, RawEnv
from w40k_marl.env.kernels import step_and_view
from w40k_marl.errors import ActionError, IllegalActionError, NotAnActionError, W40KError
from w40k_marl.rules.actions import MICRO_ACTIONS

Play = Callable[..., Iterator[tuple[str, int]]]
SETTINGS = [(name, decisions) for name in list_scenarios() for decisions in ("agent", "reference")]


@pytest.mark.parametrize(("scenario", "decisions"), SETTINGS)
def test_mask_of_every_moment(play: Play, scenario: str, decisions: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, decisions=decisions)
    env.reset(seed=3)
    for agent, _ in play(env, 3):
        mask = env.observe(agent)["action_mask"]
        other = env.observe(PLAYERS[agent == PLAYERS[0]])["action_mask"]
        assert mask.dtype == other.dtype == np.int8
        assert mask.shape == (env.action_space(agent).n,)
        assert set(mask.tolist()) <= {0, 1}
        assert mask.any()
        assert not other.any()
        selecting = env.session.active_unit is None
        assert not (mask[env.layout.micro_start :] if selecting else mask[: env.layout.select_size]).any()
    assert not env.observe("player_1")["action_mask"].any()
    assert not env.observe("player_2")["action_mask"].any()


@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("scenario", ["macro_default", "asymmetric", "tyranid_meleeswarm_bot_1"])
def test_every_action_is_carried_out_or_refused_as_the_mask_says(play: Play, scenario: str, decisions: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, decisions=decisions, max_turns=3)
    env.reset(seed=8)
    for agent, _ in play(env, 8):
        mask, before = env.observe(agent)["action_mask"], env.session.games.tobytes()
        snapshot = env.snapshot()
        for action, legal in enumerate(mask.tolist()):
            if legal:
                env.step(action)
                assert env.session.games.tobytes() != before
                env.restore(snapshot)
            else:
                with pytest.raises(IllegalActionError):
                    env.step(action)
            assert env.session.games.tobytes() == before


def test_refusal_says_what_was_expected_and_where(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    with pytest.raises(IllegalActionError) as error:
        env.step(20)
    assert str(error.value) == (
        "action: expected one of [0 select_0, 1 select_1, 2 select_2], got 20 target_0 "
        "(turn 1, phase move, player 1 to act)"
    )


@pytest.mark.parametrize(
    "action", [None, -1, 29, 10**30, 2**63, -(2**64), 1.5, np.float32(1), "x", [1], np.array([1]), np.bool_(True)]
)
def test_what_is_no_action_is_refused_by_type(action: object) -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    before, agent = env.session.games.tobytes(), env.agent_selection
    with pytest.raises(NotAnActionError, match="expected a whole number from 0 to 28, got "):
        env.step(action)
    assert (env.session.games.tobytes(), env.agent_selection) == (before, agent)


def test_refusals_are_one_family_of_value_errors() -> None:
    assert issubclass(IllegalActionError, ActionError)
    assert issubclass(NotAnActionError, ActionError)
    assert issubclass(ActionError, W40KError)
    assert issubclass(W40KError, ValueError)


@pytest.mark.parametrize("action", [-1, -(1 << 20), -(1 << 20) - 1, 29, 1 << 40])
def test_number_beyond_the_actions_is_refused_by_every_way_to_step(action: int) -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    env.step(1)
    before = env.snapshot()
    with pytest.raises(NotAnActionError, match="expected a whole number from 0 to 28"):
        env.step(action)
    with pytest.raises(NotAnActionError):
        env.session.step(action)
    assert not env.session.try_step(action)
    assert env.session.try_step_and_view(action) is None
    assert env.snapshot() == before


@pytest.mark.parametrize("number", [int, bool, np.int8, np.int32, np.int64, np.uint64, np.array])
def test_whole_numbers_of_every_type_are_one_action(number: Callable[[int], object]) -> None:
    """`True` is 1, as everywhere in Python; a number's type never makes a second compiled version."""
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    env.step(1)
    versions = len(getattr(step_and_view, "signatures", []))
    env.reset(seed=1)
    env.step(number(1))
    assert env.session.active_unit == "2"
    assert len(getattr(step_and_view, "signatures", [])) == versions


def test_raw_env_after_its_end_takes_none_and_then_nothing(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="small_board", max_turns=1)
    env.reset(seed=1)
    for _ in play(env):
        pass
    with pytest.raises(ValueError, match="when an agent is dead, the only valid action is None"):
        env.step(0)
    env.step(None)
    env.step(None)
    assert env.agents == []
    with pytest.raises(IllegalActionError, match="the game is over"):
        env.step(0)


@pytest.mark.parametrize("decisions", ["agent", "reference"])
def test_an_activation_is_one_selection_and_then_micro_actions_of_its_owner(play: Play, decisions: str) -> None:
    env = w40k_v0.raw_env(scenario="macro_default", decisions=decisions)
    env.reset(seed=2)
    owner: str | None = None
    activations = 0
    for agent, action in play(env, 2):
        if owner is None:
            assert action < env.layout.micro_start, "an activation begins with a selection"
            assert env.session.pool(), "of a unit in the pool"
        else:
            assert agent == owner, "the owner acts until the activation is over"
            assert action >= env.layout.micro_start, "by micro actions"
            assert env.session.pool() == []
        selecting, unit = owner is None, env.session.active_unit
        owner = agent if selecting else owner
        activations += selecting
        if not selecting:
            assert unit is not None
        # what follows the step is seen at the next turn of the loop
        if not selecting and _closes(env, action):
            owner = None
    assert activations > 100


def _closes(env: RawEnv, action: int) -> bool:
    """Whether an action ends the activation, tried on a copy."""
    snapshot = env.snapshot()
    env.step(action)
    closed = env.session.active_unit is None
    env.restore(snapshot)
    return closed


def test_the_owner_of_the_unit_acts_in_the_fight_phase_of_the_other(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="tyranid_meleeswarm_bot_1")
    seen = set()
    for seed in range(5):
        env.reset(seed=seed)
        for agent, _ in play(env, seed):
            game = env.session.games[0]
            seen.add((int(game.phase), PLAYERS[int(game.side)] == agent))
    assert (4, False) in seen
    assert {phase for phase, own_turn in seen if not own_turn} == {4}


# --- the pool, and names -----------------------------------------------------------------------------------


def test_pool_is_the_mask_in_the_words_of_the_roster(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="macro_default")
    env.reset(seed=4)
    sizes = set()
    for agent, _ in play(env, 4):
        pool, mask = env.pool(), env.observe(agent)["action_mask"]
        legal = np.flatnonzero(mask[: env.layout.select_size]).tolist()
        assert [env.select_by_pool_index(index) for index in range(len(pool))] == legal
        assert [env.session.slot_of(unit) for unit in pool] == legal
        sizes.add(len(pool))
    assert len(sizes) > 3
    assert env.pool() == []


def test_a_slot_means_the_same_unit_all_game(play: Play) -> None:
    """Why an action is a roster slot: the pool shrinks, slots never shift."""
    env = w40k_v0.raw_env(scenario="macro_default")
    env.reset(seed=4)
    meant: dict[tuple[str, int], str] = {}
    for agent, action in play(env, 4):
        if action < env.layout.select_size:
            snapshot = env.snapshot()
            env.step(action)
            unit = env.session.active_unit
            env.restore(snapshot)
            assert unit is not None
            assert meant.setdefault((agent, action), unit) == unit
            assert env.describe_action(action).startswith(f"select {unit} (")


@pytest.mark.parametrize("index", [-1, 3, 99])
def test_pool_index_beyond_the_pool_is_an_error(index: int) -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    with pytest.raises(IndexError, match=rf"pool index: expected 0 to 2, got {index} \(turn 1"):
        env.select_by_pool_index(index)


def test_pool_index_in_an_open_activation_is_an_error() -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    env.step(env.select_by_pool_index(1))
    assert env.session.active_unit == "2"
    with pytest.raises(IndexError, match="pool index"):
        env.select_by_pool_index(0)


def test_every_action_has_a_name() -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    names = [env.describe_action(action) for action in range(env.layout.action_count)]
    assert names[:4] == [
        "select 1 (IntercessorSergeant)",
        "select 2 (Intercessor)",
        "select 3 (AssaultIntercessor)",
        "select empty slot 3",
    ]
    assert names[16:] == list(MICRO_ACTIONS)
    assert len(set(names)) == len(names)
    for beyond in (-1, 29):
        with pytest.raises(IndexError, match="expected 0 to 28"):
            env.describe_action(beyond)
