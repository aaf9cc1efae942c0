"""The options of a game: one definition for all environments and programs."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from w40k_marl.apps.play.saved_game import GameSettings
from w40k_marl.content.game_rules import load_game_rules
from w40k_marl.env import BatchEnv, MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.loading import load_scenarios
from w40k_marl.env.options import OPTION_NAMES, GameKeywords, GameOptions
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.reward.config import find_rewards
from w40k_marl.testing.table import Table
from w40k_marl.train.config import TrainingEntry
from w40k_marl.w40k_v0 import env

CHANGED: dict[str, Any] = {
    "decisions": "reference",
    "game_rules": replace(load_game_rules(), max_turns=3),
    "layout": Layout(macro=True, intents=True),
    "max_turns": 2,
    "weapon_rules": "full",
    "rewards": find_rewards("MacroController"),
    "profile": ProfileOptions(real_range=True),
}
"""Every option, with another value than its default."""


def test_keywords_are_the_fields() -> None:
    assert tuple(GameKeywords.__annotations__) == OPTION_NAMES == tuple(CHANGED)


def test_options_pass_through_keywords_and_pickles() -> None:
    options = GameOptions.of(**CHANGED)
    assert options.keywords() == CHANGED
    for same in (GameOptions.of(**options.keywords()), pickle.loads(pickle.dumps(options))):
        assert same == options
        assert hash(same) == hash(options)
    assert RawEnv("small_board", **options.keywords()).session.options == options
    assert BatchEnv("small_board", 1, **options.keywords()).options == options
    session = pickle.loads(pickle.dumps(Session("small_board", **options.keywords())))
    assert session.options == options


def test_names_and_none_are_replaced() -> None:
    named = GameOptions.of(game_rules=None, layout=None, max_turns=None, rewards="MacroController", profile=None)
    assert named == GameOptions(rewards=find_rewards("MacroController"))
    assert (named.layout, named.game_rules) == (Layout(), load_game_rules())


def test_options_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        GameOptions().decisions = "reference"  # type: ignore[misc]


@pytest.mark.parametrize(
    "make",
    [
        env,
        RawEnv,
        BatchEnv,
        SeatEnv,
        SeatVectorEnv,
        MacroEnv,
        MacroVectorEnv,
        lambda name, **options: MicroEnv(name, unit_types="Intercessor", **options),
        lambda name, **options: MicroVectorEnv(name, unit_types="Intercessor", **options),
        Session,
        lambda _, **options: Table("^1 Carnifex 0,0", **options),
        lambda _, **options: GameOptions.of(**options),
    ],
)
def test_unknown_option_is_refused_by_name(make: Callable[..., Any]) -> None:
    message = r'argument: max_turn: expected .* max_turns.*, got an unknown name \(did you mean "max_turns"\?\)'
    with pytest.raises(ContentError, match=message):
        make("small_board", max_turn=3)


@pytest.mark.parametrize("make", [GameOptions, GameOptions.of, Session, RawEnv, BatchEnv])
@pytest.mark.parametrize("name", OPTION_NAMES)
def test_bad_value_is_refused_in_the_same_words_everywhere(make: Callable[..., Any], name: str) -> None:
    with pytest.raises(ContentError, match=rf"^argument: {name}: expected .*, got 1\.5$"):
        make(**{name: 1.5})


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_arrays_are_shared_by_games_that_differ_in_rewards_alone(name: str) -> None:
    plain, changed = (
        load_scenarios("small_board", GameOptions.of(**options))[0] for options in ({}, {name: CHANGED[name]})
    )
    assert (plain is changed) == (name == "rewards")


def test_fields_of_a_file_are_found_by_name() -> None:
    """A schema that has an option as a key passes it on without naming it again."""
    told: dict[str, Any] = {"decisions": "reference", "weapon_rules": "full", "max_turns": 2}
    expected = GameOptions(**told, layout=Layout(8, 4))
    for settings in (GameSettings(scenario="pve", seed=1, **told), TrainingEntry(scenario="pve", **told)):
        assert GameOptions.from_settings(settings, layout=Layout(8, 4), profile=None) == expected
    assert GameOptions.from_settings(object()) == GameOptions()
