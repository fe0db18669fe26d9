"""Writes a journal: everything that tells live whose a packet is, without the packets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from tcpsnoop.owners.journal.readings import open_diag
from tcpsnoop.owners.journal.records import Clocks, End, Header, LocalNetworks, Record
from tcpsnoop.owners.journal.sockets_seen import SocketsSeen
from tcpsnoop.owners.journal.writer import JournalWriter
from tcpsnoop.owners.local_addresses import LocalAddresses
from tcpsnoop.owners.networks import Networks
from tcpsnoop.owners.opening import open_tracing
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.procfs import seconds_since_boot
from tcpsnoop.owners.tracing.clocks import monotonic_ns
from tcpsnoop.owners.tracing.formats import boot_id
from tcpsnoop.owners.tracing.host import here

# How often sockets are looked at: where the kernel's record tells the rest, and where it does not.
BESIDE_TRACING_SECONDS, ALONE_SECONDS = 0.9, 0.1
# How often the clocks are compared; when they have moved apart by so much, it is written down.
CLOCKS_SECONDS, APART_NS = 10.0, 1_000_000
_ROOT = "/proc"


class Recorder:
    """A journal that is being written; `write` takes its bytes, whole lines at a time.

    Opening it opens the kernel's record, if it may be read; `program` is who writes.
    """

    def __init__(
        self,
        write: Callable[[Iterable[bytes]], None],
        now_ns: Callable[[], int],
        program: str,
        *,
        tracing: bool = True,
        tracepoints: Path | None = None,
    ) -> None:
        self._now_ns = now_ns
        self._program = program
        self._journal = JournalWriter(write, now_ns)
        self._traced, self._why_not = None, "--no-tracing"
        if tracing:
            self._traced, self._why_not = open_tracing(
                now_ns, OwnerPool(), tracepoints, witness=self._journal, calls=False
            )
        every = ALONE_SECONDS if self._traced is None else BESIDE_TRACING_SECONDS
        told = self._journal.process
        self._sockets = SocketsSeen(every, seconds_since_boot, now_ns, told, _ROOT, open_diag())
        self._addresses = LocalAddresses(Path(_ROOT) / "net", seconds_since_boot)
        self._networks: Networks | None = None
        self._clocks: Clocks | None = None
        self._compare_at = 0.0

    def begin(self) -> None:
        """Write where and how it is written, and what is there already."""
        traced, host = self._traced, here(_ROOT, self._now_ns)
        header = Header(
            self._now_ns(),
            boot_id(),
            host.boot_ns(),
            "" if traced is None else traced.method,
            self._why_not,
            traced is not None and traced.tested,
            traced is not None and traced.translates,
            host.namespace,
            host.pids,
            host.ticks_per_second,
            self._program,
        )
        self._journal.header(header)
        # These come first: whoever reads must know them before any packet.
        self._journal.put([*self._new_clocks(), *self._new_networks()])
        self._put(self._sockets.first())

    def poll(self) -> None:
        """Write what was told and seen since the last time."""
        self._put(chain(self._new_clocks(), self._new_networks(), self._sockets.poll()))

    def end(self) -> None:
        """Write what was still to be told, and that this is the end."""
        over_ns = self._now_ns()
        if self._traced is not None:
            self._traced.finish()
        self._journal.put([End(over_ns, self._lost)])

    def summary(self) -> Sequence[str]:
        """Lines for the notes: the method, what was written, what was lost."""
        journal, lines = self._journal, []
        if self._traced is None:
            lines.append(f"owners: no kernel tracing: {self._why_not}")
            lines.append(f"owners: sockets as seen, {journal.processes:,} processes")
        else:
            lost = f"{self._lost:,} events lost" if self._lost else "no event lost"
            told = f"{journal.events:,} events, {journal.processes:,} processes"
            lines.append(f"owners: {self._traced.method}, {told}, {lost}")
        return [*lines, *self._sockets.remarks()]

    def close(self) -> None:
        """Stop; may be called twice."""
        self._sockets.close()
        if self._traced is not None:
            self._traced.close()

    @property
    def _lost(self) -> int:
        return 0 if self._traced is None else self._traced.lost

    def _put(self, records: Iterable[Record]) -> None:
        """Write records, each behind the events from before it: looking takes its time."""
        for record in records:
            self._take_events()
            self._journal.put([record])
        self._take_events()
        self._journal.flush()

    def _take_events(self) -> None:
        if self._traced is not None:
            self._traced.poll()

    def _new_networks(self) -> Iterator[Record]:
        """The addresses of the network namespace, when they have changed."""
        networks = self._addresses.networks
        if networks is not None and networks is not self._networks:
            before, self._networks = self._networks, networks
            if before is None or before.known != networks.known:
                yield LocalNetworks(self._now_ns(), networks.texts())

    def _new_clocks(self) -> Iterator[Record]:
        """The clocks, when they have not been told or one was set."""
        now = seconds_since_boot()
        if now < self._compare_at:
            return
        self._compare_at = now + CLOCKS_SECONDS
        boottime_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        clocks = Clocks(self._now_ns(), monotonic_ns(), boottime_ns)
        if self._clocks is None or _apart(self._clocks, clocks) >= APART_NS:
            self._clocks = clocks
            yield clocks


def _apart(one: Clocks, other: Clocks) -> int:
    """How far the system's clock was set, against either of the others, between two looks."""
    differences = [clocks.system_ns - clocks.monotonic_ns for clocks in (one, other)]
    since_boot = [clocks.system_ns - clocks.boottime_ns for clocks in (one, other)]
    return max(abs(a - b) for a, b in (differences, since_boot))
