"""Who carries a plan out: the process itself, processes beside it, or actors on Ray. All speak in messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ....errors import W40KError
from .worker import Message, Worker

SECONDS_BETWEEN_MESSAGES = 0.5


class WorkerError(W40KError):
    """A worker that cannot do its work at all."""


class WorkerPool(Protocol):
    """Workers that are ready to play; they begin together at the first message that is asked for."""

    def messages(self) -> Iterator[Message]:
        """Words of the workers until each is done or lost; asked again after Ctrl-C, it goes on."""

    def stop(self, seconds: float) -> None:
        """Ask all workers to finish the games they are in; after so many seconds, ``messages`` ends all the same."""

    def close(self) -> None:
        """End whatever still runs."""


class InlinePool:
    """One worker in this process."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._begun = False

    def messages(self) -> Iterator[Message]:
        """Each game as it ends; then the figures."""
        if not self._begun:
            self._begun = True
            for episodes in self._worker.play():
                yield Message(0, episodes)
        yield Message(0, [], self._worker.figures(), done=True)

    def stop(self, seconds: float) -> None:
        """Begin no further game; the one that was being played is broken off already."""
        self._worker.stop()

    def close(self) -> None:
        """Nothing runs on."""
