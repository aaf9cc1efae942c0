"""The printed log of a game: the board at each turn, a line
for each action, and the points scored.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ...env.playthrough import in_words
from ...env.session import Session
from ...errors import printable
from ...policy.decision import Decision, describe_result
from ...rules.state import FIGHT, PHASES, SUMMARY_PHASE, SUMMARY_TURN, SUMMARY_TURN_SIDE
from ...view.text import WIDTH, draw
from ..console import output_lost

QUIET, USUAL, EVERYTHING = range(3)
_EVENTS = ("control_changed", "scored", "game_over")
_COLOURS = ((r"\^\S+", "cyan"), (r"(?<![a-z])v\d\S*", "magenta"), (r":\S:", "yellow"), (r"###", "dim"))


class GameLog:
    """Writes to a console; with colours if it is a terminal.

    Every method that writes raises OutputLostError if the console is on stdout and that cannot be
    written any more.
    """

    def __init__(self, console: Console, detail: int = USUAL) -> None:
        """Take a console; ``detail``: QUIET writes nothing, USUAL actions, EVERYTHING each decision
        and each roll.
        """
        self.console = console
        self.detail = detail
        self._due = self._heading = ""
        self._turn: tuple[int, int] | None = None

    def write(self, line: str = "", style: str = "") -> None:
        """Write a line; control characters are escaped."""
        self._print(Text(printable(line), style=style))

    def draw_board(self, session: Session) -> None:
        """Draw the board, objectives and rosters."""
        text = Text(printable(draw(session.setting, session.games[0], max(WIDTH, self.console.width))))
        for pattern, style in _COLOURS:
            text.highlight_regex(pattern, style)
        self.write()
        self._print(text)
        self.write()

    def _print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)
        lost = output_lost()
        if lost is not None:
            raise lost

    def begin_decision(self, session: Session) -> None:
        """Draw the board if a turn begins, and prepare the heading of
        the phase, written with its first line.
        """
        if self.detail == QUIET:
            return
        summary = session.summary()
        turn, owner, phase = summary[SUMMARY_TURN], summary[SUMMARY_TURN_SIDE], summary[SUMMARY_PHASE]
        if self._turn != (turn, owner):
            self._turn, self._heading = (turn, owner), ""
            self.draw_board(session)
        self._due = f"turn {turn}, player {owner + 1}, {PHASES[phase]} phase"
        if phase == FIGHT:
            self._due += " (both sides fight)"

    def repeat_heading(self) -> None:
        """Write board and phase again with the next decision."""
        self._turn, self._heading = None, ""

    def write_decision(self, decision: Decision, session: Session) -> None:
        """Write the effects of a decision, and the events that follow from it."""
        if self.detail == QUIET:
            return
        if self._acts(decision) or self.detail == EVERYTHING:
            self._write_heading()
            intent = f" [{decision.intent}]" if decision.intent else ""
            who = f"player {decision.player}, unit {decision.unit} ({decision.unit_type}){intent}"
            self.write(f"  {who}: {decision.action}: {describe_result(decision)}")
        for event in session.events():
            if event["event"] in _EVENTS:
                self.write(f"  * {in_words(event)}", style="bold")
            elif self.detail == EVERYTHING and event["event"] != "selected":
                self.write(f"      - {in_words(event)}", style="dim")

    def _acts(self, decision: Decision) -> bool:
        """Return True for an action; selections and intents are written with it."""
        return not decision.action.startswith(("select_", "intent_", "detail_"))

    def _write_heading(self) -> None:
        if self._heading != self._due:
            self._heading = self._due
            self.write(self._due, style="bold")
