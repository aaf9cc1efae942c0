"""Workers as processes on this machine, spawned: each imports
the package and loads the compiled rules.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from ....errors import W40KError
from ..plan import Plan
from .pool import SECONDS_BETWEEN_MESSAGES, WorkerError
from .worker import Message, Worker

READY, GO, STOP = "ready", "go", "stop"
SECONDS_TO_END = 5.0
NO_GUARD = 64  # exit status of a worker that finds itself starting workers
GUARD = 'a script that starts workers does so under `if __name__ == "__main__":`, and not before'
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class ProcessPool:
    """A process and a pipe for each worker; if a pipe closes early, its worker was killed."""

    def __init__(self, plan: Plan, workers: int) -> None:
        _check_main_module()
        context = multiprocessing.get_context("spawn")
        self._processes: list[SpawnProcess] = []
        self._pipes: dict[Connection, int] = {}  # of those that are still at work
        self._all: list[Connection] = []
        self._going = False
        self._patience: threading.Timer | None = None
        self._out_of_patience = False
        try:
            with _signals_ignored():  # as the new processes then do: theirs is to finish the game they are in
                for index in range(workers):
                    ours, theirs = context.Pipe()
                    process = context.Process(target=work, args=(theirs, plan, index, workers), daemon=True)
                    process.start()
                    theirs.close()
                    self._processes.append(process)
                    self._pipes[ours] = index
                    self._all.append(ours)
            for pipe in list(self._pipes):
                self._await_ready(pipe)
        except BaseException:
            self.close()
            raise

    def _await_ready(self, pipe: Connection) -> None:
        try:
            word = pipe.recv()
        except (EOFError, OSError):
            word = self._why(self._pipes[pipe])
        if word != READY:
            raise WorkerError(str(word))

    def messages(self) -> Iterator[Message]:
        """Yield messages as they arrive."""
        if not self._going:
            self._going = True
            self._tell(GO)
        while self._pipes:
            for pipe in wait(list(self._pipes)):
                assert isinstance(pipe, Connection)
                message = self._receive(pipe)
                if message.done or message.lost is not None:
                    del self._pipes[pipe]
                yield message

    def _receive(self, pipe: Connection) -> Message:
        index = self._pipes[pipe]
        try:
            word = pipe.recv()
        except (EOFError, OSError):
            return Message(index, [], lost=self._why(index))
        if isinstance(word, str):
            raise WorkerError(word)
        assert isinstance(word, Message)
        return word

    def _why(self, index: int) -> str:
        """Return the reason why a worker ended without a message."""
        process = self._processes[index]
        if self._out_of_patience:
            return f"worker {index + 1} did not finish its game in time"
        process.join(SECONDS_TO_END)
        if process.exitcode == NO_GUARD:
            return f"--workers: {GUARD}"
        code = process.exitcode or 0
        try:
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        except ValueError:
            how = f"was killed by signal {-code}"
        return f"worker {index + 1} {how}"

    def stop(self, seconds: float) -> None:
        """Let all workers finish their current games; end those
        that take longer than ``seconds``.
        """
        self._tell(STOP)
        self._patience = threading.Timer(seconds, self._end_all)
        self._patience.daemon = True
        self._patience.start()

    def _end_all(self) -> None:
        """End every process, also suspended ones; their pipes then close."""
        self._out_of_patience = True
        for process in self._processes:
            process.kill()

    def _tell(self, word: str) -> None:
        for pipe in self._pipes:
            with suppress(OSError):  # its end shows when it is listened to
                pipe.send(word)

    def close(self) -> None:
        """End every process that still runs."""
        if self._patience is not None:
            self._patience.cancel()
        for pipe in self._all:
            pipe.close()
        for process in self._processes:
            if self._pipes:
                process.kill()  # they ignore other signals
        for process in self._processes:
            process.join(SECONDS_TO_END)
            if process.is_alive():
                process.kill()


def work(pipe: Connection, plan: Plan, index: int, workers: int) -> None:
    """Run a worker process: prepare, wait for the start, play, and send messages."""
    for number in STOPPING:  # sent to the whole group, as Ctrl-C and scancel do; the first process decides
        signal.signal(number, signal.SIG_IGN)
    try:
        worker = Worker(plan, index, workers)
        pipe.send(READY)
        pipe.recv()
        for message in worker.messages(SECONDS_BETWEEN_MESSAGES):
            pipe.send(message)
            if pipe.poll():
                pipe.recv()
                worker.stop()
    except (EOFError, BrokenPipeError, ConnectionError):
        sys.exit(1)  # the main process has closed the pipe
    except W40KError as error:
        pipe.send(f"worker {index + 1}: {error}")
    except Exception as error:
        traceback.print_exc()
        pipe.send(Message(index, [], lost=f"worker {index + 1} failed: {type(error).__name__}: {error}"))


def _check_main_module() -> None:
    """Raise WorkerError if spawned workers could not import the main module."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(NO_GUARD)  # this is such a worker; the process that started it says why
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if file is not None and getattr(main, "__spec__", None) is None and not Path(file).is_file():
        raise WorkerError(f"--workers: expected a program in a file, which workers can import, got {file}")


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Ignore signals while processes start, which inherit this. Signals are blocked meanwhile if
    the system can do it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    blocked = None
    if os.name != "nt":
        resource_tracker.ensure_running()  # it would unblock signals if it began later
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}
    try:
        yield
    finally:
        for number in STOPPING:
            signal.signal(number, before[number])
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
