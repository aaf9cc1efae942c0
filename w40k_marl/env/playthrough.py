"""A whole game of random legal actions as text: decisions, their events, the board at each new
turn.

It shows the course of a game, and lets you compare two versions of the rules line by line.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from ..view.text import draw
from .events import Event
from .session import Session


def playthrough(session: Session, seed: int) -> Iterator[str]:
    """Reset the session, play it to the end and yield lines; the same seed always gives the same
    text.
    """
    picks = random.Random(seed)
    session.reset(np.random.default_rng(seed))
    yield from _board(session)
    step, turn = 0, _turn(session)
    while not session.over:
        legal = session.legal_actions()
        action = legal[picks.randrange(len(legal))]
        step += 1
        yield f"{step:>4}  {session.where()}: {_named(session, action)}, of {', '.join(_short(session, legal))}"
        session.step(action)
        yield from (f"      - {in_words(event)}" for event in session.events() if event["event"] != "selected")
        if session.over or _turn(session) != turn:
            turn = _turn(session)
            yield from _board(session)


def _turn(session: Session) -> tuple[int, int]:
    game = session.games[0]
    return int(game.turn), int(game.side)


def _board(session: Session) -> list[str]:
    return ["", draw(session.setting, session.games[0]), ""]


def _named(session: Session, action: int) -> str:
    """Return the name of an action; a selection contains the unit's id."""
    start = session.layout.micro_start
    if action >= start:
        return session.layout.describe_action(action)
    return f"select unit {session.id_of(session.acting_side * start + action)}"


def _short(session: Session, actions: list[int]) -> list[str]:
    names = [_named(session, action) for action in actions]
    return [name.removeprefix("select unit ") for name in names]


def in_words(event: Event) -> str:
    """Return an event of ``Session.events()`` as a sentence."""
    words = {key: str(value) for key, value in event.items()}
    name, unit = words["event"], f"unit {words.get('unit')}"
    if name == "attacked":
        return _attack(event)
    if name in ("charged", "charge_failed"):
        end = f"and comes to {words['to_hex']}" if name == "charged" else "and falls short"
        return f"{unit} charges unit {words['target']} with a roll of {words['roll']} {end}"
    sentences = {
        "selected": "{unit} is selected",
        "intended": "{unit} intends {aim}",
        "moved": "{unit} {moves} from {from_hex} to {to_hex}",
        "waited": "{unit} waits",
        "no_destination": "{unit} finds no hex to move to",
        "advanced": "{unit} advances from {from_hex} to {to_hex} with a roll of {roll}",
        "advance_blocked": "{unit} finds no hex to advance to with a roll of {roll}",
        "died": "{unit} dies by unit {by}",
        "passed": "{unit} has nothing to attack",
        "stopped_shooting": "{unit} stops shooting with {shots_left} shots left",
        "phase_began": "turn {turn}, player {player}: {phase} phase",
        "control_changed": "objective {objective} goes to {controller}",
        "scored": "player {player} scores {points}",
        "rerolled": "{unit} rolls {wound_roll} to wound unit {target} with {weapon}, and rolls again",
        "hazard_rolled": "{unit} rolls {roll} for the hazard of {weapon}: {damage} damage",
        "game_over": "the game is over: winner {winner} by {method}",
    }
    words["unit"] = unit
    words["aim"] = f"{words.get('intent')} {words.get('detail')}".rstrip()
    words["moves"] = "flees" if event.get("fled") else "moves"
    if name == "control_changed":
        words["controller"] = f"player {event['controller']}" if event["controller"] else "nobody"
    return sentences[name].format_map(words)


def _attack(event: Event) -> str:
    """Describe one attack, without dice that were not rolled."""
    rolls = [f"{stage} {event[f'{stage}_roll']}" for stage in ("hit", "wound", "save") if event[f"{stage}_roll"]]
    result = f"{event['damage']} damage" if event["damage"] else "no damage"
    return f"unit {event['unit']} attacks unit {event['target']} with {event['weapon']}: {', '.join(rolls)}: {result}"
