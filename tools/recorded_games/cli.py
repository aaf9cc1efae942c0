"""The command line of ``tools/parity.py``: replay recorded games and compare them with our rules."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from w40k_marl.errors import ContentError, W40KError

from .choices import replay_level_b
from .macro_observations import LevelC, has_macro_observations, replay_level_c
from .report import GameReport, Report, write_json
from .states import LevelA, covers, replay_level_a
from .tally import Tally
from .trace import Trace, find_traces, read_trace

LEVELS = ("A", "B", "C", "all")
EXAMPLES = """examples:
  tools/parity.py tests/parity/traces                       the recorded games of this checkout
  tools/parity.py game.jsonl.gz --level A --verbose         the states of one game
  tools/parity.py tests/parity/traces --level C             the macro observations of the games that have them
  tools/parity.py tests/parity/traces --json report.json    counts and differences as JSON

exit status: 0 every game exact and no defect, 1 otherwise, 2 bad input"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.json:
            _check_output(options.json, options.overwrite)
        report = _compare(find_traces(options.traces), options.level, options.verbose)
        if options.json:
            write_json(options.json, report.as_json())
    except (W40KError, OSError) as problem:
        _complain(str(problem))
        return 2
    except KeyboardInterrupt:
        _complain("stopped")
        return 130
    _print(report, options.level)
    return 0 if report.passed else 1


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="parity.py",
        description="Replay recorded games of the reference and compare states (level A), choices (B) and macro "
        "observations (C).",
        epilog=EXAMPLES,
        formatter_class=layout,
    )
    parser.add_argument(
        "traces", nargs="+", type=Path, metavar="TRACE_OR_FOLDER", help="*.jsonl.gz, or folders of them"
    )
    parser.add_argument("--level", choices=LEVELS, default="all", help="what to compare (default: all there is)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as well")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument("--verbose", action="store_true", help="a line for each game, and every defect")
    return parser


def _complain(message: str) -> None:
    sys.stderr.write(f"parity.py: {message}\n")


def _check_output(path: Path, overwrite: bool) -> None:
    """Refuse, before anything is replayed, a file that exists or cannot be written."""
    if path.exists() and not overwrite:
        raise ContentError(str(path), "--json", "a file not there yet", "one that is", "--overwrite replaces it")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ContentError(str(path), "--json", "a file in a writable folder", "none")


def _compare(paths: list[Path], level: str, verbose: bool) -> Report:
    """Replay the games one after the other, with a progress bar on a terminal."""
    report = Report(with_macro=level in ("C", "all"))
    console = Console(stderr=True)
    steps: Iterable[Path] = track(paths, "replaying", console=console) if console.is_terminal else paths
    for path in steps:
        trace = read_trace(path)
        if level == "C" and not has_macro_observations(trace):
            continue
        game = compare_game(trace, level)
        report.games.append(game)
        _print_game(game, verbose)
    if not report.games:
        raise ContentError(str(paths[0]), "macro_obs", "games recorded with macro observations", "none")
    return report


def compare_game(trace: Trace, level: str = "all") -> GameReport:
    """Replay one game; ContentError where its records are not those of format 1."""
    try:
        states, choices, macro = _replay(trace, level)
    except W40KError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, StopIteration) as error:
        got = f"{type(error).__name__}: {error}"
        raise ContentError(str(trace.path), "steps", "records as docs/parity.md describes them", got) from error
    return GameReport(trace.name, str(trace.path), covers(trace), states, choices, macro)


def _replay(trace: Trace, level: str) -> tuple[LevelA, Tally, LevelC | None]:
    """What a level compares; ``"all"`` compares everything that the game has."""
    if level == "C":
        replayed, macro = replay_level_c(trace)
        return replayed, Tally(), macro
    if level == "A":
        return replay_level_a(trace), Tally(), None
    states, choices = replay_level_b(trace)
    wanted = level == "all" and has_macro_observations(trace)
    return states, choices, replay_level_c(trace)[1] if wanted else None


def _say(*lines: object) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for line in lines:
        console.print(line)


def _print_game(game: GameReport, verbose: bool) -> None:
    """The first difference of a game; with ``verbose`` all of them, and a line even without any."""
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
