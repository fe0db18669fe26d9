"""The records of a journal, each a line: what they say, as this program has it.

A line is a JSON object with one member, whose name says what the line is; the first line is the
header. docs/formats.md is the promise of their form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import Process

VERSION = 1
# The first bytes of every journal, whatever its version.
MAGIC = b'{"tcpsnoop_journal":'


class DamageError(Exception):
    """A line that is not one of a journal; the message says what is wrong with it."""


Identity = tuple[int, int]
"""PID and start time of a process."""

Span = tuple[int, int]
"""When something was begun and when it was done, the system's time in nanoseconds."""


@dataclass(frozen=True)
class Header:
    """Where and how a journal was written."""

    began_ns: int  # what happened from then on is told
    boot_id: str
    boot_ns: int  # the system's time at which the machine started, as it was then
    method: str  # of tracing; "" when it was not permitted
    why_not: str  # better, "" when it is the best
    tested: bool  # tracing was, by a connection of its own
    translates: bool  # events have threads and no processes
    network_namespace: int  # inode of the one that it was written in, 0 unknown
    pids: int  # PIDs are below that
    ticks_per_second: int  # unit of start times
    program: str = ""  # who wrote it


class Events(NamedTuple):
    """What the kernel told, rows of EVENT in the order of time."""

    rows: NDArray[np.void]


class ProcessRead(NamedTuple):
    """A process as it was read."""

    time_ns: int
    process: Process


class CgroupNumber(NamedTuple):
    """A cgroup: the number that events have, and its path."""

    number: int
    path: str


class LocalNetworks(NamedTuple):
    """The addresses of the network namespace, `127.0.0.0/8` or `::1`."""

    time_ns: int
    networks: tuple[str, ...]


class Clocks(NamedTuple):
    """The same moment by three clocks."""

    system_ns: int
    monotonic_ns: int
    boottime_ns: int


class SocketRow(NamedTuple):
    """A socket that a process can have; remote port 0: it listens."""

    laddr: str
    lport: int
    raddr: str
    rport: int
    inode: int


class Sockets(NamedTuple):
    """A reading of the kernel's table of sockets, as what has changed since the one before."""

    read_ns: Span
    new: tuple[SocketRow, ...]
    gone: tuple[SocketRow, ...]


class Holders(NamedTuple):
    """Who holds sockets, after a look at every process: those whose holders have changed."""

    time_ns: int
    holders: Mapping[int, tuple[Identity, ...]]  # by inode
    unreadable: int  # processes that we could not look into
    hidden: bool  # others' processes are hidden


class End(NamedTuple):
    """Nothing follows; what happened until then is told."""

    time_ns: int
    lost: int  # events


Record = Events | ProcessRead | CgroupNumber | LocalNetworks | Clocks | Sockets | Holders | End

Object = Mapping[str, Any]
"""A JSON object that was read: of any form."""
