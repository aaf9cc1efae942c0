"""What a model was made for is compared with the game before anything of it is loaded; no PyTorch needed."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.policy.block_policy import ActionBlock
from w40k_marl.policy.contract import check_contract, contract_path, made_for, write_contract
from w40k_marl.policy.errors import (
    ActionSpaceMismatchError,
    ContractMissingError,
    LayoutMismatchError,
    MetaError,
    ModelChangedError,
    ModelMissingError,
    RulesMismatchError,
)

LAYOUT = Layout(units_per_side=4, objectives=2)
NETWORK = {"policy_layers": [64, 64], "value_layers": [64], "activation": "Tanh"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file in the place of a model, with a contract for micro actions of LAYOUT."""
    path = tmp_path / "model.zip"
    path.write_bytes(b"weights")
    write(path, made_for(LAYOUT, "micro"))
    return path


def write(model: Path, made: dict[str, Any], **changes: Any) -> None:
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    content = {**made, "libraries": {}, "model_sha256": sha256, "network": NETWORK, **changes}
    contract_path(model).write_text(json.dumps(content), encoding="utf-8")


def test_contract_lies_beside_the_model() -> None:
    assert contract_path("agents/A/model.zip") == Path("agents/A/model.contract.json")


@pytest.mark.parametrize("kind", ["micro", "macro"])
def test_model_for_this_game_is_taken(model: Path, kind: ActionBlock) -> None:
    write(model, made_for(LAYOUT, kind))
    network = check_contract(model, LAYOUT, kind)
    assert network is not None
    assert (network.policy_layers, network.value_layers, network.activation) == ((64, 64), (64,), "Tanh")


def test_model_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"none\.zip: expected the zip of a saved model"):
        check_contract(tmp_path / "none.zip", LAYOUT, "micro")
    with pytest.raises(ModelMissingError):
        write_contract(tmp_path / "none.zip", LAYOUT)


def test_contract_of_no_block_is_not_written(model: Path) -> None:
    before = contract_path(model).read_bytes()
    with pytest.raises(ContentError, match='argument: kind: expected "micro" or "macro", got \'mikro\''):
        write_contract(model, LAYOUT, "mikro")  # type: ignore[arg-type]
    with pytest.raises(ContentError, match="argument: layout: expected a Layout, got None"):
        write_contract(model, None)  # type: ignore[arg-type]
    assert contract_path(model).read_bytes() == before


def test_contract_that_is_missing(model: Path) -> None:
    contract_path(model).unlink()
    with pytest.raises(ContractMissingError, match=r'expected its contract in model\.contract\.json.*kind="micro"'):
        check_contract(model, LAYOUT, "micro")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"action_count": 14}, ActionSpaceMismatchError, "action_count: expected 13 of the game, got 14"),
        ({"action_hash": "other"}, ActionSpaceMismatchError, r"action_hash: expected \w{64} of the game, got other"),
        ({"layout": {"units_per_side": 4, "objectives": 3}}, LayoutMismatchError, "layout.objectives: expected 2"),
        ({"layout": {"units_per_side": 4, "objectives": 2, "extra": True}}, LayoutMismatchError, "extra: .* got True"),
        ({"observation_size": 300}, LayoutMismatchError, "observation_size: expected .* got 300"),
        ({"observation_hash": "other"}, LayoutMismatchError, "observation_hash"),
        ({"rules_version": "w40k_v9"}, RulesMismatchError, "rules_version: expected w40k_v0 of the game, got w40k_v9"),
        ({"model_sha256": "other"}, ModelChangedError, "expected the file that model.contract.json was written for"),
    ],
)
def test_difference_is_named(model: Path, changes: dict[str, Any], error: type[MetaError], said: str) -> None:
    write(model, made_for(LAYOUT, "micro"), **changes)
    with pytest.raises(error, match=said):
        check_contract(model, LAYOUT, "micro")


