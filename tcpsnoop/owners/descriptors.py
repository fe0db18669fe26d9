"""Who holds which socket: the descriptors of all processes, in turn.

Looking at all of them is the only way to know every holder, and it is slow where there are many.
So the processes are scanned one by one, the one seen longest ago first, and a scan can stop
anywhere, inside a process with many descriptors, too, and go on later. What is asked for is known
once the scan of every process began after the question came up: an earlier one could have missed a
descriptor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import inf
from pathlib import Path

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.open_sockets import socket_inodes
from tcpsnoop.owners.processes import KnownProcess, open_folder, read_process, read_stat

NO_INODES: frozenset[int] = frozenset()
# By whether fdinfo tells the inodes of sockets.
WHO_MAY = (
    "root may, and CAP_SYS_PTRACE with CAP_DAC_READ_SEARCH",
    "root may, and CAP_SYS_PTRACE",
)


def _ignore(_: int) -> None:
    """Nobody wants to know of holders that leave."""


@dataclass(slots=True)
class _Scanned:
    """What the last scan of a process saw."""

    tick: int = 0
    inodes: frozenset[int] = NO_INODES
    readable: bool = True
    known: KnownProcess | None = None


class Descriptors:
    """The sockets that processes hold, kept up to date by calls of `scan`.

    `watched` belongs to the caller: the inodes it asks `holders` for. Who holds them is read anew
    at every scan; `take_changed` gives those whose holders are others than before. `leaving` is
    called with each inode of which a holder is about to be forgotten. `mount` is that of sockets
    (`socket_mount`). The last of `whole_scans` of all processes began at `whole_at` of the clock.
    """

    def __init__(self, root: Path, clock: Callable[[], float], mount: int | None = None) -> None:
        self._root = os.fspath(root)
        self._clock = clock
        self._mount = mount
        # By the time of their last scan, the oldest first.
        self._scanned: dict[int, _Scanned] = {}
        self._new: list[int] = []  # never scanned
        self._under_way: tuple[int, Generator[None, None, None]] | None = None
        self._listed: dict[int, int] = {}  # PID → inode of its folder
        self._holding_nothing: dict[int, int] = {}  # likewise: kernel threads and zombies
        self._unreadable: set[int] = set()
        self._holders: dict[int, set[int]] = {}
        self._left_at: dict[
            int, float
        ] = {}  # of what others hold still: when one was seen to leave
        self._changed: set[int] = set()
        self.watched: AbstractSet[int] = NO_INODES
        self.leaving: Callable[[int], None] = _ignore
        self._whole_since = 0
        self._whole_begun = clock()
        self.whole_scans = 0
        self.whole_at = -inf
        self.tick = 0
        self.most_unreadable = 0
        self.hidden = False

    def scan(self, since: int, deadline: float) -> bool:
        """Scan until every process was scanned after tick `since`; False when time ran out."""
        while True:
            # Listed again at the end: a process forked meanwhile holds what its parent held.
            self._list()
            if self.covers(since):
                return self._finished(since)
            while not self.covers(since):
                self._go_on()
                if self._clock() >= deadline:
                    self._list()
                    return self._finished(since)

    def _finished(self, since: int) -> bool:
        """Whether the processes listed just now were scanned; takes notice of a whole scan."""
        if self.covers(self._whole_since):
            self.whole_scans += 1
            self.whole_at = self._whole_begun
            self._whole_since = self.tick
        return self.covers(since)

    def covers(self, since: int) -> bool:
        """Whether every process listed last was scanned after tick `since`."""
        if self._new or self._under_way is not None:
            return False
        oldest = next(iter(self._scanned.values()), None)
        return oldest is None or oldest.tick > since

    def holders(self, inode: int) -> tuple[Process, ...]:
        """The processes that held an inode when they were scanned last, by PID.

        All of them if it is watched; else without those that had no socket when they were scanned
        first.
        """
        known = (self._scanned[pid].known for pid in sorted(self._holders.get(inode, ())))
        return tuple(each.process for each in known if each is not None)

    def count(self, inode: int) -> int:
        """How many processes held an inode when they were scanned last."""
        return len(self._holders.get(inode, ()))

    def left_at(self, inode: int) -> float:
        """By the clock, when a holder was last seen to be gone while others held on; else -inf."""
        return self._left_at.get(inode, -inf)

    def take_changed(self) -> set[int]:
        """Watched inodes whose holders have changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    @property
    def unreadable(self) -> int:
        """How many processes did not let us see their descriptors when scanned last."""
        return len(self._unreadable)

    def remarks(self) -> Sequence[str]:
        """Lines for the notes: what could not be seen."""
        lines = []
        if self.hidden:
            lines.append("owners: /proc hides processes of other users (hidepid)")
        if self.most_unreadable:
            lines.append(
                f"owners: processes we may not look into: {self.most_unreadable} "
                f"({WHO_MAY[self._mount is not None]})"
            )
        return lines

    def _list(self) -> None:
        """Bring the list of processes up to date.

        Those that can hold nothing are known by number and inode of their folder, which listing
        gives for nothing: the kernel makes another one when the number is used again.
        """
        try:
            with os.scandir(self._root) as entries:
                listed = {int(each.name): each.inode() for each in entries if each.name.isdigit()}
        except OSError:
            listed = {}
        for pid in self._scanned.keys() - listed.keys():
            self._forget(pid)
        self._holding_nothing = {
            pid: inode for pid, inode in self._holding_nothing.items() if listed.get(pid) == inode
        }
        known = self._scanned.keys() | self._holding_nothing.keys()
        if self._under_way is not None:
            known.add(self._under_way[0])
        self._new = [pid for pid in listed if pid not in known]
        self._listed = listed
        # Every PID namespace has a process 1: where it is not shown, others are not either.
        self.hidden = 1 not in listed

    def _go_on(self) -> None:
        """Scan one process, or a part of one: never seen before, else seen longest ago."""
        if self._under_way is None:
            if self.tick == self._whole_since:
                self._whole_begun = self._clock()
            pid = self._new.pop() if self._new else next(iter(self._scanned))
            self._under_way = pid, self._scan_process(pid)
        try:
            next(self._under_way[1])
        except StopIteration:
            self._under_way = None

    def _scan_process(self, pid: int) -> Generator[None, None, None]:
        self.tick += 1
        before = self._scanned.get(pid, _Scanned())
        after = _Scanned(self.tick, known=before.known)
        try:
            folder = open_folder(f"{self._root}/{pid}")
            try:
                holding_nothing = yield from self._look_into(folder, pid, before, after)
            finally:
                os.close(folder)
        except (FileNotFoundError, ProcessLookupError):  # it has ended: the next list lacks it
            holding_nothing = False
        except (OSError, ValueError):
            after.inodes, after.readable, holding_nothing = NO_INODES, False, False
        if holding_nothing:
            self._forget(pid)
            self._holding_nothing[pid] = self._listed.get(pid, 0)
        else:
            self._remember(pid, after)

    def _look_into(
        self, folder: int, pid: int, before: _Scanned, after: _Scanned
    ) -> Generator[None, None, bool]:
        """Fill in `after`; whether the process is one that can hold nothing."""
        try:
            after.inodes = yield from socket_inodes(folder, self._mount)
        except PermissionError:
            after.readable = False
        first = before.tick == 0
        if not after.inodes and (first or after.readable < before.readable):
            return read_stat(folder).holds_nothing
        if after.inodes and (first or not self.watched.isdisjoint(after.inodes)):
            after.known = read_process(folder, pid, before.known)
        return False

    def _remember(self, pid: int, after: _Scanned) -> None:
        before = self._scanned.pop(pid, None) or _Scanned()
        self._scanned[pid] = after
        for inode in before.inodes - after.inodes:
            self._release(pid, inode)
        for inode in after.inodes - before.inodes:
            self._holders.setdefault(inode, set()).add(pid)
        if before.known != after.known:
            self._changed |= self.watched & after.inodes
        else:
            self._changed |= self.watched & (after.inodes ^ before.inodes)
        if after.readable:
            self._unreadable.discard(pid)
        else:
            self._unreadable.add(pid)
            self.most_unreadable = max(self.most_unreadable, len(self._unreadable))

    def _forget(self, pid: int) -> None:
        before = self._scanned.get(pid)
        self._unreadable.discard(pid)
        if before is not None:
            self._changed |= self.watched & before.inodes
            for inode in before.inodes:
                self._release(pid, inode)
            del self._scanned[pid]

    def _release(self, pid: int, inode: int) -> None:
        holders = self._holders.get(inode)
        if holders is not None:
            self.leaving(inode)
            holders.discard(pid)
            self._left_at[inode] = self._clock()
            if not holders:
                del self._holders[inode], self._left_at[inode]
