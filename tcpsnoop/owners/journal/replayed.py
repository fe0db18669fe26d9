"""Owners by a journal that was written while the packets were captured: an OwnerLookup.

The journal has what is known live, so it is judged as live: by the same join of events, and the
same qualities. Each packet is labelled with what was told until a moment after it, whatever else
comes in its batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import OwnerColumns, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CLOSED
from tcpsnoop.owners.journal.feed import NEVER, Feed
from tcpsnoop.owners.journal.observed import OLDEST_PACKET_NS, Observed
from tcpsnoop.owners.journal.reader import JournalReader
from tcpsnoop.owners.journal.records import (
    CgroupNumber,
    End,
    Events,
    Holders,
    LocalNetworks,
    ProcessRead,
    Record,
    Sockets,
)
from tcpsnoop.owners.merged import Merged
from tcpsnoop.owners.networks import Networks
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.tracing.clocks import monotonic_ns
from tcpsnoop.owners.tracing.events import EVENT, LOST
from tcpsnoop.owners.tracing.host import Host
from tcpsnoop.owners.tracing.traced import Traced

# Packets are shown so long before they are labelled: what was seen of sockets by then counts.
HOLD_SECONDS = OLDEST_PACKET_NS / 1e9


class Replayed:
    """A journal; `hold` is how many seconds after a packet events count for it, as live.

    `calls`: send calls will be taken.
    """

    late = True

    def __init__(self, reader: JournalReader, hold: float, *, calls: bool = True) -> None:
        header = reader.header
        self._reader = reader
        self._hold_ns = round(hold * 1e9)
        self._pool = OwnerPool()
        self._read: dict[int, ProcessRead] = {}  # by PID, the latest
        self._cgroups: dict[int, str] = {}
        self._networks = Networks(())
        self._observed = Observed(self._pool)
        self._traced: Traced | None = None
        if header.method:
            host = Host(
                header.pids,
                header.network_namespace,
                self._process_read,
                lambda number: self._cgroups.get(number, ""),
                lambda: header.boot_ns,
                header.ticks_per_second,
            )
            rings = _Replay(f"journal of {header.method}", header.translates)
            self._traced = Traced(rings, monotonic_ns, self._pool, self, host=host, calls=calls)
            self._traced.calls_since_ns = NEVER  # no packet was seen yet
            self._traced.warm_up()
        self._merged = Merged(self._pool, self._observed, self._traced, header.why_not)
        self._first_ns, self._last_ns = NEVER, -NEVER  # of packets
        self._feed = Feed(reader, self._seen, self._told)
        # What is local must be known before any packet.
        self._feed.advance(-NEVER, header.began_ns + OLDEST_PACKET_NS)

    @property
    def addresses(self) -> Collection[tuple[int, int]]:
        """The addresses of the network namespace, as far as the journal has told by now."""
        return self._networks.addresses()

    @property
    def damage(self) -> str | None:
        """What is missing from the journal, once it was read to its end."""
        return self._reader.damage

    def has(self, high: int, low: int) -> bool:
        """Whether an address is of the network namespace; True when that is not known."""
        return not self._networks.known or self._networks.has(high, low)

    def see(self, batch: ProbeBatch) -> None:
        """Note what packets tell of their connections, before they are labelled."""
        rows = batch.rows
        if len(rows):
            self._first_ns = min(self._first_ns, int(rows["time_ns"].min()))
            self._last_ns = max(self._last_ns, int(rows["time_ns"].max()))
            if self._traced is not None:
                self._traced.calls_since_ns = self._first_ns
        self._merged.see(batch)
        self._observed.see(rows)

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row of the batch, by the end at the left; never raises."""
        codes = np.zeros(len(batch), np.int32)
        for part in self._parts(batch.rows["time_ns"]):
            rows = batch.rows[part]
            times = rows["time_ns"]
            covered = (times >= self._reader.header.began_ns) & (times <= self._feed.over_ns)
            covered |= rows["probe"] == CLOSED  # its totals are of more than that moment
            asked = np.arange(part.start, part.stop)[covered]
            codes[asked] = self._merged.label(batch.take(asked)).index
            self._merged.leave(batch.take(np.arange(part.start, part.stop)[~covered]))
        return OwnerColumns(codes, self._pool.owners)

    def poll(self) -> None:
        """Nothing happens by itself."""

    def caught_up(self, time_ns: int) -> None:
        """Every packet before that was given to `see`."""
        self._merged.caught_up(time_ns)

    def finish(self) -> None:
        """No more packets will come."""
        self._observed.finish()
        self._merged.caught_up(NEVER)

    def descends(self, process: Process, ancestor: int) -> bool:
        """Nobody is followed."""
        return False

    def follows(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """For each row of `write`, whether `take_writes` has the calls of its end instead."""
        return self._merged.follows(rows)

    def take_writes(self, until_ns: int, *, last: bool = False) -> ProbeBatch:
        """The probe `application-write`, of send calls of the time of the capture; each once."""
        self._feed.advance(until_ns, until_ns)
        return self._merged.take_writes(until_ns, last=last)

    def summary(self) -> Sequence[str]:
        """Lines for the notes: the method, shares by quality, what the journal does not cover.

        The rest of the journal is of no use then, but whether it is there is.
        """
        self._reader.read_to_end()
        return [*self._merged.summary(), *self._uncovered()]

    def close(self) -> None:
        """Close the journal."""
        self._reader.close()

    def _parts(self, times: NDArray[np.int64]) -> Iterator[slice]:
        """Parts of rows for which the same is told; the journal stands where each needs it."""
        latest = np.maximum.accumulate(times)
        start = 0
        while start < len(latest):
            self._advance(int(latest[start]))
            feed = self._feed
            same_until = min(
                feed.next_told_ns - self._hold_ns, feed.next_seen_ns - OLDEST_PACKET_NS
            )
            stop = max(start + 1, int(np.searchsorted(latest, same_until)))
            yield slice(start, stop)
            start = stop

    def _advance(self, packet_ns: int) -> None:
        """Take in what counts for a packet of that time."""
        self._feed.advance(packet_ns + self._hold_ns, packet_ns + OLDEST_PACKET_NS)

    def _seen(self, record: Record) -> None:
        observed = self._observed
        match record:
            case ProcessRead(_, process):
                observed.note_process(process)
            case LocalNetworks(_, networks):
                self._networks = Networks.parsed(networks)
                observed.note_networks(self._networks)
            case Sockets():
                observed.note_sockets(record)
            case Holders():
                observed.note_holders(record)

    def _told(self, record: Record) -> None:
        match record:
            case ProcessRead(_, process):
                self._read[process.pid] = record
            case CgroupNumber(number, path):
                self._cgroups[number] = path
            case Events(rows) if self._traced is not None:
                self._traced.take_in(rows)
            case End(time_ns) if self._traced is not None:
                # Who has an address in the kernel, or a PID, later is not known.
                self._traced.take_in(_nothing_more(time_ns))

    def _process_read(self, pid: int, executed_ns: int) -> Process | None:
        found = self._read.get(pid)
        return None if found is None or found.time_ns < executed_ns else found.process

    def _uncovered(self) -> Iterator[str]:
        """How the time of the journal and that of the packets differ."""
        began_ns, over_ns = self._reader.header.began_ns, self._feed.over_ns
        if self._last_ns < self._first_ns:
            return
        if began_ns > self._last_ns or over_ns < self._first_ns:
            yield "owners: the journal is of another time than the packets: it tells nothing"
            return
        if began_ns > self._first_ns:
            late = (began_ns - self._first_ns) / 1e9
            yield f"owners: the journal begins {late:.3f} s after the first packet"
        if over_ns < self._last_ns:
            early = (self._last_ns - over_ns) / 1e9
            yield f"owners: the journal ends {early:.3f} s before the last packet"


class _Replay:
    """Rings that nothing comes from: events are taken in as the journal tells them."""

    def __init__(self, method: str, translates: bool) -> None:
        self.method, self.translates = method, translates

    def read(self) -> NDArray[np.void]:
        """Nothing."""
        return np.empty(0, EVENT)

    def close(self) -> None:
        """Nothing is open."""


def _nothing_more(time_ns: int) -> NDArray[np.void]:
    """A loss of no events that are counted."""
    event = np.zeros(1, EVENT)
    event["kind"], event["time_ns"] = LOST, time_ns
    return event
