"""From weights by name to what a player is paid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.content.catalogue import load_unit_types
from w40k_marl.errors import ContentError
from w40k_marl.reward.config import RewardsConfig, find_rewards, rewards_config
from w40k_marl.reward.terms import TERM_COUNT, TERM_NAMES
from w40k_marl.reward.weights import contributions, micro_weights, weights_of

UNIT_TYPES = load_unit_types()


def amounts_of(**terms: tuple[float, float]) -> Any:
    amounts = np.zeros((2, TERM_COUNT))
    for name, both in terms.items():
        amounts[:, TERM_NAMES.index(name)] = both
    return amounts


def paid(config: RewardsConfig, **terms: tuple[float, float]) -> list[float]:
    return [float(total) for total in contributions(weights_of(config), amounts_of(**terms)).sum(axis=1)]


def test_a_term_pays_its_weight_times_its_amount() -> None:
    config = RewardsConfig({"damage_dealt": 0.5, "kills": 2})
    assert paid(config, damage_dealt=(8, 4), kills=(0, 1), waiting=(5, 5)) == [4.0, 4.0]


def test_zero_sum_pays_half_the_difference() -> None:
    config = RewardsConfig({"damage_dealt": 0.5, "kills": 2}, zero_sum=True)
    assert paid(config, damage_dealt=(8, 0), kills=(0, 1)) == [1.0, -1.0]


def test_zero_sum_leaves_weights_alone_that_are_so_already() -> None:
    terms = {"win": 1.0, "lose": -1.0, "damage_dealt": 0.25, "damage_received": -0.25}
    happened: dict[str, tuple[float, float]] = {
        "win": (1, 0),
        "lose": (0, 1),
        "damage_dealt": (8, 4),
        "damage_received": (4, 8),
    }
    plain, zero_sum = (paid(RewardsConfig(terms, zero_sum=chosen), **happened) for chosen in (False, True))
    assert plain == zero_sum == [2.0, -2.0]


def test_no_weights_are_an_empty_array() -> None:
    assert weights_of(None).shape == (0, TERM_COUNT)


# --- micro agents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(UNIT_TYPES))
def test_every_unit_type_has_rewards(name: str) -> None:
    """The result, and the deeds of its unit; who fights hand to hand is paid more for charges and what falls there."""
    unit_type = UNIT_TYPES[name]
    terms = rewards_config(unit_type.agent_key).terms
    assert terms["win"] == -terms["lose"] > 0
    for deed in ("attacks", "kills", "damage_dealt", "progress", "objective_presence"):
        assert terms[deed] > 0, deed
    assert terms["damage_received"] < 0
    assert terms["waiting"] < 0
    if unit_type.role == "Melee":
        assert terms["charges"] > terms["attacks"]
        assert terms["melee_kills"] > 0
    else:
        assert terms["charges"] < terms["kills"]


def test_weights_of_unit_types_are_in_their_order() -> None:
    types = [UNIT_TYPES[name] for name in ("Hormagaunt", "Intercessor", "Hormagaunt")]
    table = micro_weights(types)
    assert table.shape == (3, 2, TERM_COUNT)
    for row, unit_type in zip(table, types, strict=True):
        assert row.tolist() == weights_of(rewards_config(unit_type.agent_key)).tolist()
    assert table[0].tolist() == table[2].tolist() != table[1].tolist()


# --- where weights come from -----------------------------------------------------------------------------------


def test_weights_come_from_an_agent_a_file_or_the_caller(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"terms": {"kills": 3}, "zero_sum": True}), encoding="utf-8")
    mine = RewardsConfig({"kills": 3}, zero_sum=True)
    assert find_rewards(file) == find_rewards(str(file)) == find_rewards(mine) == mine
    assert find_rewards("MacroController") == rewards_config("MacroController")
    assert find_rewards(None) is None


@pytest.mark.parametrize(("wrong", "message"), [(3, "got 3"), ("Macro", "one of MacroController"), ({}, "got {}")])
def test_other_rewards_are_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ContentError, match=message):
        find_rewards(wrong)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"kill": 1}, 'terms.kill: expected one of the reward terms win, .*did you mean "kills"'),
        ({"kills": "1"}, "terms.kills: expected a finite number, got '1'"),
        ({"kills": True}, "terms.kills: expected a finite number, got True"),
        ({"kills": float("nan")}, "terms.kills: expected a finite number, got nan"),
    ],
)
def test_terms_and_weights_are_checked(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(ContentError, match=message):
        RewardsConfig(terms)


def test_terms_left_out_weigh_nothing_and_all_are_there() -> None:
    config = RewardsConfig({"kills": 1})
    assert list(config.terms) == list(TERM_NAMES)
    assert {name for name, weight in config.terms.items() if weight} == {"kills"}