def test_first_difference_is_named(model: Path) -> None:
    """Another layout changes sizes and hashes too: the message names the cause."""
    write(model, made_for(replace(LAYOUT, units_per_side=5), "micro"))
    with pytest.raises(LayoutMismatchError, match=r"layout\.units_per_side: expected 4 of the game, got 5"):
        check_contract(model, LAYOUT, "micro")


MACRO = replace(LAYOUT, macro=True)


@pytest.mark.parametrize("profile", [None, ProfileOptions(), ProfileOptions(real_range=True, best_weapons=2)])
def test_model_for_this_profile_is_taken(model: Path, profile: ProfileOptions | None) -> None:
    write(model, made_for(MACRO, "macro", profile))
    assert check_contract(model, MACRO, "macro", profile) is not None


@pytest.mark.parametrize(
    ("saved", "played", "said"),
    [
        (None, ProfileOptions(real_range=True), "profile.real_range: expected True of the game, got False"),
        (ProfileOptions(best_weapons=2), None, "profile.best_weapons: expected 1 of the game, got 2"),
        (ProfileOptions(True, 2), ProfileOptions(), "profile.dynamic_weights: expected False of the game, got True"),
    ],
)
def test_other_profile_is_another_meaning_of_macro_blocks(
    model: Path, saved: ProfileOptions | None, played: ProfileOptions | None, said: str
) -> None:
    write(model, made_for(MACRO, "macro", saved))
    with pytest.raises(LayoutMismatchError, match=re.escape(said)):
        check_contract(model, MACRO, "macro", played)


def test_contract_without_a_profile_is_that_of_the_base(model: Path) -> None:
    made = made_for(MACRO, "macro")
    del made["profile"]
    write(model, made)
    assert check_contract(model, MACRO, "macro") is not None
    with pytest.raises(LayoutMismatchError, match=r"profile\.weapon_rules: expected True of the game, got False"):
        check_contract(model, MACRO, "macro", ProfileOptions(weapon_rules=True))


def test_profile_does_not_matter_without_macro_blocks(model: Path) -> None:
    assert "profile" not in made_for(LAYOUT, "micro", ProfileOptions(real_range=True))
    assert check_contract(model, LAYOUT, "micro", ProfileOptions(real_range=True)) is not None


def test_macro_model_is_no_micro_model(model: Path) -> None:
    write(model, made_for(LAYOUT, "macro"))
    with pytest.raises(ActionSpaceMismatchError, match="kind: expected micro of the game, got macro"):
        check_contract(model, LAYOUT, "micro")


def test_contract_without_a_later_setting_of_the_layout_is_that_of_its_default(model: Path) -> None:
    write(model, made_for(Layout(units_per_side=4, objectives=8), "micro"), layout={"units_per_side": 4})
    assert check_contract(model, Layout(units_per_side=4), "micro") is not None


def test_other_libraries_are_a_warning(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(model, made_for(LAYOUT, "micro"), libraries={"numpy": "0.1"})
    check_contract(model, LAYOUT, "micro")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "saved with numpy 0.1, here is" in record.getMessage()


@pytest.mark.parametrize("changes", [{"kind": "meso"}, {"network": {}}, {"trust": True}, {"action_count": 0}])
def test_broken_contract_is_refused(model: Path, changes: dict[str, Any]) -> None:
    write(model, made_for(LAYOUT, "micro"), **changes)
    with pytest.raises(ContentError) as caught:
        check_contract(model, LAYOUT, "micro")
    assert caught.value.file == str(contract_path(model))


WITHOUT = """
import sys
sys.modules["torch"] = sys.modules["sb3_contrib"] = sys.modules["stable_baselines3"] = None
from pathlib import Path
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.saved import load_model
from w40k_marl.policy.errors import MissingExtraError
try:
    load_model(Path(sys.argv[1]), Layout(units_per_side=4, objectives=2), "micro")
except MissingExtraError as error:
    print(isinstance(error, ModuleNotFoundError), error, sep="|")
"""


def test_without_the_extra_one_sentence_says_what_to_install(model: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, model], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        'True|a saved model needs PyTorch and sb3-contrib: run `python -m pip install -e ".[train]"` in '
        f"{Path(__file__).resolve().parents[2]}"
    )
