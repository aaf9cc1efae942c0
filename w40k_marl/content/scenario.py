"""Loads scenarios: finds the file, checks it, and returns it as one complete ``Scenario``.

Everything that a scenario names (types, weapons, scoring) is resolved here, so that the rules never look
anything up by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import UNSET

from ..errors import ContentError, did_you_mean
from . import profiles
from .catalogue import load_scoring, load_unit_types, load_weapons
from .definitions import Hex, Scenario, Scoring, Unit, UnitType
from .deployment import deployment_zones, positions
from .models import ScenarioFile
from .paths import find_data, list_data
from .reading import as_model, read_json
from .terrain import build_terrain


def list_scenarios() -> list[str]:
    """Return the names of the shipped scenarios, sorted."""
    return list_data("scenarios")


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Load a shipped scenario by its name, or any scenario file by its path.

    Text that ends in ``.json`` or holds a folder separator is a path. Raises ContentError for an unknown name
    and for every condition of spec 01 4.3.
    """
    path = scenario_path(name_or_path)
    return build_scenario(read_json(path), name=path.stem, file=str(path))


def scenario_path(name_or_path: str | Path) -> Path:
    """Return the file that ``load_scenario`` would read. Raises ContentError for an unknown name."""
    if isinstance(name_or_path, Path) or name_or_path.endswith(".json") or {"/", "\\"} & set(name_or_path):
        return Path(name_or_path)
    return find_data("scenarios", name_or_path)


def build_scenario(data: object, *, name: str, file: str = "(scenario)") -> Scenario:
    """Return the scenario of decoded JSON: an object, or the bare list of units (spec 01 4.1).

    ``file`` is the name that errors carry. Raises ContentError as ``load_scenario`` does.
    """
    entry = as_model({"units": data} if isinstance(data, list) else data, ScenarioFile, file)
    terrain = build_terrain(entry, file)
    zones = deployment_zones(entry, terrain, file)
    return Scenario(
        name=name,
        cols=terrain.cols,
        rows=terrain.rows,
        walls=terrain.walls,
        objectives=terrain.objectives,
        scoring=_scoring(entry, file),
        zones=zones,
        random_deployment=entry.deployment_type == "random",
        units=_units(entry, positions(entry, terrain, zones, file), file),
    )


def _units(entry: ScenarioFile, places: list[Hex | None], file: str) -> tuple[Unit, ...]:
    types = _unit_types(entry, file)
    found: dict[str, Unit] = {}
    for index, (unit, place) in enumerate(zip(entry.units, places, strict=True)):
        identity = str(unit.id)
        if identity in found:
            raise ContentError(file, f"units[{index}].id", "an id of its own", f'"{identity}" again')
        kind = profiles.pick(types, unit.unit_type, file, f"units[{index}].unit_type")
        found[identity] = Unit(identity, kind, unit.player, place)
    return tuple(found.values())


def _unit_types(entry: ScenarioFile, file: str) -> Mapping[str, UnitType]:
    """Return the catalogue's types and the scenario's own; where names are equal, its own."""
    weapons = dict(load_weapons())
    for code, weapon in entry.custom_weapons.items():
        weapons[code] = profiles.weapon(code, weapon, file, f"custom_weapons.{code}")
    catalogue = load_unit_types()
    types = dict(catalogue)
    for name, custom in entry.custom_unit_types.items():
        key = f"custom_unit_types.{name}"
        base = profiles.pick(catalogue, custom.based_on, file, f"{key}.based_on")
        types[name] = profiles.custom_unit_type(name, custom, base, weapons, file, key)
    return types


def _scoring(entry: ScenarioFile, file: str) -> tuple[Scoring, ...]:
    known = dict(load_scoring())
    known.update({config.id: profiles.scoring(config) for config in entry.primary_objective_configs})
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
    expected = f"the id of a primary objective, such as {next(iter(load_scoring()))}"
    raise ContentError(file, "primary_objectives", expected, "nothing: the key is missing")
