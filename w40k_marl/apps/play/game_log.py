"""The game as it goes by, for people: the board at each turn, a line for each action, what is scored."""

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
_TOLD = ("control_changed", "scored", "game_over")
_COLOURS = ((r"\^\S+", "cyan"), (r"(?<![a-z])v\d\S*", "magenta"), (r":\S:", "yellow"), (r"###", "dim"))


class Journal:
    """Writes to a console; with colours where that is a terminal.

    Every method that writes raises OutputLostError if the console is on stdout and that cannot be written any more.
    """

    def __init__(self, console: Console, detail: int = USUAL) -> None:
        """``detail``: QUIET writes nothing, USUAL actions, EVERYTHING each decision and each roll."""
        self.console = console
        self.detail = detail
        self._due = self._heading = ""
        self._turn: tuple[int, int] | None = None

    def say(self, line: str = "", style: str = "") -> None:
        """Write a line, as it is, but for characters that would act on a terminal: those are escaped."""
        self._print(Text(printable(line), style=style))

    def board(self, session: Session) -> None:
        """Draw the board, objectives and rosters."""
        text = Text(printable(draw(session.setting, session.games[0], max(WIDTH, self.console.width))))
        for pattern, style in _COLOURS:
            text.highlight_regex(pattern, style)
        self.say()
        self._print(text)
        self.say()

    def _print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)
        lost = output_lost()
        if lost is not None:
            raise lost

    def before(self, session: Session) -> None:
        """A decision is due: the board, where a turn begins; the phase is written with the first line in it."""
        if self.detail == QUIET:
            return
        summary = session.summary()
        turn, owner, phase = summary[SUMMARY_TURN], summary[SUMMARY_TURN_SIDE], summary[SUMMARY_PHASE]
        if self._turn != (turn, owner):
            self._turn, self._heading = (turn, owner), ""
            self.board(session)
        self._due = f"turn {turn}, player {owner + 1}, {PHASES[phase]} phase"
        if phase == FIGHT:
            self._due += " (both sides fight)"

    def went_back(self) -> None:
        """Forget what was written last, so that board and phase are written again."""
        self._turn, self._heading = None, ""

    def tell(self, done: Decision, session: Session) -> None:
        """A decision has been taken."""
        if self.detail == QUIET:
            return
        if self._acts(done) or self.detail == EVERYTHING:
            self._write_heading()
            intent = f" [{done.intent}]" if done.intent else ""
            who = f"player {done.player}, unit {done.unit} ({done.unit_type}){intent}"
            self.say(f"  {who}: {done.action}: {describe_result(done)}")
        for event in session.events():
            if event["event"] in _TOLD:
                self.say(f"  * {in_words(event)}", style="bold")
            elif self.detail == EVERYTHING and event["event"] != "selected":
                self.say(f"      - {in_words(event)}", style="dim")

    def _acts(self, done: Decision) -> bool:
        """Whether it is an action: selections and intents are told with it."""
        return not done.action.startswith(("select_", "intent_", "detail_"))

    def _write_heading(self) -> None:
        if self._heading != self._due:
            self._heading = self._due
            self.say(self._due, style="bold")
