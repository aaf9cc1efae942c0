"""The plan of a load simulation: its options, and the objects that they name."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import psutil

from ...content.game_rules import load_game_rules
from ...content.paths import find_data
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
from ..command import Bounds, OptionError, option_named
from ..console import read_settings
from .options import LOCAL, Options
from .runners.players import check_name

DEFAULT_EPISODES = 10
DEFAULT_REPEATS = 3
PROCESS_BYTES = 100 * 2**20  # of a worker without its games, at least


@dataclass(frozen=True, slots=True)
class Plan:
    """Options, and the objects that they name."""

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
        """Number of games; None: as many as the duration allows."""
        options = self.options
        return DEFAULT_EPISODES if options.episodes is None and options.duration is None else options.episodes

    @property
    def sweep_repeats(self) -> int:
        """Number of runs of a sweep for each number of workers."""
        return self.options.sweep_repeats or DEFAULT_REPEATS


def make_plan(options: Options) -> Plan:
    """Load everything that the options name and check that the report can be written.

    Raises W40KError, in one line, for the first option that cannot be used.
    """
    options.check_together()
    if options.max_turns is not None:
        Bounds(1, MOST_TURNS).check("max_turns", options.max_turns)
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
    metrics_out = _output_file("metrics_out", options.metrics_out, options.overwrite)
    report = _output_file("report", options.report, options.overwrite)
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
    """Return the training config with the values of the options.

    Capacities that neither the options nor a named training config give follow from the scenarios.
    Raises OptionError for an option that does not fit.
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
    """Raise W40KError if the games, or the processes on this machine, do not fit into memory."""
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
    """Raise OptionError if libraries of the page are missing;
    they are imported only after the run.
    """
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise OptionError(f"--report: a page needs {' and '.join(missing)}: {how_to_install('report')}")


def _output_file(option: str, name: str | None, overwrite: bool) -> Path | None:
    with option_named(option):
        try:
            return None if name is None else file_to_write(name, replace=overwrite)
        except FileTakenError as error:
            raise OptionError(f"{error}; --overwrite replaces it") from None
