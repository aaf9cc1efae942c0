"""A batch that an exception has interrupted is as it was, or stepped wholly, or refuses all until the next ``reset``.

Its threads have stopped by the time the exception leaves ``step``: no array changes afterwards.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl.env import kernels
from w40k_marl.env.batch import BatchEnv
from w40k_marl.errors import W40KError

Interrupt = Callable[[Callable[[], object], int], int]
Shown = Callable[[BatchEnv], dict[str, Any]]
Same = Callable[..., bool]

REFUSAL = r"^BatchEnv: expected reset\(\) after an interrupted reset or step, got another call$"
threads = pytest.mark.parametrize("threads", [1, 2])


def begun(**options: Any) -> BatchEnv:
    batch = BatchEnv("small_board", 256, max_turns=1, **options)
    batch.reset(seed=1)
    for _ in range(30):
        batch.step(batch.random_actions())
    return batch


def is_refused(batch: BatchEnv) -> bool:
    """Whether all that shows or steps games is refused; a mixture fails."""
    actions, some = batch.action_masks.argmax(axis=1), np.array([1, 3])
    calls: list[Callable[[], object]] = [
        batch.type_names,
        lambda: batch.unit_type(0),
        lambda: batch.snapshot(0),
        batch.random_actions,
        lambda: batch.restore(0, b""),
        lambda: batch.step(actions),
        lambda: batch.step(actions, some),
        lambda: batch.restart(some),
    ]
    try:
        calls[0]()
    except W40KError:
        for call in calls:
            with pytest.raises(W40KError, match=REFUSAL):
                call()
        return True
    return False


def first_actions(batch: BatchEnv) -> None:
    batch.step(batch.action_masks.argmax(axis=1))


WORK: dict[str, Callable[[BatchEnv], object]] = {
    "step": first_actions,
    "step of some rows": lambda batch: batch.step(batch.action_masks.argmax(axis=1), np.arange(0, 256, 3)),
    "reset": lambda batch: batch.reset(seed=5),
    "restart": lambda batch: batch.restart(np.arange(100, 200)),
    "restore": lambda batch: batch.restore(0, batch.snapshot(1)),
}


@threads
@pytest.mark.parametrize("work", WORK)
def test_interrupted_at_every_place(interrupt: Interrupt, shown: Shown, same: Same, work: str, threads: int) -> None:
    batch = begun(num_threads=threads)
    after, fresh = copy.deepcopy(batch), copy.deepcopy(batch)
    WORK[work](fresh)
    fresh.reset(seed=9)
    count = interrupt(lambda: WORK[work](after), -1)
    before, done, anew = shown(batch), shown(after), shown(fresh)
    refused = 0
    for place in range(count):
        env = copy.deepcopy(batch)
        interrupt(lambda env=env: WORK[work](env), place)  # type: ignore[misc]
        if is_refused(env):
            refused += 1
            env.reset(seed=9)
            assert same(shown(env), anew)
        else:
            assert same(shown(env), before) or same(shown(env), done), f"place {place}"
            names = env.type_names()
            assert names.tolist() == [env.unit_type(row) or "" for row in range(256)]
            assert (env.active_units == env.games["active"]).all()
            assert ((names == "") == (env.active_units < 0)).all()
        env.close()
    assert count > refused > 0


def test_threads_have_ended_their_work_when_the_interrupt_leaves(monkeypatch: pytest.MonkeyPatch, shown: Shown) -> None:
    """Ctrl-C, and once more, while the main thread waits for another one."""
    batch, play = begun(num_threads=2), kernels.play_rows
    working = threading.Event()

    def slowly(*arguments: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            working.wait(10)
            return play(*arguments)
        working.set()
        for _ in range(2):
            time.sleep(0.1)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(0.1)
        answer = play(*arguments)
        working.clear()
        return answer

    monkeypatch.setattr(kernels, "play_rows", slowly)
    with pytest.raises(KeyboardInterrupt):
        first_actions(batch)
    assert not working.is_set(), "the thread is still at work"
    assert is_refused(batch)
    monkeypatch.setattr(kernels, "play_rows", play)
    batch.reset(seed=3)
    first_actions(batch)
    batch.close()


@threads
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("call", [1, 2])
def test_exception_in_any_thread(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], threads: int, call: int
) -> None:
    batch, play, calls = begun(num_threads=threads), kernels.play_rows, iter(range(1, 10))

    def failing(*arguments: Any) -> Any:
        if next(calls) == call:
            raise error
        return play(*arguments)

    monkeypatch.setattr(kernels, "play_rows", failing)
    with pytest.raises(error):
        first_actions(batch)
    assert is_refused(batch)
    monkeypatch.setattr(kernels, "play_rows", play)
    batch.reset(seed=3)
    other = begun()
    other.reset(seed=3)
    for env in (batch, other):
        first_actions(env)
    assert np.array_equal(batch.observations, other.observations)
    batch.close()


def test_interrupts_at_random_moments_leave_no_thread_at_work(shown: Shown, same: Same) -> None:
    if not hasattr(signal, "setitimer"):
        pytest.skip("needs a timer that sends signals")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    batch, random, refused = begun(num_threads=2), np.random.default_rng(1), 0
    try:
        for _ in range(200):
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 2e-3))
                while True:
                    batch.step(batch.random_actions())
            except KeyboardInterrupt:
                left = shown(batch)
            time.sleep(0.001)
            assert same(shown(batch), left), "an array changes after the interrupt"
            if is_refused(batch):
                refused += 1
                batch.reset()
            assert batch.type_names().tolist() == [batch.unit_type(row) or "" for row in range(256)]
            assert (batch.active_units == batch.games["active"]).all()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        batch.close()
    assert refused > 50


def test_refused_arguments_leave_the_batch_as_it_was(shown: Shown, same: Same) -> None:
    batch = begun()
    before = shown(batch)
    for call in (
        lambda: batch.step(np.full(256, 99)),
        lambda: batch.step(np.zeros(3, dtype=int)),
        lambda: batch.restart(np.array([5, 5])),
        lambda: batch.restore(0, b""),
    ):
        with pytest.raises(W40KError):
            call()
        assert not is_refused(batch)
        assert same(shown(batch), before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_steps_with_threads_of_its_own() -> None:
    batch, expected = begun(num_threads=2), begun()

    def child(pipe: Any) -> None:
        for _ in range(5):
            first_actions(batch)
        pipe.send(batch.games.tobytes())
        batch.close()

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(sender,))
    process.start()
    try:
        assert receiver.poll(30), "the child waits for threads that were not copied"
        for _ in range(5):
            first_actions(expected)
        assert receiver.recv() == expected.games.tobytes()
        process.join(10)
        assert process.exitcode == 0
    finally:
        process.kill()
        batch.close()


def test_threads_end_with_the_batch_that_owns_them() -> None:
    count = threading.active_count()
    for way in ("close", "forget"):
        batch = begun(num_threads=2)
        assert threading.active_count() == count + 1
        if way == "close":
            batch.close()
            first_actions(batch)
        del batch
        for _ in range(100):
            if threading.active_count() == count:
                break
            time.sleep(0.02)
        assert threading.active_count() == count


def test_team_raises_what_a_part_raises_after_all_parts_have_ended() -> None:
    from w40k_marl.env.threads import ThreadTeam

    team, done = ThreadTeam(2), []

    def late() -> None:
        time.sleep(0.05)
        done.append(1)

    def wrong() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        team.work([late, wrong, late])
    assert done == [1, 1]
    team.close()
