"""One decision of a side: carried out, recorded, and in words.

The record says who chose the unit, what for, which policy acted, what it did and what came of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..env.aec import RawEnv
from ..env.events import Event, detail_id
from ..env.session import Session
from ..errors import ContentError, brief
from ..observe.layout import Layout
from ..rules.intents import INTENTS, OBJECTIVE, detail_kind
from ..rules.state import INTENT_DUE, NOBODY, PHASES, SUMMARY_PHASE, SUMMARY_TURN
from .block_policy import check_layout
from .errors import NotActiveError

WITHOUT_UNIT = ("phase_began", "control_changed", "scored", "game_over")
"""Events that belong to the course of the game, not to a unit."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One step of an activation, as it was carried out: a selection, an intent, its detail, or a micro action."""

    unit: str  # id
    unit_type: str
    player: int
    chosen_by: str  # who chose the unit and the intent: agent key of the super-agent, or "pool order"
    model: str  # agent key of the model that acts for this unit
    action: str  # name: "select_3", "move_aggressive", ...
    events: tuple[Event, ...]  # of the step, in order
    turn: int
    phase: str
    intent: str | None = None  # "focus_kill unit 4", "tempo"; None before it is chosen, and where none are played


def carry_out(env: RawEnv | Session, session: Session, action: int, chosen_by: str, model: str) -> Activation:
    """Take an action of the flat space in ``env``, whose game is ``session``, and record what came of it.

    The unit is the one that the game selects or has active. Raises the errors of ``env.step``.
    """
    if not isinstance(getattr(env, "unwrapped", env), RawEnv | Session):
        raise ContentError("argument", "env", "an environment of w40k_v0, or a Session", brief(env))
    unit = unit_of(session, action)
    summary, layout = session.summary(), session.layout
    number = session.setting.number_of[unit]
    env.step(action)
    known = session.setting.units[number]
    assert known is not None, "only units that exist are legal"
    return Activation(
        unit,
        known.type.name,
        known.player,
        chosen_by,
        model,
        layout.describe_action(action),
        tuple(session.events()),
        summary[SUMMARY_TURN],
        PHASES[summary[SUMMARY_PHASE]],
        None if stage_of(layout, action) == SELECT else intent_in_words(session, number),
    )


SELECT, INTENT, DETAIL, ACT = "select", "intent", "detail", "act"
"""The stages of an activation, in their order; the middle ones only where intents are played."""


def stage_of(layout: Layout, action: int) -> str:
    """To which stage an action of the flat space belongs. Raises ContentError for what is no layout or action."""
    check_layout(layout)
    if isinstance(action, bool) or not isinstance(action, int | np.integer) or not 0 <= action < layout.action_count:
        expected = f"a whole number from 0 to {layout.action_count - 1}"
        raise ContentError("argument", "action", expected, brief(action))
    if action < layout.micro_start:
        return SELECT
    if action < layout.micro_stop:
        return ACT
    return INTENT if action < layout.detail_start else DETAIL


def unit_of(session: Session, action: int) -> str:
    """Id of the unit that an action selects, or that is active and would take it.

    Raises NotActiveError where there is neither, ContentError for what is no session or action.
    """
    if not isinstance(session, Session):
        raise ContentError("argument", "session", "a Session", brief(session))
    if stage_of(session.layout, action) == SELECT:
        return session.id_of(session.acting_side * session.layout.units_per_side + action)
    unit = session.active_unit
    if unit is None:
        raise NotActiveError(f"action: expected a selection, no activation is open, got {action}")
    return unit


def intent_in_words(session: Session, number: int) -> str | None:
    """The standing intent of the side of unit ``number``: ``hold_objective objective 3``, ``tempo``, or None."""
    game, side = session.games[0], number // session.layout.units_per_side
    intent, detail = int(game.intent[side]), int(game.intent_detail[side])
    if not session.layout.intents or intent == NOBODY or game.intent_stage == INTENT_DUE:
        return None
    if detail == NOBODY:
        return INTENTS[intent]
    kind = "objective" if detail_kind(intent) == OBJECTIVE else "unit"
    return f"{INTENTS[intent]} {kind} {detail_id(session.setting, number, intent, detail)}"


def describe_activation(activation: Activation) -> str:
    """One line: ``turn 1, move: unit=8 (Hormagaunt) chosen by pool order, model=..., action=wait: waited``."""
    intent = f", intent={activation.intent}" if activation.intent else ""
    return (
        f"turn {activation.turn}, {activation.phase}: unit={activation.unit} ({activation.unit_type}) "
        f"chosen by {activation.chosen_by}{intent}, model={activation.model}, action={activation.action}: "
        f"{describe_result(activation)}"
    )


def describe_result(activation: Activation) -> str:
    """What the step did to units; attacks are added up by target."""
    said = dict.fromkeys(_parts(activation))  # each once
    if not said and activation.action.startswith("intent_"):
        return "its detail is due"
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
            count = "1 attack" if attacks[target] == 1 else f"{attacks[target]} attacks"
            yield f"{count} on unit {target}, {damage[target]} damage"
        elif name not in WITHOUT_UNIT:
            yield _in_words(event, activation.unit)


def _in_words(event: Event, unit: str) -> str:
    """An event of a unit; which one only where it is not the one that acts."""
    words = str(event["event"]).replace("_", " ")
    if event["unit"] != unit:
        words = f"unit {event['unit']} {words}"
    if event.get("intent"):
        words = f"intended {event['intent']} {event['detail']}".rstrip()
    if "target" in event:
        words += f", target unit {event['target']}"
    if "from_hex" in event:
        words += f", {event['from_hex']} to {event['to_hex']}"
    return f"{words}, rolled {event['roll']}" if "roll" in event else words
