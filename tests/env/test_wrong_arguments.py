"""Wrong types and values at public constructors and methods: one sentence of ours, and nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.game_rules import load_game_rules
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.policies import RandomPolicy
from w40k_marl.env.seats import MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv
from w40k_marl.env.session import Session
from w40k_marl.env.wrappers import MaskInInfos, RLlibNames
from w40k_marl.errors import ContentError, IllegalActionError, NotAnActionError, W40KError, brief
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.reward.config import RewardsConfig

Make = Callable[..., Any]


class Silent:
    """Not even its ``repr`` can be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


WRONG: list[Any] = [
    *(None, True, 3, -1, 1.5, float("nan"), float("inf"), 2**64, 10**5000, complex(1, 2)),
    *("", "x", "7", "a\0b", "x" * 5000, "\ud800", b"abc", Path("no/such.json"), Path("x" * 5000)),
    *([], [1], [[1], [2, 3]], (), {}, {"a": 1}, set(), [None], ["x", 3], range(3), slice(None), ...),
    *(np.int64(3), np.float64(2.5), np.array(3), np.array("x"), np.array([1, 2]), np.array([None]), np.zeros((2, 2))),
    *(object(), Silent(), int, lambda *_: None, Layout(), memoryview(b"abc")),
]

CLASSES: dict[str, Make] = {
    "raw_env": w40k_v0.raw_env,
    "env": w40k_v0.env,
    "SeatEnv": SeatEnv,
    "MacroEnv": MacroEnv,
    "MicroEnv": lambda *given, **options: MicroEnv(*given, **{"unit_types": "Termagant", "seat": 2} | options),
    "BatchEnv": lambda *given, **options: BatchEnv(*given, **{"num_games": 2} | options),
    "SeatVectorEnv": lambda *given, **options: SeatVectorEnv(*given, **{"num_envs": 2} | options),
    "MacroVectorEnv": lambda *given, **options: MacroVectorEnv(*given, **{"num_envs": 2} | options),
    "MicroVectorEnv": lambda *given, **options: MicroVectorEnv(
        *given, **{"unit_types": "Termagant", "seat": 2, "num_envs": 2} | options
    ),
}
OPTIONS = ("decisions", "game_rules", "layout", "max_turns", "weapon_rules", "rewards", "profile")
FURTHER = {
    "raw_env": ("render_mode",),
    "BatchEnv": ("num_games", "num_threads"),
    "SeatEnv": ("seat", "opponent"),
    "SeatVectorEnv": ("num_envs", "seat", "opponent", "num_threads"),
    "MacroEnv": ("micro",),
    "MicroEnv": ("unit_types", "macro", "micro"),
    "MicroVectorEnv": ("unit_types", "macro", "micro"),
}
OF_ONE_GAME = ("raw_env", "env", "SeatEnv", "MacroEnv", "MicroEnv")


def refused_or_fine(call: Callable[[], object], *documented: type[Exception]) -> None:
    """A call that works or raises an error of ours, in one sentence."""
    said = ""
    try:
        call()
    except W40KError as error:
        said = str(error)
    except documented:
        pass
    assert "\n" not in said


@pytest.mark.parametrize(("name", "make"), CLASSES.items())
def test_constructors_refuse_in_our_words(name: str, make: Make) -> None:
    for wrong in WRONG:
        refused_or_fine(lambda wrong=wrong: make(wrong))
        for option in (*OPTIONS, *FURTHER.get(name, ())):
            refused_or_fine(lambda option=option, wrong=wrong: make("small_board", **{option: wrong}))


def test_parts_of_options_refuse_in_our_words() -> None:
    numbers = load_game_rules()
    for wrong in WRONG:
        for name in ("units_per_side", "objectives", "intents", "macro", "macro_extras"):
            refused_or_fine(lambda name=name, wrong=wrong: Layout(**{name: wrong}))
        for name in ("dynamic_weights", "best_weapons"):
            refused_or_fine(lambda name=name, wrong=wrong: ProfileOptions(**{name: wrong}))
        for terms, zero_sum in ((wrong, False), ({"kills": wrong}, False), ({}, wrong)):
            refused_or_fine(lambda terms=terms, zero_sum=zero_sum: RewardsConfig(terms, zero_sum))
        for name in ("max_turns", "advance_distance_range", "macro_target_weights"):
            made = type(numbers)(**{field: getattr(numbers, field) for field in numbers.__slots__} | {name: wrong})
            refused_or_fine(lambda made=made: w40k_v0.raw_env("small_board", game_rules=made))
        for make in (RandomPolicy, MaskInInfos, RLlibNames):
            refused_or_fine(lambda make=make, wrong=wrong: make(wrong))


