"""Converts the event rows of ``rules.events`` to dictionaries with ids, codes and names."""

from __future__ import annotations

from typing import TypeAlias

from ..content.world import Setting
from ..rules.events import FIELDS
from ..rules.intents import ALLY, ENEMY, INTENTS, OBJECTIVE, detail_kind
from ..rules.state import MAX_WEAPONS, PHASES, WIN_METHODS

Event: TypeAlias = dict[str, "int | str | tuple[int, int]"]
"""``{"event": "moved", "unit": "7", "from_hex": (15, 8), ...}``"""


def describe_event(setting: Setting, row: list[int]) -> Event:
    """Return an event of a game as a dictionary; ``row`` has the columns of ``rules.events``."""
    name, *fields = FIELDS[row[0]]
    event: Event = {"event": name}
    for field, value in zip(fields, row[1:], strict=False):
        if field:
            event[field] = _in_words(setting, field, value, row)
    return event


def _in_words(setting: Setting, field: str, value: int, row: list[int]) -> int | str | tuple[int, int]:
    if field in ("unit", "target", "by"):
        return _unit_id(setting, value)
    if field in ("from_hex", "to_hex"):
        return value >> 6, value & 63
    if field == "weapon":
        unit = setting.units[row[1]]
        assert unit is not None, "only units that exist attack"
        return (unit.type.ranged if value < MAX_WEAPONS else unit.type.melee)[value % MAX_WEAPONS].code
    if field == "phase":
        return PHASES[value]
    if field == "intent":
        return INTENTS[value]
    if field == "detail":
        return detail_id(setting, row[1], row[3], value)
    if field == "objective":
        return setting.scenario.objectives[value].id
    return WIN_METHODS[value] if field == "method" else value


def detail_id(setting: Setting, unit: int, intent: int, detail: int) -> str:
    """Return the id of the objective or unit that an intent's detail names; ``""`` if there is
    none.
    """
    kind, units = detail_kind(intent), len(setting.units) // 2
    if kind == OBJECTIVE and detail < len(setting.scenario.objectives):
        return setting.scenario.objectives[detail].id
    if kind in (ALLY, ENEMY) and detail < units:
        side = unit // units if kind == ALLY else 1 - unit // units
        named = setting.units[side * units + detail]
        return "" if named is None else named.id
    return ""


def _unit_id(setting: Setting, number: int) -> str:
    unit = setting.units[number]
    assert unit is not None, "events name units that exist"
    return unit.id
