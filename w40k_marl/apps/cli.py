"""The command ``w40k-marl``; modules of subcommands are imported when they are used."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import __version__
from .check.cli import CHECK
from .command import Command, OneLineParser, add_commands, option, run_command
from .console import DONE, note, say
from .play.cli import PLAY
from .simulate.cli import DIFF, SIMULATE

if TYPE_CHECKING:
    from ..content.types import Scenario

PROGRAM = "w40k-marl"
EXAMPLES = """examples:
  w40k-marl list                                 the scenarios that ship
  w40k-marl check mine/duel.json                 whether a file of one's own can be used
  w40k-marl warmup                               compile the rules now rather than at first use
  w40k-marl play --human 1                       play against the models
  w40k-marl simulate --scenario-file pve --seed 7
"""
LIST_EXAMPLES = """examples:
  %(prog)s
  %(prog)s --json
"""
WARMUP_DESCRIPTION = """Compile all that games call, so that the next program starts at once.

One environment and batches, macro observations, intents and rewards by terms are compiled together. A layout of
other capacities is compiled once more: name a scenario that needs it, or the layout.
"""
WARMUP_EXAMPLES = """examples:
  %(prog)s && w40k-marl simulate
  %(prog)s --scenario-file mine/large.json
  %(prog)s --layout units_per_side=24,objectives=10
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """Options of the list of scenarios."""

    json: bool = option("as JSON, for programs", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpOptions:
    """The layout for which the rules are compiled."""

    scenario_file: str = option(
        "compile with room for it (default small_board)", "small_board", metavar="SCENARIO", reads_file=True
    )
    layout: tuple[str, ...] = option("as of simulate", (), metavar="NAME=VALUE,...")


def list_scenarios(options: ListOptions) -> int:
    """Print every shipped scenario: name, board, units of each side."""
    from ..content import scenario

    loaded = [scenario.load_scenario(name) for name in scenario.list_scenarios()]
    rows = [_described(one) for one in loaded]
    if options.json:
        say(json.dumps(rows, indent=2))
        return DONE
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        units, deployment = f"{row['units_player_1']} against {row['units_player_2']} units", row["deployment"]
        say(f"{row['name']:{width}}  {row['cols']} x {row['rows']}, {units}, {deployment} deployment")
    return DONE


def _described(scenario: Scenario) -> dict[str, str | int]:
    return {
        "name": scenario.name,
        "cols": scenario.cols,
        "rows": scenario.rows,
        "units_player_1": sum(unit.player == 1 for unit in scenario.units),
        "units_player_2": sum(unit.player == 2 for unit in scenario.units),
        "objectives": len(scenario.objectives),
        "deployment": "random" if scenario.random_deployment else "fixed",
    }


def warm_up(options: WarmUpOptions) -> int:
    """Compile all functions that environments call for a layout, or
    report that they were compiled already.
    """
    from ..env.warmup import warm_up_everything
    from ..observe.layout import Layout
    from .simulate.options import Options
    from .simulate.plan import make_plan

    plan = make_plan(Options(scenario_file=(options.scenario_file,), layout=options.layout))
    layout = Layout(plan.training.layout.units_per_side, plan.training.layout.objectives)
    done = warm_up_everything(layout, options.scenario_file, note)
    if done.disabled:
        say("nothing to compile: NUMBA_DISABLE_JIT is set, the rules run as plain Python")
    elif done.compiled and done.cache is None:
        say(f"compiled in {done.seconds:.0f} s, but not kept: no folder for compiled code can be written")
    elif done.compiled:
        say(f"compiled in {done.seconds:.0f} s, kept in {done.cache}")
    else:
        say(f"ready: the rules were compiled already, in {done.cache}")
    return DONE


COMMANDS = (
    PLAY,
    SIMULATE,
    DIFF,
    Command("list", ListOptions, list_scenarios, "List the scenarios that ship.", LIST_EXAMPLES),
    CHECK,
    Command("warmup", WarmUpOptions, warm_up, WARMUP_DESCRIPTION, WARMUP_EXAMPLES),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; return the exit status."""
    words = sys.argv[1:] if argv is None else list(argv)
    program = " ".join([PROGRAM, *words[:1]])
    if words[:2] == DIFF.name.split():
        words[:2] = [DIFF.name]
    return run_command(parser(), words, program)


def parser() -> OneLineParser:
    """Return the parser of all subcommands."""
    description = "A two-player hex wargame as a fast PettingZoo environment."
    whole = OneLineParser(prog=PROGRAM, description=description, epilog=EXAMPLES)
    whole.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    add_commands(whole, COMMANDS)
    return whole


if __name__ == "__main__":
    sys.exit(main())
