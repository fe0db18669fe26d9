"""Threads that share the work of a run: no more than there are cores.

Packets are read, tracked and reported, each in order, but one beside the other. What takes longest
hangs on the reports: with a thread for each task one core waited for another, and with more threads
than cores these took their caches from one another. So the first thread tracks, and whoever is free
does a step of any task that waits for one, the first thread too while it would wait.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from tcpsnoop.errors import UsageError

# More would wait for Python's lock most of the time.
_MOST_HELPERS = 2


class Task(Protocol):
    """What is done step by step, each by whichever thread has time; never two at once."""

    @property
    def can_step(self) -> bool:
        """Whether there is a step to be done; quick, as it is asked for under a lock."""

    def step(self) -> None:
        """Do it."""


class Lane:
    """Jobs that are done one after the other."""

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()

    def add(self, job: Callable[[], None]) -> None:
        """Put a job behind the others."""
        self._jobs.append(job)

    def __len__(self) -> int:
        """The jobs that are not done."""
        return len(self._jobs)

    @property
    def can_step(self) -> bool:
        """See Task."""
        return bool(self._jobs)

    def step(self) -> None:
        """See Task."""
        try:
            self._jobs[0]()
        finally:
            self._jobs.popleft()


class Crew:
    """The threads, while it is entered, and the one that enters it, which helps while it waits.

    Helpers begin with the tasks that were taken on first, whoever waits with the last ones: so each
    does mostly the same ones, and what these remember stays in the cache of its core.
    """

    def __init__(self, helpers: int) -> None:
        self._tasks: list[Task] = []
        self._busy: set[int] = set()
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._closing = False
        self._threads = [
            threading.Thread(target=self._help, name=f"helper {number}", daemon=True)
            for number in range(helpers)
        ]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads; what has not begun is not done."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def take_on(self, task: Task) -> None:
        """From now on the task is done, behind those there are."""
        with self._changed:
            self._tasks.append(task)
            self._changed.notify_all()

    def let_go(self, task: Task) -> None:
        """It is not done any more, and nothing of it is kept; returns when no step is under way.

        Raises what a step has raised.
        """
        with self._changed:
            self._tasks.remove(task)
        self.wait(lambda: id(task) not in self._busy)

    def tell(self) -> None:
        """Something can be done that could not be done before."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Help until something is so; whether it is so by then.

        Raises what a step has raised, once. A step that has begun is done to its end.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._changed:
                if self._error is not None:
                    error, self._error = self._error, None
                    raise error
                if until():
                    return True
                rest = None if end is None else end - time.monotonic()
                if rest is not None and rest <= 0:
                    return False
                task = self._begin(reversed(self._tasks))
                if task is None:
                    self._changed.wait(rest)
                    continue
            self._do(task)

    def _help(self) -> None:
        while True:
            with self._changed:
                while (task := self._begin(self._tasks)) is None:
                    if self._closing:
                        return
                    self._changed.wait()
            self._do(task)

    def _begin(self, tasks: Iterable[Task]) -> Task | None:
        """The first that can be done now, which is busy from then on; None: there is none."""
        if self._closing:
            return None
        for task in tasks:
            if id(task) not in self._busy and task.can_step:
                self._busy.add(id(task))
                return task
        return None

    def _do(self, task: Task) -> None:
        try:
            task.step()
        except BaseException as error:
            with self._changed:
                self._error = self._error or error
        finally:
            with self._changed:
                self._busy.discard(id(task))
                self._changed.notify_all()


def helpers() -> int:
    """How many threads are of use beside the first: $TCPSNOOP_THREADS, or the cores, less one.

    UsageError when that is no number.
    """
    asked = os.environ.get("TCPSNOOP_THREADS") or str(len(os.sched_getaffinity(0)))
    if not (asked.isascii() and asked.isdigit()):
        raise UsageError(f"TCPSNOOP_THREADS is how many threads there may be, not {asked!r}")
    return max(0, min(int(asked) - 1, _MOST_HELPERS))
