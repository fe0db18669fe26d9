"""Owners through what the kernel shows: sockets by their ends, descriptors of processes.

The portable method: it sees what is open at the moment it looks, and needs the rights to look. A
connection is looked up at the first batch that shows it and again until it is settled; holders are
refreshed every 0.2 s while packets come. docs/owners.md says what the method cannot see and what it
costs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import UNKNOWN, Owner, OwnerColumns, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import PROBE_ROW
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.diag.access import Access
from tcpsnoop.owners.diag.messages import ALL_STATES, DiagSocket
from tcpsnoop.owners.earlier import Earlier
from tcpsnoop.owners.ends import Ends
from tcpsnoop.owners.evidence import keys_of, sightings, tells_an_end
from tcpsnoop.owners.judge import NOT_IN_TIME
from tcpsnoop.owners.lineage import descends
from tcpsnoop.owners.namespaces import Namespaces
from tcpsnoop.owners.open_sockets import socket_mount
from tcpsnoop.owners.pace import Pace
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.search import Search
from tcpsnoop.owners.sockets import LISTEN

# Before the capture begins all processes are scanned once, for at most so long.
FIRST_SCAN_SECONDS = 1.0
# Ends of connections remembered, some 500 bytes each.
CAPACITY = 1 << 16
# Ends looked for at a time. In a flood of new connections the others wait.
MOST_LOOKED_FOR = 4096


def seconds_since_boot() -> float:
    """The clock of a process's start time; it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Procfs:
    """The owner lookup by /proc and sock_diag, an OwnerLookup.

    `now_ns` is the system's clock, by which packets are stamped; `root` is where /proc is; `clock`
    gives seconds since the machine started, by which processes are. `pool` may be shared. Without
    `access` sockets are looked up in the tables of /proc. `worked` gives the processor time of the
    thread that labels.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        root: str | os.PathLike[str] = "/proc",
        clock: Callable[[], float] = seconds_since_boot,
        capacity: int = CAPACITY,
        pool: OwnerPool | None = None,
        access: Access | None = None,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock = clock
        self._root = Path(root)
        self._ends = Ends(capacity)
        self._pool = OwnerPool() if pool is None else pool
        self._not_in_time = self._pool.code(Owner(UNKNOWN, reason=NOT_IN_TIME))
        self._access = Access() if access is None else access
        self._descriptors = Descriptors(self._root, clock, socket_mount())
        earlier = Earlier(self._present(), self._descriptors, clock)
        self._search = Search(self._ends, self._pool, self._descriptors, clock, now_ns, earlier)
        namespaces = Namespaces(self._root, clock, self._access.diag, self._access.enter)
        endings = self._access.endings
        self._pace = Pace(
            self._search, self._descriptors, namespaces, earlier, endings, clock, worked
        )
        self._descriptors.scan(0, clock() + FIRST_SCAN_SECONDS)

    method = "procfs"
    addresses: Collection[tuple[int, int]] = ()
    damage: str | None = None

    @property
    def late(self) -> bool:
        """What /proc shows is of now."""
        return False

    def see(self, batch: ProbeBatch) -> None:
        """Rows are looked at as they are labelled."""

    def caught_up(self, time_ns: int) -> None:
        """Nothing here waits for packets."""

    def finish(self) -> None:
        """Nothing is told late."""

    def descends(self, process: Process, ancestor: int) -> bool:
        """Whether a process was begun by the one of that PID, or by one that it began."""
        return descends(os.fspath(self._root), process, ancestor)

    def follows(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """No call is told."""
        return np.zeros(len(rows), np.bool_)

    def take_writes(self, until_ns: int, *, last: bool = False) -> ProbeBatch:
        """No call is told."""
        return ProbeBatch(np.empty(0, PROBE_ROW))

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row of the batch, by the end at the left; never raises."""
        keys, times = keys_of(batch.rows), batch.rows["time_ns"]
        codes, known = self._ends.codes(keys, times, self._not_in_time)
        telling = self._telling(batch.rows, keys, known)
        if len(telling):
            self._pace.hear()  # there may be no time to look, and it is dated by when we hear it
            now = self._clock()
            for sighting in sightings(batch.rows[telling], keys[telling]):
                if len(self._search.looking) < MOST_LOOKED_FOR or self._ends.peek(sighting.key):
                    self._search.note(sighting, now)
            self._pace.hurry()
        looked = self._pace.look()
        if self._pace.keep_up() or looked or len(telling):
            codes, known = self._ends.codes(keys, times, self._not_in_time)
        codes[~known] = self._not_in_time
        return OwnerColumns(codes, self._pool.owners)

    def poll(self) -> None:
        """Look again for what was not found, and refresh holders every 0.2 s."""
        self._pace.poll()

    def summary(self) -> Sequence[str]:
        """Lines for the notes: shares of the connections by quality, and what could not be seen."""
        return [f"owners: procfs, {_shares(self._pool)}", *self.remarks()]

    def remarks(self) -> Sequence[str]:
        """What could not be seen."""
        lines = [*self._descriptors.remarks()]
        if self._access.failure:
            lines.append(f"owners: sockets are looked up in /proc: {self._access.failure}")
        return lines

    def close(self) -> None:
        """Look for nothing any more; may be called twice."""
        self._search.clear()
        self._access.close()

    def _telling(
        self, rows: NDArray[np.void], keys: NDArray[np.int64], known: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Indices of the rows that are worth a look of their own."""
        looking = self._search.looking
        telling = known & (tells_an_end(rows) | self._ends.marked(keys))
        if looking:
            telling |= np.isin(keys, np.fromiter(looking, np.int64, len(looking)))
        new = np.flatnonzero(~known)
        # In a flood most rows are of new ends: no more of them than may find room.
        telling[new[: 4 * (MOST_LOOKED_FOR - len(looking))]] = True
        return np.flatnonzero(telling)

    def _present(self) -> list[DiagSocket]:
        """The sockets that are there now."""
        if self._access.diag is not None:
            with suppress(OSError):
                return self._access.diag.all(ALL_STATES & ~(1 << LISTEN))
        return []


def _shares(pool: OwnerPool) -> str:
    """Such as `200 connection ends: holder 90.0 %, unknown 10.0 % (gone 15, no permission 5)`."""
    if not pool.ends:
        return "no connections"
    qualities = [
        f"{quality} {100 * count / pool.ends:.1f} %"
        for quality, count in pool.by_quality().most_common()
    ]
    reasons = ", ".join(f"{reason} {count}" for reason, count in pool.by_reason().most_common())
    return f"{pool.ends} connection ends: {', '.join(qualities)}" + (reasons and f" ({reasons})")
