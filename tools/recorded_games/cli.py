"""The command line of ``tools/parity.py``: replays recorded games and compares them with our rules."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, cast

from rich.console import Console
from rich.progress import track

from w40k_marl.apps.command import OneLineParser
from w40k_marl.apps.console import OUTPUT, guarded, held, note, stopped_by
from w40k_marl.errors import ContentError, W40KError, printable
from w40k_marl.files import FileError, FileTakenError, file_to_write, write_file, write_free

from .choices import replay_level_b
from .macro_observations import LevelC, has_macro_observations, replay_level_c
from .report import GameReport, Report
from .states import LevelA, covers, replay_level_a
from .tally import Tally
from .trace import Trace, find_traces, read_trace

LEVELS = ("A", "B", "C", "all")
MALFORMED = (ArithmeticError, AssertionError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
EXAMPLES = """examples:
  tools/parity.py tests/parity/traces                       the recorded games of this checkout
  tools/parity.py game.jsonl.gz --level A --verbose         the states of one game
  tools/parity.py tests/parity/traces --level C             the macro observations of the games that have them
  tools/parity.py tests/parity/traces --json report.json    counts and differences as JSON

exit status: 0 every game exact and no defect; 1 otherwise, or FILE or stdout could not be written; 2 bad input;
130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: FILE then holds the games until there; 141 the reader has left"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    return guarded("parity.py", lambda: _carry_out(_parser().parse_args(arguments)))


def _carry_out(options: argparse.Namespace) -> int:
    """Compare, write the report, and only then print the totals.

    Raises W40KError if the input is invalid or the report cannot be written.
    """
    place = _checked_place(options.json, options.overwrite)
    report = Report(with_macro=options.level in ("C", "all"))
    try:
        _compare(report, find_traces(options.traces), options.level, options.verbose)
    except (KeyboardInterrupt, W40KError) as stop:
        with held():
            if place is not None and report.games:
                by_signal = isinstance(stop, KeyboardInterrupt)
                report.partial_because = f"stopped by {stopped_by()}" if by_signal else str(stop)
                _write(place, report, options.overwrite)
        raise
    with held() as signalled:
        written = place is None or _write(place, report, options.overwrite)
    if signalled():
        raise KeyboardInterrupt
    _print(report, options.level)
    return 0 if report.passed and written else 1


def _write(place: Path, report: Report, overwrite: bool) -> bool:
    """Write the report, under an unused name if its own cannot be written; return True if it has
    its own.
    """
    text = json.dumps(report.as_json(), indent=2) + "\n"
    try:
        write_file(place, text, replace=overwrite)
    except FileError as error:
        note(f"parity.py: {error}; the report is in {write_free('parity-report', text)}")
        return False
    return True


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="parity.py",
        description="Replay recorded games of the reference and compare states (level A), choices (B) and macro "
        "observations (C).",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "traces", nargs="+", type=Path, metavar="TRACE_OR_FOLDER", help="*.jsonl.gz, or folders of them"
    )
    parser.add_argument("--level", choices=LEVELS, default="all", help="what to compare (default: all there is)")
    parser.add_argument("--json", metavar="FILE", help="write the report there as well")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument("--verbose", action="store_true", help="a line for each game, and every defect")
    return parser


def _checked_place(name: str | None, overwrite: bool) -> Path | None:
    """Return the report's path, checked before the replay. Raises FileError if it cannot be
    written.
    """
    try:
        return None if name is None else file_to_write(name, replace=overwrite)
    except FileTakenError as error:
        raise FileError(f"--json: {error}; --overwrite replaces it") from None
    except FileError as error:
        raise FileError(f"--json: {error}") from None


def _compare(report: Report, paths: list[Path], level: str, verbose: bool) -> None:
    """Replay the games and add them to a report, with a progress bar on a terminal."""
    console = Console(stderr=True)
    steps: Iterable[Path] = track(paths, "replaying", console=console) if console.is_terminal else paths
    for path in steps:
        trace = read_trace(path)
        game = compare_game(trace, level)
        if game is None:
            continue
        report.games.append(game)
        _print_game(game, verbose)
    if not report.games:
        raise ContentError(str(paths[0]), "macro_obs", "games recorded with macro observations", "none")


def compare_game(trace: Trace, level: str = "all") -> GameReport | None:
    """Replay one game; return None for level C if it has no macro observations.

    Raises ContentError if its records are not those of format 1.
    """
    try:
        if level == "C" and not has_macro_observations(trace):
            return None
        return GameReport(trace.name, str(trace.path), covers(trace), *_replay(trace, level))
    except W40KError:
        raise
    except MALFORMED as error:
        got = f"{type(error).__name__}: {error}"
        raise ContentError(str(trace.path), "steps", "records as docs/parity.md describes them", got) from error


def _replay(trace: Trace, level: str) -> tuple[LevelA, Tally, LevelC | None]:
    """Return the comparisons of a level; ``"all"`` means everything that the game has."""
    if level == "C":
        replayed, macro = replay_level_c(trace)
        return replayed, Tally(), macro
    if level == "A":
        return replay_level_a(trace), Tally(), None
    states, choices = replay_level_b(trace)
    wanted = level == "all" and has_macro_observations(trace)
    return states, choices, replay_level_c(trace)[1] if wanted else None


def _say(*lines: object) -> None:
    console = Console(file=cast("IO[str]", OUTPUT), soft_wrap=True, highlight=False, markup=False)
    for line in lines:
        console.print(printable(str(line)))


def _print_game(game: GameReport, verbose: bool) -> None:
    """Print the first difference of a game; with ``verbose`` all differences, and always a line."""
    states, choices = game.states, game.choices
    if verbose:
        level_a = f"{states.exact_steps}/{states.steps} steps exact" if game.covered else "left out of level A"
        counts = f"agree {choices.agree} explained {choices.explained_choices} defects {len(choices.defects)}"
        _say(f"{game.name}: {level_a}, level B {counts}")
    if states.difference and game.covered:
        _say(f"{game.name}: first difference: {states.difference}")
    for defect in choices.defects if verbose else choices.defects[:1]:
        _say(f"{game.name}: defect: {defect}")
    if game.macro:
        _print_observations(game.name, game.macro, verbose)


def _print_observations(name: str, macro: LevelC, verbose: bool) -> None:
    if verbose:
        _say(f"{name}: level C {macro.exact}/{macro.observations} observations exact")
    for difference in macro.differences if verbose else macro.differences[:1]:
        _say(f"{name}: macro observation: {difference}")


def _print(report: Report, level: str) -> None:
    if level in ("B", "all"):
        _say(*report.table())
    left_out = report.left_out()
    if left_out:
        _say(left_out)
    _say(report.last_line())
