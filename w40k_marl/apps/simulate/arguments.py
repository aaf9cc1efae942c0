"""The options of the load simulation as the command line takes them."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..console import OneLineParser, shortened

DIFF = """Compare two reports (a, b) that --metrics-out has written: every figure, and the ratio of b to a."""


def declare_options(parser: argparse.ArgumentParser) -> None:
    """Declare every option; ``options.Options`` says what they are where they are not given."""
    add = parser.add_argument
    group = parser.add_argument_group
    add("--episodes", type=_whole, metavar="K", help="how many games (default 10, or what --duration allows)")
    add("--duration", type=_seconds, metavar="SECONDS", help="begin games for so long; those begun are finished")
    add("--seed", type=_whole, metavar="S", help="same seed, same games (default: a fresh one, which is printed)")
    add("--warmup", type=_whole, metavar="N", help="micro actions that each worker plays unmeasured first (default 0)")
    _add_output(group("what is written").add_argument)
    _add_workers(group("who plays").add_argument)
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
    declare_settings(game)
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


def declare_settings(add: Callable[..., object]) -> None:
    """Declare how games are played, where the training config is not to say it."""
    add("--decisions", choices=("agent", "reference"), help="who chooses targets (default: the training config's)")
    add("--weapon-rules", choices=("reference", "full"), help="which weapon rules act (default: the training config's)")
    add("--max-turns", type=_whole, metavar="N", help="turns of a game (default: the training config's)")
    add(
        "--layout",
        action="append",
        metavar="NAME=VALUE,...",
        help="fields of the layout, as units_per_side=20,macro (default: the training config's, "
        "with room for the scenarios)",
    )
    add(
        "--profile",
        action="append",
        metavar="NAME=VALUE,...",
        help="evolutions of the offensive profile, as real_range,best_weapons=2 (default: the training config's)",
    )


def _add_output(add: Callable[..., object]) -> None:
    add("--metrics-out", metavar="FILE", help="write the report as JSON")
    add("--report", metavar="FILE", help="write the report as one HTML page, with charts")
    add("--overwrite", action="store_true", help="replace these files if they are there")
    add("--json", action="store_true", help="print the report as JSON, and nothing else, on stdout")
    add("--trace-memory", action="store_true", help="trace Python's memory in all games, not one more; slows them")


def _add_workers(add: Callable[..., object]) -> None:
    add("--workers", type=_whole, metavar="N", help="processes that share the games (default 1: this one)")
    add(
        "--sweep-workers",
        type=_wholes,
        metavar="N,N,...",
        help="run the same plan with each number of workers, and tell where more bring nothing",
    )
    add("--sweep-repeats", type=_whole, metavar="K", help="runs of a sweep with each number of workers (default 3)")
    add("--batch", type=_whole, metavar="N", help="each worker plays N games at a time, on BatchEnv")
    add(
        "--policy",
        metavar="POLICY",
        help="random (default), first (legal action), greedy, an agent key or an agent's folder, or module:callable",
    )
    add("--trust-models", action="store_true", help="allow files of agents to run code; only such as you know")
    add("--backend", choices=("local", "ray"), help="where workers run (default local; ray needs the extra `ray`)")
    add("--ray-address", metavar="ADDRESS", help="a Ray cluster to use (default: begin Ray on this machine)")


def declare_diff(parser: OneLineParser) -> OneLineParser:
    """Declare the task that compares two reports; its parser."""
    diff = parser.add_task("diff", description=DIFF)
    diff.add_argument("before", metavar="a.json")
    diff.add_argument("after", metavar="b.json")
    diff.add_argument(
        "--fail-if",
        action="append",
        default=[],
        type=_gate,
        metavar="'FIGURE<RATIO'",
        help="exit with status 1 where b / a of a figure is below (<, <=) or above (>, >=) a ratio; may be repeated",
    )
    diff.add_argument("--json", action="store_true", help="print the comparison as JSON, and nothing else, on stdout")
    return diff


def _gate(text: str) -> object:
    from .report.diff import read_gate

    return read_gate(text)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {shortened(text)}") from None


def _wholes(text: str) -> tuple[int, ...]:
    return tuple(_whole(one) for one in text.split(","))


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected seconds, got {shortened(text)}") from None
