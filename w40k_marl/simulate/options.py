"""What a load simulation is asked to do: the options as given, and the plan in which every name is resolved."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..content.acting_rules import check_acting_rules
from ..content.agents import (
    DEFAULT_AGENT,
    DEFAULT_ENTRY,
    RewardsConfig,
    TrainingConfig,
    rewards_config,
    training_config,
)
from ..content.definitions import GameRules
from ..content.game_rules import load_game_rules
from ..content.paths import find_data
from ..content.scenario import load_scenario, scenario_path
from ..errors import W40KError
from ..files import FileTakenError, file_to_write
from .policies import RANDOM, find_policy

LARGEST_SEED = 2**63 - 1
LONGEST_DURATION = 366 * 86_400
DEFAULT_EPISODES = 10
MOST_ROWS = 1_000_000  # games of a batch: some 10 GB
MOST_WORKERS = 1024
LOCAL, RAY = "local", "ray"
BACKENDS = (LOCAL, RAY)


class OptionError(W40KError):
    """An option that cannot be used; the message begins with its name on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line, by their names there; None where the plan fills in."""

    scenario_file: tuple[str, ...] = ()  # names or paths; empty: that of the training config
    controlled_agent: str = DEFAULT_AGENT
    training_config: str = DEFAULT_ENTRY
    rewards_config: str | None = None  # None: the controlled agent's
    episodes: int | None = None  # None: ten, or as many as the duration allows
    duration: float | None = None  # seconds
    macro_player: int = 1
    macro_every_steps: int = 5
    macro_both: bool = False
    max_steps_per_turn: int | None = None  # None: that of the game rules
    game_rules: str | None = None  # None: the packaged ones
    seed: int | None = None  # None: a fresh one
    policy: str = RANDOM
    batch: int | None = None  # None: the agent cycle
    warmup: int = 0  # micro actions of each worker
    workers: int = 1
    sweep_workers: tuple[int, ...] = ()
    backend: str = LOCAL
    ray_address: str | None = None
    trace_memory: bool = False
    metrics_out: str | None = None
    report: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers out of range. Raises OptionError."""
        least = {"episodes": 1, "macro_every_steps": 1, "max_steps_per_turn": 1, "batch": 1, "workers": 1, "warmup": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise OptionError(f"{flag(name)}: expected at least {low}, got {value}")
        for name, high in {"batch": MOST_ROWS, "workers": MOST_WORKERS}.items():
            value = getattr(self, name)
            if value is not None and value > high:
                raise OptionError(f"{flag(name)}: expected at most {high}, got {value}")
        if max(self.sweep_workers, default=1) > MOST_WORKERS:
            raise OptionError(f"--sweep-workers: expected at most {MOST_WORKERS}, got {max(self.sweep_workers)}")
        if self.duration is not None and not 0 < self.duration <= LONGEST_DURATION:
            raise OptionError(f"--duration: expected more than 0 seconds and at most a year, got {self.duration:g}")
        if self.sweep_workers and min(self.sweep_workers) < 1:
            raise OptionError(f"--sweep-workers: expected at least 1, got {min(self.sweep_workers)}")
        if self.backend not in BACKENDS:
            raise OptionError(f"--backend: expected {' or '.join(BACKENDS)}, got {self.backend!r}")
        if self.macro_player not in (1, 2):
            raise OptionError(f"--macro-player: expected 1 or 2, got {self.macro_player}")
        if self.seed is not None and not 0 <= self.seed <= LARGEST_SEED:
            raise OptionError(f"--seed: expected 0 to {LARGEST_SEED}, got {self.seed}")

    def check_together(self) -> None:
        """Refuse options that contradict each other."""
        if self.ray_address is not None and self.backend != RAY:
            raise OptionError("--ray-address: expected --backend ray with it")
        if self.trace_memory and (self.backend != LOCAL or max(self.workers, *self.sweep_workers, 1) > 1):
            raise OptionError("--trace-memory: expected one local worker, whose memory it traces")
        if self.workers != 1 and self.sweep_workers:
            raise OptionError("--sweep-workers: expected no --workers beside it")


@dataclass(frozen=True, slots=True)
class Plan:
    """Options, and what their names stand for."""

    options: Options
    scenarios: tuple[str, ...]
    scenario_files: tuple[Path, ...]
    training: TrainingConfig
    rewards_name: str
    rewards: RewardsConfig
    game_rules: GameRules
    max_steps_per_turn: int  # micro actions that one player's turn may use
    seed: int
    metrics_out: Path | None
    report: Path | None

    @property
    def episodes(self) -> int | None:
        """How many games; None: as many as the duration allows."""
        options = self.options
        return DEFAULT_EPISODES if options.episodes is None and options.duration is None else options.episodes


def make_plan(options: Options) -> Plan:
    """Resolve every name and check that the report can be written. Raises W40KError, one line each."""
    options.check_together()
    with _of("controlled_agent"):
        find_data("agents", options.controlled_agent)
    with _of("training_config"):
        training = training_config(options.training_config, options.controlled_agent)
    rewards_name = options.rewards_config or options.controlled_agent
    with _of("rewards_config"):
        rewards = rewards_config(rewards_name)
    with _of("game_rules"):
        rules = load_game_rules(options.game_rules)
    scenarios = options.scenario_file or (training.scenario,)
    with _of("scenario_file"):
        files = tuple(scenario_path(name) for name in scenarios)
        for file in files:
            scenario = load_scenario(file)  # refused now rather than after the rules are compiled
            if training.weapon_rules == "full":
                check_acting_rules(scenario)
    with _of("policy"):
        find_policy(options.policy)
    with _of("batch"):
        if options.batch is not None and options.batch < len(scenarios):
            raise W40KError(f"expected at least {len(scenarios)}, a game for each scenario, got {options.batch}")
    metrics_out = _place("metrics_out", options.metrics_out, options.overwrite)
    report = _place("report", options.report, options.overwrite)
    if report is not None and report == metrics_out:
        raise OptionError(f"--report: expected another file than --metrics-out, got {options.report}")
    return Plan(
        options=options,
        scenarios=scenarios,
        scenario_files=files,
        training=training,
        rewards_name=rewards_name,
        rewards=rewards,
        game_rules=rules,
        max_steps_per_turn=options.max_steps_per_turn or rules.max_steps_per_turn,
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        metrics_out=metrics_out,
        report=report,
    )


def _place(option: str, name: str | None, overwrite: bool) -> Path | None:
    with _of(option):
        try:
            return None if name is None else file_to_write(name, replace=overwrite)
        except FileTakenError as error:
            raise OptionError(f"{error}; --overwrite replaces it") from None


def flag(name: str) -> str:
    """``macro_player`` as the command line spells it: ``--macro-player``."""
    return "--" + name.replace("_", "-")


@contextmanager
def _of(name: str) -> Iterator[None]:
    """Say of which option a refusal is."""
    try:
        yield
    except W40KError as error:
        raise OptionError(f"{flag(name)}: {error}") from None
