"""Copies, pickles and snapshots of a game in the middle have the future of the game."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pettingzoo.utils import wrappers

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios, scenario_path
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.kernels import step_and_view
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.rules.state import WEAPON_RULE_SETTINGS

Advance = Callable[..., None]
Course = Callable[..., list[bytes]]
Copy = Callable[[RawEnv], RawEnv]
Play = Callable[..., Iterator[tuple[str, int]]]


def pickled(env: RawEnv) -> RawEnv:
    clone: RawEnv = pickle.loads(pickle.dumps(env))
    return clone


def how(env: RawEnv) -> dict[str, str]:
    """The weapon rules of an environment, as an argument."""
    return {"weapon_rules": WEAPON_RULE_SETTINGS[int(env.session.setting.world.weapon_rules)]}


def restored(env: RawEnv) -> RawEnv:
    new = type(env)(scenario=["macro_default", "small_board", "weapon_rules_lab"], **how(env))
    new.restore(env.snapshot())
    new._random = copy.deepcopy(env._random)  # the stream of further games is no part of a snapshot
    return new


ways = pytest.mark.parametrize("way", [copy.deepcopy, pickled, restored])
kinds = pytest.mark.parametrize("kind", [w40k_v0.env, w40k_v0.raw_env])


@ways
@kinds
@pytest.mark.parametrize("steps", [0, 1, 40, 90])
def test_copy_has_the_same_future(advance: Advance, course: Course, way: Copy, kind: type[RawEnv], steps: int) -> None:
    env = kind(scenario=["macro_default", "small_board"])
    env.reset(seed=12)
    advance(env, steps)
    clone = way(env)
    assert clone.agent_selection == env.agent_selection
    assert clone.infos == env.infos
    future = course(clone, seed=5)
    assert course(env, seed=5) == future
    assert (env.rewards, env.terminations) == (clone.rewards, clone.terminations)
    for each in (env, clone):
        each.step(None)
        each.step(None)
        each.reset()
    assert course(env) == course(clone), "the next episode, too"


@ways
def test_copy_goes_on_with_all_weapon_rules(advance: Advance, course: Course, way: Copy) -> None:
    env = w40k_v0.raw_env(scenario="weapon_rules_lab", weapon_rules="full")
    env.reset(seed=2)
    advance(env, 35)
    assert course(way(env), seed=5) == course(env, seed=5)


@ways
def test_copy_and_original_do_not_touch_each_other(advance: Advance, way: Copy) -> None:
    env = w40k_v0.env(scenario=["macro_default", "small_board"])
    env.reset(seed=12)
    advance(env, 30)
    before, seen = env.session.games.tobytes(), env.session.summary()
    clone = way(env)
    advance(clone, 25)
    assert clone.session.summary() != seen
    assert (env.session.games.tobytes(), env.session.summary()) == (before, seen)


@ways
def test_copy_needs_no_new_compiled_version(advance: Advance, way: Copy) -> None:
    """Arrays of another kind (writable, not aligned) would make numba compile the rules once more."""
    env = w40k_v0.env(scenario=["macro_default", "small_board"])
    env.reset(seed=12)
    advance(env, 3)
    versions = len(getattr(step_and_view, "signatures", []))
    clone = way(env)
    advance(clone, 3)
    assert len(getattr(step_and_view, "signatures", [])) == versions


@pytest.mark.parametrize("way", [copy.deepcopy, pickled])
def test_copy_of_an_environment_without_a_game(course: Course, way: Copy) -> None:
    env = w40k_v0.env(scenario="small_board")
    clone = way(env)
    with pytest.raises(AttributeError, match="agents cannot be accessed before reset"):
        _ = clone.agents
    env.reset(seed=1)
    clone.reset(seed=1)
    assert course(env) == course(clone)


def test_copies_work_through_the_stock_wrappers(advance: Advance, course: Course) -> None:
    env = wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(w40k_v0.raw_env(scenario="small_board")))
    env.reset(seed=2)
    advance(env, 20)
    clones = [copy.deepcopy(env), pickled(env)]
    future = course(env, seed=3)
    assert [course(clone, seed=3) for clone in clones] == [future, future]


def test_copy_shares_what_never_changes(advance: Advance) -> None:
    env = w40k_v0.env(scenario="small_board")
    clone = copy.deepcopy(env)
    assert clone.session.setting is env.session.setting
    assert clone.layout is env.layout


# --- snapshots ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", list_scenarios())
def test_snapshot_at_every_step_leads_back(play: Play, course: Course, scenario: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, max_turns=1)
    env.reset(seed=2)
    rows = course(env, seed=2)
    env.reset(seed=2)
    snapshots = [env.snapshot() for _ in play(env, 2)]
    for snapshot, row in zip([*snapshots, env.snapshot()], rows, strict=True):
        env.restore(snapshot)
        assert env.session.games.tobytes() == row
        assert env.snapshot() == snapshot


def test_snapshot_of_the_end_restores_the_result(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="small_board", max_turns=2)
    env.reset(seed=3)
    for _ in play(env):
        pass
    rewards, infos = dict(env.rewards), copy.deepcopy(env.infos)
    new = w40k_v0.env(scenario="small_board", max_turns=2)
    new.restore(env.snapshot())
    assert (new.rewards, new.infos) == (rewards, infos)
    assert new.last()[1:4] == (rewards[new.agent_selection], True, False)


def test_restore_undoes_an_illegal_end() -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=3)
    snapshot = env.snapshot()
    env.step(28)
    assert env.terminations["player_1"]
    env.restore(snapshot)
    assert not env.terminations["player_1"]
    assert env.observe("player_1")["action_mask"].any()


def test_snapshot_of_another_layout_is_refused() -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=3)
    before = env.session.games.tobytes()
    other = Session("small_board", layout=Layout(units_per_side=20, objectives=10))
    with pytest.raises(
        ContentError, match=r"snapshot: size: expected \d+ bytes, as games of this layout have, got \d+ bytes"
    ):
        env.restore(other.snapshot())
    for broken in (b"", env.snapshot()[:-1], env.snapshot() + b"0"):
        with pytest.raises(ContentError, match="snapshot: size"):
            env.restore(broken)
    assert env.session.games.tobytes() == before


@pytest.mark.parametrize(
    "settings",
    [
        {"scenario": "pve"},
        {"decisions": "reference"},
        {"max_turns": 3},
        {"weapon_rules": "full"},
        {"layout": Layout(intents=True)},
    ],
    ids=["scenario", "decisions", "turns", "weapon rules", "layout"],
)
def test_snapshot_of_another_game_is_refused(settings: dict[str, object]) -> None:
    env = w40k_v0.env(scenario="small_board")
    other = w40k_v0.env(**{"scenario": "small_board"} | settings)
    other.reset()
    expected = "snapshot: scenario: expected a game of a scenario of this session, with the same rules, layout and"
    with pytest.raises(ContentError, match=expected):
        env.restore(other.snapshot())


def test_snapshot_finds_its_scenario_in_another_order(course: Course, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.json"
    renamed.write_bytes(scenario_path("small_board").read_bytes())
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=9)
    new = w40k_v0.raw_env(scenario=["pve", renamed])
    new.restore(env.snapshot())
    assert new.session.setting.scenario.name == "renamed"
    assert course(env) == course(new)


def test_snapshot_before_reset_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"reset\(\) needs to be called before snapshot"):
        w40k_v0.raw_env(scenario="small_board").snapshot()
