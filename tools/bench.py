"""Measures speed as ratios, side by side in one run.

python tools/bench.py aec
python tools/bench.py batch
python tools/bench.py startup
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    from rich.console import Console

    from w40k_marl.apps.command import OneLineParser
    from w40k_marl.apps.console import BAD_INPUT, DONE, OUTPUT, guarded, note, say
    from w40k_marl.errors import W40KError, how_to_install


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(description=__doc__, prog="tools/bench.py")
    commands = parser.add_subparsers(dest="command", required=True)
    aec = commands.add_parser("aec", help="the agent cycle against PettingZoo's games (extra: bench)")
    aec.add_argument("--scenario", default="macro_default", help="default: %(default)s")
    batch = commands.add_parser("batch", help="many games in one call against connect four (extra: bench)")
    ppo = commands.add_parser("ppo", help="MaskablePPO on our games against games of no cost (extra: train)")
    startup = commands.add_parser("startup", help="first compile, and a new process to its first step")
    for command in (aec, batch):
        command.add_argument("--seconds", type=float, default=1.0, help="of a repetition; default: %(default)s")
    for command in (aec, batch, ppo, startup):
        command.add_argument("--repetitions", type=int, default=5, help="default: %(default)s")
        command.add_argument("--json", action="store_true", help="print the figures as JSON instead of a table")
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> None:
    """Run one bench and print its results."""
    from benches import aec, batch, startup  # not needed for --help

    console = Console(file=cast("IO[str]", OUTPUT), quiet=arguments.json)
    if arguments.command == "aec":
        result = aec.bench_aec(arguments.scenario, arguments.repetitions, arguments.seconds)
        show = aec.show_aec
    elif arguments.command == "batch":
        result = batch.bench_batch(arguments.repetitions, arguments.seconds)
        show = batch.show_batch
    elif arguments.command == "ppo":
        from benches import ppo  # needs torch

        result = ppo.bench_ppo(arguments.repetitions)
        show = ppo.show_ppo
    else:
        result = startup.bench_startup(arguments.repetitions)
        show = startup.show_startup
    if arguments.json:
        say(json.dumps(result))
    else:
        show(result, console)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 2 if a package to compare with is not installed."""
    return guarded("tools/bench.py", lambda: carry_out(parse(argv)))


def carry_out(arguments: argparse.Namespace) -> int:
    """Run the bench that the arguments name. Raises W40KError if the input is invalid."""
    if arguments.repetitions < 1:
        raise W40KError(f"--repetitions: expected at least 1, got {arguments.repetitions}")
    if not 0 < getattr(arguments, "seconds", 1.0) < math.inf:
        raise W40KError(f"--seconds: expected more than 0, got {arguments.seconds}")
    try:
        run(arguments)
    except ImportError as error:
        extra = "train" if arguments.command == "ppo" else "bench"
        note(f"bench.py: {error.name} is not installed: {how_to_install(extra)}")
        return BAD_INPUT
    return DONE


if __name__ == "__main__":
    sys.exit(main())
