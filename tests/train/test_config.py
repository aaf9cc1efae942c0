"""``training.json``: entries by name, what they make, and what is refused in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.content.catalogue import load_unit_types
from w40k_marl.content.paths import list_data
from w40k_marl.env.aec import RawEnv
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.train.config import TrainingConfig, training_config


def write(folder: Path, name: str, content: dict[str, Any]) -> None:
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_shipped_agents() -> None:
    keys = {unit_type.agent_key for unit_type in load_unit_types().values()}
    assert list_data("agents") == sorted({"MacroController", *keys})
    assert training_config() == TrainingConfig("macro_default", "agent", None, Layout(16, 8), "reference", 922)


@pytest.mark.parametrize("name", ["default", "MacroController_training_config"])
def test_default_entry_has_two_names(name: str) -> None:
    assert training_config(name) == training_config()


def test_debug_entry_has_the_same_layout() -> None:
    debug = training_config("debug", "MacroController")
    assert debug.max_turns == 2
    assert debug.layout == training_config().layout
    assert debug.obs_size == training_config().obs_size


def test_super_agent_entry_has_intents_and_the_macro_observation() -> None:
    config = training_config("super_agent")
    assert config.layout == Layout(16, 8, intents=True, macro=True)
    layout = config.checked_layout()
    assert layout == Layout(intents=True, macro=True)
    assert layout.observation_size == config.obs_size
    env = RawEnv(config.scenario, decisions=config.decisions, max_turns=config.max_turns, layout=layout)
    assert env.observation_space("player_1")["observation"].shape == (config.obs_size,)


def test_entry_knows_where_it_stands(scout: Path) -> None:
    write(scout, "training", {"large": {"obs_size": 3}})
    config = training_config("large", agent="Scout")
    with pytest.raises(ContentError, match=r"obs_size: expected 922, .*, got 3") as caught:
        config.checked_layout()
    assert str(caught.value).startswith(f"{scout / 'training.json'}: large: obs_size: ")


def test_entry_may_ask_for_more_blocks_and_name_their_size(scout: Path) -> None:
    write(scout, "training", {"default": {"layout": {"macro": True, "macro_extras": True}, "obs_size": 1508}})
    expected = TrainingConfig(
        "macro_default", "agent", None, Layout(16, 8, macro=True, macro_extras=True), obs_size=1508
    )
    assert training_config(agent="Scout") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("defualt", 'default, debug, super_agent, MacroController_training_config.*did you mean "default"'),
        ("MacroControler_training_config", 'one of MacroController.*did you mean "MacroController"'),
        ("_training_config", "one of MacroController"),
    ],
)
def test_unknown_training_name_lists_the_known(name: str, expected: str) -> None:
    with pytest.raises(ContentError, match=expected):
        training_config(name)


def test_entry_left_empty_has_the_defaults(scout: Path) -> None:
    write(scout, "training", {"default": {}})
    assert training_config(agent="Scout") == TrainingConfig("macro_default", "agent", None, Layout(16, 8))


def test_entry_with_everything(scout: Path) -> None:
    layout = {"units_per_side": 4, "objectives": 3}
    write(scout, "training", {"default": {"max_turns": 2, "weapon_rules": "full", "layout": layout}})
    found = training_config(agent="Scout")
    assert found == TrainingConfig("macro_default", "agent", 2, Layout(4, 3), "full")


def test_agent_without_training_has_the_entry_default_alone(scout: Path) -> None:
    write(scout, "rewards", {"terms": {}})
    found = training_config(agent="Scout")
    assert found == training_config("Scout_training_config")
    assert found == TrainingConfig("macro_default", "agent", None, Layout(16, 8))
    assert found.where == "default settings, as Scout has no training.json"
    with pytest.raises(ContentError, match=r"one of default, Scout_training_config, .*: Scout has no training\.json"):
        training_config("debug", agent="Scout")


def test_entry_may_name_evolutions_of_the_profile(scout: Path) -> None:
    write(scout, "training", {"default": {"profile": {"real_range": True, "best_weapons": 2}}})
    found = training_config(agent="Scout")
    assert found.profile == ProfileOptions(real_range=True, best_weapons=2)


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ({"scenario": "macro_defalt"}, "default.scenario"),
        ({"decisions": "engine"}, "default.decisions"),
        ({"weapon_rules": "all"}, "default.weapon_rules"),
        ({"max_turns": 0}, "default.max_turns"),
        ({"layout": {"units_per_side": 65}}, "default.layout.units_per_side"),
        ({"layout": {"unit_per_side": 6}}, "default.layout.unit_per_side"),
        ({"layout": {"macro": 1}}, "default.layout.macro"),
        ({"layout": None}, "default.layout"),
        ({"profile": {"best_weapons": 9}}, "default.profile.best_weapons"),
        ({"profile": {"realrange": True}}, "default.profile.realrange"),
        ({"profile": {"weapon_rules": "full"}}, "default.profile.weapon_rules"),
        ({"obs_size": 0}, "default.obs_size"),
        ({"obs_size": "922"}, "default.obs_size"),
        ({"max_turn": 5}, "default.max_turn"),
    ],
)
def test_wrong_training_entry_is_refused(entry: dict[str, Any], key: str, scout: Path) -> None:
    write(scout, "training", {"other": {}, "default": entry})
    with pytest.raises(ContentError) as caught:
        training_config("Scout_training_config")
    assert (caught.value.file, caught.value.key) == (str(scout / "training.json"), key)
