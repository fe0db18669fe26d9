"""Reading ahead: a second thread reads and dissects while the first one tracks and reports.

Kernels release the GIL, so both run at once. Each batch of segments lies in the room of its own
dissector, which goes back to the thread when the batch has been used.
"""

from __future__ import annotations

import os
import queue
import threading
from typing import Protocol

from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.engine.intake import Intake, Intaken

# One being filled, one being used, one between them.
DISSECTORS = 3
# How long one look at the source may last: what asks the thread to end waits so long.
STEP_SECONDS = 0.1


class Reader(Protocol):
    """Gives batches one after the other."""

    def next(self, timeout: float) -> Intaken | None:
        """The next batch, None when none came in time; raises what reading raised."""

    def done_with(self, batch: Intaken) -> None:
        """The batch's memory may be used again."""

    @property
    def ended(self) -> bool:
        """Nothing more will come."""

    @property
    def clipped(self) -> int:
        """Packets whose IP header declares more than their frame had."""

    def close(self) -> None:
        """Stop reading."""


class DirectReader:
    """Reads when it is asked: for live capture, and where frames are needed."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._dissector = intake.make_dissector()

    def next(self, timeout: float) -> Intaken | None:
        """See Reader."""
        return self._intake.step(self._dissector, timeout)

    def done_with(self, batch: Intaken) -> None:
        """See Reader."""

    @property
    def ended(self) -> bool:
        """See Reader."""
        return self._intake.ended

    @property
    def clipped(self) -> int:
        """See Reader."""
        return self._dissector.clipped

    def close(self) -> None:
        """See Reader."""


class ThreadedReader:
    """Reads ahead in a thread of its own."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._dissectors = [intake.make_dissector() for _ in range(DISSECTORS)]
        self._free: queue.SimpleQueue[Dissector] = queue.SimpleQueue()
        for dissector in self._dissectors:
            self._free.put(dissector)
        self._ready: queue.SimpleQueue[Intaken | BaseException | None] = queue.SimpleQueue()
        self._stop = False
        self._ended = False
        self._thread = threading.Thread(target=self._read_all, name="reader", daemon=True)
        self._thread.start()

    def _read_all(self) -> None:
        try:
            dissector = self._free.get()
            while not self._stop and not self._intake.ended:
                batch = self._intake.step(dissector, STEP_SECONDS)
                if batch is not None:
                    self._ready.put(batch)
                    dissector = self._free.get()
        except BaseException as error:
            self._ready.put(error)
        self._ready.put(None)

    def next(self, timeout: float) -> Intaken | None:
        """See Reader."""
        try:
            item = self._ready.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(item, BaseException):
            self._ended = True
            raise item
        if item is None:
            self._ended = True
        return item

    def done_with(self, batch: Intaken) -> None:
        """See Reader."""
        self._free.put(batch.dissector)

    @property
    def ended(self) -> bool:
        """See Reader."""
        return self._ended

    @property
    def clipped(self) -> int:
        """See Reader."""
        return sum(dissector.clipped for dissector in self._dissectors)

    def close(self) -> None:
        """See Reader."""
        self._stop = True
        self._free.put(self._dissectors[0])
        self._thread.join()


def may_thread() -> bool:
    """Whether more threads are of use: $TCPSNOOP_THREADS=1 and a single core deny it."""
    return int(os.environ.get("TCPSNOOP_THREADS") or len(os.sched_getaffinity(0))) > 1


def make_reader(intake: Intake, *, ahead: bool) -> Reader:
    """A reader; `ahead` asks for a thread of its own, if more threads are of use."""
    return ThreadedReader(intake) if ahead and may_thread() else DirectReader(intake)
