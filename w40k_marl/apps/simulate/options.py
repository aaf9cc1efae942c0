"""The options of the load simulation, as the command line and the report name them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ...train.config import DEFAULT_AGENT
from ..command import SEED, Bounds, OptionError, argument, check_options, option

MOST = 10**12
COUNT = Bounds(1, MOST)
WORKERS = Bounds(1, 4096)
DURATION = Bounds(math.ulp(0.0), 366 * 86_400, "more than 0 seconds and at most a year")
LOCAL, RAY = "local", "ray"

WRITTEN, PLAYERS, GAMES, MACRO, AGENT = (
    "what is written",
    "who plays",
    "what is played",
    "the macro",
    "the agent",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a load simulation is asked to do; None and empty where the plan fills in.

    Raises OptionError for a value out of bounds.
    """

    episodes: int | None = option("how many games (default 10, or what --duration allows)", metavar="K", bounds=COUNT)
    duration: float | None = option(
        "begin games for so long; those begun are finished", metavar="SECONDS", bounds=DURATION
    )
    seed: int | None = option(
        "same seed, same games (default: a fresh one, which is printed)", metavar="S", bounds=SEED
    )
    warmup: int = option(
        "micro actions that each worker plays unmeasured first (default 0)", 0, metavar="N", bounds=Bounds(0, MOST)
    )

    metrics_out: str | None = option("write the report as JSON", metavar="FILE", group=WRITTEN)
    report: str | None = option("write the report as one HTML page, with charts", metavar="FILE", group=WRITTEN)
    overwrite: bool = option("replace these files if they are there", False, group=WRITTEN)
    json: bool = option("print the report as JSON, and nothing else, on stdout", False, group=WRITTEN)
    trace_memory: bool = option("trace Python's memory in all games, not one more; slows them", False, group=WRITTEN)

    workers: int = option(
        "processes that share the games (default 1: this one)", 1, metavar="N", group=PLAYERS, bounds=WORKERS
    )
    sweep_workers: tuple[int, ...] = option(
        "run the same plan with each number of workers, and tell where more bring nothing",
        (),
        metavar="N,N,...",
        group=PLAYERS,
        bounds=WORKERS,
    )
    sweep_repeats: int | None = option(
        "runs of a sweep with each number of workers (default 3)", metavar="K", group=PLAYERS, bounds=Bounds(1, 100)
    )
    batch: int | None = option(
        "each worker plays N games at a time, on BatchEnv", metavar="N", group=PLAYERS, bounds=Bounds(1, 2**24)
    )
    policy: str = option(
        "random (default), first (legal action), greedy, an agent key or an agent's folder, or module:callable",
        "random",
        metavar="POLICY",
        group=PLAYERS,
    )
    trust_models: bool = option("allow files of agents to run code; only such as you know", False, group=PLAYERS)
    backend: Literal["local", "ray"] = option(
        "where workers run (default local; ray needs the extra `ray`)", "local", group=PLAYERS
    )
    ray_address: str | None = option(
        "a Ray cluster to use (default: begin Ray on this machine)", metavar="ADDRESS", group=PLAYERS
    )

    scenario_file: tuple[str, ...] = option(
        "name or path of a scenario; give several to draw one at each game (default: the training config's)",
        (),
        metavar="SCENARIO",
        group=GAMES,
        reads_file=True,
    )
    game_rules: str | None = option(
        "rule numbers in place of the packaged ones", metavar="FILE", group=GAMES, reads_file=True
    )
    max_steps_per_turn: int | None = option(
        "end a game when a player's turn has used N micro actions (default: that of the game rules)",
        metavar="N",
        group=GAMES,
        bounds=COUNT,
    )
    decisions: Literal["agent", "reference"] | None = option(
        "who chooses targets (default: the training config's)", group=GAMES
    )
    weapon_rules: Literal["reference", "full"] | None = option(
        "which weapon rules act (default: the training config's)", group=GAMES
    )
    max_turns: int | None = option("turns of a game (default: the training config's)", metavar="N", group=GAMES)
    layout: tuple[str, ...] = option(
        "fields of the layout, as units_per_side=20,macro (default: the training config's, "
        "with room for the scenarios)",
        (),
        metavar="NAME=VALUE,...",
        group=GAMES,
    )
    profile: tuple[str, ...] = option(
        "evolutions of the offensive profile, as real_range,best_weapons=2 (default: the training config's)",
        (),
        metavar="NAME=VALUE,...",
        group=GAMES,
    )

    macro_player: Literal[1, 2] = option("whose units it chooses (default 1)", 1, group=MACRO)
    macro_every_steps: int = option(
        "choose every N micro actions (default 5)", 5, metavar="N", group=MACRO, bounds=COUNT
    )
    macro_both: bool = option("choose for both players", False, group=MACRO)

    controlled_agent: str = option(
        "who the macro player is (default MacroController)", DEFAULT_AGENT, metavar="AGENT", group=AGENT
    )
    training_config: str | None = option(
        "environment settings: an entry of the agent's training.json, or AGENT_training_config (default default)",
        metavar="NAME",
        group=AGENT,
    )
    rewards_config: str | None = option(
        "rewards to report: AGENT or AGENT_rewards_config (default: the controlled agent's)",
        metavar="NAME",
        group=AGENT,
    )

    def __post_init__(self) -> None:
        """Check each value by itself."""
        check_options(self)

    def check_together(self) -> None:
        """Raise OptionError for options that contradict each other."""
        if self.ray_address is not None and self.backend != RAY:
            raise OptionError("--ray-address: expected --backend ray with it")
        if self.trace_memory and (self.backend != LOCAL or max(self.workers, *self.sweep_workers, 1) > 1):
            raise OptionError("--trace-memory: expected one local worker, whose memory it traces")
        if self.workers != 1 and self.sweep_workers:
            raise OptionError("--sweep-workers: expected no --workers beside it")
        if self.sweep_repeats is not None and not self.sweep_workers:
            raise OptionError("--sweep-repeats: expected --sweep-workers with it")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    """Two reports to compare, and the ratios at which the comparison fails."""

    before: str = argument("", "a.json")
    after: str = argument("", "b.json")
    fail_if: tuple[str, ...] = option(
        "exit with status 1 where b / a of a figure is below (<, <=) or above (>, >=) a ratio; may be repeated",
        (),
        metavar="'FIGURE<RATIO'",
    )
    json: bool = option("print the comparison as JSON, and nothing else, on stdout", False)
