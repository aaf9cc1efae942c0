"""``w40k-marl play``: makes a match, lets it be played, says how it ended or where it is saved."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, cast

from ...errors import W40KError, printable
from ...files import readable_again
from ..console import DONE, OUTPUT, OutputLostError, held, note, output_lost, say, stopped_status

if TYPE_CHECKING:
    from .game_log import Journal
    from .human import Read
    from .match import Match
    from .saved_game import SavePlace

LOGGER = "w40k_marl.meta"


def carry_out(given: argparse.Namespace, read: Read | None = None) -> int:
    """Play as the options say and return the exit status; ``read`` asks a person, by default at the terminal."""
    from rich.console import Console  # here, so that --help does not wait for them

    from .build_match import PlayOptions, make_match
    from .game_log import EVERYTHING, QUIET, USUAL, Journal
    from .human import HumanPlayer
    from .saved_game import SavePlace

    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="surrogateescape")  # a wrong byte makes a wrong answer, no more
    paper = Console(file=cast("IO[str]", OUTPUT), highlight=False)
    journal = Journal(paper, QUIET if given.quiet else EVERYTHING if given.verbose else USUAL)
    place = SavePlace(given.save, overwrite=given.overwrite)
    values = {name: getattr(given, name) for name in PlayOptions.__dataclass_fields__}
    values |= {name: readable_again(values[name]) for name in ("scenario", "meta") if values[name] is not None}
    options = PlayOptions(**values)
    with _routing_shown(verbose=given.verbose, log=given.log, overwrite=given.overwrite):
        person = HumanPlayer(read or _ask, journal, place)
        match = make_match(options, journal, lambda: person, note)
        status, saved = _play(match, place, introduce=not given.quiet)
    _report(match, journal, saved, as_json=given.json, quiet=given.quiet)
    return status


def _play(match: Match, place: SavePlace, *, introduce: bool) -> tuple[int, str | None]:
    """Play; exit status, and the file of a game that was left.

    Raises OutputLostError if stdout cannot be written any more, and what a model raises; the game is saved before.
    """
    from .human import GameLeftError

    status = DONE
    try:
        if introduce:
            _introduce(match)
        match.play()
        return DONE, None
    except GameLeftError:
        pass
    except KeyboardInterrupt:
        status = stopped_status()
    except OutputLostError as lost:
        raise OutputLostError(f"{lost}; saved, go on with: {_go_on(_saved(match, place))}", lost.status) from None
    except Exception:  # of a model: what a person has played is not lost by it
        if match.seats.human is not None:
            note(f"saved before the error; go on with: {_go_on(_saved(match, place))}")
        raise
    return status, _saved(match, place)


def _saved(match: Match, place: SavePlace) -> str:
    """Save a game that is left, in a place that can be written, and return the file.

    Raises PlayError if there is none; the content of the file is then written to stderr.
    """
    from .saved_game import as_text

    with held():
        game = match.saved()
        try:
            return str(place.save_somewhere(game))
        except W40KError:
            note(f"the saved game, which no file could take: {as_text(game).decode()}")
            raise


def _introduce(match: Match) -> None:
    """What is played, and by whom."""
    settings, journal = match.settings, match.journal
    extras = [f"--max-turns {settings.max_turns}"] if settings.max_turns else []
    extras += ["--intents"] if settings.intents else []
    extras += [f"--decisions {settings.decisions}", f"--weapon-rules {settings.weapon_rules}"]
    journal.say(f"{match.session.setting.scenario.name}, --seed {settings.seed}, {', '.join(extras)}")
    for number, player in sorted(match.players.items()):
        journal.say(f"player {number}: {player.about}")
    if match.actions:
        journal.say(f"resumed after {len(match.actions)} decisions")
    if match.seats.human is not None and not match.over:
        journal.say("Type help for the commands.")


def _report(match: Match, journal: Journal, saved: str | None, *, as_json: bool, quiet: bool) -> None:
    """The end, or where the game is; for programs as JSON too."""
    result: dict[str, Any] = {**match.result(), "saved": saved}
    try:
        if not (quiet and as_json):
            if match.over and not quiet:
                journal.board(match.session)
            if saved is not None:
                journal.say()  # below the prompt
            journal.say(_in_words(result), style="bold")
            if saved is not None:
                journal.say(f"saved: {saved}" if match.over else f"saved; go on with: {_go_on(saved)}")
        if as_json:
            say(json.dumps(result))
    finally:
        lost = output_lost()
        if lost is not None:
            told = _in_words(result) if saved is None else f"saved, go on with: {_go_on(saved)}"
            raise OutputLostError(f"{lost}; {told}", lost.status)


def _go_on(file: object) -> str:
    """The command that goes on with a saved game, to be copied into a shell."""
    return f"w40k-marl play --resume {shlex.quote(str(file))}"


def _in_words(result: dict[str, Any]) -> str:
    """The result as a sentence."""
    if not result["over"]:
        ending = "the game is not over"
    elif result["winner"]:
        ending = f"player {result['winner']} wins by {result['method'].replace('_', ' ')}"
    else:
        ending = "a draw"
    first, second = result["victory_points"]
    activations = "1 activation" if result["activations"] == 1 else f"{result['activations']} activations"
    return (
        f"{ending}: {first} to {second} victory points, turn {result['turns']}, {activations}, --seed {result['seed']}"
    )


def _ask(prompt: str) -> str:
    """A line from the person; where it comes from a file or a pipe, it is shown as if it had been typed.

    Raises EOFError if there are no more, OutputLostError if nobody can see the prompt.
    """
    OUTPUT.write(prompt)  # `input` would write it to stderr at a terminal
    lost = output_lost()
    if lost is not None:
        raise lost
    try:
        line = input()
    except (OSError, ValueError, RuntimeError) as error:  # stdin is closed, a folder, or gone
        raise EOFError from error
    if not sys.stdin.isatty():
        say(line)
    return line


class _Printable(logging.Formatter):
    """Escapes what would act on a terminal: the names of units and models come from files."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return printable(super().format(record))


class _LogFile(logging.FileHandler):
    """A file for the log of the meta-controller; a disk that is full ends the log, not the game."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        """Say once that the file cannot be written."""
        note(f"--log: {self.baseFilename} cannot be written: {sys.exc_info()[1]}")
        self.setLevel(logging.CRITICAL + 1)

    def close(self) -> None:
        """Close the file, whatever is left to be written."""
        with suppress(OSError):
            super().close()


def _log_file(name: str, *, overwrite: bool) -> _LogFile:
    """Open a file for the log, which is added to what is in it. Raises PlayError where it cannot be written."""
    from .saved_game import PlayError

    try:
        return _LogFile(name, mode="w" if overwrite else "a", encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise PlayError(f"--log: {name} cannot be written: {reason}") from None


@contextmanager
def _routing_shown(*, verbose: bool, log: str | None, overwrite: bool) -> Iterator[None]:
    """Write the log of the meta-controller while the game is played: to a file, and to stderr what it warns of.

    With ``verbose`` all of it goes to stderr.
    """
    logger, terminal = logging.getLogger(LOGGER), logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO if verbose else logging.WARNING)
    handlers: list[logging.Handler] = [terminal] + ([] if log is None else [_log_file(log, overwrite=overwrite)])
    before = logger.level
    logger.setLevel(min(handler.level or logging.INFO for handler in handlers))
    for handler in handlers:
        handler.setFormatter(_Printable("%(message)s"))
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(before)
