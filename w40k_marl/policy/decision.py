"""Decisions of a side: ``carry_out`` takes one and records it,
``describe_decision`` describes it.
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
"""Events of the game that have no unit."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A step of an activation that was carried out: a selection, an
    intent, its detail or a micro action.
    """

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


def carry_out(env: RawEnv | Session, session: Session, action: int, chosen_by: str, model: str) -> Decision:
    """Take a flat action in ``env``, whose game is ``session``, and return the record of it.

    The unit is the selected or active one of the game. Raises ContentError if ``env`` is not a
    single game or ``action`` not an action of its layout, NotActiveError if no activation is open
    and ``action`` is not a selection, and an ActionError if the action is illegal.
    """
    if not isinstance(getattr(env, "unwrapped", env), RawEnv | Session):
        raise ContentError("argument", "env", "an environment of w40k_v0, or a Session", brief(env))
    unit = unit_of(session, action)
    summary, layout = session.summary(), session.layout
    number = session.setting.number_of[unit]
    env.step(action)
    known = session.setting.units[number]
    assert known is not None, "only units that exist are legal"
    return Decision(
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
    """Return the stage of a flat action. Raises ContentError if an
    argument has another type or range.
    """
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
    """Return the id of the unit that an action selects, or of the active unit, which would take it.

    Raises NotActiveError if there is neither, ContentError if an
    argument has another type or range.
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
    """Describe the intent of the side of unit ``number``, such as ``hold_objective objective 3``.

    Returns None before an intent is chosen and for layouts without intents.
    """
    game, side = session.games[0], number // session.layout.units_per_side
    intent, detail = int(game.intent[side]), int(game.intent_detail[side])
    if not session.layout.intents or intent == NOBODY or game.intent_stage == INTENT_DUE:
        return None
    if detail == NOBODY:
        return INTENTS[intent]
    target = "objective" if detail_kind(intent) == OBJECTIVE else "unit"
    return f"{INTENTS[intent]} {target} {detail_id(session.setting, number, intent, detail)}"


def describe_decision(decision: Decision) -> str:
    """Return one line:
    ``turn 1, move: unit=8 (Hormagaunt) chosen by pool order, model=..., action=wait: waited``.
    """
    intent = f", intent={decision.intent}" if decision.intent else ""
    return (
        f"turn {decision.turn}, {decision.phase}: unit={decision.unit} ({decision.unit_type}) "
        f"chosen by {decision.chosen_by}{intent}, model={decision.model}, action={decision.action}: "
        f"{describe_result(decision)}"
    )


def describe_result(decision: Decision) -> str:
    """Describe the effects of a decision on units; attacks are added up by target."""
    said = dict.fromkeys(_parts(decision))  # each once
    if not said and decision.action.startswith("intent_"):
        return "its detail is due"
    return "; ".join(said) or "nothing"


def _parts(decision: Decision) -> Iterator[str]:
    attacks, damage = Counter[str](), Counter[str]()
    for event in decision.events:
        if event["event"] == "attacked":
            attacks[str(event["target"])] += 1
            damage[str(event["target"])] += int(str(event["damage"]))
    for event in decision.events:
        name = event["event"]
        if name == "attacked":
            target = str(event["target"])
            count = "1 attack" if attacks[target] == 1 else f"{attacks[target]} attacks"
            yield f"{count} on unit {target}, {damage[target]} damage"
        elif name not in WITHOUT_UNIT:
            yield _in_words(event, decision.unit)


def _in_words(event: Event, unit: str) -> str:
    """Describe an event; it names the unit if that is not the acting one."""
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
