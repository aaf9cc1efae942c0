"""Speed as ratios, side by side in one run.

python tools/bench.py aec
python tools/bench.py batch
python tools/bench.py startup
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    from rich.console import Console

    from w40k_marl.errors import how_to_install


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="tools/bench.py"
    )
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
    """Run one bench and print what it found."""
    from benches import aec, batch, startup  # after --help, which needs none of it

    console = Console(quiet=arguments.json)
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
        print(json.dumps(result))
    else:
        show(result, console)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 2 where something to compare with is not installed."""
    arguments = parse(argv)
    try:
        run(arguments)
    except ImportError as error:
        extra = "train" if arguments.command == "ppo" else "bench"
        print(f"bench.py: {error.name} is not installed: {how_to_install(extra)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
