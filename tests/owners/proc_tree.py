"""A small /proc on disk, and rows of connections to look up in it.

The rows are written as the kernel writes them (net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c,
fs/proc/array.c): 32-bit words of an address in the byte order of the machine, ports in hexadecimal.
"""

from __future__ import annotations

import shutil
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path

import numpy as np

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import Owner
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import PROBE_ROW, RECEIVE, SEND
from tcpsnoop.batches.segments import ACK
from tcpsnoop.owners import Procfs
from tcpsnoop.owners.procfs import CAPACITY
from tcpsnoop.owners.sockets import place

HEADER = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
    " inode"
)
HEADER6 = (
    "  sl  local_address                         remote_address                        st tx_queue"
    " rx_queue tr tm->when retrnsmt   uid  timeout inode"
)
FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.168.1.0/24 2 0 2
        +-- 192.168.1.0/25 2 0 2
           |-- 192.168.1.0
              /24 link UNICAST
           |-- 192.168.1.5
              /32 host LOCAL
        |-- 192.168.1.255
           /32 link BROADCAST
"""
IF_INET6 = """00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000005 02 40 00 80     eth0
"""

Place = tuple[str, int]
"""An address and a port."""

Rows = np.ndarray[tuple[int], np.dtype[np.void]]
"""Rows of probes."""

AFTER_ANY_LOOK = 1 << 62
"""A packet's time where the order of packets and looks is not what a test is about."""


def packed(where: Place) -> bytes:
    """A place as lookups have it."""
    return place(*halves(where[0]), where[1])


def hexadecimal(where: Place) -> str:
    """A place as /proc/net/tcp (IPv4) or tcp6 writes it."""
    address, port = where
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    words = struct.unpack(f"={len(raw) // 4}I", raw)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


@dataclass(frozen=True)
class Row:
    """A row of /proc/net/tcp or tcp6."""

    local: Place
    remote: Place
    inode: int
    state: int = 1
    uid: int = 0

    def text(self, number: int) -> str:
        """The row as the kernel writes it."""
        start = (
            f"{number:4d}: {hexadecimal(self.local)} {hexadecimal(self.remote)} {self.state:02X}"
        )
        if self.state in (3, 6):  # a request or TIME_WAIT: no socket of a process
            return f"{start} 00000000:00000000 03:00000B36 00000000     0        0 0 3 {1:016x}"
        return (
            f"{start} 00000000:00000000 00:00000000 00000000 {self.uid:5d}        0 {self.inode}"
            f" 1 {self.inode:016x} 20 4 30 10 -1"
        )


def listening(local: Place, inode: int) -> Row:
    """The row of a listening socket."""
    return Row(local, ("::" if ":" in local[0] else "0.0.0.0", 0), inode, state=10)


