"""A story for tests: what the kernel would tell, and what packets would show, at chosen times."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import Owner
from tcpsnoop.batches.probes import CLOSED, ORIGINATOR, PROBE_ROW, RECEIVE, RESPONDER, SEND
from tcpsnoop.batches.segments import ACK, RST, SYN
from tcpsnoop.owners.journal.lines import LineMaker
from tcpsnoop.owners.journal.parsing import parse_line
from tcpsnoop.owners.journal.records import Events
from tcpsnoop.owners.local_addresses import LocalAddresses
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.tracing.events import (
    BELIEVED,
    DESTROYED,
    EVENT,
    EXECUTED,
    EXITED,
    FORKED,
    LOST,
    NAMED,
    NAMESPACE,
    RECEIVED,
    SEEDED,
    SENT,
    STATE,
)
from tcpsnoop.owners.tracing.seeds import name_words
from tcpsnoop.owners.tracing.tables import NAMESPACE_OWN
from tcpsnoop.owners.tracing.traced import Traced

# include/net/tcp_states.h
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2 = 1, 2, 3, 4, 5
CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN = 7, 8, 9, 10

Place = tuple[str, int]
HERE: Place = ("127.0.0.1", 40000)
THERE: Place = ("127.0.0.1", 80)
OWN_NAMESPACE = 4026531833
OTHER_NAMESPACE = 4026532999
MICRO, MILLI = 1_000, 1_000_000
NOON = 1_700_000_000_000_000_000


class NoRings:
    """The kernel tells nothing by itself."""

    method = "story"
    translates = False

    def __init__(self) -> None:
        self.coming: list[NDArray[np.void]] = []

    def read(self) -> NDArray[np.void]:
        """What was put into `coming`."""
        told, self.coming = self.coming, []
        return np.concatenate(told) if told else np.empty(0, EVENT)

    def close(self) -> None:
        """Nothing is open."""


class EverywhereLocal(LocalAddresses):
    """All addresses are of our namespace, but for those named."""

    def __init__(self, *others: str) -> None:
        self._others = {halves(other) for other in others}

    def has(self, high: int, low: int, *, if_unknown: bool = True) -> bool:
        """Whether it is none of the others."""
        return (high, low) not in self._others


class Story:
    """Events and packets in turn; times are microseconds after noon.

    `journal`: events are taken in as a journal tells them, which must make no difference.
    """

    def __init__(
        self,
        *others: str,
        told: Callable[[NDArray[np.void]], None] | None = None,
        journal: bool = False,
    ) -> None:
        self._lines = LineMaker() if journal else None
        self.pool = OwnerPool()
        self.rings = NoRings()
        local = EverywhereLocal(*others)
        self.traced = Traced(self.rings, lambda: NOON, self.pool, local, root="/nowhere", told=told)
        self.tables = self.traced._tables
        self.tables.state[NAMESPACE_OWN] = OWN_NAMESPACE
        self._told: list[NDArray[np.void]] = []

    # What the kernel tells.

    def event(self, at: float, kind: int, pid: int = 0, **fields: int) -> None:
        """One event, in the context of a process unless `flags` says otherwise."""
        row = np.zeros(1, EVENT)
        row["time_ns"], row["kind"], row["pid"], row["tid"] = _ns(at), kind, pid, pid
        row["flags"] = BELIEVED
        for name, value in fields.items():
            row[name] = value
        self._told.append(row)

    def process(self, pid: int, name: str, namespace: int = OWN_NAMESPACE, start: int = 5) -> None:
        """A process that was there before."""
        high, low = name_words(name)
        self.event(
            0, SEEDED, pid, laddr_high=high, laddr_low=low, socket=namespace, cookie=start, flags=0
        )

    def fork(self, at: float, parent: int, pid: int, namespace: int = OWN_NAMESPACE) -> None:
        """A process forks another."""
        self.event(at, FORKED, pid, length=parent)
        self.event(at, NAMESPACE, pid, socket=namespace)

    def rename(self, at: float, pid: int, name: str, flags: int = EXECUTED) -> None:
        """A process calls exec."""
        high, low = name_words(name)
        self.event(at, NAMED, pid, laddr_high=high, laddr_low=low, flags=flags)

    def exit(self, at: float, pid: int) -> None:
        """A process ends."""
        self.event(at, EXITED, pid)

    def lose(self, at: float, count: int) -> None:
        """Events are lost."""
        self.event(at, LOST, length=count)

    def state(
        self,
        at: float,
        pid: int,
        socket: int,
        change: tuple[int, int],
        ends: tuple[Place, Place] = (HERE, THERE),
        flags: int = BELIEVED,
        **fields: int,
    ) -> None:
        """A socket has another state."""
        self.event(
            at, STATE, pid, socket=socket, old=change[0], new=change[1], flags=flags,
            **_ends(*ends), **fields,
        )  # fmt: skip

    def send(self, at: float, pid: int, socket: int, length: int = 1, **fields: int) -> None:
        """A process has sent."""
        self.event(at, SENT, pid, socket=socket, length=length, **fields)

    def receive(self, at: float, pid: int, socket: int, length: int = 1, **fields: int) -> None:
        """A process has received."""
        self.event(at, RECEIVED, pid, socket=socket, length=length, **fields)

    def destroy(
        self, at: float, pid: int, socket: int, ends: tuple[Place, Place], cookie: int = 1
    ) -> None:
        """A socket is gone."""
        self.event(at, DESTROYED, pid, socket=socket, cookie=cookie, **_ends(*ends))

    def connect(self, at: float, pid: int, socket: int, ends: tuple[Place, Place]) -> None:
        """A process connects: before, its port is not known; 20 µs later, it is connected."""
        portless = ((ends[0][0], 0), ends[1])
        self.state(at, pid, socket, (CLOSE, SYN_SENT), portless)
        self.state(at + 20, pid, socket, (SYN_SENT, ESTABLISHED), ends, flags=0)

    def accept(self, at: float, stranger: int, socket: int, ends: tuple[Place, Place]) -> None:
        """A listener makes a socket, in an interrupt on the back of a stranger."""
        self.state(at, stranger, socket, (LISTEN, SYN_RECV), ends, flags=0)
        self.state(at + 1, stranger, socket, (SYN_RECV, ESTABLISHED), ends, flags=0)

    def happen(self) -> None:
        """All that was told so far has come."""
        if not self._told:
            return
        events, self._told = np.concatenate(self._told), []
        if self._lines is None:
            self.traced.take_in(events)
            return
        events = events[np.argsort(events["time_ns"], kind="stable")]
        for line in self._lines.lines(Events(events)):
            record = parse_line(line)
            assert isinstance(record, Events)
            self.traced.take_in(record.rows)

    # What packets show.

    def owner(self, rows: NDArray[np.void]) -> Owner | None:
        """The owner of one row, None when tracing does not know."""
        (found,) = self.owners([rows])
        return found

    def owners(self, rows: Iterable[NDArray[np.void]]) -> list[Owner | None]:
        """Owners of rows that come together, after all that was told."""
        self.happen()
        batch = np.concatenate(list(rows))
        codes = np.zeros(len(batch), np.int32)
        self.traced.see(batch)
        known = self.traced.label(batch, codes)
        return [
            self.pool.owners[code] if sure else None
            for code, sure in zip(codes.tolist(), known.tolist(), strict=True)
        ]

    def pid(self, rows: NDArray[np.void]) -> int | None:
        """The PID of the process of one row."""
        found = self.owner(rows)
        return found.process.pid if found and found.process else None

    def caught_up(self, at: float) -> None:
        """All packets until then were seen."""
        self.traced.caught_up(_ns(at))


def packet(
    at: float,
    connection: int = 1,
    end: int = ORIGINATOR,
    ends: tuple[Place, Place] = (HERE, THERE),
    flags: int = ACK,
    *,
    sent: bool = True,
    payload: int = 0,
) -> NDArray[np.void]:
    """The row of a segment, seen from one end; `ends` are local and remote."""
    row = np.zeros(1, PROBE_ROW)
    row["time_ns"], row["connection"], row["end"] = _ns(at) // MICRO * MICRO, connection, end
    row["probe"] = SEND if sent else RECEIVE
    row["outgoing"], row["flags"], row["bytes"] = sent, flags, payload
    for name, value in _ends(*ends).items():
        row[name] = value
    return row


def syn(
    at: float, connection: int = 1, ends: tuple[Place, Place] = (HERE, THERE)
) -> NDArray[np.void]:
    """A SYN, seen from who calls."""
    return packet(at, connection, ORIGINATOR, ends, SYN)


def called(
    at: float, connection: int = 1, ends: tuple[Place, Place] = (THERE, HERE), flags: int = SYN
) -> NDArray[np.void]:
    """A segment that who was called receives, a SYN at first."""
    return packet(at, connection, RESPONDER, ends, flags, sent=False)


def refusal(at: float, connection: int = 1) -> NDArray[np.void]:
    """A RST by who was called."""
    return packet(at, connection, RESPONDER, (THERE, HERE), RST | ACK)


def closed(at: float, connection: int, end: int, ends: tuple[Place, Place]) -> NDArray[np.void]:
    """The end of a connection."""
    row = packet(at, connection, end, ends)
    row["probe"] = CLOSED
    return row


def _ns(at: float) -> int:
    return NOON + round(at * MICRO)


def _ends(local: Place, remote: Place) -> dict[str, int]:
    fields = {"lport": local[1], "rport": remote[1]}
    fields["laddr_high"], fields["laddr_low"] = halves(local[0])
    fields["raddr_high"], fields["raddr_low"] = halves(remote[0])
    return fields
