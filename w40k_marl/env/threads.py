"""Threads that share the work of one call and stop before it ends, even if an exception ends it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Lock, Thread

Work = Callable[[], None]


class _Share:
    """A part of the work for one thread of the team."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._wanted = True
        self._begun = False
        self._done = False
        self._running = Lock()
        self._running.acquire()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work unless it has been called off. Called once, by a thread of the team."""
        self._begun = True  # set before ``_wanted`` is read: ``call_off`` uses the opposite order
        try:
            if self._wanted:
                self._work()
        except BaseException as error:
            self.error = error
        finally:
            self._done = True
            self._running.release()

    def wait(self) -> None:
        """Wait until the work is done."""
        while not self._done:
            self._running.acquire()

    def call_off(self) -> None:
        """Prevent the start of the work, or wait for its end if it has started."""
        self._wanted = False
        if self._begun:
            self.wait()


class ThreadTeam:
    """Threads that work beside the calling thread.

    After a fork, the child process starts new ones, because a fork does not copy threads.
    """

    def __init__(self, helpers: int) -> None:
        """Start ``helpers`` threads."""
        self._helpers = helpers
        self._shares: list[_Share] = []  # of the current call
        self._start()

    def _start(self) -> None:
        tasks: SimpleQueue[_Share | None] = SimpleQueue()
        self._end = weakref.finalize(self, _dismiss, tasks, self._helpers)
        self._threads = [Thread(target=_serve, args=(tasks,), daemon=True) for _ in range(self._helpers)]
        for thread in self._threads:
            thread.start()
        self._tasks = tasks
        self._process = os.getpid()  # last: an interrupted start is repeated

    def work(self, parts: Sequence[Work]) -> None:
        """Run all parts, at most one more than there are helpers; the calling thread runs the
        first.

        Raises the exception of a part. In every case, no thread of the team is working afterwards.
        """
        if self._process != os.getpid():
            self._start()
        self.settle()
        self._shares = shares = [_Share(part) for part in parts[1:]]
        try:
            for share in shares:
                self._tasks.put(share)
            parts[0]()
            for share in shares:
                share.wait()
        except BaseException:
            while self._shares:
                try:
                    self.settle()
                except BaseException:
                    continue  # a second interrupt; the first is raised after the threads have stopped
            raise
        self._shares = []
        for share in shares:
            if share.error is not None:
                raise share.error

    def settle(self) -> None:
        """Call off the unstarted shares of a call, and wait for the running ones."""
        for share in self._shares:
            share.call_off()
        self._shares = []

    def close(self) -> None:
        """End the threads."""
        self._end()
        for thread in self._threads:
            thread.join()


def _serve(tasks: SimpleQueue[_Share | None]) -> None:
    """Run the shares of a queue. The thread holds no reference to its team, so an unused team can
    end.
    """
    while True:
        share = tasks.get()
        if share is None:
            return
        share.run()
        del share  # holds the batch


def _dismiss(tasks: SimpleQueue[_Share | None], helpers: int) -> None:
    for _ in range(helpers):
        tasks.put(None)
