"""The events of a step, as rows of small integers: ``event_type, unit, other, a, b, c, d, e``.

The columns after ``event_type`` mean what ``FIELDS`` says for that type; unused ones are 0. The buffer of a game
holds the events of its last step; ``events_lost`` counts those beyond its size.
"""

from __future__ import annotations

from ..compiler.decorators import compiled
from .state import MAX_EVENTS, Game

MOST_LOST = 2**15 - 1
"""Largest value of ``events_lost``: the maximum of its int16."""

(
    SELECTED,
    MOVED,
    WAITED,
    NO_DESTINATION,
    ADVANCED,
    ADVANCE_BLOCKED,
    CHARGED,
    CHARGE_FAILED,
    ATTACKED,
    DIED,
    PASSED,
    STOPPED_SHOOTING,
    PHASE_BEGAN,
    CONTROL_CHANGED,
    SCORED,
    GAME_OVER,
    REROLLED,
    HAZARD_ROLLED,
    INTENDED,
) = range(1, 20)

FIELDS: dict[int, tuple[str, ...]] = {
    SELECTED: ("selected", "unit"),
    MOVED: ("moved", "unit", "", "from_hex", "to_hex", "fled"),
    WAITED: ("waited", "unit"),
    NO_DESTINATION: ("no_destination", "unit"),
    ADVANCED: ("advanced", "unit", "", "from_hex", "to_hex", "roll"),
    ADVANCE_BLOCKED: ("advance_blocked", "unit", "", "roll"),
    CHARGED: ("charged", "unit", "target", "from_hex", "to_hex", "roll"),
    CHARGE_FAILED: ("charge_failed", "unit", "target", "roll"),
    ATTACKED: ("attacked", "unit", "target", "weapon", "hit_roll", "wound_roll", "save_roll", "damage"),
    DIED: ("died", "unit", "by"),
    PASSED: ("passed", "unit"),
    STOPPED_SHOOTING: ("stopped_shooting", "unit", "", "shots_left"),
    PHASE_BEGAN: ("phase_began", "", "", "turn", "player", "phase"),
    CONTROL_CHANGED: ("control_changed", "", "", "objective", "controller", "before"),
    SCORED: ("scored", "", "", "player", "points", "turn"),
    GAME_OVER: ("game_over", "", "", "winner", "method"),
    INTENDED: ("intended", "unit", "", "intent", "detail"),
    REROLLED: ("rerolled", "unit", "target", "weapon", "wound_roll"),
    HAZARD_ROLLED: ("hazard_rolled", "unit", "", "weapon", "roll", "damage"),
}
"""For each event type its name, then the names of its columns; ``""`` for a column without meaning.

A roll of 0 was not made. ``rerolled`` records a failed wound roll; it precedes the event of its
attack. ``weapon`` is the slot, plus ``state.MAX_WEAPONS`` for melee weapons. Hexes are
``column * 64 + row``.
"""


@compiled
def record(
    game: Game,
    event_type: int,
    unit: int = 0,
    other: int = 0,
    a: int = 0,
    b: int = 0,
    c: int = 0,
    d: int = 0,
    e: int = 0,
) -> None:
    """Append an event to the buffer of the game; the columns that ``FIELDS`` leaves empty stay 0."""
    index = int(game.event_count)
    if index >= MAX_EVENTS:
        game.events_lost = min(int(game.events_lost) + 1, MOST_LOST)
        return
    event = game.events[index]
    event[0], event[1], event[2] = event_type, unit, other
    event[3], event[4], event[5], event[6], event[7] = a, b, c, d, e
    game.event_count = index + 1


@compiled
def clear(game: Game) -> None:
    """Remove the events of the last step."""
    game.event_count = 0
    game.events_lost = 0
