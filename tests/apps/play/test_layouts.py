"""The layout and the profile of a game that is played: from options, from the scenario, kept in saved games."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.play.human import GameLeftError
from w40k_marl.apps.play.saved_game import PlayError
from w40k_marl.content.scenario import scenario_path
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions

Begin = Callable[..., Any]
MACRO = {"layout": ["macro,units_per_side=16"], "profile": ["real_range", "best_weapons=2"]}


def test_options_reach_the_environment(begin: Begin) -> None:
    env = begin(**MACRO).match.env
    assert env.layout == Layout(macro=True)
    assert env.session.options.profile == ProfileOptions(real_range=True, best_weapons=2)


def test_intents_are_a_field_of_the_layout_too(begin: Begin) -> None:
    assert begin(intents=True).match.env.layout == begin(layout=["intents"]).match.env.layout == Layout(intents=True)
    with pytest.raises(PlayError, match="--layout; expected one value of intents, got two"):
        begin(intents=True, layout=["intents=false"])


def test_saved_game_keeps_layout_and_profile(begin: Begin) -> None:
    game = begin("1", "wait", **MACRO)
    with pytest.raises(GameLeftError):
        game.match.play()
    file = game.save_file.save(game.match.saved())
    for given in ({}, MACRO):
        env = begin(resume=str(file), **given).match.env
        assert env.layout == Layout(macro=True)
        assert env.session.options.profile == ProfileOptions(real_range=True, best_weapons=2)
    with pytest.raises(PlayError, match="--layout: expected that of the game"):
        begin(resume=str(file), layout=["macro,macro_extras"])
    with pytest.raises(PlayError, match="--profile: expected that of the game"):
        begin(resume=str(file), profile=["real_range"])


def test_saved_game_without_them_is_read_as_before(begin: Begin) -> None:
    game = begin("1", "wait")
    with pytest.raises(GameLeftError):
        game.match.play()
    file = game.save_file.save(game.match.saved())
    assert not {"layout", "profile"} & set(json.loads(file.read_text(encoding="utf-8"))["game"])
    assert begin(resume=str(file)).match.env.layout == Layout()


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ({"units_per_side": 65}, "layout.units_per_side"),
        ({"units": 3}, "layout.units"),
        ({"macro": 1}, "layout.macro"),
        ({"macro_extras": True}, "macro_extras"),
        ({"units_per_side": 1}, "units of player"),
        ([], "layout"),
    ],
)
def test_saved_game_with_a_layout_that_cannot_be_is_refused(begin: Begin, layout: object, said: str) -> None:
    game = begin("1", "wait")
    with pytest.raises(GameLeftError):
        game.match.play()
    file = game.save_file.save(game.match.saved())
    data = json.loads(file.read_text(encoding="utf-8"))
    data["game"]["layout"] = layout
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        begin(resume=str(file))


def test_capacities_follow_from_the_scenario(begin: Begin, tmp_path: Path) -> None:
    data = json.loads(scenario_path("small_board").read_text(encoding="utf-8"))
    data["objectives"] = [{**data["objectives"][0], "id": f"o{number}"} for number in range(10)]
    first = data["units"][0]
    data["board"] = {"cols": 25, "rows": 21}
    data["wall_hexes"] = []
    data["units"] = [{**first, "id": number, "col": number, "row": 3} for number in range(20)]
    data["units"].append({**first, "id": "other", "player": 2, "col": 3, "row": 15})
    path = tmp_path / "big.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert begin(scenario=str(path)).match.env.layout == Layout(20, 10)
    with pytest.raises(ValueError, match="units of player 1: expected at most 16, got 20"):
        begin(scenario=str(path), layout=["units_per_side=16"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layout": ["units=3"]}, "--layout; expected one of units_per_side, objectives, intents, macro, macro_extras"),
        ({"layout": ["units_per_side=65"]}, "--layout; .*expected a whole number from 1 to 64, got 65"),
        ({"profile": ["real_range"]}, "--profile; expected --layout macro with it"),
        (
            {"profile": ["best_weapons=0"], "layout": ["macro"]},
            "--profile; .* from 1 to 8, got 0",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(begin: Begin, options: dict[str, Any], said: str) -> None:
    with pytest.raises(PlayError, match=said):
        begin(**options)
