"""The pools that execute a plan: this process, several
processes, or actors on Ray. All send messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ....errors import W40KError
from .worker import Message, Worker

SECONDS_BETWEEN_MESSAGES = 0.5


class WorkerError(W40KError):
    """Raised if a worker cannot run."""


class WorkerPool(Protocol):
    """Workers that are ready to play; they start together at the first call of ``messages``."""

    def messages(self) -> Iterator[Message]:
        """Yield messages of the workers until each is done or lost;
        a new call after Ctrl-C continues.
        """

    def stop(self, seconds: float) -> None:
        """Let all workers finish their current games; ``messages``
        ends after ``seconds`` in any case.
        """

    def close(self) -> None:
        """End all workers that still run."""


class InlinePool:
    """One worker in this process."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._begun = False

    def messages(self) -> Iterator[Message]:
        """Yield each game as it ends, then the figures."""
        if not self._begun:
            self._begun = True
            for episodes in self._worker.play():
                yield Message(0, episodes)
        yield Message(0, [], self._worker.figures(), done=True)

    def stop(self, seconds: float) -> None:
        """Do not begin further games; the current one has been interrupted already."""
        self._worker.stop()

    def close(self) -> None:
        """Do nothing: no worker runs on."""
