"""The two decorators that compile the rules."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, overload

from numba import config, njit

from . import numba_private
from .code_cache import ContentCache, PlainCache

Function = TypeVar("Function", bound=Callable[..., object])

_entry_points: list[Any] = []

if numba_private.PLAIN and not config.DISABLE_JIT:
    logging.getLogger(__name__).warning("w40k_marl: plain numba, slower to compile: %s", numba_private.PLAIN)


def compiled(function: Function) -> Function:
    """Compile a function that other compiled functions call."""
    if config.DISABLE_JIT:
        return function
    if numba_private.PLAIN:
        plain: Function = njit(nogil=True)(function)
        return plain
    return numba_private.OneVersion(function)


@overload
def entry_point(function: Function) -> Function: ...


@overload
def entry_point(*, what: str, seconds: int) -> Callable[[Function], Function]: ...


def entry_point(function: Any = None, *, what: str = "", seconds: int = 0) -> Any:
    """Compile a function that Python calls, and cache the machine code between processes.

    Before a long compilation, the log names its purpose ``what`` and its duration, about
    ``seconds``.
    """
    if function is None:
        return lambda function: _entry_point(function, what, seconds)
    return _entry_point(function, what, seconds)


def _entry_point(function: Callable[..., object], what: str, seconds: int) -> Any:
    if config.DISABLE_JIT:
        return function
    dispatcher = njit(nogil=True)(function)
    if not numba_private.PLAIN:
        numba_private.use_cache(dispatcher, ContentCache(function, what, seconds))
    elif hasattr(dispatcher, "_cache"):
        numba_private.use_cache(dispatcher, PlainCache(function, what, seconds, dispatcher))
    _entry_points.append(dispatcher)
    return dispatcher


def compilations() -> int:
    """Return the number of versions of entry points that this process compiled, instead of loading
    them.
    """
    return sum(sum(dispatcher.stats.cache_misses.values()) for dispatcher in _entry_points)
