"""What a load simulation is asked to do: the options as given, and the plan in which every name is resolved."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import psutil

from ...content.game_rules import load_game_rules
from ...content.paths import DEFAULT_AGENT, find_data
from ...content.scenario import load_scenario, scenario_path
from ...content.types import GameRules, Scenario
from ...content.weapon_rules import check_acting_rules
from ...env.options import MOST_TURNS
from ...errors import W40KError, how_to_install
from ...files import FileTakenError, file_to_write
from ...observe.layout import Layout
from ...observe.macro.offensive_profile import ProfileOptions
from ...reward.config import RewardsConfig, rewards_config
from ...rules.state import new_games
from ...train.config import DEFAULT_ENTRY, TrainingConfig, training_config
from ..console import read_settings
from .runners.players import RANDOM, check_name

LARGEST_SEED = 2**63 - 1
LONGEST_DURATION = 366 * 86_400
DEFAULT_EPISODES = 10
LOCAL, RAY = "local", "ray"
BACKENDS = (LOCAL, RAY)
DEFAULT_REPEATS = 3
MOST_WORKERS = 4096
PROCESS_BYTES = 100 * 2**20  # of a worker without its games, at least
BOUNDS = {
    "episodes": (1, 10**12),
    "macro_every_steps": (1, 10**12),
    "max_steps_per_turn": (1, 10**12),
    "max_turns": (1, MOST_TURNS),
    "batch": (1, 2**24),
    "workers": (1, MOST_WORKERS),
    "sweep_repeats": (1, 100),
    "warmup": (0, 10**12),
}
"""Least and greatest value of options that are numbers."""


class OptionError(W40KError):
    """An option that cannot be used; the message begins with its name on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line, by their names there; None where the plan fills in."""

    scenario_file: tuple[str, ...] = ()  # names or paths; empty: that of the training config
    controlled_agent: str = DEFAULT_AGENT
    training_config: str | None = None  # None: the entry "default", whose layout gives way to larger scenarios
    rewards_config: str | None = None  # None: the controlled agent's
    # The next five are None or empty where the training config says.
    decisions: Literal["agent", "reference"] | None = None
    weapon_rules: Literal["reference", "full"] | None = None
    max_turns: int | None = None
    layout: tuple[str, ...] = ()  # "name=value", names of the fields of Layout
    profile: tuple[str, ...] = ()  # "name=value", names of the fields of ProfileOptions
    episodes: int | None = None  # None: ten, or as many as the duration allows
    duration: float | None = None  # seconds
    macro_player: int = 1
    macro_every_steps: int = 5
    macro_both: bool = False
    max_steps_per_turn: int | None = None  # None: that of the game rules
    game_rules: str | None = None  # None: the packaged ones
    seed: int | None = None  # None: a fresh one
    policy: str = RANDOM
    trust_models: bool = False
    batch: int | None = None  # None: the agent cycle
    warmup: int = 0  # micro actions of each worker
    workers: int = 1
    sweep_workers: tuple[int, ...] = ()
    sweep_repeats: int | None = None  # None: three
    backend: str = LOCAL
    ray_address: str | None = None
    trace_memory: bool = False
    metrics_out: str | None = None
    report: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers out of range. Raises OptionError."""
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                bound = f"at least {low}" if value < low else f"at most {high}"
                raise OptionError(f"{flag(name)}: expected {bound}, got {_shortened(value)}")
        if self.duration is not None and not 0 < self.duration <= LONGEST_DURATION:
            raise OptionError(f"--duration: expected more than 0 seconds and at most a year, got {self.duration:g}")
        for workers in self.sweep_workers:
            if not 1 <= workers <= MOST_WORKERS:
                bound = "at least 1" if workers < 1 else f"at most {MOST_WORKERS}"
                raise OptionError(f"--sweep-workers: expected {bound}, got {_shortened(workers)}")
        if self.backend not in BACKENDS:
            raise OptionError(f"--backend: expected {' or '.join(BACKENDS)}, got {self.backend!r}")
        if self.macro_player not in (1, 2):
            raise OptionError(f"--macro-player: expected 1 or 2, got {self.macro_player}")
        if self.seed is not None and not 0 <= self.seed <= LARGEST_SEED:
            raise OptionError(f"--seed: expected 0 to {LARGEST_SEED}, got {_shortened(self.seed)}")

    def check_together(self) -> None:
        """Refuse options that contradict each other."""
        if self.ray_address is not None and self.backend != RAY:
            raise OptionError("--ray-address: expected --backend ray with it")
        if self.trace_memory and (self.backend != LOCAL or max(self.workers, *self.sweep_workers, 1) > 1):
            raise OptionError("--trace-memory: expected one local worker, whose memory it traces")
        if self.workers != 1 and self.sweep_workers:
            raise OptionError("--sweep-workers: expected no --workers beside it")
        if self.sweep_repeats is not None and not self.sweep_workers:
            raise OptionError("--sweep-repeats: expected --sweep-workers with it")


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

    @property
    def sweep_repeats(self) -> int:
        """How often a sweep runs each number of workers."""
        return self.options.sweep_repeats or DEFAULT_REPEATS


