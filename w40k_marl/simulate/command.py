"""The command line of the load simulation: ``tools/load_sim.py`` and ``w40k-marl simulate`` are both this."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..console import DONE, STOPPED, OneLineParser, guarded, note, say
from .arguments import declare_diff, declare_options

if TYPE_CHECKING:
    from .drive import Episode
    from .options import Plan
    from .outcome import Outcome
    from .run import OnEpisode

PROGRAM = "load_sim.py"
SECONDS_BETWEEN_DRAWINGS = 0.2
INCOMPLETE = 1  # exit status: a worker was lost, or a file could not be written
DESCRIPTION = """Play whole games and measure what they cost: steps per second, CPU, memory, disk, network.

Two players act at random, or by --policy. Every N micro actions the macro chooses which unit acts next; otherwise
it is the first that may. A step is one micro action; choosing a unit is none.
Where `diff` comes first, two reports are compared: see `diff --help`."""
EXAMPLES = """examples:
  {program}
  {program} --scenario-file macro_default --controlled-agent MacroController \\
      --training-config MacroController_training_config --rewards-config MacroController_rewards_config \\
      --episodes 10 --macro-player 1 --macro-every-steps 5
  {program} --scenario-file pve --episodes 50 --macro-every-steps 1 --seed 7 --metrics-out load.json
  {program} --duration 30 --batch 256 --sweep-workers 1,2,4 --report load.html
  {program} diff before.json after.json --fail-if 'steps_per_sec<0.9' --fail-if 'latency_us.p99>1.5'
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load simulation as a program of its own; returns the exit status."""
    parser = OneLineParser(prog=PROGRAM, description=DESCRIPTION, epilog=examples(f"python tools/{PROGRAM}"))
    add_options(parser)
    given = parser.parse_args(arguments)
    work: Callable[[argparse.Namespace], int] = given.work
    return guarded(PROGRAM, lambda: work(given))


def examples(program: str) -> str:
    """The examples of the help, as typed for ``program``."""
    return EXAMPLES.format(program=program)


def add_options(parser: OneLineParser) -> None:
    """Declare every option, and the task ``diff``."""
    parser.set_defaults(work=carry_out)
    declare_options(parser)
    declare_diff(parser).set_defaults(work=_diff)


def _diff(given: argparse.Namespace) -> int:
    from .diff import compare

    return compare(given)


def carry_out(given: argparse.Namespace) -> int:
    """Run what the options ask for. Raises W40KError for bad input."""
    from .options import Options, make_plan  # here, so that --help does not wait for them

    values = {name: value for name, value in vars(given).items() if value is not None}
    known = {name: values[name] for name in Options.__dataclass_fields__ if name in values}
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    return _report(make_plan(Options(**known)))


def _report(plan: Plan) -> int:
    """Run a plan, print its report and write it where the plan says."""
    from .outcome import CTRL_C
    from .run import run, sweep
    from .text import as_lines, heading, sweep_lines

    say(heading(plan.seed, plan.scenarios))
    with _episodes_shown(plan) as on_episode:
        if plan.options.sweep_workers:
            *_, last = sweep(plan, on_episode, note)
        else:
            last = run(plan, on_episode, note)
    for line in [*as_lines(last), *(sweep_lines(last) if last.sweep else ())]:
        say(line)
    written = _write(plan, last)
    if CTRL_C in last.because:
        return STOPPED
    return DONE if written and not last.partial else INCOMPLETE


def _write(plan: Plan, outcome: Outcome) -> bool:
    """Write the files that were asked for; where that fails, the JSON goes to stdout, and nothing is lost."""
    from .page import as_page
    from .place import PlaceError, write_whole
    from .report import as_json

    name, failed = "Partial report" if outcome.partial else "Report", False
    for path, make in ((plan.metrics_out, as_json), (plan.report, as_page)):
        if path is None:
            continue
        try:
            write_whole(path, make(outcome))
            say(f"{name} : {path}")
        except PlaceError as error:
            note(f"{error}; the report follows on stdout")
            failed = True
    if failed:
        say(as_json(outcome).rstrip())
    return not failed


@contextmanager
def _episodes_shown(plan: Plan) -> Iterator[OnEpisode]:
    """Print a line for each episode, unless they may be very many; at a terminal, above a progress bar."""
    from .text import episode_line

    each, total = plan.options.batch is None and plan.options.duration is None, plan.episodes
    if not sys.stdout.isatty():
        yield lambda number, episode: say(episode_line(number, episode)) if each else None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("episodes"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    # Drawn here between two episodes and by no thread of its own: that would run inside what is measured.
    with Progress(*columns, auto_refresh=False, transient=True) as progress:
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

        yield show
        draw()
