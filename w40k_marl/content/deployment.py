"""Deployment: zones, authored positions, and the check that a random deployment has enough room."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import UNSET, UnsetType

from ..errors import ContentError, did_you_mean
from .reading import shown
from .schemas import ScenarioFile, UnitEntry
from .terrain import Terrain, half_cells
from .types import Hex, Zone

Zones = dict[int, Zone]


def positions(entry: ScenarioFile, terrain: Terrain, zones: Zones | None, file: str) -> list[Hex | None]:
    """Return the authored hex of each unit, or None for each if positions are drawn at reset.

    Raises ContentError for every condition of spec 01 4.3 about positions, and for hexes off the
    board.
    """
    if entry.deployment_type == "random" and zones:
        _check_room(entry, terrain, zones, file)
        return [None] * len(entry.units)
    return _authored(entry, terrain, zones, file)


def deployment_zones(
    entry: ScenarioFile, terrain: Terrain, known: Mapping[str, Mapping[int, Zone]], file: str
) -> Zones | None:
    """Return the zones by player, cut to the board, or None if the scenario has none (spec 01 4.4).

    ``known``: the zones that a scenario may name, by player. Raises ContentError if only one of
    ``deployment_zone`` and ``deployment_type`` is given, or if the zone is unknown or off the
    board.
    """
    if (entry.deployment_zone is UNSET) != (entry.deployment_type is UNSET):
        absent = "deployment_zone" if entry.deployment_zone is UNSET else "deployment_type"
        expected = "deployment_zone and deployment_type together, or neither"
        raise ContentError(file, absent, expected, "nothing: the key is missing")
    if entry.deployment_zone is UNSET:
        return None
    name = entry.deployment_zone
    if name not in known:
        expected = f"a deployment zone: {', '.join(known)}"
        raise ContentError(file, "deployment_zone", expected, f'"{name}"', did_you_mean(name, known))
    return {player: _cut(zone, player, terrain, file) for player, zone in known[name].items()}


def _cut(zone: Zone, player: int, terrain: Terrain, file: str) -> Zone:
    last_col, last_row = min(zone.last_col, terrain.cols - 1), min(zone.last_row, terrain.rows - 1)
    if zone.first_col > last_col or zone.first_row > last_row:
        expected = f"a zone that meets the board of {terrain.cols} columns and {terrain.rows} rows"
        got = f"rows {zone.first_row} to {zone.last_row} for player {player}"
        raise ContentError(file, "deployment_zone", expected, got)
    return Zone(zone.first_col, last_col, zone.first_row, last_row)


def _check_room(entry: ScenarioFile, terrain: Terrain, zones: Zones, file: str) -> None:
    if entry.wall_hexes is UNSET or not entry.wall_hexes:
        got = "nothing: the key is missing" if entry.wall_hexes is UNSET else "an empty list"
        raise ContentError(file, "wall_hexes", "walls, because deployment is random", got)
    for player, zone in zones.items():
        room = sum(cell not in terrain.walls for cell in _cells(zone))
        placed = [index for index, unit in enumerate(entry.units) if unit.player == player]
        if len(placed) > room:
            expected = f"at most {room} units of player {player}, one for each free hex of its zone"
            raise ContentError(file, f"units[{placed[room]}]", expected, f"{len(placed)} units")


def _authored(entry: ScenarioFile, terrain: Terrain, zones: Zones | None, file: str) -> list[Hex | None]:
    taken: dict[Hex, str] = {}
    for index, unit in enumerate(entry.units):
        key = f"units[{index}]"
        cell = (_coordinate(unit.col, file, f"{key}.col"), _coordinate(unit.row, file, f"{key}.row"))
        _check_cell(cell, unit, terrain, zones, file, key)
        if cell in taken:
            raise ContentError(file, key, "a hex of its own", f'{list(cell)}, where unit "{taken[cell]}" stands')
        taken[cell] = str(unit.id)
    return list(taken)


def _check_cell(cell: Hex, unit: UnitEntry, terrain: Terrain, zones: Zones | None, file: str, key: str) -> None:
    got = str(list(cell))
    if not terrain.holds(cell):
        expected = f"a hex of the board of {terrain.cols} columns and {terrain.rows} rows"
        raise ContentError(file, key, expected, got)
    if cell in half_cells(terrain.cols, terrain.rows):
        raise ContentError(file, key, "a whole hex", f"{got}, an odd column of the last row")
    if cell in terrain.walls:
        raise ContentError(file, key, "a hex without a wall", f"{got}, a wall")
    if zones and not _within(cell, zones[unit.player]):
        raise ContentError(file, key, f"a hex of the deployment zone of player {unit.player}", got)


def _coordinate(value: int | float | str | UnsetType, file: str, key: str) -> int:
    """Return a coordinate; fractions are truncated towards zero, text is read as a number (spec 01
    4.2).
    """
    if value is UNSET:
        raise ContentError(file, key, "a number, because deployment is fixed", "nothing: the key is missing")
    try:
        number = float(value)
    except ValueError:
        raise ContentError(file, key, "a number", shown(value)) from None
    except OverflowError:
        raise ContentError(file, key, "a finite number", shown(value)) from None
    if not math.isfinite(number):
        raise ContentError(file, key, "a finite number", shown(value))
    return int(number)


def _cells(zone: Zone) -> list[Hex]:
    cols, rows = range(zone.first_col, zone.last_col + 1), range(zone.first_row, zone.last_row + 1)
    return [(col, row) for col in cols for row in rows]


def _within(cell: Hex, zone: Zone) -> bool:
    return zone.first_col <= cell[0] <= zone.last_col and zone.first_row <= cell[1] <= zone.last_row
