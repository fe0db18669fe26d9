"""The search for owners: from an end of a connection to its socket, from there to its holders.

An end is in `looking` while the socket table is to be asked, in `waiting` while its sockets are
known, but not every process was scanned since. Then it is answered, and the answer follows the
holders until the connection is over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from tcpsnoop.batches.owners import HOLDER, UNKNOWN, Owner
from tcpsnoop.owners.answers import Answers
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.ends import End, Ends
from tcpsnoop.owners.evidence import Sighting
from tcpsnoop.owners.judge import GONE, NO_PERMISSION, NOT_IN_TIME, NOT_VISIBLE, Claim, judge
from tcpsnoop.owners.local_addresses import LocalAddresses
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.socket_table import SocketTable, spelling

# An end that was not found is looked for again after 20, 40, 80, 160, 200, 200 ms.
MOST_TRIES = 7
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.01, 0.2
# A socket that was taken for another connection's is believed when it is still there so late.
DISTRUST_SECONDS = 0.5
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")  # unit of a process's start time


class Search:
    """Which ends are looked for, and what was found."""

    def __init__(
        self,
        ends: Ends,
        pool: OwnerPool,
        descriptors: Descriptors,
        addresses: LocalAddresses,
        clock: Callable[[], float],
        now_ns: Callable[[], int],
    ) -> None:
        self._ends = ends
        self._pool = pool
        self._descriptors = descriptors
        self._addresses = addresses
        self._clock = clock
        self._now_ns = now_ns
        self._not_in_time = pool.code(Owner(UNKNOWN, reason=NOT_IN_TIME))
        self._answers = Answers(ends, pool, descriptors)
        self.looking: dict[int, End] = {}
        self.waiting: dict[int, End] = {}

    @property
    def follows(self) -> bool:
        """Whether any answer depends on who holds a socket."""
        return bool(self._answers)

    def note(self, sighting: Sighting, now: float) -> None:
        """Remember what was seen of an end; a new one is looked for."""
        end = self._ends.get(sighting.key)
        if end is None:
            end = self._add(sighting, now)
        end.note(sighting)
        if end.over:
            self._end(end)

    def due(self, now: float) -> list[End]:
        """The ends for which the table is to be asked now."""
        return [end for end in self.looking.values() if end.retry_at <= now]

    def ask_table(self, ends: Iterable[End], table: SocketTable, now: float) -> None:
        """Ask a table read at `now` for the sockets of ends."""
        for end in ends:
            self._judge(end, table, now)

    def ask_descriptors(self, deadline: float) -> None:
        """Scan processes for the holders of the sockets found, and answer what is then known."""
        if not self.waiting:
            return
        self._descriptors.scan(max(end.asked for end in self.waiting.values()), deadline)
        for end in list(self.waiting.values()):
            if self._descriptors.covers(end.asked):
                self._settle(end)

    def follow_holders(self) -> None:
        """Answer anew where the holders of a socket have changed; call after a whole scan."""
        self._answers.follow_holders(self.waiting)

    def follow_sockets(self, table: SocketTable, now: float) -> None:
        """Doubt every answer whose addresses and ports have come to belong to another socket.

        That happens when the packets that ended one connection and began the next were not
        captured. If they are only late, the new connection will take this one's place.
        """
        for end in self._answers.depending():
            socket = table.find(end.local, end.remote)
            if socket is not None and socket.inode not in (0, *end.inodes):
                self.waiting.pop(end.key, None)
                end.distrusted, end.trusted_at = socket.inode, now + DISTRUST_SECONDS
                self._answers.give_reason(end, GONE)
                end.tries, end.retry_at = 0, now
                self.looking[end.key] = end

    def clear(self) -> None:
        """Look for nothing any more; answers stay."""
        self.looking.clear()
        self.waiting.clear()
        self._answers.clear()

    def _add(self, sighting: Sighting, now: float) -> End:
        end = End(
            sighting.key,
            spelling(*sighting.laddr, sighting.lport),
            spelling(*sighting.raddr, sighting.rport),
            sighting.laddr,
            code=self._not_in_time,
        )
        self._pool.count(None, end.code)
        older, forgotten = self._ends.add(end)
        if older is not None:
            older.ended_ns = min(older.ended_ns, sighting.first_ns)
            self._end(older)
            if older.quality == HOLDER:
                end.distrusted, end.trusted_at = older.inodes[0], now + DISTRUST_SECONDS
        if forgotten is not None:
            self.looking.pop(forgotten.key, None)
            self.waiting.pop(forgotten.key, None)
            self._answers.unclaim(forgotten)
        self.looking[end.key] = end
        return end

    def _end(self, end: End) -> None:
        """Keep the answer of an end that is over, if the table was read before that.

        A table read later may have shown the socket of the next connection in its place.
        """
        if end.quality == HOLDER and end.read_ns >= end.over_ns:
            self.waiting.pop(end.key, None)
            self._answers.give_reason(end, GONE)
        elif end.key not in self.waiting:
            self._answers.unclaim(end)

    def _judge(self, end: End, table: SocketTable, now: float) -> None:
        """One look at the table for an end."""
        if end.first_listeners is None and end.is_responder:
            end.first_listeners = table.listeners(end.local)
        claim = judge(end, table, now)
        known = self._answers.is_known(end)
        end.tries += 1
        end.retry_at = now + min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**end.tries)
        if claim.quality == UNKNOWN:
            if end.quality == UNKNOWN:
                self._answers.give_reason(end, self._why_not_listed(end, table))
        elif end.quality != HOLDER:
            self._claim(end, claim, known)
        if end.over or (end.tries >= MOST_TRIES and not (claim.lasting and known)):
            self.looking.pop(end.key, None)

    def _claim(self, end: End, claim: Claim, known: bool) -> None:
        """Ask who holds the sockets of a claim, unless that is answered already."""
        if known and (end.quality, end.inodes) == (claim.quality, claim.inodes):
            return
        self._answers.claim(end, claim)
        end.asked, end.read_ns = self._descriptors.tick, self._now_ns()
        self.waiting[end.key] = end

    def _settle(self, end: End) -> None:
        """Answer with the holders, now that every process was scanned since it was asked."""
        del self.waiting[end.key]
        owner = self._answers.owner(end)
        if owner is None:
            barred = self._descriptors.unreadable or self._descriptors.hidden
            self._answers.give_reason(end, NO_PERMISSION if barred else NOT_VISIBLE)
        elif end.quality == HOLDER and not end.is_responder and self._too_young(owner, end):
            self._answers.give_reason(end, GONE)
        else:
            self._answers.give(end, owner)
            if end.quality == HOLDER:
                self.looking.pop(end.key, None)
            if end.over:
                self._answers.unclaim(end)

    def _too_young(self, owner: Owner, end: End) -> bool:
        """Whether who called has started after its packets: then it has the next connection.

        Who was called may be as young: servers fork when they have accepted.
        """
        since_last = (self._now_ns() - end.last_ns) / 1e9
        started = min(process.start_time for process in owner.processes) / TICKS_PER_SECOND
        return started > self._clock() - since_last

    def _why_not_listed(self, end: End, table: SocketTable) -> str:
        if table.readable and self._addresses.has(*end.address):
            return GONE
        end.tries = MOST_TRIES  # an address of another namespace: it will not turn up here
        return NOT_VISIBLE
