"""The command ``w40k-marl``, over all of the package; each part is imported when its subcommand is used."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .. import __version__
from .check import cli as checking
from .console import DONE, OneLineParser, guarded, note, say
from .play import arguments as playing
from .simulate import cli as simulation

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
  w40k-marl list
  w40k-marl list --json
"""
WARMUP_DESCRIPTION = """Compile all that games call, so that the next program starts at once.

One environment and batches, macro observations, intents and rewards by terms are compiled together. A layout of
other capacities is compiled once more: name a scenario that needs it, or the layout.
"""
WARMUP_EXAMPLES = """examples:
  w40k-marl warmup && w40k-marl simulate
  w40k-marl warmup --scenario-file mine/large.json
  w40k-marl warmup --layout units_per_side=24,objectives=10
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status."""
    words = sys.argv[1:] if argv is None else list(argv)

    def work() -> int:
        given = parser().parse_args(words)
        carry_out: Callable[[argparse.Namespace], int] = given.work
        return carry_out(given)

    return guarded(" ".join([PROGRAM, *words[:1]]), work)


def parser() -> OneLineParser:
    """The parser of every subcommand."""
    whole = OneLineParser(
        prog=PROGRAM, description="A two-player hex wargame as a fast PettingZoo environment.", epilog=EXAMPLES
    )
    whole.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, work: Callable[[argparse.Namespace], int], says: str, epilog: str) -> OneLineParser:
        added = commands.add_parser(name, help=says.splitlines()[0], description=says, epilog=epilog)
        added.set_defaults(work=work)
        return added

    playing.declare_options(add("play", play, playing.DESCRIPTION, playing.EXAMPLES.format(program=f"{PROGRAM} play")))
    simulation.add_options(
        add(
            "simulate",
            simulation.carry_out,
            simulation.DESCRIPTION,
            simulation.examples(f"{PROGRAM} simulate"),
        )
    )
    listing = add("list", list_scenarios, "List the scenarios that ship.", LIST_EXAMPLES)
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")
    checking.add_options(add("check", checking.carry_out, checking.DESCRIPTION, checking.EXAMPLES))
    warming = add("warmup", warm_up, WARMUP_DESCRIPTION, WARMUP_EXAMPLES)
    warming.add_argument(
        "--scenario-file",
        default="small_board",
        metavar="SCENARIO",
        help="compile with room for it (default small_board)",
    )
    warming.add_argument("--layout", action="append", default=[], metavar="NAME=VALUE,...", help="as of simulate")
    return whole


def play(given: argparse.Namespace) -> int:
    """Play one game."""
    from .play.cli import carry_out

    return carry_out(given)


def list_scenarios(given: argparse.Namespace) -> int:
    """Print every shipped scenario: name, board, units of each side."""
    from ..content import scenario

    loaded = [scenario.load_scenario(name) for name in scenario.list_scenarios()]
    rows = [_described(one) for one in loaded]
    if given.json:
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


def warm_up(given: argparse.Namespace) -> int:
    """Compile all that environments call for a layout, or say that it was compiled already."""
    from ..env.warmup import warm_up_everything
    from ..observe.layout import Layout
    from .simulate.options import Options, make_plan

    plan = make_plan(Options(scenario_file=(given.scenario_file,), layout=tuple(given.layout)))
    layout = Layout(plan.training.layout.units_per_side, plan.training.layout.objectives)
    done = warm_up_everything(layout, given.scenario_file, note)
    if done.disabled:
        say("nothing to compile: NUMBA_DISABLE_JIT is set, the rules run as plain Python")
    elif done.compiled and done.cache is None:
        say(f"compiled in {done.seconds:.0f} s, but not kept: no folder for compiled code can be written")
    elif done.compiled:
        say(f"compiled in {done.seconds:.0f} s, kept in {done.cache}")
    else:
        say(f"ready: the rules were compiled already, in {done.cache}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
