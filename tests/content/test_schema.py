"""The committed JSON schema is that of the models, and agrees with the loader about the shipped files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.content.json_schema import scenario_schema
from w40k_marl.content.paths import find_data
from w40k_marl.content.scenario import list_scenarios

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs" / "scenario.schema.json"


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(COMMITTED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_committed_schema_is_up_to_date() -> None:
    again = "python -m w40k_marl.content.json_schema > docs/scenario.schema.json"
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == json.loads(json.dumps(scenario_schema())), (
        f"run {again}"
    )


def test_module_prints_the_committed_text() -> None:
    command = [sys.executable, "-m", "w40k_marl.content.json_schema"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed == COMMITTED.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list_scenarios())
def test_shipped_scenario_fits_the_schema(name: str, validator: Any) -> None:
    validator.validate(json.loads(find_data("scenarios", name).read_text(encoding="utf-8")))


def test_list_of_units_fits_the_schema(minimal: dict[str, Any], validator: Any) -> None:
    validator.validate(minimal["units"])


@pytest.mark.parametrize(
    "change",
    [
        {"walls": []},
        {"units": []},
        {"wall_hexes": [[1]]},
        {"deployment_type": "drawn"},
        {"board": {"cols": 5}},
    ],
)
def test_schema_refuses_what_the_loader_refuses(
    change: dict[str, Any], minimal: dict[str, Any], validator: Any
) -> None:
    assert not validator.is_valid(minimal | change)
