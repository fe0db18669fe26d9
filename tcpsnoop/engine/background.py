"""Jobs that another thread does: to write a report takes seconds, and a capture cannot wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Background:
    """Does jobs one after the other, in a thread of its own; nobody waits."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "reports")
        self._jobs: deque[Future[None]] = deque()

    def do(self, job: Callable[[], None]) -> None:
        """Add a job; raises what an earlier one raised."""
        self.check()
        self._jobs.append(self._thread.submit(job))

    def check(self) -> None:
        """Raise what a job has raised."""
        while self._jobs and self._jobs[0].done():
            self._jobs.popleft().result()

    def finish(self) -> None:
        """Wait for all jobs; raises what one of them raised."""
        self._thread.shutdown()
        self.check()
