"""Scenario, list of scenarios, layout, rules, turns: each argument, and each refusal."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.paths import CONTENT
from w40k_marl.content.scenario import list_scenarios, scenario_path
from w40k_marl.env.batch import BatchEnv
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout

Play = Callable[..., Iterator[tuple[str, int]]]
LARGER = Layout(units_per_side=20, objectives=10)  # a compiled version of its own: one such layout for all tests


def small_board(**changes: object) -> dict[str, Any]:
    scenario: dict[str, Any] = json.loads(scenario_path("small_board").read_text(encoding="utf-8"))
    return scenario | changes


def crowd(size: int) -> dict[str, Any]:
    """A small board with ``size`` units of player 1."""
    unit = {"unit_type": "Termagant", "player": 1}
    mine = [{**unit, "id": 100 + n, "col": 2 * (n % 6), "row": 8 + n // 6} for n in range(size)]
    return small_board(
        wall_hexes=[], units=[*mine, {"id": 1, "unit_type": "Termagant", "player": 2, "col": 0, "row": 0}]
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(value: object, name: str = "case.json") -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    return to_file


# --- scenarios ---------------------------------------------------------------------------------------------


def test_scenario_by_name_by_text_and_by_path() -> None:
    path = scenario_path("pve")
    for scenario in ("pve", str(path), path, ["pve"], ("pve",)):
        assert w40k_v0.env(scenario=scenario).session.setting.scenario.name == "pve"
    assert w40k_v0.env().session.setting.scenario.name == "macro_default"


def test_list_draws_each_scenario_and_the_seed_says_which() -> None:
    names = ["small_board", "pve", "open_field"]
    draws = []
    for _ in range(2):
        env = w40k_v0.env(scenario=names)
        env.reset(seed=5)
        drawn = []
        for _ in range(60):
            env.reset()
            drawn.append(env.session.setting.scenario.name)
        draws.append(drawn)
    assert draws[0] == draws[1]
    assert set(draws[0]) == set(names)
    assert min(Counter(draws[0]).values()) > 8


def test_list_is_playable_with_one_model_of_the_spaces(play: Play) -> None:
    env = w40k_v0.env(scenario=list_scenarios(), max_turns=1)
    space = env.observation_space("player_1")
    env.reset(seed=1)
    for episode in range(20):
        for agent, _ in play(env, episode):
            assert space.contains(env.observe(agent))
        env.reset()


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("no_such", 'scenario: expected one of .*small_board.*, got "no_such"'),
        ("smal_board", 'did you mean "small_board"'),
        (Path("no/such.json"), "such.json"),
        ([], "scenario: expected a name, a path, or a list of them, got an empty list"),
        (5, "scenario: expected a name, a path, or a list of them, got 5"),
        (None, "scenario: expected a name, a path, or a list of them, got None"),
        (["pve", 5], "got 5 in the list"),
    ],
)
def test_bad_scenario_is_a_content_error(scenario: Any, message: str) -> None:
    with pytest.raises(ContentError, match=message):
        w40k_v0.env(scenario=scenario)


@pytest.mark.parametrize("make", [w40k_v0.env, w40k_v0.raw_env, BatchEnv])
@pytest.mark.parametrize("layout", ["x", {"units_per_side": 4}, {}, 0, Layout])
def test_layout_that_is_none_is_a_content_error(make: Callable[..., Any], layout: Any) -> None:
    with pytest.raises(ContentError, match="argument: layout: expected None or a Layout, got "):
        make("pve", layout=layout)


def test_edited_file_is_read_again(write: Callable[..., Path]) -> None:
    path = write(small_board())
    assert w40k_v0.env(scenario=path).session.setting.units[0].type.name == "IntercessorSergeant"  # type: ignore[union-attr]
    scenario = small_board()
    scenario["units"][0]["unit_type"] = "Terminator"
    write(scenario)
    os.utime(path, ns=(1, 1))  # an edit within the clock's tick and of the same length is told by nothing
    assert w40k_v0.env(scenario=path).session.setting.units[0].type.name == "Terminator"  # type: ignore[union-attr]


def test_same_relative_name_in_another_folder_is_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, kind in (("one", "Terminator"), ("two", "Intercessor")):
        scenario = small_board()
        scenario["units"][0]["unit_type"] = kind
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "case.json").write_text(json.dumps(scenario), encoding="utf-8")
        monkeypatch.chdir(tmp_path / folder)
        unit = w40k_v0.env(scenario="case.json").session.setting.units[0]
        assert unit is not None
        assert unit.type.name == kind


def test_side_without_units_is_played_to_the_end(play: Play, write: Callable[..., Path]) -> None:
    scenario = small_board()
    scenario["units"] = [unit for unit in scenario["units"] if unit["player"] == 1]
    env = w40k_v0.env(scenario=write(scenario))
    env.reset(seed=1)
    agents = {agent for agent, _ in play(env, 1)}
    assert agents == {"player_1"}
    assert env.rewards == {"player_1": 1.0, "player_2": -1.0}


# --- weapon rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weapon_rules", ["all", "", None, 1])
def test_bad_weapon_rules_are_a_content_error(weapon_rules: Any) -> None:
    with pytest.raises(ContentError, match="weapon_rules: expected 'reference' or 'full', got"):
        w40k_v0.env(scenario="small_board", weapon_rules=weapon_rules)


def test_rule_that_cannot_act_is_refused_in_full_only(write: Callable[..., Path]) -> None:
    scenario = small_board()
    gun = {"display_name": "Gun", "RNG": 9, "NB": 1, "ATK": 3, "STR": 4, "AP": 0, "DMG": 1, "WEAPON_RULES": ["ANTI:4"]}
    scenario |= {
        "custom_weapons": {"gun": gun},
        "custom_unit_types": {"Hunter": {"based_on": "Intercessor", "ranged": ["gun"]}},
    }
    scenario["units"][0]["unit_type"] = "Hunter"
    path = write(scenario)
    w40k_v0.env(scenario=path)
    with pytest.raises(ContentError, match=r"case: unit '1' \(Hunter\): weapon 'gun': expected .*, got \"ANTI:4\""):
        w40k_v0.env(scenario=path, weapon_rules="full")


# --- layouts -----------------------------------------------------------------------------------------------


def test_scenario_that_does_not_fit_is_a_content_error(write: Callable[..., Path]) -> None:
    with pytest.raises(ContentError, match="units of player 1: expected at most 16, got 17"):
        w40k_v0.env(scenario=write(crowd(17)))
    with pytest.raises(ContentError, match="units of player 2: expected at most 3, got 4"):
        w40k_v0.env(scenario="small_board", layout=Layout(units_per_side=3))
    with pytest.raises(ContentError, match="objectives: expected at most 2, got 3"):
        w40k_v0.env(scenario="small_board", layout=Layout(objectives=2))
    with pytest.raises(ContentError, match="units of player 1"):
        w40k_v0.env(scenario=["small_board", write(crowd(17))])


def test_larger_layout_plays_a_larger_scenario(play: Play, write: Callable[..., Path]) -> None:
    env = w40k_v0.raw_env(scenario=[write(crowd(18)), "small_board"], layout=LARGER, max_turns=2)
    sizes = set()
    for seed in range(4):
        env.reset(seed=seed)
        sizes.add(len(env.pool()))
        for agent, _ in play(env, seed):
            observation = env.observe(agent)
            assert env.observation_space(agent).contains(observation)
        assert env.session.over
    assert max(sizes) > 16


def test_layout_changes_the_shapes_and_not_the_game(play: Play) -> None:
    """The same micro actions of the same units, with more empty slots around them."""
    plain, large = w40k_v0.raw_env(scenario="small_board"), w40k_v0.raw_env(scenario="small_board", layout=LARGER)
    plain.reset(seed=7)
    large.reset(seed=7)
    shift = LARGER.units_per_side - Layout().units_per_side
    for agent, action in play(plain, 7):
        assert large.agent_selection == agent
        assert large.pool() == plain.pool()
        large.step(action + shift * (action >= plain.layout.micro_start))
    assert large.session.summary()[:6] == plain.session.summary()[:6]
    assert large.rewards == plain.rewards


@pytest.mark.parametrize("arguments", [{"units_per_side": 0}, {"units_per_side": 65}, {"objectives": 65}])
def test_capacities_the_rules_cannot_hold_are_refused(arguments: dict[str, int]) -> None:
    name, value = next(iter(arguments.items()))
    with pytest.raises(ContentError, match=f"layout: {name}: expected a whole number from 1 to 64, got {value}"):
        Layout(**arguments)


@pytest.mark.parametrize("value", [2.5, "16", None, True])
def test_capacities_are_whole_numbers(value: Any) -> None:
    with pytest.raises(ContentError, match="expected a whole number"):
        Layout(units_per_side=value)


# --- the rest ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decisions", ["", "Agent", "both", None, 1, ["agent"]])
def test_unknown_decisions_are_refused(decisions: Any) -> None:
    with pytest.raises(ContentError, match="decisions: expected 'reference' or 'agent', got"):
        w40k_v0.env(decisions=decisions)


@pytest.mark.parametrize("max_turns", [0, -1, 1001, 2.5, "5", True])
def test_bad_number_of_turns_is_refused(max_turns: Any) -> None:
    with pytest.raises(ContentError, match="max_turns: expected None or a whole number from 1 to 1000"):
        w40k_v0.env(max_turns=max_turns)


@pytest.mark.parametrize("render_mode", ["rgb_array", "text", 1])
def test_unknown_render_mode_is_refused(render_mode: Any) -> None:
    with pytest.raises(ContentError, match="render_mode: expected None, 'ansi' or 'human', got"):
        w40k_v0.env(render_mode=render_mode)


def test_game_rules_of_a_file_hold(play: Play, write: Callable[..., Path]) -> None:
    rules = json.loads((CONTENT / "game_rules.json").read_text(encoding="utf-8"))
    path = write(rules | {"max_turns": 2}, "rules.json")
    env = w40k_v0.env(scenario="small_board", game_rules=path)
    env.reset(seed=1)
    assert {env.infos[agent]["turn"] for agent, _ in play(env)} == {1, 2}
    longer = w40k_v0.env(scenario="small_board", game_rules=path, max_turns=3)
    longer.reset(seed=1)
    assert {longer.infos[agent]["turn"] for agent, _ in play(longer)} == {1, 2, 3}
    del rules["max_turns"]
    with pytest.raises(ContentError, match=r"rules\.json: max_turns"):
        w40k_v0.env(game_rules=write(rules, "rules.json"))


def test_decisions_change_what_is_legal(play: Play) -> None:
    """Under the reference's decisions nobody chooses whom to charge or to fight."""
    seen: dict[str, set[int]] = {}
    for decisions in ("reference", "agent"):
        env = w40k_v0.raw_env(scenario="tyranid_meleeswarm_bot_1", decisions=decisions)
        names = seen.setdefault(decisions, set())
        for seed in range(3):
            env.reset(seed=seed)
            for agent, _ in play(env, seed):
                phase = int(env.session.games[0].phase)
                legal = env.observe(agent)["action_mask"][env.layout.micro_start :]
                if phase >= 3 and legal[4:9].any():
                    names.add(phase)
    assert seen == {"reference": set(), "agent": {3, 4}}
