"""What a batch shows, refuses and copies."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.env.batch import BatchEnv
from w40k_marl.errors import ContentError, IllegalActionError, W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.reward.terms import TERM_COUNT

Shown = Callable[[BatchEnv], dict[str, Any]]
Same = Callable[..., bool]


@pytest.fixture
def batch() -> BatchEnv:
    made = BatchEnv("small_board", 8)
    made.reset(seed=4)
    return made


def advance(batch: BatchEnv, steps: int) -> None:
    for _ in range(steps):
        batch.step(batch.random_actions())


# --- arrays ----------------------------------------------------------------------------------------------------


def test_docstring_says_what_the_arrays_are() -> None:
    batch = BatchEnv("small_board", 7, layout=Layout(units_per_side=5, objectives=3), rewards="MacroController")
    sizes = {"n": 7, "observation": batch.layout.observation_size, "actions": batch.layout.action_count, "2": 2, "3": 3}
    sizes["terms"] = TERM_COUNT
    rows = re.findall(r"``(\w+)``\s+(\w+) \(([^)]*)\)", BatchEnv.__doc__ or "")
    assert len(rows) == 10
    for name, dtype, shape in rows:
        array = getattr(batch, name)
        assert array.dtype == dtype, name
        assert array.shape == tuple(sizes[part] for part in shape.replace(",", " ").split()), name


def test_arrays_stay_the_same_objects(batch: BatchEnv, shown: Shown) -> None:
    before = {name: id(getattr(batch, name)) for name in shown(batch)}
    advance(batch, 50)
    batch.reset(seed=1)
    batch.restart(np.array([1, 2]))
    batch.restore(0, batch.snapshot(0))
    assert {name: id(getattr(batch, name)) for name in before} == before


def test_rows_show_legal_decisions_within_the_space(batch: BatchEnv) -> None:
    for _ in range(300):
        batch.step(batch.random_actions())
        assert batch.action_masks.any(axis=1).all()
        assert ((batch.action_masks == 0) | (batch.action_masks == 1)).all()
        assert (np.abs(batch.observations) <= 1).all()
        assert (batch.rewards.sum(axis=1) == 0).all()
        selecting = batch.active_units < 0
        assert not batch.action_masks[selecting, batch.layout.micro_start :].any()
        assert not batch.action_masks[~selecting, : batch.layout.select_size].any()


# --- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [20, -1, 29, 10**12])
def test_one_illegal_action_refuses_the_whole_step(batch: BatchEnv, shown: Shown, same: Same, action: int) -> None:
    actions, before = batch.random_actions(), shown(batch)
    actions[5] = action
    with pytest.raises(IllegalActionError, match=rf"^actions\[5\]: expected one of \[0, 1, 2\], got {action}$"):
        batch.step(actions)
    assert same(before, shown(batch))


@pytest.mark.parametrize("actions", [np.zeros(8), np.zeros(7, dtype=int), np.zeros((8, 1), dtype=int), [None] * 8])
def test_actions_of_another_kind_are_refused(batch: BatchEnv, shown: Shown, same: Same, actions: Any) -> None:
    before = shown(batch)
    with pytest.raises(IllegalActionError, match=r"expected whole numbers of shape \(8,\), got "):
        batch.step(actions)
    assert same(before, shown(batch))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint64, np.int64])
def test_whole_numbers_of_every_type_are_actions(batch: BatchEnv, dtype: Any) -> None:
    batch.step(np.ones(8, dtype=dtype))
    assert batch.active_units.tolist() == [1] * 8


def test_step_before_reset_is_refused() -> None:
    with pytest.raises(W40KError, match=r"step: expected reset\(\) before the first step"):
        BatchEnv("small_board", 2).step(np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_games": 0}, "num_games: expected a whole number, at least 1, got 0"),
        ({"num_games": 2.5}, "num_games: expected a whole number, at least 1, got 2.5"),
        ({"num_games": True}, "num_games: expected a whole number"),
        ({"num_threads": 0}, "num_threads: expected a whole number, at least 1, got 0"),
        ({"scenario": ["pve", "small_board"], "num_games": 1}, "num_games: .* at least 2, one for each scenario"),
        ({"scenario": "nowhere"}, "nowhere"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ContentError, match=message):
        BatchEnv(**arguments)


ROWS: list[Any] = [[-1], [8], [3, 3], [4, 2], [True], [1.0], [[1]], [2**40]]


@pytest.mark.parametrize("only", ROWS)
def test_rows_that_are_none_are_refused(batch: BatchEnv, shown: Shown, same: Same, only: Any) -> None:
    """The compiled rules would follow any number out of the arrays, and step a row named twice twice."""
    rows, before = np.array(only), shown(batch)
    for call in (
        lambda: batch.step(np.zeros(8, dtype=np.int64), rows),
        lambda: batch.random_actions(only=rows),
        lambda: batch.restart(rows),
    ):
        with pytest.raises(ContentError, match="argument: only: expected row"):
            call()
    assert same(before, shown(batch))


@pytest.mark.parametrize("out", [np.zeros(7, np.int64), np.zeros(8, np.int32), np.zeros((8, 1), np.int64)])
def test_place_for_actions_must_fit(batch: BatchEnv, out: Any) -> None:
    with pytest.raises(ContentError, match=r"out: expected int64 of shape \(8,\)"):
        batch.random_actions(out)


# --- some rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("only", [[0], [2, 3, 7], np.array([1, 6], dtype=np.int32), np.arange(8)[::3], []])
def test_other_rows_stay_as_they_are(batch: BatchEnv, shown: Shown, same: Same, only: Any) -> None:
    advance(batch, 5)
    rows = np.array(only, dtype=np.int64)
    others = np.setdiff1d(np.arange(8), rows)
    before, steps, actions = shown(batch), batch.games["steps"].copy(), np.full(8, -1)
    batch.random_actions(actions, np.asarray(only))
    assert (actions[others] == -1).all()
    batch.step(actions, np.asarray(only))
    assert same(before, shown(batch), others)
    assert (batch.games["steps"][rows] == steps[rows] + 1).all()


def test_steps_of_some_rows_are_those_of_all(batch: BatchEnv, settled: Callable[[Any], bytes]) -> None:
    other = BatchEnv("small_board", 8)
    other.reset(seed=4)
    for _ in range(200):
        actions = batch.random_actions()
        batch.step(actions)
        other.step(actions, np.array([0, 3, 4]))
        other.step(actions, np.array([1, 2, 5, 6, 7]))
        assert [settled(game) for game in batch.games] == [settled(game) for game in other.games]
        assert batch.observations.tobytes() == other.observations.tobytes()


def test_restart_begins_the_next_game_of_some_rows(batch: BatchEnv, shown: Shown, same: Same) -> None:
    advance(batch, 20)
    before = shown(batch)
    batch.restart(np.array([2, 5]))
    assert batch.episodes.tolist() == [1, 1, 2, 1, 1, 2, 1, 1]
    assert batch.games["steps"][[2, 5]].tolist() == [0, 0]
    assert [int(seed) for seed in batch.games["seed"][[2, 5]]] == [batch.game_seed(2, 1), batch.game_seed(5, 1)]
    assert same(before, shown(batch), np.array([0, 1, 3, 4, 6, 7]))


# --- snapshots -------------------------------------------------------------------------------------------------


def test_snapshot_brings_a_row_back(batch: BatchEnv, shown: Shown, same: Same) -> None:
    advance(batch, 30)
    view, actions = shown(batch), batch.random_actions()
    snapshot = batch.snapshot(3)
    batch.step(actions)
    after = shown(batch)
    batch.restore(3, snapshot)
    for name in ("games", "observations", "action_masks", "acting_sides", "active_units"):
        assert np.array_equal(shown(batch)[name][3], view[name][3]), name
    batch.step(actions, np.array([3]))
    assert same(after, shown(batch)), "the same future, and the other rows as they were"


def test_snapshot_of_one_row_in_another(batch: BatchEnv) -> None:
    advance(batch, 30)
    batch.restore(0, batch.snapshot(6))
    actions = batch.random_actions()
    actions[0] = actions[6]
    batch.step(actions)
    assert batch.games[0].tobytes() == batch.games[6].tobytes()
    assert batch.observations[0].tobytes() == batch.observations[6].tobytes()


def test_snapshots_go_between_batch_and_single_environment(batch: BatchEnv) -> None:
    advance(batch, 30)
    env = w40k_v0.raw_env(scenario="small_board")
    env.restore(batch.snapshot(2))
    assert env.observe(env.agent_selection)["observation"].tobytes() == batch.observations[2].tobytes()
    env.step(int(np.argmax(batch.action_masks[2])))
    batch.restore(5, env.snapshot())
    assert env.observe(env.agent_selection)["observation"].tobytes() == batch.observations[5].tobytes()


def test_what_is_no_snapshot_of_the_row_is_refused(shown: Shown, same: Same) -> None:
    batch = BatchEnv(["small_board", "pve"], 4, max_turns=1)
    batch.reset(seed=1)
    over = w40k_v0.raw_env(scenario="small_board", max_turns=1)
    over.reset(seed=1)
    while over.session.legal_actions():
        over.step(over.session.legal_actions()[0])
    before = shown(batch)
    for row, snapshot, message in (
        (0, batch.snapshot(3), "scenario: expected a game of the scenario of row 0, with the same rules, layout"),
        (3, batch.snapshot(0), "scenario: expected a game of the scenario of row 3, with the same rules, layout"),
        (0, batch.snapshot(0)[:-1], "size: expected"),
        (0, over.snapshot(), "expected one that goes on, got one that is over"),
    ):
        with pytest.raises(ContentError, match=message):
            batch.restore(row, snapshot)
    with pytest.raises(IndexError, match="row: expected 0 to 3, got 4"):
        batch.snapshot(4)
    assert same(before, shown(batch))


# --- random actions --------------------------------------------------------------------------------------------


def test_random_actions_repeat_after_a_seed(batch: BatchEnv) -> None:
    def picks() -> list[list[int]]:
        batch.reset(seed=12)
        found = []
        for _ in range(40):
            found.append(batch.random_actions().tolist())
            batch.step(np.array(found[-1]))
        return found

    first = picks()
    assert first == picks()
    batch.reset(seed=13)
    assert batch.random_actions().tolist() != first[0] or batch.random_actions().tolist() != first[1]


def test_random_actions_are_uniform_over_the_mask() -> None:
    batch = BatchEnv("macro_default", 4000)
    batch.reset(seed=2)
    legal = np.flatnonzero(batch.action_masks[0])
    counts = np.zeros(batch.layout.action_count)
    for _ in range(10):
        np.add.at(counts, batch.random_actions(), 1)
    assert counts.sum() == counts[legal].sum() == 40_000
    expected = 40_000 / len(legal)
    assert (np.abs(counts[legal] - expected) < 5 * np.sqrt(expected)).all()


# --- cost ------------------------------------------------------------------------------------------------------

RESIDENT = """
import sys, psutil
from w40k_marl.reward.terms import TERM_COUNT
from w40k_marl.env.batch import BatchEnv
batch = BatchEnv(num_games=int(sys.argv[1]))
batch.reset(seed=1)
for _ in range(10):
    batch.step(batch.random_actions())
