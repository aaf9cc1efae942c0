"""The command line of the load simulation: ``tools/load_sim.py`` and ``w40k-marl simulate``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from ..command import Command, parser_of, run_command
from ..console import DONE, OUTPUT, held, note, output_lost, say, stopped_status
from .options import DiffOptions, Options

if TYPE_CHECKING:
    from .plan import Plan
    from .report.results import Outcome
    from .run import OnEpisode
    from .runners.episode import Episode

PROGRAM = "load_sim.py"
SECONDS_BETWEEN_DRAWINGS = 0.2
INCOMPLETE = 1  # exit status: a worker was lost, or a file or stdout could not be written
DESCRIPTION = """Play whole games and measure what they cost: steps per second, CPU, memory, disk, network.

Two players act at random, or by --policy. Every N micro actions the macro chooses which unit acts next; otherwise
it is the first that may. A step is one micro action; choosing a unit is none.
Where `diff` comes first, two reports are compared: see `diff --help`."""
EXAMPLES = """examples:
  %(prog)s
  %(prog)s --scenario-file macro_default --controlled-agent MacroController \\
      --training-config MacroController_training_config --rewards-config MacroController_rewards_config \\
      --episodes 10 --macro-player 1 --macro-every-steps 5
  %(prog)s --scenario-file pve --episodes 50 --macro-every-steps 1 --seed 7 --metrics-out load.json
  %(prog)s --duration 30 --batch 256 --sweep-workers 1,2,4 --report load.html
  %(prog)s diff before.json after.json --fail-if 'steps_per_sec<0.9' --fail-if 'latency_us.p99>1.5'
"""
DIFF_DESCRIPTION = "Compare two reports (a, b) that --metrics-out has written: every figure, and the ratio of b to a."
DIFF_EXAMPLES = """examples:
  %(prog)s before.json after.json
  %(prog)s before.json after.json --fail-if 'steps_per_sec<0.9' --fail-if 'latency_us.p99>1.5'

exit status: 0 no gate fails, 1 a gate fails, 2 bad input
"""


def simulate(options: Options) -> int:
    """Run the load simulation; return the exit status. Raises W40KError for invalid input."""
    from .plan import make_plan  # here, so that --help does not wait for it

    return _report(make_plan(options), as_json=options.json)


def diff(options: DiffOptions) -> int:
    """Compare two reports; return the exit status. Raises W40KError for invalid input."""
    from .report.diff import compare

    return compare(options)


SIMULATE = Command("simulate", Options, simulate, DESCRIPTION, EXAMPLES)
DIFF = Command("simulate diff", DiffOptions, diff, DIFF_DESCRIPTION, DIFF_EXAMPLES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load simulation as a program of its own; return the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["diff"]:
        return run_command(parser_of(DIFF, f"{PROGRAM} diff", f"python tools/{PROGRAM} diff"), words[1:], PROGRAM)
    return run_command(parser_of(SIMULATE, PROGRAM, f"python tools/{PROGRAM}"), words, PROGRAM)


def _report(plan: Plan, *, as_json: bool) -> int:
    """Run a plan, write its report to the files of the plan, then print it."""
    from .report.as_text import heading
    from .run import run, sweep

    if not as_json:
        say(heading(plan.seed, plan.scenarios))
    with _episodes_shown(plan, silent=as_json) as on_episode:
        if plan.options.sweep_workers:
            *_, last = sweep(plan, on_episode, note)
        else:
            last = run(plan, on_episode, note)
    with held() as signalled:
        written = _write(plan, last)
    if signalled() and not last.was_stopped:
        raise KeyboardInterrupt
    _print(last, written, as_json=as_json)
    if last.was_stopped:
        return stopped_status()
    return INCOMPLETE if last.partial or None in written else DONE


def _write(plan: Plan, outcome: Outcome) -> list[Path | None]:
    """Write the files that the plan names; return their paths,
    None for one that could not be written.
    """
    from ...files import FileError, write_file
    from .report.as_html import as_page
    from .report.as_json import as_json

    written: list[Path | None] = []
    for path, make in ((plan.metrics_out, as_json), (plan.report, as_page)):
        if path is None:
            continue
        try:
            written.append(write_file(path, make(outcome), replace=plan.options.overwrite))
        except FileError as error:
            note(f"{error}; the report follows on stdout")
            written.append(None)
    return written


def _print(outcome: Outcome, written: list[Path | None], *, as_json: bool) -> None:
    """Print the summary, or the report as JSON; also the JSON if a file could not be written.

    If stdout cannot be written either, the JSON goes to a file with a free name. Raises FileError
    if that fails.
    """
    from ...files import write_free
    from .report.as_json import as_json as json_of
    from .report.as_text import as_lines, sweep_lines

    if not as_json:
        for line in [*as_lines(outcome), *(sweep_lines(outcome) if outcome.sweep else ())]:
            say(line)
        for path in filter(None, written):
            say(f"{'Partial report' if outcome.partial else 'Report'} : {path}")
    if as_json or None in written:
        say(json_of(outcome).rstrip())
    if None in written and output_lost():
        note(f"the report is in {write_free('load-simulation', json_of(outcome))}")


@contextmanager
def _episodes_shown(plan: Plan, *, silent: bool) -> Iterator[OnEpisode]:
    """Yield a function that prints a line for each episode, except in long runs; at a terminal,
    above a progress bar.

    If stdout is lost and the plan names no file, the run would
    have no result: OutputLostError ends it.
    """
    from .report.as_text import episode_line

    each, total = plan.options.batch is None and plan.options.duration is None, plan.episodes
    kept = plan.metrics_out is not None or plan.report is not None

    def check_output() -> None:
        lost = output_lost()
        if lost is not None and not kept:
            raise lost

    def line(number: int, episode: Episode) -> None:
        if each and not silent:
            say(episode_line(number, episode))
        check_output()

    check_output()
    if silent or not OUTPUT.isatty():
        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("episodes"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(file=cast("IO[str]", OUTPUT))
    # Drawn here between two episodes: a thread of its own would disturb the measurement.
    bar = Progress(*columns, console=console, redirect_stdout=False, auto_refresh=False, transient=True)
    with bar as progress:
        task, lines, drawn, count = progress.add_task("", total=total), list[str](), time.monotonic(), 0

        def draw() -> None:
            if lines:
                progress.console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
            lines.clear()
            progress.update(task, completed=count, refresh=True)

        def show(number: int, episode: Episode) -> None:
            nonlocal drawn, count
            count += 1
            if each:
                lines.append(episode_line(number, episode))
            if time.monotonic() - drawn > SECONDS_BETWEEN_DRAWINGS:
                draw()
                drawn = time.monotonic()
            check_output()

        yield show
        draw()
