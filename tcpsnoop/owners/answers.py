"""What ends are answered with, and how answers follow those who hold a socket."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import chain

from tcpsnoop.batches.owners import CLOSED, HOLDER, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.ends import ALWAYS, End, Ends
from tcpsnoop.owners.judge import Claim
from tcpsnoop.owners.pool import OwnerPool


class Answers:
    """The answers of ends, and the sockets that these depend on."""

    def __init__(self, ends: Ends, pool: OwnerPool, descriptors: Descriptors) -> None:
        self._ends = ends
        self._pool = pool
        self._descriptors = descriptors
        self._watchers: dict[int, dict[int, End]] = {}  # inode → the ends it answers, by key
        descriptors.watched = self._watchers.keys()

    def __bool__(self) -> bool:
        """Whether any answer depends on who holds a socket."""
        return bool(self._watchers)

    def is_known(self, end: End) -> bool:
        """Whether the answer of an end names a process."""
        return self._pool.owners[end.code].quality != UNKNOWN

    def depending(self) -> list[End]:
        """The ends whose answers depend on who holds their own socket."""
        ends = chain.from_iterable(map(dict.values, self._watchers.values()))
        return [end for end in ends if end.quality == HOLDER]

    def claim(self, end: End, claim: Claim) -> None:
        """Let an end depend on the sockets of a claim."""
        self.unclaim(end)
        end.quality, end.inodes, end.cookie = claim.quality, claim.inodes, claim.cookie
        for inode in end.inodes:
            self._watchers.setdefault(inode, {})[end.key] = end

    def unclaim(self, end: End) -> None:
        """Let the answer of an end be what it is, whoever holds its socket."""
        for inode in end.inodes:
            watchers = self._watchers.get(inode)
            if watchers is not None:
                watchers.pop(end.key, None)
                if not watchers:
                    del self._watchers[inode]

    def owner(self, end: End) -> Owner | None:
        """Who holds the sockets of an end; None when no process that we can see does."""
        found = {process for inode in end.inodes for process in self._descriptors.holders(inode)}
        if not found:
            return None
        holders = tuple(sorted(found, key=lambda process: process.pid))
        if len(holders) == 1:
            return Owner(end.quality, holders[0])
        return Owner(SHARED, holders=holders)

    def give(self, end: End, owner: Owner) -> None:
        """Answer an end with the owner of what it claims."""
        self._set(end, owner, end.holds_from_ns if end.quality == HOLDER else ALWAYS)

    def give_last(self, end: End, processes: Sequence[Process]) -> None:
        """Answer an end whose socket is closed with those who had it open last."""
        self.unclaim(end)
        end.quality, end.inodes, end.cookie = CLOSED, (), 0
        alone = len(processes) == 1
        owner = Owner(CLOSED, processes[0]) if alone else Owner(SHARED, holders=tuple(processes))
        self._set(end, owner, ALWAYS)

    def give_reason(self, end: End, reason: str) -> None:
        """Answer an end with `unknown`."""
        self.unclaim(end)
        end.quality, end.inodes, end.cookie = UNKNOWN, (), 0
        self._set(end, Owner(UNKNOWN, reason=reason), ALWAYS)

    def follow_holders(self, waiting: Container[int]) -> None:
        """Answer anew where the holders of a socket have changed; call after a whole scan.

        But for the keys `waiting`: not all holders of what they claim are known. A listener that
        is gone may be the one that had accepted: those who are left are not named alone.
        """
        for inode in self._descriptors.take_changed():
            for end in self._watchers.get(inode, {}).values():
                owner = self.owner(end)
                if owner is None or end.key in waiting:
                    continue
                if end.quality == HOLDER or _has_all(owner, self._pool.owners[end.code]):
                    self.give(end, owner)

    def clear(self) -> None:
        """Let all answers be what they are."""
        self._watchers.clear()

    def _set(self, end: End, owner: Owner, from_ns: int) -> None:
        code = self._pool.code(owner)
        self._pool.count(end.code, code)
        self._ends.answer(end, code, from_ns)


def _has_all(owner: Owner, before: Owner) -> bool:
    """Whether an answer names every process of the one before."""
    named = {(process.pid, process.start_time) for process in owner.processes}
    return all((process.pid, process.start_time) in named for process in before.processes)