@pytest.mark.parametrize("wrong", [3, b"x", [], True, Layout()])
def test_game_rules_are_a_path_or_numbers(wrong: Any) -> None:
    with pytest.raises(ContentError, match="argument: game_rules: expected None, a path, or GameRules, got "):
        w40k_v0.raw_env(game_rules=wrong)


@pytest.mark.parametrize("many", [99999999999, 10**15, 10**5000], ids=brief)
def test_more_games_than_memory_are_refused(many: int) -> None:
    for make in (BatchEnv, SeatVectorEnv, MacroVectorEnv):
        with pytest.raises(ContentError, match=r"num_games: expected at most [0-9]+ games, which fit into memory"):
            make("small_board", many)


def test_numbers_of_numpy_are_numbers() -> None:
    BatchEnv("small_board", np.int32(2), num_threads=np.uint8(1)).reset(seed=np.int64(3))
    SeatVectorEnv("small_board", np.int64(2), seat=np.int64(2)).reset(seed=np.uint32(3))
    for name in OF_ONE_GAME:
        env = CLASSES[name]("small_board")
        env.reset(seed=np.int64(5), options={"game_seed": np.uint64(2**63 - 1)})
        games = [env.session.games.tobytes()]
        env.reset(seed=5, options={"game_seed": 2**63 - 1})
        assert games == [env.session.games.tobytes()]


# --- seeds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seed", [1.7, "7", True, 2**63, -1, 2**64, np.float64(3), [1], b"1", float("nan"), 10**5000], ids=brief
)
@pytest.mark.parametrize("name", CLASSES)
def test_bad_seed_leaves_the_running_game(name: str, seed: Any) -> None:
    env = CLASSES[name]("small_board")
    env.reset(seed=3)
    session = getattr(env, "session", None)
    games = session.games if session is not None else getattr(env, "batch", env).games
    before = games.tobytes()
    if name != "BatchEnv":
        with pytest.raises(ContentError, match=r'options\["game_seed"\]: expected a whole number, from 0 to'):
            env.reset(options={"game_seed": seed})
        for options in (3, "game_seed", [1]):
            with pytest.raises(ContentError, match="options: expected None or a dictionary"):
                env.reset(options=options)
    if type(seed) is not int or seed < 0:  # a stream may begin with any whole number
        with pytest.raises(ContentError, match="argument: seed: expected"):
            env.reset(seed=seed)
    assert games.tobytes() == before
    other = CLASSES[name]("small_board")
    other.reset(seed=3)
    env.reset()
    other.reset()
    again = other.session.games if session is not None else getattr(other, "batch", other).games
    assert games.tobytes() == again.tobytes(), "the stream of games goes on as if nothing had been asked"


def test_many_games_have_no_seed_of_one_game() -> None:
    with pytest.raises(ContentError, match=r'options\["game_seed"\]: expected none, for many games, got 7'):
        SeatVectorEnv("small_board", 2).reset(options={"game_seed": 7})


# --- methods -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [w40k_v0.raw_env, w40k_v0.env])
def test_methods_of_one_game_refuse_in_our_words(kind: Make) -> None:
    env = kind("small_board")
    strict = kind is w40k_v0.env
    for wrong in WRONG:
        env.reset(seed=1)
        refused_or_fine(lambda wrong=wrong: env.step(wrong), *([AssertionError] if strict else []))
        env.reset(seed=1)
        for method in (env.restore, env.observe, env.observation_space, env.reset, env.session.view):
            refused_or_fine(lambda method=method, wrong=wrong: method(wrong))
        for method in (env.describe_action, env.select_by_pool_index):
            refused_or_fine(lambda method=method, wrong=wrong: method(wrong), IndexError)
        refused_or_fine(lambda wrong=wrong: env.layout.describe_observation(wrong))


