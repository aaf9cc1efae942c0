"""The shipped tables: weapons, unit types, scoring rules, the default board and deployment zones.

Each table is read once in a process; what is returned cannot be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from . import profiles
from .definitions import Scoring, UnitType, Weapon, Zone
from .models import (
    BoardEntry,
    ScoringEntry,
    UnitTypeEntry,
    WeaponEntry,
    ZoneEntry,
    ZonesEntry,
)
from .paths import CONTENT
from .reading import read_model


@cache
def load_weapons() -> Mapping[str, Weapon]:
    """Return all weapons by code (spec 01 section 10). Raises ContentError for a broken table."""
    path = _table("weapons")
    entries = read_model(path, dict[str, WeaponEntry])
    return MappingProxyType({code: profiles.weapon(code, entry, str(path), code) for code, entry in entries.items()})


@cache
def load_unit_types() -> Mapping[str, UnitType]:
    """Return all unit types by name (spec 01 section 9). Raises ContentError for a broken table."""
    path = _table("unit_types")
    entries = read_model(path, dict[str, UnitTypeEntry])
    weapons = load_weapons()
    return MappingProxyType(
        {name: profiles.unit_type(name, entry, weapons, str(path), name) for name, entry in entries.items()}
    )


@cache
def load_scoring() -> Mapping[str, Scoring]:
    """Return all scoring configurations by id (spec 01 section 6). Raises ContentError for a broken table."""
    entries = read_model(_table("scoring"), list[ScoringEntry])
    return MappingProxyType({entry.id: profiles.scoring(entry) for entry in entries})


@cache
def load_board() -> BoardEntry:
    """Return the default board (spec 01 sections 3 and 5). Raises ContentError for a broken table."""
    return read_model(_table("boards"), dict[str, BoardEntry])["default"]


@cache
def load_zones() -> Mapping[str, Mapping[int, Zone]]:
    """Return the zones of each name, by player (spec 01 4.4). Raises ContentError for a broken table."""
    entries = read_model(_table("deployment_zones"), dict[str, ZonesEntry])
    return MappingProxyType({name: {1: _zone(pair.first), 2: _zone(pair.second)} for name, pair in entries.items()})


def _table(name: str) -> Path:
    return CONTENT / "data" / f"{name}.json"


def _zone(entry: ZoneEntry) -> Zone:
    return Zone(entry.first_col, entry.last_col, entry.first_row, entry.last_row)
