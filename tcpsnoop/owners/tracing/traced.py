"""Owners from the kernel's own record: who used which socket, exactly and when.

Events are taken in as they come; packets are labelled a moment later, so that what the kernel tells
after a packet still counts. Where this method does not know, others are asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import EXACT, KERNEL, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.batches.probes import APPLICATION_WRITE, PROBE_ROW
from tcpsnoop.owners.networks import Addresses
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.processes import EVERYTHING, Wanted
from tcpsnoop.owners.tracing.calls_kernel import follows, sends
from tcpsnoop.owners.tracing.clocks import ClockDifference, monotonic_ns
from tcpsnoop.owners.tracing.codes_kernel import encode, unnamed
from tcpsnoop.owners.tracing.events import EVENT
from tcpsnoop.owners.tracing.formats import TracingUnavailableError
from tcpsnoop.owners.tracing.host import Host, here
from tcpsnoop.owners.tracing.joining_kernel import join
from tcpsnoop.owners.tracing.matching_kernel import (
    ELSEWHERE,
    INVISIBLE,
    NOBODY,
    ONE_OF,
    UNMATCHED,
    UNUSED,
    label,
    no_ends,
    sight,
)
from tcpsnoop.owners.tracing.naming import Naming
from tcpsnoop.owners.tracing.seeds import seeds
from tcpsnoop.owners.tracing.self_test import SECONDS, connect_to_ourselves, is_ours
from tcpsnoop.owners.tracing.tables import (
    ALWAYS,
    CAPTURED_NS,
    LOST_EVENTS,
    NAMESPACE_OWN,
    NEW_ENDS,
    NONE,
    STRANGER,
    TRANSLATES,
    USED,
    WRITE,
    WRITES,
    make_tables,
)

# What another processor is about to write into its ring may be older than this.
SLACK_NS = 1_000_000
# For how long a send call waits for a packet of its connection.
PATIENCE_NS = 1_000_000_000
# Ends of connections remembered, a power of two.
ENDS = 1 << 18
NO_SOCKET = "no socket"
NOT_VISIBLE = "not visible"


class Rings(Protocol):
    """One way to read the kernel's record."""

    @property
    def method(self) -> str:
        """Its name in the notes."""

    @property
    def translates(self) -> bool:
        """Its events have threads and no processes."""

    def read(self) -> NDArray[np.void]:
        """Rows of EVENT since the last call, unsorted; valid until the next call."""

    def close(self) -> None:
        """Stop; may be called twice."""


