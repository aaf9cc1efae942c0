"""Checks that event rows from outside refer only to units, hexes and weapons of the scenario.

Only such rows can be described in text.
"""

from __future__ import annotations

import numpy as np

from ..compiler.decorators import compiled
from .board import Board, columns
from .events import FIELDS
from .intents import INTENT_COUNT, detail_count
from .state import EVENT_FIELDS, FIGHT, MAX_WEAPONS, NOBODY, WIN_METHODS, Events, Game, World
from .units import side_of, slot_of

(_EMPTY, _UNIT, _HEX, _WEAPON, _OBJECTIVE, _PLAYER, _HOLDER, _TURN, _PHASE, _METHOD, _INTENT, _DETAIL, _NUMBER) = range(
    13
)

_CONTENTS = {
    "": _EMPTY,
    "unit": _UNIT,
    "target": _UNIT,
    "by": _UNIT,
    "from_hex": _HEX,
    "to_hex": _HEX,
    "weapon": _WEAPON,
    "objective": _OBJECTIVE,
    "player": _PLAYER,
    "controller": _HOLDER,
    "before": _HOLDER,
    "winner": _HOLDER,
    "turn": _TURN,
    "phase": _PHASE,
    "method": _METHOD,
    "intent": _INTENT,
    "detail": _DETAIL,
}
"""Content of a column by its name; all other columns contain a number from 0."""


def _columns_by_kind() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return the content of each column for each kind of event, from ``events.FIELDS``."""
    table = np.full((len(FIELDS) + 1, EVENT_FIELDS), _EMPTY, dtype=np.int64)
    for kind, (_, *names) in FIELDS.items():
        table[kind, 1 : 1 + len(names)] = [_CONTENTS.get(name, _NUMBER) for name in names]
    return table


_COLUMNS = _columns_by_kind()


@compiled
def rows_can_be_read(world: World, board: Board, game: Game) -> bool:
    """Return True if every event of the last step has a known kind and valid columns."""
    for index in range(game.event_count):
        event = game.events[index]
        kind = int(event[0])
        if not 1 <= kind < _COLUMNS.shape[0]:
            return False
        for column in range(1, EVENT_FIELDS):
            if not _column_fits(world, board, game, event, _COLUMNS[kind, column], int(event[column])):
                return False
    return True


@compiled
def _column_fits(world: World, board: Board, game: Game, event: Events, content: int, value: int) -> bool:
    """Return True if a value is valid for the content of its column.

    The unit is the first column that is checked, so later checks may use ``event[1]`` as an index.
    """
    if content == _WEAPON:
        return _is_weapon(world, int(event[1]), value)
    least, most = 0, 0
    if content == _UNIT:
        return 0 <= value < 2 * world.units_per_side and slot_of(world, value) < world.unit_count[side_of(world, value)]
    if content == _HEX:
        return 0 <= value < 64 * columns(board) and (value & 63) < world.rows
    if content == _NUMBER:
        return value >= 0
    if content == _OBJECTIVE:
        most = int(world.objective_count) - 1
    elif content == _PLAYER:
        least, most = 1, 2
    elif content == _HOLDER:
        most = 2
    elif content == _TURN:
        least, most = 1, int(world.max_turns)
    elif content == _PHASE:
        most = FIGHT
    elif content == _METHOD:
        most = len(WIN_METHODS) - 1
    elif content == _INTENT:
        most = INTENT_COUNT - 1
    elif content == _DETAIL:
        least, most = NOBODY, detail_count(world, game) - 1
    return least <= value <= most


@compiled
def _is_weapon(world: World, unit: int, weapon: int) -> bool:
    """Return True if the unit has the weapon, given as its slot, plus ``MAX_WEAPONS`` for melee
    weapons.
    """
    if not 0 <= weapon < 2 * MAX_WEAPONS:
        return False
    return bool(weapon % MAX_WEAPONS < world.weapon_count[unit, weapon // MAX_WEAPONS])
