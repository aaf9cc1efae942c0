"""The choices of a person, by name and number, and the choice that an answer selects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...env.events import detail_id
from ...env.session import Session
from ...errors import W40KError, did_you_mean
from ...policy.decision import ACT, DETAIL, INTENT, SELECT, stage_of
from ...rules.actions import FIRST_TARGET, TARGET_SLOTS, WAIT
from ...rules.intents import DETAILS, INTENTS, OBJECTIVE, TEMPO, detail_kind
from ...rules.state import CHARGE, FIGHT, SUMMARY_PHASE

LONGEST_SHOWN = 80
NOBODY_HOLDS = ("nobody's", "player 1's", "player 2's")
MEANING = {
    "move_aggressive": "as near to the enemy as possible",
    "move_tactical": "where most enemies are within range",
    "move_defensive": "as far from the enemy as possible",
    "move_random": "to a hex drawn by dice",
    "charge": "the nearest enemy that can be charged",
    "fight": "the first enemy in contact",
    "wait": "end the activation, with what it has done so far",
    "advance": "by a die towards the nearest enemy",
}
QUESTIONS = {SELECT: "which unit is to act", INTENT: "what for", DETAIL: "which one", ACT: "what is it to do"}


class NotAChoiceError(W40KError):
    """Raised if an answer selects no choice, or several."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One legal action, as it is shown."""

    action: int  # of the flat space
    number: str  # to be typed; units and objectives have their ids
    name: str
    about: str
    other_names: tuple[str, ...]


def question(session: Session) -> str:
    """Return the question to a player:
    ``turn 1, phase move, player 1 to act, unit 3: what is it to do?``.
    """
    return f"{session.where()}: {QUESTIONS[_stage(session)]}?"


def legal_choices(session: Session) -> list[Choice]:
    """Return every legal action of the player to act, in the order of the action space."""
    offered = [_offer(session, action) for action in session.legal_actions()]
    ids = [name.rpartition(" ")[2] for _, name, _, _ in offered]
    keep = _stage(session) in (SELECT, DETAIL) and all(text.isdecimal() for text in ids)
    return [
        Choice(action, ids[index] if keep else str(index + 1), name, about, others)
        for index, (action, name, about, others) in enumerate(offered)
    ]


def find_choice(choices: Sequence[Choice], answer: str) -> Choice:
    """Return the choice of a number, a name, or an unambiguous beginning of a name. Raises
    NotAChoiceError if none fits.
    """
    wanted, shown = _plain(answer), answer if len(answer) <= LONGEST_SHOWN else f"{answer[:LONGEST_SHOWN]}..."
    for exact in (lambda choice: choice.number == answer.strip(), lambda choice: wanted in _names(choice)):
        found = [choice for choice in choices if exact(choice)]
        if len(found) == 1:
            return found[0]
    found = [choice for choice in choices if any(name.startswith(wanted) for name in _names(choice))]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotAChoiceError(f'"{shown}" may be {", ".join(choice.name for choice in found)}')
    hint = did_you_mean(shown, [choice.name for choice in choices])
    raise NotAChoiceError(f'"{shown}" is none of the choices' + (f"; {hint}" if hint else ""))


def waiting_action(session: Session) -> int | None:
    """Return the next flat action of a side whose units are all to wait; None in the fight phase.

    It selects the first unit of the pool, gives it the intent ``tempo`` in layouts with intents,
    and ends its activation. Waiting is impossible in the fight phase: a unit in contact fights.
    """
    if session.summary()[SUMMARY_PHASE] == FIGHT:
        return None
    legal, layout = session.legal_actions(), session.layout
    preferred = (layout.micro_start + WAIT, layout.micro_stop + TEMPO)
    return next((action for action in preferred if action in legal), legal[0])


def lines(choices: Sequence[Choice]) -> Iterator[str]:
    """Yield the lines of the list of choices."""
    widest = max(len(choice.name) for choice in choices)
    wide = max(len(choice.number) for choice in choices)
    for choice in choices:
        yield f"  {choice.number:>{wide}}  {choice.name:{widest}}  {choice.about}".rstrip()


def _stage(session: Session) -> str:
    return stage_of(session.layout, session.legal_actions()[0])


def _names(choice: Choice) -> list[str]:
    return [_plain(name) for name in (choice.name, *choice.other_names)]


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split())


def _offer(session: Session, action: int) -> tuple[int, str, str, tuple[str, ...]]:
    """Return action, name, description and other names."""
    layout, known = session.layout, session.layout.describe_action(action)
    stage = stage_of(layout, action)
    if stage == SELECT:
        unit = session.id_of(session.acting_side * layout.units_per_side + action)
        return action, f"unit {unit}", _unit(session, unit), (f"select {unit}",)
    if stage == INTENT:
        intent = action - layout.micro_stop
        kind = DETAILS[detail_kind(intent)]
        about = "no detail" if kind == "none" else f"next: which {kind}"
        return action, INTENTS[intent], about, (known,)
    if stage == DETAIL:
        return _detail(session, action, known)
    slot = action - layout.micro_start - FIRST_TARGET
    if 0 <= slot < TARGET_SLOTS:
        return _target(session, action, slot, known)
    return action, known, MEANING[known], ()


def _detail(session: Session, action: int, known: str) -> tuple[int, str, str, tuple[str, ...]]:
    """Return the choice of an objective or a unit as detail of the intent."""
    game, active = session.games[0], session.active_unit
    assert active is not None, "a detail is due while an activation is open"
    intent, number = int(game.intent[session.acting_side]), session.setting.number_of[active]
    named = detail_id(session.setting, number, intent, action - session.layout.detail_start)
    if detail_kind(intent) != OBJECTIVE:
        return action, f"unit {named}", _unit(session, named), (known,)
    index = action - session.layout.detail_start
    about = f"{session.setting.scenario.objectives[index].name}, {NOBODY_HOLDS[int(game.control[index])]}"
    return action, f"objective {named}", about, (known,)


def _target(session: Session, action: int, slot: int, known: str) -> tuple[int, str, str, tuple[str, ...]]:
    """Return the choice of an enemy that the active unit may attack."""
    unit = session.id_of(int(session.games[0].targets[slot]))
    phase = session.summary()[SUMMARY_PHASE]
    verb = "fight" if phase == FIGHT else "charge" if phase == CHARGE else "shoot at"
    return action, known, f"{verb} unit {unit}, {_unit(session, unit)}", (f"unit {unit}",)


def _unit(session: Session, unit_id: str) -> str:
    """Describe type, hit points and hex of a unit."""
    number = session.setting.number_of[unit_id]
    unit, game = session.setting.units[number], session.games[0]
    assert unit is not None, "only units that exist are offered"
    at = int(game.hexes[number])
    return (
        f"{unit.type.name}, {int(game.hit_points[number])}/{unit.type.hit_points} hit points, at {(at >> 6, at & 63)}"
    )
