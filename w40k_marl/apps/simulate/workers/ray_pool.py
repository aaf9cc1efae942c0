"""Workers as actors on Ray: the same plan on this machine or on a cluster."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

from ....errors import W40KError, how_to_install
from ..plan import Plan
from .pool import SECONDS_BETWEEN_MESSAGES, WorkerError
from .worker import Message, Worker

MISSING = f"--backend ray: Ray is not installed: {how_to_install('ray')}"
SECONDS_TO_LOOK_UP = 1.0


class Actor:
    """A worker on Ray; ``stop`` can be called while it plays."""

    def __init__(self, plan: Plan, index: int, workers: int, search: list[str]) -> None:
        """Take a share of a plan; ``search`` are the folders of modules, for policies that only the
        main process can find.
        """
        self._plan, self._index, self._workers = plan, index, workers
        sys.path += [folder for folder in search if folder not in sys.path]

    def prepare(self) -> str | None:
        """Make the environment and warm up; return None, or the reason why that failed."""
        try:
            self._worker = Worker(self._plan, self._index, self._workers)
        except W40KError as error:
            return f"worker {self._index + 1}: {error}"
        return None

    def play(self) -> Iterator[Message | str]:
        """Yield the messages of the worker, or the reason why it failed."""
        try:
            yield from self._worker.messages(SECONDS_BETWEEN_MESSAGES)
        except W40KError as error:
            yield f"worker {self._index + 1}: {error}"

    def stop(self) -> None:
        """Do not begin further games."""
        self._worker.stop()


class RayPool:
    """An actor for each worker, each on a core of its own."""

    def __init__(self, plan: Plan, workers: int) -> None:
        self._ray = _connected(plan.options.ray_address, workers)
        self._streams: dict[Any, int] = {}
        self._going = False
        self._patience = math.inf
        remote = self._ray.remote(num_cpus=1, max_concurrency=2, max_restarts=0)(Actor)
        try:
            self._actors = [remote.remote(plan, index, workers, sys.path) for index in range(workers)]
            refusals = self._ray.get([actor.prepare.remote() for actor in self._actors])
        except self._ray.exceptions.RayError as error:
            self.close()
            raise WorkerError(f"--backend ray: {_first_line(error)}") from None
        except BaseException:
            self.close()
            raise
        for refusal in filter(None, refusals):
            self.close()
            raise WorkerError(refusal)

    def messages(self) -> Iterator[Message]:
        """Yield messages as they arrive."""
        if not self._going:
            self._going = True
            for index, actor in enumerate(self._actors):
                self._streams[actor.play.options(num_returns="streaming").remote()] = index
        while self._streams and monotonic() < self._patience:
            ready, _ = self._ray.wait(list(self._streams), num_returns=1, timeout=SECONDS_TO_LOOK_UP)
            for one in ready:
                message = self._receive(one)
                if message.done or message.lost is not None:
                    del self._streams[one]
                yield message

    def _receive(self, one: Any) -> Message:
        index = self._streams[one]
        try:
            word = self._ray.get(next(one))
        except StopIteration:
            return Message(index, [], lost=f"worker {index + 1} ended without a word")
        except self._ray.exceptions.RayActorError:
            return Message(index, [], lost=f"worker {index + 1} was killed")
        except self._ray.exceptions.RayError as error:
            return Message(index, [], lost=f"worker {index + 1} failed: {_first_line(error)}")
        if isinstance(word, str):
            raise WorkerError(word)
        assert isinstance(word, Message)
        return word

    def stop(self, seconds: float) -> None:
        """Let all workers finish their current games; wait for at most ``seconds``."""
        self._patience = monotonic() + seconds
        for index in self._streams.values():
            self._actors[index].stop.remote()

    def close(self) -> None:
        """Leave the cluster, or end the one that was started here."""
        self._ray.shutdown()


def _connected(address: str | None, workers: int) -> Any:
    """Connect Ray to a cluster, or start one here with a core for each worker, and return it.

    Raises WorkerError if Ray is missing, the connection fails or the
    cluster has fewer cores than workers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise WorkerError(MISSING) from None
    sigterm = signal.getsignal(signal.SIGTERM)  # Ray takes it for itself, and ends without a report
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        settings |= {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        ray.init(address="local" if address is None else address, **settings)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise WorkerError(f"--ray-address: {_first_line(error)}") from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, sigterm)
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call, unused-ignore]
    cores = int(resources.get("CPU", 0))
    if cores < workers:
        ray.shutdown()
        raise WorkerError(f"--workers: expected at most {cores}, the cores of the cluster, got {workers}")
    return ray


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
