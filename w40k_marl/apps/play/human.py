"""A person at the prompt: shows the legal choices, reads answers and commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ...errors import W40KError
from ...policy.decision import Decision, carry_out
from ...rules.state import SUMMARY_PHASE, SUMMARY_TURN, SUMMARY_TURN_SIDE
from .choices import Choice, NotAChoiceError, find_choice, legal_choices, lines, question, waiting_action
from .game_log import GameLog
from .match import Match
from .saved_game import SaveFile

Read: TypeAlias = Callable[[str], str]
"""Shows a prompt and returns a line. Raises EOFError at the end
of input, KeyboardInterrupt for Ctrl-C.
"""

PROMPT = "> "
HUMAN = "human"
HELP = """Type the number or the name of a choice; the beginning of a name is enough where no other begins so.

  choices, or nothing   the choices once more
  board     b           the board
  wait all              wait with this unit and with all others of yours that could act in this phase
  undo      u           back to your last decision, and the other side's moves since are undone too;
                        dice fall as before: the same decisions lead to the same game
  save [FILE]           save the game and go on
  quit      q           save the game and stop; so do Ctrl-C and the end of the input
  resign                give the game up: it is over, and the other player has won
  help      h, ?        this text
"""

Moment: TypeAlias = tuple[int, int, int]
"""Turn, side whose turn it is, phase."""


class GameLeftError(Exception):
    """Raised if the person leaves the game, also by resigning; the game is then saved."""


class HumanPlayer:
    """A side that a person plays."""

    about = "you"

    def __init__(self, read: Read, log: GameLog, save_file: SaveFile) -> None:
        """Take the function that reads a line, the log to write to,
        and the file for the command ``save``.
        """
        self._read = read
        self._log = log
        self._save_file = save_file
        self._commands: dict[str, Callable[[Match, str], bool]] = {
            "help": self._help,
            "h": self._help,
            "?": self._help,
            "board": self._board,
            "b": self._board,
            "choices": self._choices,
            "undo": self._undo,
            "u": self._undo,
            "save": self._save,
            "quit": self._quit,
            "q": self._quit,
            "exit": self._quit,
            "resign": self._resign,
            **dict.fromkeys(("wait all", "wait with all", "wait with all others"), self._wait_with_all),
        }
        self._waiting: Moment | None = None  # the phase in which all units are to wait
        self._waiting_since = 0  # number of the decision at which that was said
        self._unasked: set[int] = set()  # numbers of the decisions that followed from it

    def begin_decision(self, seed: int, number: int) -> None:
        """Do nothing: a person draws no random numbers."""

    def step(self, match: Match) -> Decision | None:
        """Read answers until one is a choice, and carry it out;
        return None if the match must ask again.

        Raises GameLeftError if the person leaves, KeyboardInterrupt for Ctrl-C.
        """
        if self._waiting is not None and self._waiting == _moment(match):
            return self._wait(match)
        choices = legal_choices(match.session)
        self._show(match, choices)
        while True:
            answer = self._ask()
            command = self._command(answer)
            if command is not None and not self._is_choice(choices, answer):
                if command(match, answer.partition(" ")[2].strip()):
                    return None
                continue
            try:
                chosen = find_choice(choices, answer)
            except NotAChoiceError as error:
                self._log.write(f"{error}. Type a number or a name, or help.")
                continue
            return carry_out(match.env, match.session, chosen.action, HUMAN, HUMAN)

    def _wait(self, match: Match) -> Decision:
        """Take the next decision, without a question, of a person who waits with all units."""
        number, action = len(match.actions), waiting_action(match.session)
        assert action is not None, "phases in which nobody can wait are refused"
        if number > self._waiting_since:
            self._unasked.add(number)
        return carry_out(match.env, match.session, action, HUMAN, HUMAN)

    def _command(self, answer: str) -> Callable[[Match, str], bool] | None:
        """Return the command of an answer, by all of it or by its
        first part; None if it is not a command.
        """
        words = answer.lower().split()
        if not words:
            return self._choices
        return self._commands.get(" ".join(words)) or self._commands.get(words[0])

    def _ask(self) -> str:
        try:
            return self._read(PROMPT).strip()
        except EOFError:
            raise GameLeftError from None

    @staticmethod
    def _is_choice(choices: list[Choice], answer: str) -> bool:
        """Return True if an answer is exactly the name of a choice,
        which then precedes a command of that name.
        """
        return any(answer.lower() == choice.name for choice in choices)

    def _show(self, match: Match, choices: list[Choice]) -> None:
        self._log.write(question(match.session), style="bold")
        for line in lines(choices):
            self._log.write(line)

    # --- commands: True if the match must ask again -------------------------------------------------------

    def _help(self, match: Match, rest: str) -> bool:
        self._log.write(HELP)
        return False

    def _board(self, match: Match, rest: str) -> bool:
        self._log.draw_board(match.session)
        return False

    def _choices(self, match: Match, rest: str) -> bool:
        self._show(match, legal_choices(match.session))
        return False

    def _undo(self, match: Match, rest: str) -> bool:
        if not match.undo():
            self._log.write("There is nothing to undo: this is your first decision.")
            return False
        while len(match.actions) in self._unasked and match.undo():
            pass
        self._unasked = {number for number in self._unasked if number < len(match.actions)}
        self._waiting = None
        self._log.repeat_heading()
        self._log.write("Undone.")
        return True

    def _save(self, match: Match, rest: str) -> bool:
        try:
            path = self._save_file.save(match.saved(), rest or None)
        except W40KError as error:
            self._log.write(f"Not saved: {error}")
        else:
            self._log.write(f"Saved: {path}")
        return False

    def _wait_with_all(self, match: Match, rest: str) -> bool:
        if waiting_action(match.session) is None:
            self._log.write("Nobody waits in the fight phase: a unit in contact fights.")
            return False
        self._waiting, self._waiting_since = _moment(match), len(match.actions)
        return True

    def _quit(self, match: Match, rest: str) -> bool:
        raise GameLeftError

    def _resign(self, match: Match, rest: str) -> bool:
        match.resigned = match.seats.human
        raise GameLeftError


def _moment(match: Match) -> Moment:
    summary = match.session.summary()
    return summary[SUMMARY_TURN], summary[SUMMARY_TURN_SIDE], summary[SUMMARY_PHASE]