class Traced:
    """The join of events and packets.

    `now_ns` is the clock of packets; `root` is /proc; `wanted` is what is to be known of processes
    besides their names. `host` is where the events are from, unless that is here. `told` is called
    with all that is taken in, in its order: events whose times are the system's. `calls`: send
    calls are kept until they are taken, those from `calls_since_ns` on.
    """

    def __init__(
        self,
        rings: Rings,
        now_ns: Callable[[], int],
        pool: OwnerPool,
        addresses: Addresses,
        root: str = "/proc",
        wanted: Wanted = EVERYTHING,
        *,
        host: Host | None = None,
        told: Callable[[NDArray[np.void]], None] | None = None,
        calls: bool = True,
    ) -> None:
        self.method = rings.method
        self.translates = rings.translates
        self.tested = False
        self._rings = rings
        self._told = told
        self._difference = ClockDifference(now_ns)
        self._pool = pool
        self._addresses = addresses
        host = here(root, now_ns, wanted) if host is None else host
        self._tables = make_tables(host.pids)
        state = self._tables.state
        state[NAMESPACE_OWN] = host.namespace
        state[TRANSLATES] = int(rings.translates)
        self._ends = no_ends(ENDS)
        self._newest = np.full(ENDS, -1, np.int64)
        self._new_ends = np.zeros(ENDS, np.int64)
        self._unnamed = np.zeros(1 << 14, np.int64)
        self._naming = Naming(self._tables, pool.owners, host, wanted)
        self._pending = np.empty(0, EVENT)
        self._keeps_calls = calls
        self.calls_since_ns = ALWAYS
        self._writes: list[NDArray[np.void]] = []
        self._stranger = pool.code(Owner(UNKNOWN, reason=NOT_VISIBLE))
        self._nobody = pool.code(Owner(KERNEL, reason=NO_SOCKET))
        self._root = root
        self.unseen_writes = 0  # on connections of which no packet was seen

    def begin(self) -> None:
        """Learn what is there already, and see with a connection of our own that all is right.

        TracingUnavailableError when it is not. To be done before the capture begins.
        """
        self.warm_up()
        self._rings.read()  # what is from before is not needed, and may have holes
        there = seeds(self._root, monotonic_ns())
        there["time_ns"] += self._difference()
        self.take_in(there)
        port = connect_to_ourselves()
        self.tested = port is not None
        until = time.monotonic() + SECONDS
        while port is not None:
            self.finish()
            if is_ours(self._tables, port):
                break
            if time.monotonic() > until:
                raise TracingUnavailableError("a connection of our own was not told to be ours")
        self._writes.clear()

    @property
    def lost(self) -> int:
        """Events that the kernel could not hand over."""
        return int(self._tables.state[LOST_EVENTS])

    def see(self, rows: NDArray[np.void]) -> None:
        """Note what packets tell of their connections, as soon as they are there."""
        sight(rows, self._ends, self._newest, self._new_ends, self._tables)
        new = self._new_ends[: int(self._tables.state[NEW_ENDS])]
        if len(new):
            self._note_elsewhere(new)

    def label(self, rows: NDArray[np.void], codes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Write the code of each row's owner; which rows it is known for."""
        count = len(rows)
        answers = np.zeros(count, np.uint8)
        processes, sockets = np.zeros(count, np.int64), np.zeros(count, np.int64)
        label(rows, self._ends, self._tables, answers, processes, sockets)
        while count := unnamed(answers, processes, self._tables, self._unnamed):
            self._naming.name(self._unnamed[:count])
        encode(rows, answers, processes, self._ends, self._tables, codes)
        codes[answers == INVISIBLE] = self._stranger
        codes[answers == NOBODY] = self._nobody
        for index in np.flatnonzero(answers == ONE_OF).tolist():
            codes[index] = self._code_of_users(int(sockets[index]))
        known: NDArray[np.bool_] = (answers != UNMATCHED) & (answers != UNUSED)
        return known

    def poll(self) -> None:
        """Take in what the kernel has told since the last time."""
        until = monotonic_ns() - SLACK_NS
        self._drain(until)

    def finish(self) -> None:
        """Take in all that is in the rings."""
        self._drain(None)

    def caught_up(self, time_ns: int) -> None:
        """Every packet before that was given to `see`."""
        state = self._tables.state
        state[CAPTURED_NS] = max(int(state[CAPTURED_NS]), time_ns)

    def descends(self, process: Process, ancestor: int) -> bool | None:
        """Whether a process was begun by the one of that PID, or by one that it began."""
        return self._naming.descends(process, ancestor)

    def follows(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """For each row of `write`, whether `take_writes` has the calls of its end instead."""
        followed = np.zeros(len(rows), np.bool_)
        follows(rows, self._ends, self._tables, followed)
        return followed

    def take_writes(
        self, until_ns: int, *, last: bool = False
    ) -> tuple[NDArray[np.void], NDArray[np.int32]]:
        """Rows of `application-write` before that, each once, and the codes of their owners.

        A call waits for the first packet of its connection, which may be read later; `last`: no
        packet will come any more.
        """
        writes = np.concatenate((np.empty(0, WRITE), *self._writes))
        keys = np.zeros(len(writes), np.int64)
        sends(writes, len(writes), self._tables, self._ends, keys)
        due, unseen = writes["time_ns"] <= until_ns, keys == NONE
        patient = due if last else writes["time_ns"] <= until_ns - PATIENCE_NS
        self.unseen_writes += int(np.count_nonzero(unseen & patient))
        self._writes = [writes[~due | (unseen & ~patient)]]
        chosen = due & (keys >= 0)
        return self._write_rows(writes[chosen], keys[chosen])

    def take_in(self, events: NDArray[np.void]) -> None:
        """Join events, whose times are the system's."""
        self._join(events, np.argsort(events["time_ns"], kind="stable"))

    def _join(self, events: NDArray[np.void], order: NDArray[np.int64]) -> None:
        if self._told is not None:
            self._told(events[order])
        state, at = self._tables.state, 0
        while at < len(order):
            at = join(events, order, at, self._tables)
            if state[WRITES] and self._keeps_calls:
                writes = self._tables.writes[: int(state[WRITES])]
                self._writes.append(writes[writes["time_ns"] >= self.calls_since_ns])
            if state[USED]:
                self._naming.met(self._tables.used[: int(state[USED])])

    def close(self) -> None:
        """Stop tracing."""
        self._rings.close()

    def _drain(self, until_ns: int | None) -> None:
        """Events up to a time of the monotonic clock; later ones wait for their order."""
        events = self._rings.read()
        if len(self._pending):
            events = np.concatenate((self._pending, events))
        if len(events) == 0:
            return
        order = np.argsort(events["time_ns"], kind="stable")
        if until_ns is not None:
            due = int(np.searchsorted(events["time_ns"], until_ns, "right", order))
            order, late = order[:due], order[due:]
            self._pending = events[late]
        else:
            self._pending = np.empty(0, EVENT)
        events["time_ns"] += self._difference()
        self._join(events, order)

    def _note_elsewhere(self, places: NDArray[np.int64]) -> None:
        """Mark new ends whose address is not of our network namespace; mostly they have few."""
        found = self._ends[["laddr_high", "laddr_low"]][places].tolist()
        elsewhere = {each for each in set(found) if not self._addresses.has(*each)}
        if elsewhere:
            theirs = np.array([each in elsewhere for each in found])
            self._ends["flags"][places[theirs]] |= ELSEWHERE

    def _code_of_users(self, number: int) -> int:
        """The code of all who used a socket."""
        place = number & (len(self._tables.sockets) - 1)
        known = int(self._tables.sockets[place]["users"])
        users = set(self._tables.user_process[place][:known].tolist())
        found = [self._naming.process(each) for each in users if each != STRANGER]
        holders = sorted((each for each in found if each), key=lambda each: each.pid)
        if len(holders) == 1:
            return self._pool.code(Owner(EXACT, holders[0]))
        return self._pool.code(Owner(SHARED, holders=tuple(holders)))

    def _write_rows(
        self, writes: NDArray[np.void], keys: NDArray[np.int64]
    ) -> tuple[NDArray[np.void], NDArray[np.int32]]:
        ends = self._ends[keys & (ENDS - 1)]
        rows = np.zeros(len(writes), PROBE_ROW)
        rows["probe"], rows["outgoing"], rows["digits"] = APPLICATION_WRITE, 1, 9
        rows["frame"] = rows["detail"] = rows["frame_bytes"] = -1
        rows["time_ns"] = rows["clock_ns"] = writes["time_ns"]
        rows["bytes"] = writes["bytes"]
        rows["connection"], rows["end"] = keys >> 1, keys & 1
        for name in ("laddr_high", "laddr_low", "raddr_high", "raddr_low", "lport", "rport"):
            rows[name] = ends[name]
        codes = self._naming.codes(writes["process"])
        return rows, np.where(codes == NONE, self._stranger, codes).astype(np.int32)

    def warm_up(self) -> None:
        """Kernels ready before packets come."""
        nothing = np.empty(0, PROBE_ROW)
        join(np.empty(0, EVENT), np.empty(0, np.int64), 0, self._tables)
        self.see(nothing)
        self.label(nothing, np.empty(0, np.int32))
        self.follows(nothing)
        self.take_writes(0)
