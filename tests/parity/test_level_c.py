"""Level C: recorded macro observations are ours, and no falsified one is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from recorded_games.macro_observations import has_macro_observations, replay_level_c
from recorded_games.trace import Json, Trace

from .conftest import COMMITTED, Recorded

OBSERVED = ["s001", "s004", "s005", "s026", "s030", "s055"]
STEP = 30


@pytest.mark.parametrize("name", OBSERVED)
def test_recorded_observations_are_ours(recorded: Recorded, name: str) -> None:
    trace = recorded(name)
    states, macro = replay_level_c(trace)
    assert states.exact
    assert macro.differences == []
    assert macro.exact == macro.observations == len(trace.steps) + 1


def test_games_with_observations_are_these(recorded: Recorded) -> None:
    """By their headers; the records of one with and one without agree."""
    headers = {}
    for path in COMMITTED.glob("*.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            headers[path.name[:4]] = json.loads(next(lines))
    assert sorted(name for name, header in headers.items() if header["has_observations"]) == OBSERVED
    assert has_macro_observations(recorded("s055"))
    assert not has_macro_observations(recorded("s048"))


def test_recorded_fight_phases_hold_turns_of_the_other_player(recorded: Recorded) -> None:
    """Eligible units may be the enemies of the current player: there is no filter by owner."""
    seen = [step["macro_obs"] for name in OBSERVED for step in recorded(name).steps]
    fights = [entry for entry in seen if entry["global"]["phase"] == "fight" and any(entry["eligible_mask"])]
    assert any(_eligible_players(entry) == {3 - entry["global"]["current_player"]} for entry in fights)


def _eligible_players(entry: Json) -> set[int]:
    pairs = zip(entry["units"], entry["eligible_mask"], strict=True)
    return {unit["player"] for unit, eligible in pairs if eligible}


def falsified(trace: Trace, change: Callable[[Any], Any], *keys: str | int) -> tuple[list[str], int]:
    """Places that differ, and observations that stay exact, after one recorded value was changed."""
    holder: Any = trace.steps[STEP]["macro_obs"]
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = change(holder[keys[-1]])
    _, macro = replay_level_c(trace)
    assert all(difference.step == STEP for difference in macro.differences)
    return [difference.field for difference in macro.differences], macro.exact


@pytest.mark.parametrize(
    ("keys", "change"),
    [
        (("global", "turn"), lambda turn: turn + 1),
        (("global", "phase"), lambda phase: f"no {phase}"),
        (("global", "current_player"), lambda player: 3 - player),
        (("global", "objectives_controlled", "p2"), lambda held: held + 1),
        (("global", "army_value_diff"), lambda value: value + 1),
        (("ally_ids", 0), lambda unit: f"{unit}0"),
        (("attrition_objective_index",), lambda index: index - 1),
        (("eligible_mask", 0), lambda eligible: 1 - eligible),
        (("objectives", 0, "row_norm"), lambda value: value + 2e-6),
        (("objectives", 0, "control_state"), lambda value: value + 1),
        (("units", 0, "id"), lambda unit: f"{unit}0"),
        (("units", 0, "hp"), lambda left: left + 1),
        (("units", 0, "best_ranged_target_onehot", 2), lambda value: 1 - value),
        (("units", 0, "attack_mode_ratio"), lambda value: value - 2e-6),
        (("units", 0, "dist_obj_norm"), lambda value: value + 2e-6),
    ],
)
def test_falsified_number_is_found(
    recorded: Recorded, keys: tuple[str | int, ...], change: Callable[[Any], Any]
) -> None:
    trace = recorded("s055")
    found, exact = falsified(trace, change, *keys)
    place = "macro_obs" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    assert found == [place]
    assert exact == len(trace.steps)


@pytest.mark.parametrize("key", ["units", "eligible_mask", "ally_ids"])
def test_entry_left_out_is_found(recorded: Recorded, key: str) -> None:
    found, _ = falsified(recorded("s055"), lambda entries: entries[1:], key)
    assert found == [f"macro_obs.{key}"]


def test_key_too_many_is_found(recorded: Recorded) -> None:
    trace = recorded("s055")
    trace.steps[STEP]["macro_obs"]["more"] = 1
    assert [difference.field for difference in replay_level_c(trace)[1].differences] == ["macro_obs.more"]


def test_last_observation_is_compared(recorded: Recorded) -> None:
    trace = recorded("s055")
    trace.steps[-1]["macro_obs"]["global"]["turn"] += 1
    _, macro = replay_level_c(trace)
    assert [difference.step for difference in macro.differences] == [len(trace.steps) - 1]


def test_game_whose_states_differ_is_not_exact(recorded: Recorded) -> None:
    trace = recorded("s055")
    trace.steps[STEP]["after"]["turn"] += 1
    states, macro = replay_level_c(trace)
    assert states.difference is not None
    assert not macro.passed
