"""A step or reset that an exception ends is whole, or did not happen, or all is refused until the next ``reset``.

KeyboardInterrupt is raised at every place of the package's Python code where Ctrl-C could arrive, one after another.
"""

from __future__ import annotations

import copy
import pickle
import re
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.aec import Env, RawEnv
from w40k_marl.env.invariants import broken_invariants
from w40k_marl.env.seats import MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv
from w40k_marl.env.session import Session
from w40k_marl.errors import W40KError
from w40k_marl.observe.layout import Layout

Interrupt = Callable[[Callable[[], object], int], int]
Call = Callable[[], object]

REFUSAL = r"^\w+: expected reset\(\).* after an interrupted reset or step, got another call$"
PLAYERS = ("player_1", "player_2")


def last_legal(observations: Any, masks: Any) -> Any:
    """A policy without dice that seldom waits."""
    return masks.shape[1] - 1 - np.argmax(masks[:, ::-1], axis=1)


def plain(value: Any) -> Any:
    """Arrays as bytes, so that all can be compared."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value


# --- one game --------------------------------------------------------------------------------------------------


def looks_of_aec(env: RawEnv) -> list[Call]:
    """Everything that shows, steps or copies the game of an environment."""
    return [
        lambda: [env.observe(player) for player in PLAYERS],
        env.last if env.agents else env.state,
        lambda: list(env.agent_iter(0)),
        env.state,
        env.render,
        env.snapshot,
        env.pool,
        env.events,
        lambda: [env.describe_action(action) for action in range(env.layout.action_count)],
        lambda: env.step(None),
    ]


def shown_by_aec(env: RawEnv) -> Any:
    state = [env.agents, env.agent_selection, env.rewards, env._cumulative_rewards, env.infos]
    shown = [look() for look in looks_of_aec(env)[:-1]]
    return plain([*map(copy.copy, state), env.terminations, env.truncations, *shown])


def looks_of_session(session: Session) -> list[Call]:
    return [
        session.summary,
        session.mask,
        session.legal_actions,
        session.pool,
        session.where,
        session.events,
        session.snapshot,
        lambda: [session.over, session.acting_side],
        lambda: session.active_unit,
        lambda: session.active_type,
        lambda: [session.view(side) for side in (0, 1)],
        session.macro_observation,
        lambda: copy.deepcopy(session) and None,
        lambda: pickle.dumps(session) and None,
        lambda: session.try_step(0),
        lambda: session.step_and_view(0),
    ]


def shown_by_session(session: Session) -> Any:
    paid = [] if session.earnings is None else [session.earnings.paid, session.earnings._before]
    return plain([look() for look in looks_of_session(session)[:-2]] + paid)


def looks_of_seat(env: SeatEnv) -> list[Call]:
    return [env.action_masks, lambda: env.step(0)]


def shown_by_seat(env: Any) -> Any:
    """Masks, and the next step of a copy: all that the outside sees of a seat, or of many."""
    masks = env.action_masks()
    try:
        following = copy.deepcopy(env).step(last_legal(None, masks[None])[0] if masks.ndim == 1 else masks.argmax(1))
    except ValueError as error:  # the game is over
        following = str(error)
    return plain([masks, following])


def looks_of_seats(env: SeatVectorEnv) -> list[Call]:
    return [env.action_masks, lambda: env.step(np.zeros(env.num_envs, dtype=np.int64))]


Look, Shown = Callable[[Any], list[Call]], Callable[[Any], Any]


def check_every_place(
    begun: Any, work: Callable[[Any], object], interrupt: Interrupt, looks: Look, shown: Shown, reset: Any
) -> None:
    """Interrupt ``work`` of copies of ``begun`` at every place, and look at what is left."""
    after, first = copy.deepcopy(begun), copy.deepcopy(begun)
    work(first)  # compiles what it needs
    count = interrupt(partial(work, after), -1)
    whole = [shown(copy.deepcopy(begun)), shown(after)]
    fresh = copy.deepcopy(begun)
    reset(fresh)
    refused = 0
    for place in places(count):
        env = copy.deepcopy(begun)
        assert interrupt(partial(work, env), place) == place
        if is_refused(env, looks(env)):
            refused += 1
            reset(env)
            assert shown(env) == shown(fresh), f"reset after place {place}"
        else:
            assert shown(env) in whole, f"place {place} shows neither the state before nor the one after"
    assert count > refused > 0, "the first places change nothing, later ones do"


def places(count: int) -> list[int]:
    """All of them, or where loops make them many, the first and last and some in between."""
    return [place for place in range(count) if place < 40 or place >= count - 40 or place % (count // 60 + 1) == 0]


def is_refused(env: Any, looks: list[Call]) -> bool:
    """Whether all looks are refused, of which the first changes nothing; a mixture fails."""
    try:
        looks[0]()
    except W40KError as error:
        assert re.match(REFUSAL, str(error))  # noqa: PT017
    else:
        return False
    for look in looks:
        with pytest.raises(W40KError, match=REFUSAL):
            look()
    if hasattr(env, "close"):
        env.close()
    return True


def advanced(env: RawEnv, steps: int) -> RawEnv:
    for _ in range(steps):
        observation = env.last()[0]
        env.step(None if env.terminations[env.agent_selection] else int(np.argmax(observation["action_mask"])))
    return env


def aec(make: type[RawEnv] = RawEnv, **options: Any) -> RawEnv:
    env = make("small_board", max_turns=1, render_mode="ansi", **options)
    env.reset(seed=1)
    return env


def act(env: RawEnv) -> None:
    advanced(env, 1)


@pytest.mark.parametrize("make", [RawEnv, Env])
@pytest.mark.parametrize("rewards", [None, "MacroController"])
def test_step_of_one_game(interrupt: Interrupt, make: type[RawEnv], rewards: str | None) -> None:
    env = advanced(aec(make, rewards=rewards), 5)
    check_every_place(env, act, interrupt, looks_of_aec, shown_by_aec, lambda env: env.reset(seed=2))


@pytest.mark.parametrize("rewards", [None, "MacroController"])
@pytest.mark.parametrize("left", [0, 1, 2])
def test_step_that_ends_the_game_and_steps_of_the_dead(interrupt: Interrupt, rewards: str | None, left: int) -> None:
    env = aec(rewards=rewards)
    while not any(env.terminations.values()):
        before = copy.deepcopy(env)
        act(env)
    begun = before if left == 0 else advanced(env, left - 1)
    check_every_place(begun, act, interrupt, looks_of_aec, shown_by_aec, lambda env: env.reset(seed=2))


def test_illegal_action_that_ends_the_game(interrupt: Interrupt) -> None:
    env = advanced(aec(Env), 5)
    illegal = int(np.argmin(env.last()[0]["action_mask"]))
    Env._warned_of_illegal = True
    check_every_place(
        env, lambda env: env.step(illegal), interrupt, looks_of_aec, shown_by_aec, lambda env: env.reset(seed=2)
    )


@pytest.mark.parametrize("rewards", [None, "MacroController"])
def test_reset_and_restore_of_one_game(interrupt: Interrupt, rewards: str | None) -> None:
    env = advanced(aec(rewards=rewards), 5)
    later = advanced(copy.deepcopy(env), 5).snapshot()
    for work in (lambda env: env.reset(seed=4), lambda env: env.restore(later)):
        check_every_place(env, work, interrupt, looks_of_aec, shown_by_aec, lambda env: env.reset(seed=2))


def test_first_reset(interrupt: Interrupt) -> None:
    """A new environment stays one that asks for ``reset``, until its game has begun."""
    asked = 0
    for place in range(interrupt(RawEnv("small_board").reset, -1)):
        env = RawEnv("small_board", render_mode="ansi")
        interrupt(env.reset, place)
        if not env._unfinished:  # only the board is left to be shown
            assert list(broken_invariants(env.session)) == []
            continue
        asked += 1
        for method, arguments in ((env.observe, ["player_1"]), (env.state, []), (env.render, []), (env.snapshot, [])):
            with pytest.raises((AssertionError, W40KError), match=r"reset\(\)"):
                method(*arguments)
    assert asked > 20


def test_restore_goes_on_after_an_interrupted_step(interrupt: Interrupt) -> None:
    env = advanced(aec(rewards="MacroController"), 5)
    kept, before = env.snapshot(), copy.deepcopy(env)
    for place in range(interrupt(partial(act, env), -1)):
        env = copy.deepcopy(before)
        interrupt(partial(act, env), place)
        env.restore(kept)
        assert env.snapshot() == kept
        assert advanced(env, 3).snapshot() == advanced(copy.deepcopy(before), 3).snapshot()


@pytest.mark.parametrize("rewards", [None, "MacroController"])
def test_session(interrupt: Interrupt, rewards: str | None) -> None:
    session = Session("small_board", max_turns=1, rewards=rewards, layout=Layout(macro=True))
    session.reset(np.random.default_rng(1))

    def step(session: Session) -> None:
        session.step(session.legal_actions()[0])

    def reset(session: Session) -> None:
        session.reset(np.random.default_rng(2))

    for work in (step, reset, lambda session: session.restore(session.snapshot())):
        check_every_place(session, work, interrupt, looks_of_session, shown_by_session, reset)


def test_refused_action_or_argument_leaves_the_game_as_it_was() -> None:
    env = advanced(aec(), 5)
    before = shown_by_aec(env)
    illegal = int(np.argmin(env.last()[0]["action_mask"]))
    for work in (lambda: env.step(illegal), lambda: env.step("move"), lambda: env.restore(b"")):
        with pytest.raises(ValueError, match="expected"):
            work()
        assert shown_by_aec(env) == before


# --- seats -----------------------------------------------------------------------------------------------------

SMALL: dict[str, Any] = {"scenario": "small_board", "max_turns": 1, "opponent": last_legal}
SEATS: dict[str, Callable[..., Any]] = {
    "seat": lambda **options: SeatEnv(**SMALL | options),
    "seat, terms paid": lambda **options: SeatEnv(rewards="MacroController", **SMALL | options),
    "macro": lambda **options: MacroEnv(micro=last_legal, **SMALL | options),
    "micro": lambda **options: MicroEnv(
        unit_types=["Intercessor"], micro=last_legal, **SMALL | {"max_turns": 2} | options
    ),
    "seats": lambda **options: SeatVectorEnv(num_envs=3, **SMALL | options),
    "macro seats": lambda **options: MacroVectorEnv(num_envs=3, micro=last_legal, **SMALL | options),
    "micro seats": lambda **options: MicroVectorEnv(
        num_envs=3, unit_types=["Intercessor"], micro=last_legal, **SMALL | options
    ),
}


def seat_looks(env: Any) -> list[Call]:
    return looks_of_seats(env) if isinstance(env, SeatVectorEnv) else looks_of_seat(env)


def legal_step(env: Any) -> Any:
    masks = env.action_masks()
    return env.step(int(masks.argmax()) if masks.ndim == 1 else masks.argmax(1))


def illegal_step(env: Any) -> Any:
    masks = env.action_masks()
    return env.step(int(masks.argmin()) if masks.ndim == 1 else masks.argmin(1))


def new_game(env: Any) -> Any:
    return env.reset(seed=2)


@pytest.mark.parametrize("work", [legal_step, illegal_step, new_game])
@pytest.mark.parametrize("seat", SEATS)
def test_seats(interrupt: Interrupt, seat: str, work: Callable[[Any], object]) -> None:
    env = SEATS[seat]()
    env.reset(seed=1)
    for _ in range(2):
        legal_step(env)
    check_every_place(env, work, interrupt, seat_looks, shown_by_seat, new_game)


class NoAnswerError(ValueError):
    """What a policy may raise."""


class Raises:
    """A policy that raises in its n-th call."""

    def __init__(self, error: type[BaseException], call: int) -> None:
        self.error = error
        self.calls = call

    def __call__(self, observations: Any, masks: Any) -> Any:
        self.calls -= 1
        if self.calls == 0:
            raise self.error
        return last_legal(observations, masks)


@pytest.mark.parametrize("error", [KeyboardInterrupt, NoAnswerError])
@pytest.mark.parametrize("who", ["opponent", "micro", "macro"])
@pytest.mark.parametrize("seat", SEATS)
def test_policies_that_raise(seat: str, who: str, error: type[BaseException]) -> None:
    if not seat.startswith({"opponent": "", "micro": "m", "macro": "micro"}[who]):
        pytest.skip("this seat asks no such policy")
    for call in range(1, 6):
        env, other = SEATS[seat](), SEATS[seat]()
        setattr(env, who, Raises(error, call))
        setattr(other, who, last_legal)
        with pytest.raises(error):
            play_games(env)
        assert is_refused(env, seat_looks(env))
        setattr(env, who, last_legal)
        new_game(env)
        new_game(other)
        assert shown_by_seat(env) == shown_by_seat(other)


def play_games(env: Any) -> None:
    for seed in range(3):
        env.reset(seed=seed)
        for _ in range(60):
            if legal_step(env)[2] is True:
                break


def test_illegal_choice_of_an_opponent_is_no_turn_of_the_learner() -> None:
    env = SeatEnv("small_board", opponent=lambda observations, masks: np.argmin(masks, axis=1))
    env.reset(seed=1)
    with pytest.raises(ValueError, match="expected one of"):
        play_games(env)
    assert is_refused(env, looks_of_seat(env))


# --- Ctrl-C by the clock ---------------------------------------------------------------------------------------


@pytest.fixture
def alarm() -> Iterator[Callable[[float], object]]:
    """Raises KeyboardInterrupt after some seconds, wherever the program is."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("needs a timer that sends signals")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_interrupts_at_random_moments(alarm: Callable[[float], object]) -> None:
    env, random, refused = aec(Env), np.random.default_rng(1), 0
    for _ in range(300):
        try:
            alarm(random.uniform(1e-5, 2e-3))
            while True:
                env.reset() if not env.agents else act(env)
        except KeyboardInterrupt:
            alarm(0)
        if is_refused(env, looks_of_aec(env)):
            refused += 1
            env.reset()
        check_whole(env)
    assert refused > 10


def check_whole(env: RawEnv) -> None:
    """What the environment says is what the game is."""
    session = env.session
    assert list(broken_invariants(session)) == []
    if not env.agents:
        return
    over = session.over
    assert [env.terminations[agent] for agent in env.agents] == [over] * len(env.agents)
    if not over:
        assert env.agent_selection == PLAYERS[session.acting_side]
    mask = env.last()[0]["action_mask"]
    assert mask.any() != over
    assert plain(env.observe(env.agent_selection)) == plain(
        dict(zip(("observation", "action_mask"), session.view(PLAYERS.index(env.agent_selection)), strict=True))
    )
