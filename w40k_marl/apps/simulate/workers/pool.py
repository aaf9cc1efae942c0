"""Who carries a plan out: the process itself, processes beside it, or actors on Ray. All speak in messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ....env.aec import RawEnv
from ....errors import W40KError
from ..options import RAY
from ..plan import Plan
from .worker import Message, Worker

SECONDS_BETWEEN_MESSAGES = 0.5


class WorkerError(W40KError):
    """A worker that cannot do its work at all."""


class Team(Protocol):
    """Workers that are ready to play; they begin together at the first message that is asked for."""

    def messages(self) -> Iterator[Message]:
        """Words of the workers until each is done or lost; asked again after Ctrl-C, it goes on."""

    def stop(self, seconds: float) -> None:
        """Ask all workers to finish the games they are in; after so many seconds, ``messages`` ends all the same."""

    def close(self) -> None:
        """End whatever still runs."""


class Solo:
    """One worker in this process."""

    def __init__(self, plan: Plan, env: RawEnv | None) -> None:
        self._worker = Worker(plan, env=env)
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


def assemble(plan: Plan, env: RawEnv | None) -> Team:
    """The workers of a plan, ready. Raises W40KError where one cannot work."""
    workers = plan.options.workers
    if plan.options.backend == RAY:
        from .ray_pool import RayTeam

        return RayTeam(plan, workers)
    if workers == 1:
        return Solo(plan, env)
    from .processes import ProcessTeam

    return ProcessTeam(plan, workers)
