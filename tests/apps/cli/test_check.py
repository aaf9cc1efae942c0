"""`w40k-marl check`: what every kind of file is, and where a broken one is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps import cli
from w40k_marl.apps.check.cli import KINDS
from w40k_marl.apps.check.kinds import CHECKS, kind_of
from w40k_marl.content.paths import CONTENT, find_data

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[3]

SAVED: dict[str, Any] = {
    "format": "w40k_marl saved game 1", "rules_version": "w40k_v0", "game": {"scenario": "pve", "seed": 1},
    "seats": {}, "fingerprint": "0", "actions": [], "state": "0",
}  # fmt: skip
CONTRACT: dict[str, Any] = {
    "kind": "micro", "layout": {"units_per_side": 16}, "observation_size": 10, "observation_hash": "a",
    "action_count": 13, "action_hash": "b", "rules_version": "w40k_v0", "libraries": {}, "model_sha256": "c",
    "network": None,
}  # fmt: skip
WEAPON = {"display_name": "Choppa", "NB": 3, "ATK": 3, "STR": 4, "AP": -1, "DMG": 1}

BROKEN: dict[str, tuple[str, Any, str]] = {
    "scenario": ("duel.json", {"units": [{"id": 1}]}, "units[0].unit_type: expected a string"),
    "weapons": ("weapons.json", {"gun": WEAPON | {"ATK": 9}}, "gun.ATK: expected a whole number from 2 to 6, got 9"),
    "unit_types": ("unit_types.json", {"Boy": {"faction": "Ork"}}, "Boy.role: expected"),
    "scoring": ("scoring.json", [{"id": "loot"}], "[0].scoring: expected"),
    "deployment_zones": ("deployment_zones.json", {"raid": {"1": {}}}, "raid.1.first_col: expected"),
    "boards": ("boards.json", {"default": {"cols": 0, "rows": 3}}, "default.cols: expected"),
    "game_rules": ("game_rules.json", {"max_turns": 0}, "max_turns: expected"),
    "training": ("training.json", {"default": {"decisions": "x"}}, "default.decisions: expected"),
    "rewards": ("rewards.json", {"terms": {"wins": 1}}, "terms.wins: expected one of the reward terms"),
    "policy": ("policy.json", {"kind": "bot"}, "bot: expected"),
    "mapping": ("m.json", {"controlled_player": 3, "model_by_unit_type": {}}, "controlled_player: expected 1 or 2"),
    "contract": ("model.contract.json", CONTRACT | {"kind": "x"}, 'kind: expected "macro" or "micro"'),
    "saved_game": ("game.json", SAVED | {"actions": [-1]}, "actions[0]: expected a whole number, 0 or more, got -1"),
    "report": ("load.json", {"manifest": {}}, "manifest.schema_version: expected a whole number"),
}


def run(*arguments: str | Path) -> int:
    return cli.main(["check", *map(str, arguments)])


def test_every_kind_is_named_once() -> None:
    assert list(KINDS) == list(CHECKS) == list(BROKEN)


def test_all_that_ships_is_in_order(capsys: Capture) -> None:
    assert run(find_data("scenarios", "pve").parent, find_data("agents", "MacroController").parent, CONTENT) == 0
    said = capsys.readouterr()
    assert said.err == ""
    kinds = {line.rsplit(": ", 1)[1] for line in said.out.splitlines()}
    assert kinds == {f"{kind}, ok" for kind in KINDS if kind not in ("contract", "saved_game", "report")}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_file_of_each_kind_is_recognised_and_said_where(kind: str, tmp_path: Path, capsys: Capture) -> None:
    name, data, message = BROKEN[kind]
    path = tmp_path / name
    path.write_text(json.dumps(data), encoding="utf-8")
    assert kind_of(path) == kind
    assert run(path) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"{path}: ")
    assert message in said.err


@pytest.mark.parametrize(("name", "data", "kind"), [("a.json", SAVED, "saved_game"), ("a.json", CONTRACT, "contract")])
def test_file_written_by_the_package_is_in_order(
    name: str, data: Any, kind: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(data), encoding="utf-8")
    assert run(path) == 0
    assert capsys.readouterr().out == f"{path}: {kind}, ok\n"


def test_every_file_is_checked_though_one_is_broken(tmp_path: Path, capsys: Capture) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    pve = find_data("scenarios", "pve")
    assert run(broken, tmp_path / "absent.json", pve) == 2
    said = capsys.readouterr()
    assert said.out == f"{pve}: scenario, ok\n"
    assert [line.split(": ")[0] for line in said.err.splitlines()] == [str(broken), str(tmp_path / "absent.json")]


def test_kind_given_is_the_kind_checked(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "w.json"
    path.write_text("{}", encoding="utf-8")
    assert run(path) == 2
    assert "expected a file of a kind that is known" in capsys.readouterr().err
    assert run("--kind", "training", path) == 0
    assert run("--kind", "rewards", path) == 2
    assert "terms: expected an object, got nothing" in capsys.readouterr().err


def test_table_under_a_name_that_no_catalogue_reads_is_refused(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "guns.json"
    path.write_text(json.dumps({"choppa": WEAPON}), encoding="utf-8")
    assert run(path) == 2
    assert "expected the file name weapons.json" in capsys.readouterr().err


def test_mapping_may_name_types_of_the_other_files(tmp_path: Path, capsys: Capture) -> None:
    mapping = tmp_path / "mapping.json"
    key = "Tyranid_Infantry_Swarm_MeleeSwarm"
    data = {"controlled_player": 1, "model_by_unit_type": {"Rifleman": key}, "default_model": key}
    mapping.write_text(json.dumps(data), encoding="utf-8")
    assert run(mapping) == 2
    assert "model_by_unit_type.Rifleman: expected a unit type" in capsys.readouterr().err
    assert run(mapping, find_data("scenarios", "weapon_rules_lab")) == 0


def test_scenario_that_no_layout_holds_is_refused(tmp_path: Path, capsys: Capture) -> None:
    units = [{"id": n, "unit_type": "Termagant", "player": 1, "col": n % 25, "row": n // 25} for n in range(65)]
    goal = [{"id": 1, "hexes": [[5, 5]]}]
    path = tmp_path / "many.json"
    data = {"units": units, "wall_hexes": [], "objectives": goal, "primary_objectives": "objectives_control"}
    path.write_text(json.dumps(data), encoding="utf-8")
    assert run(path) == 2
    assert "units of player 1: expected at most 64, got 65" in capsys.readouterr().err


def test_folder_without_files_is_refused(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path) == 2
    assert capsys.readouterr().err.endswith("expected a folder with .json files, got none\n")


def test_names_with_control_characters_are_escaped(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "\x1b[31mred.json"
    path.write_bytes(find_data("scenarios", "pve").read_bytes())
    assert run(path) == 2
    assert "\x1b" not in capsys.readouterr().err
    rewards = tmp_path / "\x1b[31m" / "rewards.json"
    rewards.parent.mkdir()
    rewards.write_text('{"terms": {}}', encoding="utf-8")
    assert run(rewards) == 0
    assert "\x1b" not in capsys.readouterr().out
