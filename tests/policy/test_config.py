"""The mapping of unit types to models, and what stands behind an agent key: the files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.content.catalogue import load_unit_types
from w40k_marl.content.paths import data_folder, list_data
from w40k_marl.errors import ContentError, DefaultModelMissingError
from w40k_marl.policy.config import MetaConfig, PolicyConfig, meta_config, policy_config

SWARM, TROOP = "Tyranid_Infantry_Swarm_MeleeSwarm", "Tyranid_Infantry_Troop_RangedTroop"
DOCUMENT = {
    "controlled_player": 2,
    "model_by_unit_type": {"Hormagaunt": SWARM, "TyranidWarriorRanged": TROOP},
    "default_model": SWARM,
}


def write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Writes the example of the document with changes; a key set to None is left out."""

    def write_changed(**changes: Any) -> Path:
        content = {**DOCUMENT, **changes}
        return write(tmp_path / "meta.json", {key: value for key, value in content.items() if value is not None})

    return write_changed


def test_shipped_mapping_is_the_example_of_the_document() -> None:
    config = meta_config()
    expected = {"Hormagaunt": SWARM, "TyranidWarriorRanged": TROOP}
    assert (config.controlled_player, config.model_by_unit_type) == (2, expected)
    assert (config.default_model, config.strict) == (SWARM, False)
    assert config.required_models == (SWARM, TROOP)


def test_mapping_is_no_agent() -> None:
    assert (data_folder("agents") / "pve_meta_controller.json").is_file()
    assert "pve_meta_controller" not in "".join(list_data("agents"))


@pytest.mark.parametrize("player", [1, 2])
def test_controlled_player_is_read(written: Any, player: int) -> None:
    assert meta_config(written(controlled_player=player)).controlled_player == player


@pytest.mark.parametrize("flag", ["strict_mapping", "no_default"])
def test_strict_mode_has_two_names_and_ignores_the_default(written: Any, flag: str) -> None:
    config = meta_config(written(**{flag: True}))
    assert config.strict
    assert config.default_model is None
    assert meta_config(written(**{flag: True}, default_model=None)) == config


def test_default_is_explicit_where_the_mapping_is_not_strict(written: Any) -> None:
    with pytest.raises(DefaultModelMissingError) as caught:
        meta_config(path := written(default_model=None, strict_mapping=False))
    assert (caught.value.file, caught.value.key) == (str(path), "default_model")
    assert "strict_mapping" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"controlled_player": 3}, "controlled_player", "expected 1 or 2, got 3"),
        ({"controlled_player": None}, "controlled_player", "the key is missing"),
        ({"controlled_player": "2"}, "controlled_player", "expected 1 or 2"),
        ({"model_by_unit_type": None}, "model_by_unit_type", "the key is missing"),
        ({"model_by_unit_type": {"Hormagant": SWARM}}, "model_by_unit_type.Hormagant", 'did you mean "Hormagaunt"?'),
        ({"model_by_unit_type": {"Hormagaunt": SWARM[:-1]}}, "model_by_unit_type.Hormagaunt", "did you mean"),
        ({"model_by_unit_type": {"Hormagaunt": 1}}, "model_by_unit_type.Hormagaunt", "a string"),
        ({"default_model": "../agents"}, "default_model", "one of MacroController"),
        ({"strict_mapping": 1}, "strict_mapping", "expected true or false, got 1"),
        ({"strict_mapping": True, "no_default": False}, "no_default", "what strict_mapping says, true, got false"),
        ({"strict": True}, "strict", "unknown key"),
    ],
)
def test_wrong_mapping_is_refused(written: Any, changes: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(ContentError) as caught:
        meta_config(path := written(**changes))
    assert (caught.value.file, caught.value.key) == (str(path), key)
    assert said in str(caught.value)


def test_mapping_that_is_not_there() -> None:
    with pytest.raises(ContentError, match=r"nowhere\.json.*a file that can be read"):
        meta_config("nowhere.json")


def test_custom_unit_types_can_be_mapped(written: Any) -> None:
    path = written(model_by_unit_type={"Ripper": SWARM})
    assert meta_config(path, unit_types=["Ripper"]).model_by_unit_type == {"Ripper": SWARM}
    with pytest.raises(ContentError, match="Ripper"):
        meta_config(path)


def test_agents_beside_the_mapping_come_first(written: Any, tmp_path: Path) -> None:
    write(tmp_path / "Mine" / "policy.json", {"kind": "bot", "bot": "first"})
    write(tmp_path / SWARM / "policy.json", {"kind": "bot", "bot": "random"})
    config = meta_config(written(default_model="Mine"))
    assert policy_config("Mine", config.folder).what == "first"
    assert policy_config(SWARM, config.folder).what == "random"
    assert policy_config(SWARM).what == "greedy"


@pytest.mark.parametrize("key", [*sorted({kind.agent_key for kind in load_unit_types().values()}), "MacroController"])
def test_every_agent_of_the_catalogue_has_a_policy(key: str) -> None:
    assert policy_config(key).source in ("bot", "maskable_ppo")


@pytest.mark.parametrize(
    ("content", "kind", "what"),
    [
        ({"kind": "bot", "bot": "random"}, "bot", "random"),
        ({"kind": "callable", "callable": "mine:act"}, "callable", "mine:act"),
        ({"kind": "maskable_ppo"}, "maskable_ppo", "{folder}/model.zip"),
        ({"kind": "maskable_ppo", "model": "best/one.zip"}, "maskable_ppo", "{folder}/best/one.zip"),
    ],
)
def test_kinds_of_policies(tmp_path: Path, content: dict[str, Any], kind: str, what: str) -> None:
    file = write(tmp_path / "Scout" / "policy.json", content)
    assert policy_config("Scout", tmp_path) == PolicyConfig("Scout", file, kind, what.format(folder=file.parent))


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({}, "kind"),
        ({"kind": "ppo"}, "kind"),
        ({"kind": "bot"}, "bot"),
        ({"kind": "bot", "bot": "gredy"}, "bot"),
        ({"kind": "bot", "bot": "greedy", "model": "model.zip"}, "model"),
        ({"kind": "callable"}, "callable"),
        ({"kind": "maskable_ppo", "callable": "mine:act"}, "callable"),
        ({"kind": "maskable_ppo", "trust": True}, "trust"),
    ],
)
def test_wrong_policy_is_refused(tmp_path: Path, content: dict[str, Any], key: str) -> None:
    file = write(tmp_path / "Scout" / "policy.json", content)
    with pytest.raises(ContentError) as caught:
        policy_config("Scout", tmp_path)
    assert (caught.value.file, caught.value.key) == (str(file), key)


