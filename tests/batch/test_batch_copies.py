"""A copied or pickled batch plays on as the first does: the same games, the same settings, the same machine code."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl.env import kernels
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.seats import MacroVectorEnv

Shown = Callable[[BatchEnv], dict[str, Any]]
Same = Callable[..., bool]


def pickled(env: Any) -> Any:
    return pickle.loads(pickle.dumps(env))


ways = pytest.mark.parametrize("way", [copy.deepcopy, pickled])
threads = pytest.mark.parametrize("threads", [1, 2])


def advance(batch: BatchEnv, steps: int) -> None:
    for _ in range(steps):
        batch.step(batch.random_actions())


def begun(**options: Any) -> BatchEnv:
    """A batch in the middle of its games; of both scenarios two blocks or more."""
    batch = BatchEnv(["pve", "small_board"], 400, max_turns=1, **options)
    batch.reset(seed=1)
    advance(batch, 30)
    return batch


@ways
@threads
def test_copy_plays_the_same_future(way: Callable[[Any], Any], threads: int, shown: Shown, same: Same) -> None:
    batch = begun(num_threads=threads, rewards="MacroController")
    clone = way(batch)
    assert same(shown(clone), shown(batch))
    games = batch.episodes.sum()
    advance(batch, 40)
    assert not same(shown(clone), shown(batch)), "nothing is shared but the settings"
    advance(clone, 40)
    assert batch.episodes.sum() > games
    assert same(shown(clone), shown(batch))
    assert np.array_equal(clone.reward_terms, batch.reward_terms)
    for env in (batch, clone):
        env.reset()
        env.close()
    assert same(shown(clone), shown(batch)), "the stream of seeds is copied, too"


@ways
@threads
def test_copy_plays_by_the_settings_of_its_session(way: Callable[[Any], Any], threads: int) -> None:
    batch = begun(num_threads=threads)
    clone = way(batch)
    for row, scenario in ((0, 0), (399, 1)):
        assert clone.setting_of(row) is clone.settings[scenario]
        assert not clone.setting_of(row).worlds.flags.writeable
        assert not clone.setting_of(row).board.flags.writeable
        assert clone.snapshot(row) == batch.snapshot(row)
    batch.close()
    clone.close()


@ways
def test_nothing_is_compiled_for_a_copy(way: Callable[[Any], Any]) -> None:
    def play(env: BatchEnv) -> list[int]:
        advance(env, 2)
        env.restore(3, env.snapshot(3))
        env.restart(np.arange(3))
        functions: list[Any] = [kernels.play_rows, kernels.view_rows, kernels.pick_rows, kernels.first_illegal]
        return [len(kernel.signatures) for kernel in functions]

    if not hasattr(kernels.play_rows, "signatures"):
        pytest.skip("nothing is compiled here")
    batch = begun(rewards="MacroController")
    before = play(batch)
    assert play(way(batch)) == before


@ways
def test_copy_of_a_closed_batch_has_no_threads(way: Callable[[Any], Any], shown: Shown, same: Same) -> None:
    batch = begun(num_threads=2)
    batch.close()
    clone = way(batch)
    assert clone._pool is None
    advance(batch, 5)
    advance(clone, 5)
    assert same(shown(clone), shown(batch))


def as_bytes(infos: dict[str, Any]) -> dict[str, Any]:
    """Infos with the bytes of each array, those inside of ``final_info`` too."""
    return {key: as_bytes(value) if isinstance(value, dict) else value.tobytes() for key, value in infos.items()}


@ways
@threads
def test_copy_of_seats_plays_the_same_future(way: Callable[[Any], Any], threads: int) -> None:
    seats = MacroVectorEnv("pve", 256, num_threads=threads, max_turns=1, rewards="MacroController")
    seats.reset(seed=2)
    seats.step(seats.action_masks().argmax(axis=1))
    clone, ended = way(seats), 0
    for _ in range(40):
        one, other = (env.step(env.action_masks().argmax(axis=1)) for env in (seats, clone))
        for left, right in zip(one[:4], other[:4], strict=True):
            assert np.array_equal(left, right)
        assert as_bytes(one[4]) == as_bytes(other[4])
        ended += one[2].sum()
    assert ended > 0, "the last observations of games are those of the copy, too"
    seats.close()
    clone.close()
