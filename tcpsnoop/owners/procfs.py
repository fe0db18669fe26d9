"""Owners through /proc: socket tables give an inode, descriptors of processes its holders.

The portable method: it sees what is open at the moment it looks, and needs the rights to look. A
connection is looked up at the first batch that shows it and again until it is settled; holders are
refreshed every 0.2 s. docs/owners.md says what the method cannot see and what it costs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import UNKNOWN, Owner, OwnerColumns, Process
from tcpsnoop.batches.probes import PROBE_ROW, ProbeBatch
from tcpsnoop.owners.budget import TimeBudget
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.ends import Ends
from tcpsnoop.owners.evidence import keys_of, sightings, tells_an_end
from tcpsnoop.owners.judge import NOT_IN_TIME
from tcpsnoop.owners.lineage import descends
from tcpsnoop.owners.local_addresses import LocalAddresses
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.search import Search
from tcpsnoop.owners.socket_table import SocketTable

REFRESH_SECONDS = 0.2
# The table is only read again for connections whose beginning was not captured, and that costs
# more than looking at processes.
READ_AGAIN_SECONDS = 1.0
# Of the time that passes, the share for new connections and the share for refreshing what is
# known; and what may be saved up, so how long one call may hold up the capture: its buffer lasts
# longer. A look begins when there is enough left to get somewhere.
LOOKING_SHARE, LOOKING_BURST, LOOKING_LEAST = 0.20, 0.1, 0.01
LEAST_SCAN_SECONDS = 0.02
REFRESH_SHARE, REFRESH_BURST, REFRESH_LEAST = 0.05, 0.05, 0.04
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
    """The owner lookup by /proc, an OwnerLookup.

    `now_ns` is the system's clock, by which packets are stamped; `root` is where /proc is; `clock`
    gives seconds since the machine started, by which processes are. `pool` may be shared.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        root: str | os.PathLike[str] = "/proc",
        clock: Callable[[], float] = seconds_since_boot,
        capacity: int = CAPACITY,
        pool: OwnerPool | None = None,
    ) -> None:
        self._clock = clock
        self._net = Path(root) / "net"
        self._ends = Ends(capacity)
        self._pool = OwnerPool() if pool is None else pool
        self._not_in_time = self._pool.code(Owner(UNKNOWN, reason=NOT_IN_TIME))
        self._descriptors = Descriptors(Path(root), clock)
        addresses = LocalAddresses(self._net, clock)
        self._search = Search(self._ends, self._pool, self._descriptors, addresses, clock, now_ns)
        self._look_at = 0.0
        self._looking = TimeBudget(LOOKING_SHARE, LOOKING_BURST, LOOKING_LEAST, clock)
        self._refresh_at = 0.0
        self._refresh_since = 0
        self._read_again_at = 0.0
        self._refreshing = TimeBudget(REFRESH_SHARE, REFRESH_BURST, REFRESH_LEAST, clock)
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
        return descends(os.fspath(self._net.parent), process, ancestor)

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
            now = self._clock()
            for sighting in sightings(batch.rows[telling], keys[telling]):
                if len(self._search.looking) < MOST_LOOKED_FOR or self._ends.peek(sighting.key):
                    self._search.note(sighting, now)
            self._look_at = now
        if self._look() or len(telling):
            codes, known = self._ends.codes(keys, times, self._not_in_time)
        codes[~known] = self._not_in_time
        return OwnerColumns(codes, self._pool.owners)

    def poll(self) -> None:
        """Look again for what was not found, and refresh holders every 0.2 s."""
        self._look()
        if self._clock() >= self._refresh_at:
            self._refresh()

    def summary(self) -> Sequence[str]:
        """Lines for the notes: shares of the connections by quality, and what could not be seen."""
        return [f"owners: procfs, {_shares(self._pool)}", *self.remarks()]

    def remarks(self) -> Sequence[str]:
        """What could not be seen."""
        return self._descriptors.remarks()

    def close(self) -> None:
        """Look for nothing any more; nothing is held open between calls."""
        self._search.clear()

    def _telling(
        self, rows: NDArray[np.void], keys: NDArray[np.int64], known: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Indices of the rows that are worth a look of their own."""
        looking = self._search.looking
        telling = known & tells_an_end(rows)
        if looking:
            telling |= np.isin(keys, np.fromiter(looking, np.int64, len(looking)))
        new = np.flatnonzero(~known)
        # In a flood most rows are of new ends: no more of them than may find room.
        telling[new[: 4 * (MOST_LOOKED_FOR - len(looking))]] = True
        return np.flatnonzero(telling)

    def _look(self) -> bool:
        """Look for what is due, if there is time; whether it was done."""
        search, now = self._search, self._clock()
        due = search.due(now) if search.looking and now >= self._look_at else []
        if not due and not search.waiting:
            return False
        deadline = self._looking.begin()
        if deadline is None:
            return False
        if due:
            table = SocketTable(self._net)
            search.ask_table(due, table, self._clock())
        # A long table must not leave the processes without their turn, look after look.
        search.ask_descriptors(max(deadline, self._clock() + LEAST_SCAN_SECONDS))
        self._look_at = min((end.retry_at for end in search.looking.values()), default=0.0)
        self._looking.end()
        return True

    def _refresh(self) -> None:
        """Bring the holders up to date, by a whole scan that may take several calls."""
        deadline = self._refreshing.begin() if self._search.follows else None
        if deadline is None:
            return
        if self._descriptors.scan(self._refresh_since, deadline):
            self._refresh_since = self._descriptors.tick
            self._search.follow_holders()
            now = self._clock()
            if now >= self._read_again_at:
                self._search.follow_sockets(SocketTable(self._net), now)
                self._read_again_at = now + READ_AGAIN_SECONDS
            self._refresh_at = now + REFRESH_SECONDS
        self._refreshing.end()


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
