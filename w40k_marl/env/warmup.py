"""Compiles or loads the machine code of environments before it is needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from numba import config

from ..compiler import code_cache
from ..compiler.decorators import compilations
from ..observe.layout import Layout
from ..observe.macro.offensive_profile import ProfileOptions
from .aec import RawEnv
from .batch import BatchEnv
from .options import GameOptions

SMALLEST_SCENARIO = "small_board"
REWARDS = "MacroController"  # any agent with reward terms: the code does not depend on the weights

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Result of a warm-up."""

    seconds: float
    compiled: bool  # False: loaded from the cache
    cache: str | None  # folder of the compiled code, or None
    disabled: bool  # NUMBA_DISABLE_JIT: the rules are plain Python


def warm_up(make: Callable[[], RawEnv] = RawEnv, tell: Tell | None = None) -> tuple[RawEnv, WarmUp]:
    """Make an environment and take one step in it, so that all code that it calls is compiled.

    ``tell`` is called with a message before a long compilation; without ``tell`` the message is
    logged.
    """
    made: list[RawEnv] = []

    def work() -> None:
        made.append(make())
        _step(made[0])

    done = _timed(work, tell)
    return made[0], done


def warm_up_everything(
    layout: Layout | None = None, scenario: str = SMALLEST_SCENARIO, tell: Tell | None = None
) -> WarmUp:
    """Compile all code of environments and batches with the capacities of a layout, for every
    option.

    Only capacities matter: flags of the layout, options and scenarios use the same machine code.
    Raises ContentError if the scenario does not fit the layout.
    """
    layout = layout or Layout()
    return _timed(lambda: _play_everything(layout, scenario), tell)


def _timed(work: Callable[[], None], tell: Tell | None) -> WarmUp:
    began, before = time.perf_counter(), compilations()
    with code_cache.announcing(tell):
        work()
    kept = None if config.DISABLE_JIT or code_cache.problem else str(code_cache.folder())
    return WarmUp(time.perf_counter() - began, compilations() > before, kept, bool(config.DISABLE_JIT))


def _step(env: RawEnv) -> None:
    env.reset(seed=0)
    observation: Any
    observation, _, over, _, _ = env.last()
    env.session.mask()
    if not over:
        env.step(int(observation["action_mask"].argmax()))


def _play_everything(layout: Layout, scenario: str) -> None:
    """Step one environment and one batch, with macro blocks and reward terms."""
    options = GameOptions.of(
        layout=replace(layout, macro=True, macro_extras=True),
        rewards=REWARDS,
        profile=ProfileOptions(real_range=True),
    ).keywords()
    env = RawEnv(scenario, **options)
    _step(env)
    env.session.macro_observation(extras=True)
    batch = BatchEnv(scenario, 2, **options)
    batch.reset(seed=0)
    batch.watch(batch.acting_sides.copy())
    batch.step(batch.random_actions())
    batch.restore(0, batch.snapshot(0))
    batch.game_seed(0, 0)
