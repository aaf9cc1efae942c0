"""docs/configuration.md names every key that a file may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect as shapes

from w40k_marl.content import schemas
from w40k_marl.content.builders import WEAPON_RULES
from w40k_marl.content.types import GameRules
from w40k_marl.policy.config import MetaFile, PolicyFile
from w40k_marl.policy.contract import ContractFile
from w40k_marl.reward.config import RewardsConfig
from w40k_marl.train.config import TrainingEntry

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)))

TABLES = (schemas.WeaponEntry, schemas.UnitTypeEntry, schemas.ScoringEntry, schemas.ZonesEntry, schemas.BoardEntry)
FILES = (schemas.ScenarioFile, *TABLES, GameRules, TrainingEntry, RewardsConfig, MetaFile, PolicyFile, ContractFile)


def objects(shape: Any) -> Iterator[shapes.StructType | shapes.DataclassType]:
    """A shape and all inside it, as far as they are objects with keys of their own."""
    if isinstance(shape, shapes.StructType | shapes.DataclassType):
        yield shape
        for field in shape.fields:
            yield from objects(field.type)
    for inside in ("type", "item_type", "value_type"):
        if hasattr(shape, inside):
            yield from objects(getattr(shape, inside))
    for inner in getattr(shape, "types", ()):
        yield from objects(inner)


ENTRIES = {found.cls: found for file in FILES for found in objects(shapes.type_info(file))}


def test_objects_of_all_kinds_are_looked_at() -> None:
    names = {entry.__name__ for entry in ENTRIES}
    assert names >= {"StatsEntry", "StatChanges", "Zone", "TargetWeights", "Layout", "ProfileOptions", "NetworkEntry"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
def test_every_key_is_documented(entry: type) -> None:
    parts = {part for name in CODE for part in re.split(r"\.|\[\]", name)}
    assert [key.encode_name for key in ENTRIES[entry].fields if key.encode_name not in parts] == []


def test_every_weapon_rule_is_documented() -> None:
    documented = {name.removesuffix(":X") for name in CODE}
    assert set(WEAPON_RULES) - documented == set()
