"""The options of the load simulation, as the command line and the report name them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ...content.paths import DEFAULT_AGENT
from ..command import SEED, Bounds, OptionError, argument, check_options, option

MOST = 10**12
COUNT = Bounds(1, MOST)
WORKERS = Bounds(1, 4096)
DURATION = Bounds(math.ulp(0.0), 366 * 86_400, "more than 0 seconds and at most a year")
LOCAL, RAY = "local", "ray"

_written = partial(option, group="what is written")
_players = partial(option, group="who plays")
_games = partial(option, group="what is played")
_macro = partial(option, group="the macro")
_agent = partial(option, group="the agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a load simulation; None and empty for values that the plan sets.

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

    metrics_out: str | None = _written("write the report as JSON", metavar="FILE")
    report: str | None = _written("write the report as one HTML page, with charts", metavar="FILE")
    overwrite: bool = _written("replace these files if they are there", False)
    json: bool = _written("print the report as JSON, and nothing else, on stdout", False)
    trace_memory: bool = _written("trace Python's memory in all games, not one more; slows them", False)

    workers: int = _players("processes that share the games (default 1: this one)", 1, metavar="N", bounds=WORKERS)
    sweep_workers: tuple[int, ...] = _players(
        "run the same plan with each number of workers, and tell where more bring nothing",
        (),
        metavar="N,N,...",
        bounds=WORKERS,
    )
    sweep_repeats: int | None = _players(
        "runs of a sweep with each number of workers (default 3)", metavar="K", bounds=Bounds(1, 100)
    )
    batch: int | None = _players(
        "each worker plays N games at a time, on BatchEnv", metavar="N", bounds=Bounds(1, 2**24)
    )
    policy: str = _players(
        "random (default), first (legal action), greedy, an agent key or an agent's folder, or module:callable",
        "random",
        metavar="POLICY",
    )
    trust_models: bool = _players("allow files of agents to run code; only such as you know", False)
    backend: Literal["local", "ray"] = _players("where workers run (default local; ray needs the extra `ray`)", "local")
    ray_address: str | None = _players("a Ray cluster to use (default: begin Ray on this machine)", metavar="ADDRESS")

    scenario_file: tuple[str, ...] = _games(
        "name or path of a scenario; give several to draw one at each game (default: the training config's)",
        (),
        metavar="SCENARIO",
        reads_file=True,
    )
    game_rules: str | None = _games("rule numbers in place of the packaged ones", metavar="FILE", reads_file=True)
    max_steps_per_turn: int | None = _games(
        "end a game when a player's turn has used N micro actions (default: that of the game rules)",
        metavar="N",
        bounds=COUNT,
    )
    decisions: Literal["agent", "reference"] | None = _games("who chooses targets (default: the training config's)")
    weapon_rules: Literal["reference", "full"] | None = _games(
        "which weapon rules act (default: the training config's)"
    )
    max_turns: int | None = _games("turns of a game (default: the training config's)", metavar="N")
    layout: tuple[str, ...] = _games(
        "fields of the layout, as units_per_side=20,macro (default: the training config's, "
        "with room for the scenarios)",
        (),
        metavar="NAME=VALUE,...",
    )
    profile: tuple[str, ...] = _games(
        "evolutions of the offensive profile, as real_range,best_weapons=2 (default: the training config's)",
        (),
        metavar="NAME=VALUE,...",
    )

    macro_player: Literal[1, 2] = _macro("whose units it chooses (default 1)", 1)
    macro_every_steps: int = _macro("choose every N micro actions (default 5)", 5, metavar="N", bounds=COUNT)
    macro_both: bool = _macro("choose for both players", False)

    controlled_agent: str = _agent("who the macro player is (default MacroController)", DEFAULT_AGENT, metavar="AGENT")
    training_config: str | None = _agent(
        "environment settings: an entry of the agent's training.json, or AGENT_training_config (default default)",
        metavar="NAME",
    )
    rewards_config: str | None = _agent(
        "rewards to report: AGENT or AGENT_rewards_config (default: the controlled agent's)", metavar="NAME"
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
