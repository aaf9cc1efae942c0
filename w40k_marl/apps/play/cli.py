"""``w40k-marl play``: makes a match, plays it, and prints the
result or the file of the saved game.
"""

from __future__ import annotations

import json
import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, cast

from ...errors import W40KError, printable
from ..command import Command
from ..console import DONE, OUTPUT, OutputLostError, held, note, output_lost, say, stopped_status
from .options import PlayOptions

if TYPE_CHECKING:
    from .match import Match
    from .saved_game import SaveFile

LOGGER = "w40k_marl.meta"
DESCRIPTION = """Play one game to its end: a meta-controller on one side, a bot, an agent or a person on the other.

The board and a line for each action are written to stdout; which model plays which unit, lines of [META], to the file
of --log, and with -v to stderr."""
EXAMPLES = """examples:
  %(prog)s --scenario pve                           models against the greedy bot
  %(prog)s --human 1                                play against the models, at the prompt
  %(prog)s --human 2 --opponent random              the same against a bot, or any agent
  %(prog)s --resume pve-seed7.json                  go on with a saved game
  %(prog)s --super-agent MacroController --intents --opponent random --seed 7
  %(prog)s --quiet --json | jq .winner              the result for programs

exit status: 0 the game is over or saved, 2 bad input, 130 stopped by Ctrl-C (the game is saved)
"""


def play(options: PlayOptions) -> int:
    """Play with the given options, with a person at the terminal; return the exit status.

    Raises W40KError for invalid input.
    """
    from rich.console import Console  # here, so that --help does not wait for them

    from .build_match import make_match
    from .game_log import EVERYTHING, QUIET, USUAL, GameLog
    from .human import HumanPlayer
    from .saved_game import SaveFile

    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="surrogateescape")  # a wrong byte makes a wrong answer, no more
    console = Console(file=cast("IO[str]", OUTPUT), highlight=False)
    log = GameLog(console, QUIET if options.quiet else EVERYTHING if options.verbose else USUAL)
    save_file = SaveFile(options.save, overwrite=options.overwrite)
    with _routing_logged(options):
        person = HumanPlayer(_ask, log, save_file)
        match = make_match(options, log, lambda: person, note)
        status, saved = _play(match, save_file, introduce=not options.quiet)
    _report(match, saved, options)
    return status


PLAY = Command("play", PlayOptions, play, DESCRIPTION, EXAMPLES)


def _play(match: Match, save_file: SaveFile, *, introduce: bool) -> tuple[int, str | None]:
    """Play; return the exit status, and the file of a game that was left.

    Raises OutputLostError if stdout cannot be written any more, and passes on exceptions of models;
    in both cases the game is saved first.
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
        raise OutputLostError(f"{lost}; saved, go on with: {_go_on(_saved(match, save_file))}", lost.status) from None
    except Exception:  # of a model: save the person's game first
        if match.seats.human is not None:
            note(f"saved before the error; go on with: {_go_on(_saved(match, save_file))}")
        raise
    return status, _saved(match, save_file)


def _saved(match: Match, save_file: SaveFile) -> str:
    """Save a game that is left, if necessary under another name, and return its path.

    Raises PlayError if no file can be written; the content of the file is then written to stderr.
    """
    from .saved_game import as_text

    with held():
        game = match.saved()
        try:
            return str(save_file.save_somewhere(game))
        except W40KError:
            note(f"the saved game, which no file could take: {as_text(game).decode()}")
            raise


def _introduce(match: Match) -> None:
    """Write settings and players of the match."""
    settings, log = match.settings, match.log
    extras = [f"--max-turns {settings.max_turns}"] if settings.max_turns else []
    extras += ["--intents"] if settings.intents else []
    extras += [f"--decisions {settings.decisions}", f"--weapon-rules {settings.weapon_rules}"]
    log.write(f"{match.session.setting.scenario.name}, --seed {settings.seed}, {', '.join(extras)}")
    for number, player in sorted(match.players.items()):
        log.write(f"player {number}: {player.about}")
    if match.actions:
        log.write(f"resumed after {len(match.actions)} decisions")
    if match.seats.human is not None and not match.over:
        log.write("Type help for the commands.")


def _report(match: Match, saved: str | None, options: PlayOptions) -> None:
    """Print the result, or the file of the saved game; with ``--json`` also as JSON."""
    log = match.log
    result: dict[str, Any] = {**match.result(), "saved": saved}
    try:
        if not (options.quiet and options.json):
            if match.over and not options.quiet:
                log.draw_board(match.session)
            if saved is not None:
                log.write()  # below the prompt
            log.write(_in_words(result), style="bold")
            if saved is not None:
                log.write(f"saved: {saved}" if match.over else f"saved; go on with: {_go_on(saved)}")
        if options.json:
            say(json.dumps(result))
    finally:
        lost = output_lost()
        if lost is not None:
            ending = _in_words(result) if saved is None else f"saved, go on with: {_go_on(saved)}"
            raise OutputLostError(f"{lost}; {ending}", lost.status)


def _go_on(file: object) -> str:
    """Return the command that resumes a saved game, for a shell."""
    return f"w40k-marl play --resume {shlex.quote(str(file))}"


def _in_words(result: dict[str, Any]) -> str:
    """Describe the result in a sentence."""
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
    """Return a line from the person; a line from a file or a pipe is also printed.

    Raises EOFError at the end of input, OutputLostError if the prompt cannot be written.
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
    """Escapes control characters for a terminal: the names of units and models come from files."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without control characters."""
        return printable(super().format(record))


class _LogFile(logging.FileHandler):
    """A file for the log of the meta-controller; if it cannot be
    written, the log ends and the game goes on.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        """Report once that the file cannot be written."""
        note(f"--log: {self.baseFilename} cannot be written: {sys.exc_info()[1]}")
        self.setLevel(logging.CRITICAL + 1)

    def close(self) -> None:
        """Close the file; ignore an error of writing the rest."""
        with suppress(OSError):
            super().close()


def _log_file(name: str, *, overwrite: bool) -> _LogFile:
    """Open a file for the log; new lines are appended unless ``overwrite``. Raises PlayError if it
    cannot be written.
    """
    from .saved_game import PlayError

    try:
        return _LogFile(name, mode="w" if overwrite else "a", encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise PlayError(f"--log: {name} cannot be written: {reason}") from None


@contextmanager
def _routing_logged(options: PlayOptions) -> Iterator[None]:
    """Write the log of the meta-controller in the block: to a file, and its warnings to stderr.

    With ``--verbose`` all of it goes to stderr.
    """
    logger, terminal = logging.getLogger(LOGGER), logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO if options.verbose else logging.WARNING)
    handlers: list[logging.Handler] = [terminal]
    if options.log is not None:
        handlers.append(_log_file(options.log, overwrite=options.overwrite))
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
