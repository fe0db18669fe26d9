"""A journal is written: records in the order in which a reader needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.journal.lines import LineMaker, header_line
from tcpsnoop.owners.journal.records import CgroupNumber, Events, Header, ProcessRead, Record


class JournalWriter:
    """Gives whole lines to `write`. It is the Witness of what is learned of this machine.

    What it hears waits for `flush`, or for the next record: the processes that were read because
    of some events stand before these, so that a reader has them when it needs them.
    """

    def __init__(self, write: Callable[[Iterable[bytes]], None], now_ns: Callable[[], int]) -> None:
        self._write = write
        self._now_ns = now_ns
        self._lines = LineMaker()
        self._learned: list[Record] = []
        self._heard: list[Events] = []
        self.events = self.processes = 0
        """How many were heard."""

    def begin(self) -> Callable[[NDArray[np.void]], None]:
        """Another way to read the kernel's record is tried: what was heard before is of no use."""
        self._heard.clear()
        self.events = 0
        return self._hear

    def process(self, process: Process) -> None:
        """A process was read."""
        self.processes += 1
        self._learned.append(ProcessRead(self._now_ns(), process))

    def cgroup(self, number: int, path: str) -> None:
        """The number of a cgroup is known."""
        self._learned.append(CgroupNumber(number, path))

    def header(self, header: Header) -> None:
        """Begin the file; what was heard by then waits."""
        self._write([header_line(header)])

    def put(self, records: Iterable[Record]) -> None:
        """Write records, each behind what was heard before it."""
        for record in records:
            self._write(self._made([*self._taken(), record]))

    def flush(self) -> None:
        """Write what was heard."""
        taken = self._taken()
        if taken:
            self._write(self._made(taken))

    def _hear(self, events: NDArray[np.void]) -> None:
        if len(events):
            self.events += len(events)
            self._heard.append(Events(events))

    def _taken(self) -> list[Record]:
        taken = [*self._learned, *self._heard]
        self._learned.clear()
        self._heard.clear()
        return taken

    def _made(self, records: Iterable[Record]) -> Iterator[bytes]:
        for record in records:
            yield from self._lines.lines(record)
