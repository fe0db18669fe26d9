"""Sockets by their ends, with the times at which readings of the kernel's table have shown them.

A reading shows a socket at some moment between its beginning and its end; one that two readings
show was there all the time between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpsnoop.batches.addresses import MAPPED, halves
from tcpsnoop.owners.journal.records import SocketRow, Sockets, Span

# A socket that is gone is kept for so long, for packets that are looked up later.
KEPT_NS = 10_000_000_000

Place = tuple[int, int, int]  # halves of an address, and a port
Ends = tuple[Place, Place]  # local and remote
_NOWHERE = (*halves("::"), 0)  # the remote end of a listener
_ANY_IPV4, _ANY_IPV6 = halves("0.0.0.0"), halves("::")


@dataclass(slots=True)
class _Seen:
    """A socket, and the first and the last reading that showed it."""

    inode: int
    first: Span
    last: Span | None = None  # None: the latest of all

    def within(self, since_ns: int, until_ns: int, latest: Span) -> int | None:
        """A moment in that time at which it was there for sure, None when there is none."""
        last = self.last or latest
        for begun, done in (self.first, last):
            if since_ns <= begun and done <= until_ns:
                return begun
        moment = max(since_ns, self.first[1])
        return moment if moment <= min(until_ns, last[0]) else None


class SeenSockets:
    """What readings have shown, given in their order."""

    def __init__(self) -> None:
        self._sockets: dict[Ends, list[_Seen]] = {}
        self._there: dict[SocketRow, _Seen] = {}
        self._latest: Span = (0, 0)
        self._forgotten_ns = 0

    def note(self, sockets: Sockets) -> None:
        """The table was read."""
        for row in sockets.gone:
            seen = self._there.pop(row, None)
            if seen is not None:
                seen.last = self._latest
        for row in sockets.new:
            seen = self._there[row] = _Seen(row.inode, sockets.read_ns)
            self._sockets.setdefault(_ends_of(row), []).append(seen)
        self._latest = sockets.read_ns

    def between(
        self, local: Place, remote: Place, since_ns: int, until_ns: int
    ) -> Iterator[tuple[int, int]]:
        """Inode of each socket with these ends that was there in that time, and a moment of it."""
        for seen in self._sockets.get((local, remote), ()):
            moment = seen.within(since_ns, until_ns, self._latest)
            if moment is not None:
                yield seen.inode, moment

    def listeners(self, local: Place, time_ns: int) -> Sequence[int]:
        """Inodes of the sockets that listened for a connection to `local` at that time.

        The kernel chooses as sockets.who_listens says.
        """
        high, low, port = local
        wildcards = [_ANY_IPV4] if high == 0 and low >> 32 == MAPPED >> 32 else []
        for address in ((high, low), *wildcards, _ANY_IPV6):
            there = self.between((*address, port), _NOWHERE, time_ns, time_ns)
            if found := [inode for inode, _ in there]:
                return found
        return ()

    def forget(self) -> Iterator[int]:
        """Inodes of sockets that are no longer kept, if it is time to look."""
        if self._latest[1] < self._forgotten_ns + 2 * KEPT_NS:
            return
        self._forgotten_ns = self._latest[1] - KEPT_NS
        for ends, sockets in list(self._sockets.items()):
            kept = [one for one in sockets if one.last is None or one.last[1] > self._forgotten_ns]
            yield from {one.inode for one in sockets} - {one.inode for one in kept}
            if kept:
                self._sockets[ends] = kept
            else:
                del self._sockets[ends]


def _ends_of(row: SocketRow) -> Ends:
    local = (*halves(row.laddr), row.lport)
    return local, (*halves(row.raddr), row.rport) if row.rport else _NOWHERE
