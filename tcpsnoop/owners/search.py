"""The search for owners: from an end of a connection to its socket, from there to its holders.

An end is in `looking` while sockets are to be asked for, in `waiting` while its own are known, but
not every process was scanned since. Then it is answered, and the answer follows the holders until
the connection is over. When its socket is gone it keeps its answer; its next packets make it
`doubted`: another socket may have come into the place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from tcpsnoop.batches.owners import CLOSED, HOLDER, UNKNOWN, Owner
from tcpsnoop.owners.answers import Answers
from tcpsnoop.owners.departures import OLDEST_NS, Departures
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.diag.messages import Ending
from tcpsnoop.owners.earlier import Earlier
from tcpsnoop.owners.ends import End, Ends
from tcpsnoop.owners.evidence import NEVER, Sighting
from tcpsnoop.owners.judge import GONE, NO_PERMISSION, NOT_IN_TIME, NOT_VISIBLE, Claim, judge
from tcpsnoop.owners.look import Look
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.sockets import place

# An end that was not found is looked for again after 20, 40, 80, 160, 200, 200 ms.
MOST_TRIES = 7
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.01, 0.2
# Of the ends in doubt, so many are asked for at a time.
MOST_DOUBTED = 4096
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
        clock: Callable[[], float],
        now_ns: Callable[[], int],
        earlier: Earlier | None = None,
    ) -> None:
        self._ends = ends
        self._pool = pool
        self._descriptors = descriptors
        self._clock = clock
        self._now_ns = now_ns
        self._not_in_time = pool.code(Owner(UNKNOWN, reason=NOT_IN_TIME))
        self._answers = Answers(ends, pool, descriptors)
        self._departures = Departures()
        self._earlier = earlier
        self._by_cookie: dict[int, End] = {}
        self.looking: dict[int, End] = {}
        self.waiting: dict[int, End] = {}
        self.doubted: dict[int, End] = {}

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
        elif end.left_ns != NEVER:
            self.doubted[end.key] = end

    @property
    def listens(self) -> bool:
        """Whether it matters to any answer, given or sought, which sockets end."""
        return bool(self.looking or self.waiting or self._by_cookie or self._earlier)

    def hear(self, gone: Iterable[Ending]) -> None:
        """Take in which sockets have ended."""
        heard_ns = self._now_ns()
        for each in gone:
            if self._earlier is not None:
                self._earlier.hear(each.cookie, heard_ns)
            end = self._by_cookie.pop(each.cookie, None)
            if end is None or end.cookie != each.cookie:
                self._departures.note(each, heard_ns)
                continue
            end.left_ns = heard_ns
            if not end.over:
                self._ends.mark(end, True)
            if end.key not in self.waiting:
                self._answers.unclaim(end)

    def due(self, now: float) -> list[End]:
        """The ends whose sockets are to be asked for now."""
        return [end for end in self.looking.values() if end.retry_at <= now]

    def ask_sockets(self, ends: Iterable[End], look: Look, now: float) -> None:
        """Ask for the sockets of ends."""
        for end in ends:
            self._judge(end, look, now)

    def scan(self, deadline: float) -> None:
        """Scan processes for the holders of the sockets found."""
        if self.waiting:
            self._descriptors.scan(max(end.asked for end in self.waiting.values()), deadline)

    def settle(self) -> None:
        """Answer the ends whose holders are all known."""
        for end in list(self.waiting.values()):
            if self._descriptors.covers(end.asked):
                self._settle(end)

    def follow_holders(self) -> None:
        """Answer anew where the holders of a socket have changed; call after a whole scan."""
        self._answers.follow_holders(self.waiting)

    def doubt(self, *, heard: bool) -> None:
        """Doubt the answers of ends with packets whose sockets may have ended without a word.

        `heard`: no word was lost, so it is only those of which we hear nothing.
        """
        asked_for = self._ends.take_asked_for()
        for end in self._answers.depending():
            if (end.cookie == 0 or not heard) and asked_for(end.key):
                self.doubted[end.key] = end

    def dispel(self, look: Look, now: float) -> None:
        """Ask whether ends in doubt have got another socket in their place.

        That happens when the packets that ended one connection and began the next were not
        captured. If they are only late, the new connection will take this one's place.
        """
        for _ in range(min(len(self.doubted), MOST_DOUBTED)):
            _, end = self.doubted.popitem()
            socket = look.view(*end.address).find(end.local, end.remote)
            if socket is None or socket.is_one_of(end.inodes, end.cookie):
                continue
            self.waiting.pop(end.key, None)
            self._ends.mark(end, False)
            end.left_ns = NEVER
            end.distrusted, end.trusted_at = socket.inode, now + DISTRUST_SECONDS
            self._answers.give_reason(end, GONE)
            end.tries, end.retry_at = 0, now
            self.looking[end.key] = end

    def clear(self) -> None:
        """Look for nothing any more; answers stay."""
        self.looking.clear()
        self.waiting.clear()
        self.doubted.clear()
        self._by_cookie.clear()
        self._answers.clear()

    def _add(self, sighting: Sighting, now: float) -> End:
        end = End(
            sighting.key,
            place(*sighting.laddr, sighting.lport),
            place(*sighting.raddr, sighting.rport),
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
            for ends in (self.looking, self.waiting, self.doubted):
                ends.pop(forgotten.key, None)
            self._by_cookie.pop(forgotten.cookie, None)
            self._answers.unclaim(forgotten)
        self.looking[end.key] = end
        return end

    def _end(self, end: End) -> None:
        """Keep the answer of an end that is over, if the socket was asked for before that.

        One asked for later may have been that of the next connection in its place.
        """
        self.doubted.pop(end.key, None)
        self._ends.mark(end, False)
        if end.quality == HOLDER and end.read_ns >= end.over_ns:
            self.waiting.pop(end.key, None)
            self._answers.give_reason(end, GONE)
        elif end.key not in self.waiting:
            self._answers.unclaim(end)

    def _judge(self, end: End, look: Look, now: float) -> None:
        """One look at the sockets for an end."""
        view = look.view(*end.address)
        if end.first_listeners is None and end.is_responder:
            end.first_listeners = view.listeners(end.local)
        claim = judge(end, view, now, self._earlier)
        known = self._answers.is_known(end)
        end.tries += 1
        end.retry_at = now + min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**end.tries)
        if claim.quality == CLOSED and self._give_last(end, claim.inodes[0]):
            end.tries = MOST_TRIES
        elif claim.quality in (UNKNOWN, CLOSED):
            if end.quality == UNKNOWN:
                self._answers.give_reason(end, view.why_not)
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
        if claim.cookie:
            self._by_cookie[claim.cookie] = end

    def _give_last(self, end: End, inode: int) -> bool:
        """Answer with those who had the socket open last, if they are known; whether they are."""
        holders = () if self._earlier is None else self._earlier.holders(inode)
        if holders:
            self._answers.give_last(end, holders)
        return bool(holders)

    def _settle(self, end: End) -> None:
        """Answer with the holders, now that every process was scanned since it was asked."""
        del self.waiting[end.key]
        departed_ns = self._departures.last(end.local, end.remote, end.cookie)
        end.holds_from_ns = max(end.read_ns - OLDEST_NS, min(departed_ns, end.read_ns))
        owner = self._answers.owner(end)
        if owner is None:
            self._answers.give_reason(end, self._why_nobody(end))
        elif self._came_too_late(owner, end):
            self._answers.give_reason(end, GONE)
        else:
            self._answers.give(end, owner)
            if end.quality == HOLDER:
                self.looking.pop(end.key, None)
            if end.over or end.left_ns != NEVER:
                self._answers.unclaim(end)

    def _came_too_late(self, owner: Owner, end: End) -> bool:
        """Whether who holds the sockets now need not be who held them at the end's packets."""
        if end.quality != HOLDER:
            return self._one_has_left(end)
        return not end.is_responder and self._too_young(owner, end)

    def _one_has_left(self, end: End) -> bool:
        """Whether a listener was there at the end's packets that is not among the holders."""
        since = self._clock() - (self._now_ns() - end.last_ns) / 1e9
        return any(self._descriptors.left_at(inode) >= since for inode in end.inodes)

    def _too_young(self, owner: Owner, end: End) -> bool:
        """Whether who called has started after its packets: then it has the next connection.

        Who was called may be as young: servers fork when they have accepted.
        """
        since_last = (self._now_ns() - end.last_ns) / 1e9
        started = min(process.start_time for process in owner.processes) / TICKS_PER_SECOND
        return started > self._clock() - since_last

    def _why_nobody(self, end: End) -> str:
        """Why no process is seen to hold a socket that is there."""
        if end.left_ns != NEVER:
            return GONE
        barred = self._descriptors.unreadable or self._descriptors.hidden
        return NO_PERMISSION if barred else NOT_VISIBLE
