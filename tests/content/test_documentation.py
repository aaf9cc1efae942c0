"""docs/configuration.md names every key that a file may hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import Struct, structs

from w40k_marl.content import schemas
from w40k_marl.content.builders import WEAPON_RULES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)))
ENTRIES = [
    entry
    for entry in vars(schemas).values()
    if isinstance(entry, type) and issubclass(entry, Struct) and entry is not Struct
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
def test_every_key_is_documented(entry: type[Struct]) -> None:
    parts = {part for name in CODE for part in re.split(r"\.|\[\]", name)}
    assert [key.encode_name for key in structs.fields(entry) if key.encode_name not in parts] == []


def test_every_weapon_rule_is_documented() -> None:
    documented = {name.removesuffix(":X") for name in CODE}
    assert set(WEAPON_RULES) - documented == set()