def make_plan(options: Options) -> Plan:
    """Resolve every name and check that the report can be written. Raises W40KError, one line each."""
    options.check_together()
    with option_named("controlled_agent"):
        find_data("agents", options.controlled_agent)
    with option_named("training_config"):
        training = training_config(options.training_config or DEFAULT_ENTRY, options.controlled_agent)
    rewards_name = options.rewards_config or options.controlled_agent
    with option_named("rewards_config"):
        rewards = rewards_config(rewards_name)
    with option_named("game_rules"):
        rules = load_game_rules(options.game_rules)
    scenarios = options.scenario_file or (training.scenario,)
    with option_named("scenario_file"):
        files = tuple(scenario_path(name) for name in scenarios)
        loaded = [load_scenario(file) for file in files]  # refused now rather than after the rules are compiled
    training = effective_training(options, training, loaded)
    with option_named("policy"):
        check_name(options.policy)
    with option_named("workers" if options.batch is None else "batch"):
        if options.batch is not None and options.batch < len(scenarios):
            raise W40KError(f"expected at least {len(scenarios)}, a game for each scenario, got {options.batch}")
        check_memory(options, training)
    metrics_out = _place("metrics_out", options.metrics_out, options.overwrite)
    report = _place("report", options.report, options.overwrite)
    if report is not None:
        check_report_extra()
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


def effective_training(options: Options, training: TrainingConfig, scenarios: Sequence[Scenario]) -> TrainingConfig:
    """The training config with what the options say instead.

    Capacities that neither the options nor a named training config give follow from the scenarios. Raises OptionError.
    """
    with option_named("layout"):
        given = read_settings(options.layout, asdict(Layout()))
        layout = replace(training.layout, **given)
        room = layout.with_room_for(scenarios)
        free = ("units_per_side", "objectives")
        if options.training_config is None or not training.layout_given:
            layout = replace(layout, **{name: getattr(room, name) for name in free if name not in given})
        for name in free:
            if getattr(layout, name) < getattr(room, name):
                raise W40KError(
                    f"expected {name}={getattr(room, name)}, which the scenarios need, got {getattr(layout, name)}"
                )
    with option_named("profile"):
        profile = replace(training.profile, **read_settings(options.profile, asdict(ProfileOptions())))
        if options.profile and not layout.macro:
            raise W40KError("expected --layout macro with it, as only the macro observation holds the profile")
    training = replace(
        training,
        decisions=options.decisions or training.decisions,
        weapon_rules=options.weapon_rules or training.weapon_rules,
        max_turns=options.max_turns or training.max_turns,
        layout=layout,
        obs_size=training.obs_size if layout == training.layout else None,  # it was said of that layout
        profile=profile,
    )
    if training.weapon_rules == "full":
        with option_named("scenario_file"):
            for scenario in scenarios:
                check_acting_rules(scenario)
    return training


def check_memory(options: Options, training: TrainingConfig) -> None:
    """Refuse more games, or processes on this machine, than fit into memory. Raises W40KError."""
    if options.backend != LOCAL:
        return
    layout, workers = training.layout, max(options.workers, *options.sweep_workers, 1)
    game = new_games(1, layout.units_per_side, layout.objectives).itemsize
    row = game + 4 * layout.observation_size + layout.action_count
    needed = workers * (options.batch or 0) * row + (workers - 1) * PROCESS_BYTES
    available = psutil.virtual_memory().available
    if needed > available:
        asked = f"{workers} x {options.batch or 1} games, which need {needed >> 20} MiB"
        raise W40KError(
            f"expected games and workers that fit into the {available >> 20} MiB of free memory, got {asked}"
        )


def check_report_extra() -> None:
    """Refuse a page whose libraries are missing; they are imported once the run is over. Raises OptionError."""
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise OptionError(f"--report: a page needs {' and '.join(missing)}: {how_to_install('report')}")


def _place(option: str, name: str | None, overwrite: bool) -> Path | None:
    with option_named(option):
        try:
            return None if name is None else file_to_write(name, replace=overwrite)
        except FileTakenError as error:
            raise OptionError(f"{error}; --overwrite replaces it") from None


def _shortened(value: int) -> str:
    """A number for a message; one of very many digits without most of them."""
    return str(value) if abs(value) < 10**30 else "a number of more than 30 digits"


def flag(name: str) -> str:
    """``macro_player`` as the command line spells it: ``--macro-player``."""
    return "--" + name.replace("_", "-")


@contextmanager
def option_named(name: str) -> Iterator[None]:
    """Say of which option a refusal is."""
    try:
        yield
    except W40KError as error:
        raise OptionError(f"{flag(name)}: {error}") from None