def test_methods_of_a_batch_refuse_in_our_words() -> None:
    batch = BatchEnv("small_board", 2)
    for wrong in WRONG:
        batch.reset(seed=1)
        for method in (batch.step, batch.reset, batch.restart, batch.watch, batch.type_names, batch.random_actions):
            refused_or_fine(lambda method=method, wrong=wrong: method(wrong))
        refused_or_fine(lambda wrong=wrong: batch.step(batch.random_actions(), wrong))
        refused_or_fine(lambda wrong=wrong: batch.watch(np.zeros(2, np.int8), others_play=wrong))
        for method in (batch.snapshot, batch.setting_of, batch.unit_type):
            refused_or_fine(lambda method=method, wrong=wrong: method(wrong), IndexError)
        refused_or_fine(lambda wrong=wrong: batch.game_seed(wrong, 0), IndexError)
        refused_or_fine(lambda wrong=wrong: batch.game_seed(0, wrong))
        refused_or_fine(lambda wrong=wrong: batch.restore(wrong, b""), IndexError)
        refused_or_fine(lambda wrong=wrong: batch.restore(0, wrong))


@pytest.mark.parametrize("actions", [[[1], [2, 3]], None, "ab", [0.0, 1.0], [0], [0, 1, 2], [True, False], [0, 2**70]])
@pytest.mark.parametrize("name", ["BatchEnv", "SeatVectorEnv", "MacroVectorEnv", "MicroVectorEnv"])
def test_actions_of_another_form_step_no_game(name: str, actions: Any) -> None:
    env = CLASSES[name]("small_board")
    env.reset(seed=1)
    games = getattr(env, "batch", env).games
    before = games.tobytes()
    with pytest.raises(W40KError, match=r"actions: expected whole numbers of shape \(2,\), got"):
        env.step(actions)
    assert games.tobytes() == before


# --- what policies answer ----------------------------------------------------------------------------------

ANSWERS: list[Any] = [
    *(None, float("nan"), 1.5, 3, "x", [], [[0]], {}, object(), Silent(), np.array(3), np.zeros((1, 1), int)),
    *(np.array([1.0, 1.0]), np.array([np.nan]), np.array([True]), np.array(["1"]), list(range(50)), [[1], [2, 3]]),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: brief(answer)[:20])
@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(("SeatEnv", "opponent"), ("MacroEnv", "micro"), ("MicroEnv", "macro")),
        *(("SeatVectorEnv", "opponent"), ("MacroVectorEnv", "micro"), ("MicroVectorEnv", "macro")),
    ],
)
def test_answer_that_is_not_one_whole_number_a_mask_is_refused(name: str, role: str, answer: Any) -> None:
    env = CLASSES[name]("small_board", **{role: lambda observations, masks: answer})
    with pytest.raises(NotAnActionError, match=r"policy: expected whole numbers of shape \([12],\), got "):
        play_some(env)


@pytest.mark.parametrize("answer", [-1, 28, 999, 2**40])
@pytest.mark.parametrize(
    ("name", "role"), [("SeatEnv", "opponent"), ("SeatVectorEnv", "opponent"), ("MacroEnv", "micro")]
)
def test_answer_that_the_mask_does_not_allow_is_refused(name: str, role: str, answer: int) -> None:
    env = CLASSES[name]("small_board", **{role: lambda observations, masks: np.full(len(masks), answer)})
    with pytest.raises(IllegalActionError, match=rf"policy: expected one of \[.*\], got {answer} for observation 0"):
        play_some(env)


def play_some(env: Any) -> None:
    """Play at random for some steps, against whoever is there."""
    random = np.random.default_rng(0)
    env.reset(seed=1)
    for _ in range(200):
        masks = np.atleast_2d(env.action_masks())
        actions = np.array([random.choice(np.flatnonzero(mask)) for mask in masks])
        if len(masks) == 1:
            if env.step(int(actions[0]))[2]:
                env.reset()
        else:
            env.step(actions)


def test_lists_of_whole_numbers_are_answers() -> None:
    env = SeatEnv("small_board", opponent=lambda observations, masks: [int(mask.argmax()) for mask in masks])  # type: ignore[arg-type, return-value]
    play_some(env)


def test_random_actions_need_an_array_that_can_be_written_on() -> None:
    batch = BatchEnv("small_board", 4)
    batch.reset(seed=1)
    frozen = np.zeros(4, np.int64)
    frozen.setflags(write=False)
    for out in ([0] * 4, frozen, np.zeros(8, np.int64)[::2]):
        with pytest.raises(ContentError, match=r"argument: out: expected int64 of shape \(4,\), got"):
            batch.random_actions(out)  # type: ignore[arg-type]


def test_session_begins_with_a_generator() -> None:
    with pytest.raises(ContentError, match="argument: random: expected a numpy Generator, got 3"):
        Session("small_board").reset(3)  # type: ignore[arg-type]
