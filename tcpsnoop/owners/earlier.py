"""The sockets that were there when the capture began, and who had them open.

A connection may show its first packet when its socket is being closed, or is reset, and be gone
before anyone looks. If it is from before the capture, it is known all the same: the kernel keeps
the cookie of a socket that is closed, and tells when one is gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.diag.messages import DiagSocket
from tcpsnoop.owners.ends import End
from tcpsnoop.owners.evidence import NEVER

# Who held a socket is believed when all processes were scanned no longer ago than this.
FRESH_SECONDS = 60.0
# For how long a socket that is gone is remembered: packets come to be labelled within 0.3 s.
REMEMBERED_NS = 10_000_000_000
# Sockets remembered, some 400 bytes each.
CAPACITY = 1 << 16


@dataclass(slots=True)
class EarlierSocket:
    """A socket from before the capture."""

    ends: bytes  # local and remote place
    cookie: int
    inode: int
    ended_ns: int = NEVER  # when we heard that it is gone
    holders: tuple[Process, ...] = ()  # before some of them were seen to have it no more
    whole_scans: int = -1  # how many scans there had been then


class Earlier:
    """Sockets from before, and their last holders by `descriptors`.

    `hears_all` belongs to the caller: whether `hear` was called for each that is gone by now.
    """

    def __init__(
        self,
        sockets: Iterable[DiagSocket],
        descriptors: Descriptors,
        clock: Callable[[], float],
        capacity: int = CAPACITY,
    ) -> None:
        self._descriptors = descriptors
        self._clock = clock
        self._by_ends: dict[bytes, EarlierSocket] = {}
        self._by_cookie: dict[int, EarlierSocket] = {}
        self._by_inode: dict[int, EarlierSocket] = {}
        self._ended: deque[EarlierSocket] = deque()
        for each in sockets:
            if each.inode and len(self._by_ends) < capacity:
                known = EarlierSocket(each.local + each.remote, each.cookie, each.inode)
                self._by_ends[known.ends] = known
                self._by_cookie[known.cookie] = known
                self._by_inode[known.inode] = known
        self.hears_all = False
        descriptors.leaving = self._leaving

    def __bool__(self) -> bool:
        """Whether any is remembered."""
        return bool(self._by_ends)

    def at(self, end: End) -> EarlierSocket | None:
        """The socket that an end had when the capture began, if its connection is from before."""
        return None if end.began_ns != NEVER else self._by_ends.get(end.local + end.remote)

    def still_had(self, known: EarlierSocket, end: End) -> bool:
        """Whether it was not gone when the first packet of an end came, if no other is there now.

        One that was reset is in nobody's way any more, but not gone until its process closes it.
        """
        return end.first_ns <= known.ended_ns and (self.hears_all or known.ended_ns != NEVER)

    def hear(self, cookie: int, time_ns: int) -> None:
        """A socket is gone; we heard it at a time of the clock of packets."""
        known = self._by_cookie.get(cookie)
        if known is not None:
            known.ended_ns = time_ns
            self._ended.append(known)
        while self._ended and time_ns - self._ended[0].ended_ns > REMEMBERED_NS:
            self._forget(self._ended.popleft())

    def holders(self, inode: int) -> tuple[Process, ...]:
        """Who had such a socket open when that was looked at last; nobody if it is too long ago."""
        known = self._by_inode.get(inode)
        if known is None or self._descriptors.whole_at < self._clock() - FRESH_SECONDS:
            return ()
        if known.whole_scans == self._descriptors.whole_scans:
            return known.holders
        return self._now_holding(inode) if self._descriptors.count(inode) else known.holders

    def _leaving(self, inode: int) -> None:
        """A holder of a socket is about to be seen without it."""
        known = self._by_inode.get(inode)
        if known is not None and known.whole_scans != self._descriptors.whole_scans:
            known.whole_scans = self._descriptors.whole_scans
            known.holders = self._now_holding(inode)

    def _now_holding(self, inode: int) -> tuple[Process, ...]:
        """All who hold it, or nobody if one is not known."""
        found = self._descriptors.holders(inode)
        return found if len(found) == self._descriptors.count(inode) else ()

    def _forget(self, known: EarlierSocket) -> None:
        self._by_ends.pop(known.ends, None)
        self._by_cookie.pop(known.cookie, None)
        self._by_inode.pop(known.inode, None)
