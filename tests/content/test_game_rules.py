from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.content.game_rules import load_game_rules
from w40k_marl.content.paths import CONTENT
from w40k_marl.content.types import GameRules, TargetWeights
from w40k_marl.errors import ContentError

Write = Callable[[object], Path]


@pytest.fixture
def rules() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONTENT / "game_rules.json").read_text(encoding="utf-8"))
    return found


def test_packaged_numbers() -> None:
    assert load_game_rules() == GameRules(
        max_turns=5,
        max_steps_per_turn=200,
        turn_limit_penalty=-1,
        charge_max_distance=13,
        advance_distance_range=6,
        avg_charge_roll=7,
        macro_max_unit_value=200,
        macro_target_weights=TargetWeights(swarm=1.0, troop=1.5, elite=2.0),
    )


def test_own_file(rules: dict[str, Any], write: Write) -> None:
    rules["max_turns"] = 3
    assert load_game_rules(str(write(rules))).max_turns == 3


def test_every_key_is_required(rules: dict[str, Any], write: Write) -> None:
    for key in rules:
        with pytest.raises(ContentError) as caught:
            load_game_rules(write({other: value for other, value in rules.items() if other != key}))
        assert caught.value.key == key


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"max_turns": 0}, "max_turns"),
        ({"max_turns": "5"}, "max_turns"),
        ({"max_turn": 5}, "max_turn"),
        ({"advance_distance_range": 7}, "advance_distance_range"),
        ({"turn_limit_penalty": None}, "turn_limit_penalty"),
        ({"macro_target_weights": {"swarm": 1, "troop": 1}}, "macro_target_weights.elite"),
        ({"macro_target_weights": {"swarm": -1, "troop": 1, "elite": 1}}, "macro_target_weights.swarm"),
        (
            {"macro_target_weights": {"swarm": 1, "troop": 1, "elite": float("inf")}},
            "macro_target_weights.elite",
        ),
    ],
)
def test_wrong_numbers_are_refused(change: dict[str, Any], key: str, rules: dict[str, Any], write: Write) -> None:
    path = write(rules | change)
    with pytest.raises(ContentError) as caught:
        load_game_rules(path)
    assert (caught.value.file, caught.value.key) == (str(path), key)
