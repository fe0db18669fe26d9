"""Owners by what a journal has seen of sockets: who held the one with these ends, and when.

A socket is that of a connection if it was there while the connection was: between its first packet
and its end, or the first packet of the next one in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import HOLDER, LISTENER, SHARED, UNKNOWN, Owner, OwnerColumns, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.owners.evidence import NEVER, Sighting, keys_of, sightings
from tcpsnoop.owners.journal.records import Holders, Identity, Sockets
from tcpsnoop.owners.journal.seen_sockets import Ends, Place, SeenSockets
from tcpsnoop.owners.judge import GONE, NO_PERMISSION, NOT_IN_TIME, NOT_VISIBLE
from tcpsnoop.owners.networks import Networks
from tcpsnoop.owners.pool import OwnerPool

# As in owners.answers: an answer does not hold for packets so long before the socket was seen.
OLDEST_PACKET_NS = 1_000_000_000
# Ends of connections, and processes, that are remembered; the oldest go first.
ENDS, PROCESSES = 1 << 16, 1 << 17


@dataclass(slots=True)
class _End:
    """What packets tell of one end of a connection, and its answer."""

    local: Place
    remote: Place
    responder: bool
    first_ns: int
    answering_ns: int = NEVER
    fin_sent_ns: int = NEVER
    fin_received_ns: int = NEVER
    ended_ns: int = NEVER  # by a RST, the provider, or a newer connection in its place
    inode: int = 0  # of its socket, 0 unknown
    seen_ns: int = NEVER  # a moment at which that was there
    owner: Owner | None = None  # as answered last

    @property
    def over_ns(self) -> int:
        """From when on a socket in its place would be another one."""
        return min(self.ended_ns, max(self.fin_sent_ns, self.fin_received_ns))

    def note(self, sighting: Sighting) -> None:
        """Add what other packets tell."""
        self.first_ns = min(self.first_ns, sighting.first_ns)
        self.answering_ns = min(self.answering_ns, sighting.answering_ns)
        self.fin_sent_ns = min(self.fin_sent_ns, sighting.fin_sent_ns)
        self.fin_received_ns = min(self.fin_received_ns, sighting.fin_received_ns)
        self.ended_ns = min(self.ended_ns, sighting.ended_ns)


class Observed:
    """What Merged asks for what tracing does not know. Records are given in their order."""

    method = "sockets as seen"

    def __init__(self, pool: OwnerPool) -> None:
        self._pool = pool
        self._networks: Networks | None = None
        self._sockets = SeenSockets()
        self._captured_ns = -NEVER  # of the latest packet
        self._holders: dict[int, tuple[Process, ...]] = {}
        self._processes: dict[Identity, Process] = {}
        self._barred = self._hidden = False
        self._most_unreadable = 0
        self._ends: dict[int, _End] = {}
        self._newest: dict[Ends, int] = {}  # key of the latest end with these addresses and ports

    # What the journal tells.

    def note_process(self, process: Process) -> None:
        """A process was read."""
        if len(self._processes) >= PROCESSES:
            del self._processes[next(iter(self._processes))]
        self._processes[process.pid, process.start_time] = process

    def note_networks(self, networks: Networks) -> None:
        """These are the addresses of the network namespace."""
        self._networks = networks

    def note_sockets(self, sockets: Sockets) -> None:
        """The table was read."""
        self._sockets.note(sockets)
        for inode in self._sockets.forget():
            self._holders.pop(inode, None)

    def note_holders(self, holders: Holders) -> None:
        """Every process was looked at."""
        for inode, identities in holders.holders.items():
            known = (self._processes.get(each) for each in identities)
            self._holders[inode] = tuple(each for each in known if each is not None)
        self._barred = bool(holders.unreadable) or holders.hidden
        self._hidden = holders.hidden
        self._most_unreadable = max(self._most_unreadable, holders.unreadable)

    # What packets show.

    def see(self, rows: NDArray[np.void]) -> None:
        """Note what packets tell of the ends of connections."""
        if len(rows):
            self._captured_ns = max(self._captured_ns, int(rows["time_ns"].max()))
        for sighting in sightings(rows, keys_of(rows)):
            end = self._ends.get(sighting.key)
            if end is None:
                self._add(sighting)
            else:
                end.note(sighting)

    def finish(self) -> None:
        """No more packets will come; connections that are open stay so for a moment."""
        self._captured_ns += OLDEST_PACKET_NS

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row, by the readings that were given; never raises."""
        rows = batch.rows
        keys, first, place = np.unique(keys_of(rows), return_index=True, return_inverse=True)
        owners = [
            self._owner(self._ends.get(key), time_ns)
            for key, time_ns in zip(keys.tolist(), rows["time_ns"][first].tolist(), strict=True)
        ]
        codes = np.array([self._pool.code(owner) for owner in owners], np.int32)
        return OwnerColumns(codes[place] if len(rows) else codes, self._pool.owners)

    def descends(self, process: Process, ancestor: int) -> bool:
        """Who was begun by whom is not asked for what is over."""
        return False

    def poll(self) -> None:
        """All is told as it is replayed."""

    def remarks(self) -> Sequence[str]:
        """What could not be seen when the journal was written."""
        lines = []
        if self._hidden:
            lines.append("owners: /proc hid processes of other users (hidepid)")
        if self._most_unreadable:
            lines.append(
                f"owners: processes that could not be looked into: {self._most_unreadable}"
            )
        return lines

    def close(self) -> None:
        """Nothing is held open."""

    def _add(self, sighting: Sighting) -> None:
        local = (*sighting.laddr, sighting.lport)
        remote = (*sighting.raddr, sighting.rport)
        key = sighting.key
        end = self._ends[key] = _End(local, remote, bool(key & 1), sighting.first_ns)
        end.note(sighting)
        before = self._newest.get((local, remote))
        older = None if before is None else self._ends.get(before)
        if before is None or before >> 1 < key >> 1:
            self._newest[local, remote] = key
            if older is not None:
                older.ended_ns = min(older.ended_ns, end.first_ns)
        elif older is not None and before >> 1 > key >> 1:  # that one is the newer
            end.ended_ns = min(end.ended_ns, older.first_ns)
        if len(self._ends) > ENDS:
            oldest = self._ends.pop(next(iter(self._ends)))
            if self._newest.get((oldest.local, oldest.remote)) not in self._ends:
                self._newest.pop((oldest.local, oldest.remote), None)

    def _owner(self, end: _End | None, time_ns: int) -> Owner:
        if end is None:
            return _unknown(GONE)
        if end.inode == 0:
            self._find(end)
        if end.inode != 0:
            return self._holder(end, time_ns)
        if end.responder and end.answering_ns != NEVER:
            listening = self._sockets.listeners(end.local, end.first_ns)
            holders = {each: None for inode in listening for each in self._holders.get(inode, ())}
            if holders:
                return _one_of(LISTENER, sorted(holders, key=lambda process: process.pid))
        if self._networks is not None and not self._networks.has(*end.local[:2]):
            return _unknown(NOT_VISIBLE)
        return _unknown(GONE)

    def _find(self, end: _End) -> None:
        """The socket that was seen while the connection was; none when there were several."""
        until_ns = min(end.over_ns, self._captured_ns)
        found = list(self._sockets.between(end.local, end.remote, end.first_ns, until_ns))
        if len(found) == 1:
            ((end.inode, end.seen_ns),) = found

    def _holder(self, end: _End, time_ns: int) -> Owner:
        holders = self._holders.get(end.inode)
        if holders:
            end.owner = _one_of(HOLDER, holders)
        if end.owner is not None and time_ns >= end.seen_ns - OLDEST_PACKET_NS:
            return end.owner
        if holders == ():
            return _unknown(NO_PERMISSION if self._barred else NOT_VISIBLE)
        return _unknown(NOT_IN_TIME)


def _one_of(quality: str, processes: Sequence[Process]) -> Owner:
    if len(processes) == 1:
        return Owner(quality, processes[0])
    return Owner(SHARED, holders=tuple(processes))


def _unknown(reason: str) -> Owner:
    return Owner(UNKNOWN, reason=reason)
