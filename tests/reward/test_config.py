"""``rewards.json``: by name, from a file, and what is refused in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.errors import ContentError
from w40k_marl.reward.config import RewardsConfig, rewards_config


def write(folder: Path, name: str, content: dict[str, Any]) -> None:
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_rewards_of_an_agent_have_two_names() -> None:
    rewards = rewards_config("MacroController")
    assert rewards == rewards_config("MacroController_rewards_config") == rewards_config()
    assert not rewards.zero_sum
    for gain, loss in (
        ("win", "lose"),
        ("victory_points", "victory_points_conceded"),
        ("objectives_captured", "objectives_lost"),
        ("damage_dealt", "damage_received"),
    ):
        assert rewards.terms[gain] == -rewards.terms[loss] > 0
    assert rewards.terms["objectives_held"] > 0
    assert rewards.terms["progress"] > 0


@pytest.mark.parametrize("name", ["", "Macro", "Macro_rewards_config"])
def test_unknown_rewards_name_lists_the_known(name: str) -> None:
    with pytest.raises(ContentError, match="one of MacroController"):
        rewards_config(name)


@pytest.mark.parametrize("name", ["../MacroController", "mine.json", Path("MacroController")])
def test_rewards_that_are_no_name_are_a_file(name: str | Path) -> None:
    with pytest.raises(ContentError, match=f"{Path(name).name}: .*expected a file that can be read"):
        rewards_config(name)


def test_term_left_out_pays_nothing(scout: Path) -> None:
    write(scout, "rewards", {"terms": {"win": 1, "_comment": "only winning counts"}})
    rewards = rewards_config("Scout")
    assert {name for name, weight in rewards.terms.items() if weight} == {"win"}
    assert not rewards.zero_sum


def test_rewards_of_a_file_need_no_agent(scout: Path) -> None:
    write(scout, "mine", {"terms": {"win": 1}, "zero_sum": True})
    for name in (scout / "mine.json", str(scout / "mine.json")):
        assert rewards_config(name) == RewardsConfig({"win": 1}, zero_sum=True)


@pytest.mark.parametrize(
    ("rewards", "key"),
    [
        ({}, "terms"),
        ({"terms": {"wins": 1}}, "terms.wins"),
        ({"terms": {"win": "1"}}, "terms.win"),
        ({"terms": {"win": True}}, "terms.win"),
        ({"terms": {}, "zero_sum": 1}, "zero_sum"),
        ({"terms": {}, "win": 1}, "win"),
    ],
)
def test_wrong_rewards_are_refused(rewards: dict[str, Any], key: str, scout: Path) -> None:
    write(scout, "rewards", rewards)
    with pytest.raises(ContentError) as caught:
        rewards_config("Scout")
    assert caught.value.key == key
    assert caught.value.file == str(scout / "rewards.json")


def test_unknown_term_lists_the_known_and_the_nearest(scout: Path) -> None:
    write(scout, "rewards", {"terms": {"damage_delt": 1}})
    with pytest.raises(ContentError, match=r'reward terms win, lose, .*waiting.*did you mean "damage_dealt"'):
        rewards_config("Scout")


def test_agent_without_its_file(scout: Path) -> None:
    with pytest.raises(ContentError, match=r"rewards\.json.*expected a file that can be read"):
        rewards_config(scout.name)
