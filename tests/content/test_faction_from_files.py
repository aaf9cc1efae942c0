"""A faction from files alone: the example of docs/factions.md, checked and played, and what catalogues refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.apps import cli
from w40k_marl.content.catalogue import load_catalogue, load_unit_types, load_weapons
from w40k_marl.content.scenario import load_scenario
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError
from w40k_marl.policy.pve import PvEController

PAGE = Path(__file__).resolve().parents[2] / "docs" / "factions.md"
FILE = re.compile(r"^`(mine/[^`]+)`:\n\n```json\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The folder of the page, written from the page."""
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "mine"


def edit(path: Path, change: Any) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def test_page_says_what_the_check_prints(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(mine.parent)
    assert cli.main(["check", "mine"]) == 0
    printed = capsys.readouterr().out
    assert f"$ w40k-marl check mine\n{printed}$" in PAGE.read_text(encoding="utf-8")
    edit(mine / "orks" / "unit_types.json", lambda data: data["Boy"].update(melee=["chopa"]))
    assert cli.main(["check", "mine/orks"]) == 2
    assert capsys.readouterr().err in PAGE.read_text(encoding="utf-8")


def test_unit_of_the_faction_is_what_its_file_says(mine: Path) -> None:
    units = {unit.id: unit for unit in load_scenario(mine / "raid.json").units}
    boy, shoota, nob = units["5"].type, units["7"].type, units["4"].type
    assert (boy.move, boy.toughness, boy.armor_save, boy.hit_points, boy.value) == (6, 5, 5, 1, 8)
    assert [weapon.name for weapon in boy.ranged + boy.melee] == ["Slugga", "Choppa"]
    assert (boy.agent_key, shoota.agent_key) == ("Ork_Infantry_Troop_MeleeTroop", "Ork_Infantry_Troop_RangedSwarm")
    assert shoota.melee == (load_weapons()["close_combat_weapon"],)
    assert nob.rules == ("charge_after_advance",)
    assert units["1"].type == load_unit_types()["IntercessorSergeant"]


def test_figures_of_the_faction_reach_the_rules(mine: Path) -> None:
    setting = Session(mine / "raid.json").setting
    number = setting.number_of["7"]
    assert setting.world.toughness[number] == 5
    assert setting.world.weapon_count[number].tolist() == [2, 1]
    assert setting.world.range[number, 0, :2].tolist() == [18, 24]


def test_faction_plays_whole_games_in_batches(mine: Path) -> None:
    batch = BatchEnv(mine / "raid.json", 8)
    batch.reset(seed=1)
    assert {"Boy", "ShootaBoy", "Nob"} < set(batch.unit_type_names)
    ended = np.zeros(8, dtype=np.int64)
    for _ in range(600):
        batch.step(batch.random_actions())
        ended += batch.ended
        if ended.all():
            break
    assert ended.all()


def test_mapping_of_the_faction_plays_a_game(mine: Path) -> None:
    env = RawEnv(mine / "raid.json", max_turns=2)
    env.reset(seed=1)
    controller = PvEController(str(mine / "mapping.json"), env)
    while not env.terminations[env.agent_selection]:
        if env.agent_selection == controller.agent:
            controller.execute_ai_turn(env)
        else:
            env.step(int(np.flatnonzero(env.observe(env.agent_selection)["action_mask"])[0]))
    assert env.session.over


def test_catalogue_is_found_from_the_folder_of_the_scenario(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_scenario(mine / "raid.json")
    monkeypatch.chdir(mine / "orks")
    assert load_scenario("../raid.json").units == whole.units


def test_edit_of_a_catalogue_is_seen(mine: Path) -> None:
    assert Session(mine / "raid.json").setting.world.toughness.max() == 5
    edit(mine / "orks" / "unit_types.json", lambda data: data["Nob"]["stats"].update(T=9))
    assert Session(mine / "raid.json").setting.world.toughness.max() == 9


def test_last_catalogue_and_the_scenario_itself_come_before_others(mine: Path) -> None:
    other = mine / "other"
    other.mkdir()
    types = json.loads((mine / "orks" / "unit_types.json").read_text(encoding="utf-8"))
    types["Boy"]["stats"]["HP_MAX"] = 7
    (other / "unit_types.json").write_text(json.dumps({"Boy": types["Boy"]}), encoding="utf-8")
    edit(mine / "raid.json", lambda data: data.update(catalogue=["orks", "other"]))
    boy = load_scenario(mine / "raid.json").units[4].type
    assert (boy.hit_points, boy.move) == (7, 6)
    own = {"Boy": {"based_on": "Nob", "stats": {"MOVE": 1}}}
    edit(mine / "raid.json", lambda data: data.update(custom_unit_types=own))
    boy = load_scenario(mine / "raid.json").units[4].type
    assert (boy.hit_points, boy.move, boy.melee[0].code) == (3, 1, "big_choppa")


def test_catalogue_of_scoring_and_zones(mine: Path) -> None:
    scoring = json.loads((Path(load_catalogue.__code__.co_filename).parent / "data" / "scoring.json").read_text())
    scoring[0]["id"] = "loot"
    (mine / "orks" / "scoring.json").write_text(json.dumps(scoring), encoding="utf-8")
    zone = {"first_col": 0, "last_col": 14, "first_row": 12, "last_row": 14}
    zones = {"raid": {"1": zone, "2": zone | {"first_row": 0, "last_row": 2}}}
    (mine / "orks" / "deployment_zones.json").write_text(json.dumps(zones), encoding="utf-8")
    changes = {"primary_objectives": "loot", "deployment_zone": "raid", "deployment_type": "fixed"}
    edit(mine / "raid.json", lambda data: data.update(changes))
    scenario = load_scenario(mine / "raid.json")
    assert scenario.scoring[0].id == "loot"
    assert scenario.zones is not None
    assert (scenario.zones[1].first_row, scenario.zones[2].last_row) == (12, 2)


@pytest.mark.parametrize(
    ("catalogue", "message"),
    [
        ("nowhere", "nowhere: .*expected a folder with tables of a catalogue, got no such folder"),
        ("raid.json", "expected a folder with tables of a catalogue, got no such folder"),
        ("Ork_Infantry_Troop_MeleeTroop", "expected at least one of the tables weapons.json"),
        (3, "catalogue: expected a list or a string that is not empty, got 3"),
        (["orks", 3], r"catalogue\[1\]: expected a string that is not empty, got 3"),
        (None, "catalogue: expected .*, got null"),
        ("a\0b", "got no such folder"),
    ],
)
def test_catalogue_that_is_none_is_refused(catalogue: object, message: str, mine: Path) -> None:
    edit(mine / "raid.json", lambda data: data.update(catalogue=catalogue))
    with pytest.raises(ContentError, match=message):
        load_scenario(mine / "raid.json")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"faction": ""}, "Boy.faction"),
        ({"role": "Support"}, "Boy.role"),
        ({"ranged": ["choppa"]}, "Boy.ranged[0]"),
        ({"ranged": [], "melee": []}, "Boy"),
        ({"rules": ["waaagh"]}, "Boy.rules[0]"),
        ({"stats": {}}, "Boy.stats.MOVE"),
    ],
)
def test_broken_type_of_a_catalogue_names_its_file_and_key(change: dict[str, object], key: str, mine: Path) -> None:
    table = mine / "orks" / "unit_types.json"
    edit(table, lambda data: data["Boy"].update(change))
    with pytest.raises(ContentError) as caught:
        load_scenario(mine / "raid.json")
    assert (caught.value.file, caught.value.key) == (str(table), key)
