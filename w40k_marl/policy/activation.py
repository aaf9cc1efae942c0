"""One decision of a side in words: who chose the unit, which policy acted, what it did and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..env.events import Event

WITHOUT_UNIT = ("phase_began", "control_changed", "scored", "game_over")
"""Events that belong to the course of the game, not to a unit."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One step of an activation, as it was carried out: a selection, or an action of the unit."""

    unit: str  # id
    unit_type: str
    player: int
    chosen_by: str  # agent key of the super-agent, or "pool order"
    model: str  # agent key of the model that acts for this unit
    action: str  # name: "select_3", "move_aggressive", ...
    events: tuple[Event, ...]  # of the step, in order
    turn: int
    phase: str
    intent: str | None = None


def describe_activation(activation: Activation) -> str:
    """One line: ``turn 1, move: unit=8 (Hormagaunt) chosen by pool order, model=..., action=wait: waited``."""
    intent = f", intent={activation.intent}" if activation.intent else ""
    return (
        f"turn {activation.turn}, {activation.phase}: unit={activation.unit} ({activation.unit_type}) "
        f"chosen by {activation.chosen_by}{intent}, model={activation.model}, action={activation.action}: "
        f"{_result(activation)}"
    )


def _result(activation: Activation) -> str:
    """What the step did to units; attacks are added up by target."""
    said = dict.fromkeys(_parts(activation))  # each once
    return "; ".join(said) or "nothing"


def _parts(activation: Activation) -> Iterator[str]:
    attacks, damage = Counter[str](), Counter[str]()
    for event in activation.events:
        if event["event"] == "attacked":
            attacks[str(event["target"])] += 1
            damage[str(event["target"])] += int(str(event["damage"]))
    for event in activation.events:
        name = event["event"]
        if name == "attacked":
            target = str(event["target"])
            yield f"{attacks[target]} attacks on unit {target}, {damage[target]} damage"
        elif name not in WITHOUT_UNIT:
            yield _in_words(event, activation.unit)


def _in_words(event: Event, unit: str) -> str:
    """An event of a unit; which one only where it is not the one that acts."""
    words = str(event["event"]).replace("_", " ")
    if event["unit"] != unit:
        words = f"unit {event['unit']} {words}"
    if "target" in event:
        words += f", target unit {event['target']}"
    if "from_hex" in event:
        words += f", {event['from_hex']} to {event['to_hex']}"
    return f"{words}, rolled {event['roll']}" if "roll" in event else words