class ProcTree:
    """A /proc in a folder, with process 1 and no sockets."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "net").mkdir(parents=True)
        (root / "net" / "fib_trie").write_text(FIB_TRIE)
        (root / "net" / "if_inet6").write_text(IF_INET6)
        self.table()
        self.process(1, "init", start_time=2)

    def namespace(self, name: str, addresses: Iterable[str], *rows: Row) -> None:
        """Make another network namespace; which processes are in it, `enter` says."""
        folder = self.root / f"net-{name}"
        folder.mkdir(exist_ok=True)
        ipv4 = (each for each in addresses if ":" not in each)
        leaves = (f"     |-- {each}\n        /32 host LOCAL\n" for each in ipv4)
        (folder / "fib_trie").write_text("Main:\n" + "".join(leaves))
        ipv6 = (IPv6Address(each).packed.hex() for each in addresses if ":" in each)
        lines = (f"{each} 02 40 00 80     eth0\n" for each in ipv6)
        (folder / "if_inet6").write_text("".join(lines))
        self.table(*rows, net=folder.name)

    def enter(self, pid: int, name: str) -> None:
        """Let a process be in another network namespace, or in ours (``)."""
        link = self.root / str(pid) / "net"
        link.unlink(missing_ok=True)
        link.symlink_to(self.root / (f"net-{name}" if name else "net"))

    def table(self, *rows: Row, net: str = "net") -> None:
        """Make these the sockets of the namespace."""
        for name, header, is_ipv6 in (("tcp", HEADER, False), ("tcp6", HEADER6, True)):
            mine = [row for row in rows if (":" in row.local[0]) == is_ipv6]
            lines = [f"{row.text(number):<149}" for number, row in enumerate(mine)]
            (self.root / net / name).write_text("".join(f"{x}\n" for x in (header, *lines)))

    def process(
        self,
        pid: int,
        command: str,
        sockets: Iterable[int] = (),
        *,
        start_time: int = 10,
        uid: int = 0,
        arguments: Sequence[str] = (),
        start_stack: int = 140733411145408,
        flags: int = 4194304,
        state: str = "S",
        parent: int = 1,
    ) -> None:
        """A process that holds sockets with these inodes, besides a terminal and a pipe."""
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True, exist_ok=True)
        before = (
            f"{pid} ({command}) {state} {parent} {pid} {pid} 0 -1 {flags} 102{' 0' * 7} 20 0 1 0"
        )
        after = f"{start_time} 3133440 410 18446744073709551615 1 1 {start_stack} 0 0 0"
        (folder / "stat").write_text(f"{before} {after}{' 0' * 20}\n")
        (folder / "comm").write_text(f"{command}\n")
        (folder / "cmdline").write_bytes(b"".join(x.encode() + b"\0" for x in arguments))
        ids = "\t".join([str(uid)] * 4)
        (folder / "status").write_text(f"Name:\t{command}\nUmask:\t0022\nUid:\t{ids}\n")
        self.descriptors(pid, sockets)

    def descriptors(self, pid: int, sockets: Iterable[int]) -> None:
        """Make these the sockets that a process holds."""
        folder = self.root / str(pid) / "fd"
        for link in folder.iterdir():
            link.unlink()
        targets = ["/dev/null", "pipe:[777]", *(f"socket:[{inode}]" for inode in sockets)]
        for number, target in enumerate(targets):
            (folder / str(number)).symlink_to(target)

    def end(self, pid: int) -> None:
        """End a process."""
        shutil.rmtree(self.root / str(pid))


class Clock:
    """A clock that stands until it is set forward."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def nanoseconds(self) -> int:
        """The same clock as packets are stamped by."""
        return round(self.now * 1e9)


def seen(
    connection: int,
    end: int,
    local: Place,
    remote: Place,
    *,
    flags: int = ACK,
    outgoing: bool = True,
    probe: int | None = None,
    time_ns: int = AFTER_ANY_LOOK,
) -> Rows:
    """A row for a segment, seen from the end `end` of a connection."""
    row = np.zeros(1, PROBE_ROW)
    row["connection"], row["end"], row["flags"], row["outgoing"] = connection, end, flags, outgoing
    row["time_ns"] = time_ns
    row["probe"] = (SEND if outgoing else RECEIVE) if probe is None else probe
    row["laddr_high"], row["laddr_low"] = halves(local[0])
    row["raddr_high"], row["raddr_low"] = halves(remote[0])
    row["lport"], row["rport"] = local[1], remote[1]
    return row


def system_time_ns() -> int:
    """The clock that the kernel stamps packets by."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def lookup(proc: ProcTree, clock: Clock, capacity: int = CAPACITY) -> Procfs:
    """A lookup in a tree."""
    return Procfs(clock.nanoseconds, proc.root, clock, capacity, worked=clock)


def labels(procfs: Procfs, *rows: Rows) -> list[Owner]:
    """The owner of each row, looked up as one batch."""
    columns = procfs.label(ProbeBatch(np.concatenate(rows)))
    assert columns.index.dtype == np.int32
    return [columns.pool[index] for index in columns.index]
