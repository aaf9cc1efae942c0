"""The command line of the load simulation: ``tools/load_sim.py`` and ``w40k-marl simulate`` are both this."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..console import DONE, STOPPED, OneLineParser, guarded, note, say

if TYPE_CHECKING:
    from .drive import Episode
    from .options import Plan
    from .run import OnEpisode

PROGRAM = "load_sim.py"
SECONDS_BETWEEN_DRAWINGS = 0.2
DESCRIPTION = """Play whole games and measure what they cost: steps per second, CPU, memory, disk, network.

Two players act at random. Every N micro actions the macro chooses which unit acts next, at random; otherwise
it is the first that may. A step is one micro action; choosing a unit is none."""
EXAMPLES = """examples:
  {program}
  {program} --scenario-file scenarios/macro_default.json --controlled-agent MacroController \\
      --training-config MacroController_training_config --rewards-config MacroController_rewards_config \\
      --episodes 10 --macro-player 1 --macro-every-steps 5
  {program} --scenario-file pve --episodes 50 --macro-every-steps 1 --seed 7 --metrics-out load.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load simulation as a program of its own; returns the exit status."""
    parser = OneLineParser(prog=PROGRAM, description=DESCRIPTION, epilog=examples(f"python tools/{PROGRAM}"))
    add_options(parser)
    given = parser.parse_args(arguments)
    return guarded(PROGRAM, lambda: carry_out(given))


def examples(program: str) -> str:
    """The examples of the help, as typed for ``program``."""
    return EXAMPLES.format(program=program)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare every option; ``options.Options`` says what they are where they are not given."""
    add = parser.add_argument
    group = parser.add_argument_group
    add("--episodes", type=_whole, metavar="K", help="how many games (default 10)")
    add("--seed", type=_whole, metavar="S", help="same seed, same games (default: a fresh one, which is printed)")
    add("--metrics-out", metavar="FILE", help="write the report as JSON")
    add("--overwrite", action="store_true", help="replace FILE if it is there")
    add("--trace-memory", action="store_true", help="trace Python's memory in all games, not one more; slows them")
    game = group("what is played").add_argument
    game(
        "--scenario-file",
        action="append",
        metavar="SCENARIO",
        help="name or path of a scenario; give several to draw one at each game (default: the training config's)",
    )
    game("--game-rules", metavar="FILE", help="rule numbers in place of the packaged ones")
    game(
        "--max-steps-per-turn",
        type=_whole,
        metavar="N",
        help="end a game when a player's turn has used N micro actions (default: that of the game rules)",
    )
    macro = group("the macro").add_argument
    macro("--macro-player", type=int, choices=(1, 2), help="whose units it chooses (default 1)")
    macro("--macro-every-steps", type=_whole, metavar="N", help="choose every N micro actions (default 5)")
    macro("--macro-both", action="store_true", help="choose for both players")
    agent = group("the agent").add_argument
    agent("--controlled-agent", metavar="AGENT", help="who the macro player is (default MacroController)")
    agent(
        "--training-config",
        metavar="NAME",
        help="environment settings: an entry of the agent's training.json, or AGENT_training_config (default default)",
    )
    agent(
        "--rewards-config",
        metavar="NAME",
        help="rewards to report: AGENT or AGENT_rewards_config (default: the controlled agent's)",
    )


def carry_out(given: argparse.Namespace) -> int:
    """Run what the options ask for. Raises W40KError for bad input."""
    from .options import Options, make_plan  # here, so that --help does not wait for them

    values = {name: value for name, value in vars(given).items() if value is not None}
    known = {name: values[name] for name in Options.__dataclass_fields__ if name in values}
    if "scenario_file" in known:
        known["scenario_file"] = tuple(known["scenario_file"])
    return _report(make_plan(Options(**known)))


def _report(plan: Plan) -> int:
    """Run a plan, print its report and write it where the plan says."""
    from .place import write_whole
    from .report import as_json, as_lines, heading
    from .run import run

    say(heading(plan.seed, plan.scenarios))
    with _episodes_shown(plan.options.episodes) as on_episode:
        outcome = run(plan, on_episode, note)
    for line in as_lines(outcome):
        say(line)
    if plan.metrics_out is not None:
        write_whole(plan.metrics_out, as_json(outcome))
        say(f"{'Partial report' if outcome.partial else 'Report'} : {plan.metrics_out}")
    return STOPPED if outcome.partial else DONE


@contextmanager
def _episodes_shown(episodes: int) -> Iterator[OnEpisode]:
    """Print a line for each episode; at a terminal, above a progress bar."""
    from .report import episode_line

    if not sys.stdout.isatty():
        yield lambda number, episode: say(episode_line(number, episode))
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("episodes"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    # Drawn here between two episodes and by no thread of its own: that would run inside what is measured.
    with Progress(*columns, auto_refresh=False, transient=True) as progress:
        task, lines, drawn = progress.add_task("", total=episodes), list[str](), time.monotonic()

        def draw(completed: int) -> None:
            if lines:
                progress.console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
            lines.clear()
            progress.update(task, completed=completed, refresh=True)

        def show(number: int, episode: Episode) -> None:
            nonlocal drawn
            lines.append(episode_line(number, episode))
            if time.monotonic() - drawn > SECONDS_BETWEEN_DRAWINGS:
                draw(number)
                drawn = time.monotonic()

        yield show
        draw(episodes)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