@pytest.mark.parametrize("key", ["", ".", "..", "Scou", "MacroControler"])
def test_unknown_agent_lists_the_known(tmp_path: Path, key: str) -> None:
    write(tmp_path / "Scout" / "policy.json", {"kind": "bot", "bot": "first"})
    with pytest.raises(ContentError, match="one of MacroController"):
        policy_config(key, tmp_path)


def test_mapping_made_by_hand_is_checked() -> None:
    with pytest.raises(ContentError, match="controlled_player: expected 1 or 2, got 3"):
        MetaConfig(3, {}, "x")
    with pytest.raises(DefaultModelMissingError, match="argument: default_model"):
        MetaConfig(2, {"A": "x"})
    assert MetaConfig(2, {"A": "x"}, "y", strict=True) == MetaConfig(2, {"A": "x"}, None, strict=True)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ((True, {}, "x"), "controlled_player"),
        ((2.0, {}, "x"), "controlled_player"),
        ((2, None, "x"), "model_by_unit_type"),
        ((2, ["A"], "x"), "model_by_unit_type"),
        ((2, {3: "x"}, "x"), "model_by_unit_type"),
        ((2, {"A": None}, "x"), "model_by_unit_type.A"),
        ((2, {"A": ""}, "x"), "model_by_unit_type.A"),
        ((2, {}, 3), "default_model"),
        ((2, {}, ""), "default_model"),
        ((2, {}, "x", 1), "strict"),
        ((2, {}, "x", False, "agents"), "folder"),
    ],
)
def test_mapping_made_by_hand_has_values_of_the_right_types(arguments: Any, key: str) -> None:
    with pytest.raises(ContentError) as caught:
        MetaConfig(*arguments)
    assert (caught.value.file, caught.value.key) == ("argument", key)


def test_path_of_a_mapping_must_be_one() -> None:
    with pytest.raises(ContentError, match=r"argument: path: expected a path, or None for the mapping .*, got 3"):
        meta_config(3)  # type: ignore[arg-type]


def test_mapping_made_by_hand_requires_each_model_once() -> None:
    assert MetaConfig(1, {"A": "x", "B": "y", "C": "x"}, "z").required_models == ("x", "y", "z")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("kind", ["pipe", "device", "directory", "large"])
def test_policy_that_cannot_be_read_at_once_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "Mine" / "policy.json"
    file.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    elif kind == "directory":
        file.mkdir()
    else:
        file.write_bytes(b" " * 2**21)
    with pytest.raises(ContentError, match=r"expected a file that can be read, got a|expected at most 1048576 bytes"):
        policy_config("Mine", tmp_path)
    if kind != "pipe":  # a mapping may come from a process substitution
        with pytest.raises(ContentError, match=r"expected a file that can be read, got a|expected at most"):
            meta_config(file)
