"""Loads scenarios: finds the file, checks it, and returns it as one complete ``Scenario``.

This module resolves everything that a scenario names (types, weapons, scoring), so the rules need
no look-up by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from ..errors import ContentError, did_you_mean
from . import builders
from .catalogue import Catalogue, Table, add_tables, read_tables, shipped_catalogue
from .deployment import deployment_zones, positions
from .files import TOP, is_file, read_file
from .paths import find_data, list_data
from .reading import as_model, parse_json, unreadable
from .schemas import ScenarioFile
from .terrain import build_terrain
from .types import Hex, Scenario, Scoring, Unit, UnitType


@dataclass(frozen=True, slots=True)
class ScenarioSource:
    """The content of a scenario's files, each read once; equal sources give equal scenarios."""

    path: Path
    content: bytes
    catalogues: tuple[tuple[Table, ...], ...] = ()  # the tables of each folder that the scenario names


def list_scenarios() -> list[str]:
    """Return the names of the shipped scenarios, sorted."""
    return list_data("scenarios")


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Load a shipped scenario by its name, or any scenario file by its path.

    Text that ends in ``.json`` or contains a folder separator is a path. Raises ContentError if the
    name is unknown, and for every condition of spec 01 4.3.
    """
    return scenario_of(read_scenario(name_or_path))


def read_scenario(name_or_path: str | Path) -> ScenarioSource:
    """Read the file of a scenario and the catalogues that it names.

    Raises ContentError if one of them cannot be read.
    """
    path = scenario_path(name_or_path)
    content = read_file(path)
    if b"catalogue" not in content and b"\\u" not in content:  # no key of this name, not even with escapes
        return ScenarioSource(path, content)
    data = parse_json(content, str(path))
    named = data.get("catalogue", []) if isinstance(data, dict) else []
    folders = _folders([named] if isinstance(named, str) else named, path)
    return ScenarioSource(path, content, tuple(read_tables(folder) for folder in folders))


def scenario_of(source: ScenarioSource) -> Scenario:
    """Return the scenario of a source.

    Raises ContentError for every condition of spec 01 4.3.
    """
    catalogue = shipped_catalogue()
    for tables in source.catalogues:
        catalogue = add_tables(catalogue, tables)
    file = str(source.path)
    if character := unreadable(source.path.stem):  # it is the displayed name of the scenario
        raise ContentError(file, TOP, "a file name without control characters", character)
    entry = _entry(parse_json(source.content, file), file)
    return _build(entry, source.path.stem, file, catalogue)


def scenario_path(name_or_path: str | Path) -> Path:
    """Return the file that ``load_scenario`` would read. Raises ContentError if the name is
    unknown.
    """
    if not isinstance(name_or_path, str | Path):
        raise ContentError("argument", "scenario", "a name or a path", repr(name_or_path))
    if isinstance(name_or_path, Path) or name_or_path.endswith(".json") or {"/", "\\"} & set(name_or_path):
        return Path(name_or_path)
    return find_data("scenarios", name_or_path)


def build_scenario(data: object, *, name: str, file: str = "(scenario)") -> Scenario:
    """Return the scenario of decoded JSON: an object, or the bare list of units (spec 01 4.1).

    ``file`` is the file name in errors; catalogue paths are relative to its folder. Raises
    ContentError for every condition of spec 01 4.3.
    """
    entry = _entry(data, file)
    catalogue = shipped_catalogue()
    if entry.catalogue is not UNSET:
        named = [entry.catalogue] if isinstance(entry.catalogue, str) else entry.catalogue
        for folder in _folders(named, Path(file)):
            catalogue = add_tables(catalogue, read_tables(folder))
    return _build(entry, name, file, catalogue)


def _entry(data: object, file: str) -> ScenarioFile:
    return as_model({"units": data} if isinstance(data, list) else data, ScenarioFile, file)


def _folders(named: object, path: Path) -> list[Path]:
    """Return the catalogue folders, relative to the scenario's folder; for a pipe, to the current
    folder.
    """
    base = path.parent if is_file(path) and not path.is_fifo() else Path()
    return [base / name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def _build(entry: ScenarioFile, name: str, file: str, catalogue: Catalogue) -> Scenario:
    terrain = build_terrain(entry, file)
    zones = deployment_zones(entry, terrain, catalogue.zones, file)
    return Scenario(
        name=name,
        cols=terrain.cols,
        rows=terrain.rows,
        walls=terrain.walls,
        objectives=terrain.objectives,
        scoring=_scoring(entry, catalogue.scoring, file),
        zones=zones,
        random_deployment=entry.deployment_type == "random",
        units=_units(entry, positions(entry, terrain, zones, file), catalogue, file),
    )


def _units(entry: ScenarioFile, places: list[Hex | None], catalogue: Catalogue, file: str) -> tuple[Unit, ...]:
    types = _unit_types(entry, catalogue, file)
    found: dict[str, Unit] = {}
    for index, (unit, place) in enumerate(zip(entry.units, places, strict=True)):
        identity = str(unit.id)
        if identity in found:
            raise ContentError(file, f"units[{index}].id", "an id of its own", f'"{identity}" again')
        kind = builders.pick(types, unit.unit_type, file, f"units[{index}].unit_type")
        found[identity] = Unit(identity, kind, unit.player, place)
    return tuple(found.values())


def _unit_types(entry: ScenarioFile, catalogue: Catalogue, file: str) -> Mapping[str, UnitType]:
    """Return the types of the catalogue and of the scenario; for equal names, the scenario has
    priority.
    """
    weapons = dict(catalogue.weapons)
    for code, weapon in entry.custom_weapons.items():
        weapons[code] = builders.weapon(code, weapon, file, f"custom_weapons.{code}")
    types = dict(catalogue.unit_types)
    for name, custom in entry.custom_unit_types.items():
        key = f"custom_unit_types.{name}"
        base = builders.pick(catalogue.unit_types, custom.based_on, file, f"{key}.based_on")
        types[name] = builders.custom_unit_type(name, custom, base, weapons, file, key)
    return types


def _scoring(entry: ScenarioFile, configs: Mapping[str, Scoring], file: str) -> tuple[Scoring, ...]:
    known = dict(configs)
    known.update({config.id: builders.scoring(config) for config in entry.primary_objective_configs})
    key, ids = _primary_objectives(entry, file)
    found: dict[str, Scoring] = {}
    for identity in ids:
        if identity not in known:
            expected = f"a primary objective: {', '.join(known)}"
            raise ContentError(file, key, expected, f'"{identity}"', did_you_mean(identity, known))
        if identity in found:
            raise ContentError(file, key, "each primary objective once", f'"{identity}" again')
        found[identity] = known[identity]
    methods = sorted({scoring.control_method for scoring in found.values()})
    if len(methods) > 1:
        raise ContentError(file, key, "primary objectives of one control_method", " and ".join(methods))
    return tuple(found.values())


def _primary_objectives(entry: ScenarioFile, file: str) -> tuple[str, list[str]]:
    if entry.primary_objectives is not UNSET:
        named = entry.primary_objectives
        ids = [named] if isinstance(named, str) else named
        if not ids:
            raise ContentError(file, "primary_objectives", "at least one primary objective", "an empty list")
        return "primary_objectives", ids
    if entry.primary_objective is not UNSET:
        return "primary_objective", [entry.primary_objective]
    expected = f"the id of a primary objective, such as {next(iter(shipped_catalogue().scoring))}"
    raise ContentError(file, "primary_objectives", expected, "nothing: the key is missing")
