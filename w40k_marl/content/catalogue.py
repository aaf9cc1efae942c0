"""Tables of weapons, unit types, scoring and deployment zones: the shipped ones, and those in the
user's folders.

The shipped tables are read once per process. All returned tables are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from ..errors import ContentError
from . import builders
from .files import TOP, is_file, is_folder, read_file
from .paths import CONTENT
from .reading import as_model, parse_json, read_model
from .schemas import BoardEntry, ScoringEntry, UnitTypeEntry, WeaponEntry, ZonesEntry
from .types import Scoring, UnitType, Weapon, Zone

TABLES = ("weapons", "unit_types", "scoring", "deployment_zones")
"""Names of the tables of a catalogue; the file of each is ``<name>.json``."""

Table: TypeAlias = tuple[Path, bytes]
"""The file of a table and its content; the file name identifies the table."""

SHIPPED = CONTENT / "data"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that a scenario may refer to by name."""

    weapons: Mapping[str, Weapon] = field(default_factory=dict)  # by code
    unit_types: Mapping[str, UnitType] = field(default_factory=dict)  # by name
    scoring: Mapping[str, Scoring] = field(default_factory=dict)  # by id
    zones: Mapping[str, Mapping[int, Zone]] = field(default_factory=dict)  # by name, then by player


@cache
def shipped_catalogue() -> Catalogue:
    """Return the shipped tables (spec 01 sections 4.4, 6, 9 and 10).

    Raises ContentError if a table is invalid.
    """
    return add_tables(Catalogue(), read_tables(SHIPPED))


def load_catalogue(*folders: str | Path) -> Catalogue:
    """Return the shipped tables and those of ``folders``; for equal names, the last folder has
    priority.

    Raises ContentError if a folder contains no table, or if a table or an entry is invalid.
    """
    catalogue = shipped_catalogue()
    for folder in folders:
        catalogue = add_tables(catalogue, read_tables(Path(folder)))
    return catalogue


def read_tables(folder: Path) -> tuple[Table, ...]:
    """Read the tables in a folder, without parsing them. Raises ContentError if there is none."""
    if not is_folder(folder):
        raise ContentError(str(folder), TOP, "a folder with tables of a catalogue", "no such folder")
    files = [file for name in TABLES if is_file(file := folder / f"{name}.json")]
    if not files:
        names = ", ".join(f"{name}.json" for name in TABLES)
        raise ContentError(str(folder), TOP, f"at least one of the tables {names}", "none of them")
    return tuple((file, read_file(file)) for file in files)


def add_tables(catalogue: Catalogue, tables: Sequence[Table]) -> Catalogue:
    """Return a catalogue with the entries of one folder's tables added; they replace equal names.

    Unit types may use weapons of both. Raises ContentError if a table or an entry is invalid.
    """
    found = {path.stem: (path, parse_json(content, str(path))) for path, content in tables}
    weapons, types = dict(catalogue.weapons), dict(catalogue.unit_types)
    scoring, zones = dict(catalogue.scoring), dict(catalogue.zones)
    if "weapons" in found:
        path, data = found["weapons"]
        for code, weapon in as_model(data, dict[str, WeaponEntry], str(path)).items():
            weapons[code] = builders.weapon(code, weapon, str(path), code)
    if "unit_types" in found:
        path, data = found["unit_types"]
        for name, kind in as_model(data, dict[str, UnitTypeEntry], str(path)).items():
            types[name] = builders.unit_type(name, kind, weapons, str(path), name)
    if "scoring" in found:
        path, data = found["scoring"]
        scoring.update({one.id: builders.scoring(one) for one in as_model(data, list[ScoringEntry], str(path))})
    if "deployment_zones" in found:
        path, data = found["deployment_zones"]
        for name, pair in as_model(data, dict[str, ZonesEntry], str(path)).items():
            zones[name] = MappingProxyType({1: pair.first, 2: pair.second})
    return Catalogue(
        MappingProxyType(weapons), MappingProxyType(types), MappingProxyType(scoring), MappingProxyType(zones)
    )


def load_weapons() -> Mapping[str, Weapon]:
    """Return the shipped weapons by code (spec 01 section 10). Raises ContentError if a table is
    invalid.
    """
    return shipped_catalogue().weapons


def load_unit_types() -> Mapping[str, UnitType]:
    """Return the shipped unit types by name (spec 01 section 9).

    Raises ContentError if a table is invalid.
    """
    return shipped_catalogue().unit_types


def load_scoring() -> Mapping[str, Scoring]:
    """Return the shipped scoring configurations by id (spec 01 section 6).

    Raises ContentError if a table is invalid.
    """
    return shipped_catalogue().scoring


def load_zones() -> Mapping[str, Mapping[int, Zone]]:
    """Return the shipped zones by name, then by player (spec 01 4.4).

    Raises ContentError if a table is invalid.
    """
    return shipped_catalogue().zones


@cache
def load_board() -> BoardEntry:
    """Return the default board (spec 01 sections 3 and 5). Raises ContentError if its table is
    invalid.
    """
    return read_model(SHIPPED / "boards.json", dict[str, BoardEntry])["default"]
