"""Makes an environment ready to be timed: its rules compiled and loaded, with word to the user if that takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba import config

from .. import w40k_v0
from ..compiler.code_cache import folder
from ..env.aec import RawEnv
from ..observe.encode import step_and_view
from ..rules import engine

PATIENCE = 3.0  # seconds without a word; code from the cache is there before
COMPILING = "compiling the rules to machine code; this takes about a minute, and only the first time"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How the rules became ready."""

    seconds: float
    compiled: bool  # anew; else they came from the cache
    cache: str | None  # where compiled code is kept, None for nowhere
    disabled: bool  # NUMBA_DISABLE_JIT: the rules are plain Python


def warm_up(make: Callable[[], RawEnv] = w40k_v0.raw_env, tell: Tell = lambda _: None) -> tuple[RawEnv, WarmUp]:
    """Make an environment and take one step in it, so that everything it calls is compiled."""
    began, before = time.perf_counter(), _compilations()
    notice = threading.Timer(PATIENCE, tell, [COMPILING])
    notice.daemon = True
    if not config.DISABLE_JIT:
        notice.start()
    observation: Any
    try:
        env = make()
        env.reset(seed=0)
        observation, _, over, _, _ = env.last()
        env.session.mask()
        if not over:
            env.step(int(observation["action_mask"].argmax()))
    finally:
        notice.cancel()
    seconds = time.perf_counter() - began
    disabled = bool(config.DISABLE_JIT)
    return env, WarmUp(seconds, _compilations() > before, str(folder()), disabled)


def _compilations() -> int:
    """How often this process has compiled an entry point of play because the cache did not hold it."""
    functions = (step_and_view, engine.legal_mask)
    return sum(sum(function.stats.cache_misses.values()) for function in functions if hasattr(function, "stats"))