print(psutil.Process().memory_info().rss)
"""


def test_a_game_takes_less_than_ten_kilobytes() -> None:
    sizes = []
    for games in (256, 8192):
        command = [sys.executable, "-c", RESIDENT, str(games)]
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
        sizes.append(int(done.stdout))
    assert (sizes[1] - sizes[0]) / (8192 - 256) < 10_000


def test_play_goes_on_without_threads() -> None:
    batch = BatchEnv("small_board", 300, num_threads=2)
    batch.reset(seed=1)
    advance(batch, 2)
    batch.close()
    batch.close()
    advance(batch, 2)
    assert batch.games["steps"].tolist() == [4] * 300


def test_types_of_acting_units_are_named_and_are_those_of_the_rosters() -> None:
    batch = BatchEnv(["pve", "small_board"], 6)
    batch.reset(seed=4)
    seen = set()
    for _ in range(80):
        for row in range(batch.num_games):
            number = int(batch.active_units[row])
            unit = batch.setting_of(row).units[number] if number >= 0 else None
            assert batch.unit_type(row) == (unit.type.name if unit else None)
            assert (batch.unit_types[row] >= 0) == (number >= 0)
            seen.add(batch.unit_type(row))
        batch.step(batch.random_actions())
    assert len(seen - {None}) > 3
