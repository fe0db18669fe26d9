"""Sockets and their holders as the kernel shows them, looked at again and again, as records.

What the kernel's own record tells is exact; this is for what it does not tell: connections from
before it began, sockets that were accepted and not used yet, and all of them where it may not be
read. A reading of the table is recorded also when nothing has changed: it says that each socket was
still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tcpsnoop.batches.addresses import text_of
from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.budget import TimeBudget
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.diag.asking import Diag
from tcpsnoop.owners.journal.readings import Held, Readings
from tcpsnoop.owners.journal.records import Holders, Identity, Record, SocketRow, Sockets
from tcpsnoop.owners.open_sockets import socket_mount
from tcpsnoop.owners.sockets import parts

# Of the time that passes, and how much may be saved up for one look: seconds.
SHARE, BURST, LEAST = 0.10, 0.2, 0.01
# The first look at every process may take so long.
FIRST_LOOK_SECONDS = 2.0
_NOWHERE = "::"


class SocketsSeen:
    """Looks at the sockets of one network namespace every `every` seconds.

    `root` is where /proc is; `clock` gives seconds, `now_ns` the system's time. `told` is called
    with each process that holds a socket before a record names it. `diag` is asked for sockets,
    where there is one.
    """

    def __init__(
        self,
        every: float,
        clock: Callable[[], float],
        now_ns: Callable[[], int],
        told: Callable[[Process], None],
        root: str = "/proc",
        diag: Diag | None = None,
    ) -> None:
        self._every = every
        self._clock = clock
        self._now_ns = now_ns
        self._told = told
        self._readings = Readings(Path(root) / "net", diag)
        self._descriptors = Descriptors(Path(root), clock, socket_mount())
        self._there: dict[Held, SocketRow] = {}
        self._inodes: dict[int, int] = {}  # of those, and by how many rows
        self._descriptors.watched = self._inodes.keys()
        self._holders: dict[int, tuple[Process, ...]] = {}
        self._processes: dict[int, Process] = {}  # by PID, as told
        self._barred = (0, False)
        self._budget = TimeBudget(SHARE, BURST, LEAST, clock)
        self._read_at = clock()
        self._since: int | None = None  # a look at all processes goes on: since this tick
        self._asked: set[int] = set()  # inodes that came since the look before

    def first(self) -> Iterator[Record]:
        """What is there, and who holds it."""
        yield self._read()
        yield from self._look(self._clock() + FIRST_LOOK_SECONDS)

    def poll(self) -> Iterator[Record]:
        """What is to be recorded now, if it is time and there is time."""
        now = self._clock()
        if now < self._read_at and self._since is None:
            return
        deadline = self._budget.begin()
        if deadline is None:
            return
        if self._since is None:
            yield self._read()
        yield from self._look(deadline)
        self._budget.end()

    def close(self) -> None:
        """Look no more; may be called twice."""
        self._readings.close()

    def remarks(self) -> Sequence[str]:
        """What could not be seen."""
        return self._descriptors.remarks()

    def _read(self) -> Sockets:
        """A reading of the table; a look at all processes begins."""
        self._read_at = self._clock() + self._every
        begun = self._now_ns()
        found = self._readings.read()
        done = self._now_ns()
        gone = [self._there.pop(each) for each in self._there.keys() - found]
        new = []
        for each in sorted(found - self._there.keys()):
            row = self._there[each] = _row(*each)
            new.append(row)
            self._inodes[row.inode] = self._inodes.get(row.inode, 0) + 1
            self._asked.add(row.inode)
        for row in gone:
            self._inodes[row.inode] -= 1
            if self._inodes[row.inode] == 0:
                del self._inodes[row.inode]
                self._holders.pop(row.inode, None)
        self._since = self._descriptors.tick
        return Sockets((begun, done), tuple(new), tuple(gone))

    def _look(self, deadline: float) -> Iterator[Record]:
        """Go on looking at processes; who holds what, once all of them were seen."""
        if self._since is None or not self._descriptors.scan(self._since, deadline):
            return
        self._since = None
        asked = (self._descriptors.take_changed() | self._asked) & self._inodes.keys()
        self._asked = set()
        changed = {}
        for inode in sorted(asked):
            holders = self._descriptors.holders(inode)
            if self._holders.get(inode) != holders:
                self._holders[inode] = holders
                changed[inode] = self._identities(holders)
        barred = self._descriptors.unreadable, self._descriptors.hidden
        if changed or barred != self._barred:
            self._barred = barred
            yield Holders(self._now_ns(), changed, *barred)

    def _identities(self, processes: tuple[Process, ...]) -> tuple[Identity, ...]:
        for process in processes:
            if self._processes.get(process.pid) != process:
                self._processes[process.pid] = process
                self._told(process)
        return tuple((process.pid, process.start_time) for process in processes)


def _row(local: bytes, remote: bytes, inode: int) -> SocketRow:
    laddr_high, laddr_low, lport = parts(local)
    raddr, rport = _NOWHERE, 0
    if remote:
        raddr_high, raddr_low, rport = parts(remote)
        raddr = text_of(raddr_high, raddr_low)
    return SocketRow(text_of(laddr_high, laddr_low), lport, raddr, rport, inode)
