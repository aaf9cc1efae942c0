"""Blocks the use of a game after an exception has interrupted a reset or a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..errors import InterruptedStepError, W40KError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Interruptible:
    """Base of sessions, environments, batches and seats.

    A method that changes the game sets ``_unfinished`` before its first change and clears it after
    the last one. An exception in between, including Ctrl-C, leaves it set. Then every other method
    that steps, shows or copies the game raises InterruptedStepError, until ``reset`` begins a new
    game.
    """

    _unfinished = False
    _way_on = "reset()"

    def _check_finished(self) -> None:
        """Raise InterruptedStepError if an exception has left the last reset or step unfinished."""
        if self._unfinished:
            expected = f"{self._way_on} after an interrupted reset or step"
            raise InterruptedStepError(f"{type(self).__name__}: expected {expected}, got another call")

    def _change(
        self,
        inner: Interruptible,
        method: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call a method of the inner game ``inner`` that changes it; the caller clears
        ``_unfinished``.

        If the method raises a W40KError and ``inner`` is finished, this object counts as finished
        too.
        """
        before, self._unfinished = self._unfinished, True
        try:
            return method(*args, **kwargs)
        except W40KError:
            self._unfinished = before or inner._unfinished
            raise
