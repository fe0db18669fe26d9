"""The TCP sockets of one network namespace, as /proc/net/tcp and /proc/net/tcp6 list them.

The form of a row: Documentation/networking/proc_net_tcp.rst of the kernel. Addresses are 32-bit
words in the byte order of the machine. Both files are brought to one spelling, that of tcp6, in
which an IPv4 address is `::ffff:a.b.c.d` (batches.addresses): a socket of IPv4 and an IPv6 socket
that speaks IPv4 are then found by the same key.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

# include/net/tcp_states.h of the kernel.
ESTABLISHED = 1
SYN_SENT = 2
SYN_RECV = 3
CLOSE_WAIT = 8
LISTEN = 10

_LISTEN_TEXT = b"%02X" % LISTEN

# sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode; more follows.
_ROW = re.compile(
    rb"^ *\d+: ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]{2})"
    rb" \S+ \S+ \S+ +\d+ +\S+ (\d+)",
    re.MULTILINE,
)

_MAPPED = b"%08X" * 3 % struct.unpack("=3I", bytes(10) + b"\xff\xff")
_ANY_IPV4 = _MAPPED + b"00000000"
_ANY_IPV6 = b"0" * 32
_ADDRESS_DIGITS = 32
_SPELLED = _ADDRESS_DIGITS + 5  # with the port

_READ_SIZE = 1 << 20
_SMALLEST_PAGE, _LONGEST_ROW = 4096, 512


def spelling(high: int, low: int, port: int) -> bytes:
    """An address (two halves as in batches.addresses) and a port as a row of tcp6 writes them."""
    words = struct.unpack("=4I", struct.pack(">qq", high, low))
    return b"%08X%08X%08X%08X:%04X" % (*words, port)


def place(spelled: bytes) -> tuple[int, int, int]:
    """The two halves of the address and the port that `spelling` has made a text of."""
    words = (int(spelled[at : at + 8], 16) for at in range(0, _ADDRESS_DIGITS, 8))
    high, low = struct.unpack(">qq", struct.pack("=4I", *words))
    return high, low, int(spelled[_ADDRESS_DIGITS + 1 :], 16)


class Socket(NamedTuple):
    """A row that is no listener: its state, and its inode, 0 when no process can hold it."""

    state: int
    inode: int


class _File(NamedTuple):
    """One of the two files; keys are spellings: local and remote joined, or local alone."""

    rows: Mapping[bytes, tuple[bytes, bytes]]
    listening: Mapping[bytes, tuple[int, ...]]
    readable: bool


class SocketTable:
    """The sockets of the namespace whose folder is `net` (/proc/net), read once, when asked.

    An IPv4 address is looked for in tcp first, and in tcp6 only when it is not there: reading a
    file means that the kernel walks all its hash tables, however few sockets there are.
    """

    def __init__(self, net: Path) -> None:
        self._net = net
        self._files: dict[str, _File] = {}

    @property
    def readable(self) -> bool:
        """Whether a file that was asked for could be read."""
        return any(file.readable for file in self._files.values())

    def find(self, local: bytes, remote: bytes) -> Socket | None:
        """The socket with these ends (spellings), if there is one."""
        for file in self._files_for(local):
            if row := file.rows.get(local + remote):
                return Socket(int(row[0], 16), int(row[1]))
        return None

    def listeners(self, local: bytes) -> tuple[int, ...]:
        """Inodes of the listening sockets that get what is sent to `local`, by the kernel's choice.

        An exact address comes before a wildcard, an IPv4 wildcard before that of IPv6, which takes
        IPv4 unless it is told not to (inet_lookup_listener and compute_score of the kernel).
        """
        port = local[_ADDRESS_DIGITS:]
        exact = tuple(
            chain.from_iterable(file.listening.get(local, ()) for file in self._files_for(local))
        )
        if exact:
            return exact
        wildcards = [_ANY_IPV4 + port] if local.startswith(_MAPPED) else []
        for wildcard in (*wildcards, _ANY_IPV6 + port):
            for file in self._files_for(wildcard):
                if group := file.listening.get(wildcard):
                    return group
        return ()

    def held(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Spellings and inode of every socket that a process can have; listeners have no remote."""
        for name, prefix in (("tcp", _MAPPED), ("tcp6", b"")):
            file = self._file(name, prefix)
            for joined, (_, inode) in file.rows.items():
                if inode != b"0":
                    yield joined[:_SPELLED], joined[_SPELLED:], int(inode)
            for local, inodes in file.listening.items():
                for each in inodes:
                    yield local, b"", each

    def _files_for(self, local: bytes) -> Iterator[_File]:
        if local.startswith(_MAPPED):
            yield self._file("tcp", _MAPPED)
        yield self._file("tcp6", b"")

    def _file(self, name: str, prefix: bytes) -> _File:
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = _parsed(self._net / name, prefix)
        return file


def _parsed(path: Path, prefix: bytes) -> _File:
    rows: dict[bytes, tuple[bytes, bytes]] = {}
    listening: dict[bytes, tuple[int, ...]] = {}
    try:
        text = _read(path)
    except OSError:  # no IPv6, or no such folder
        return _File(rows, listening, readable=False)
    for local, remote, state, inode in _ROW.findall(text):
        if state == _LISTEN_TEXT:
            spelled = prefix + local
            listening[spelled] = (*listening.get(spelled, ()), int(inode))
        else:
            rows[prefix + local + prefix + remote] = (state, inode)
    return _File(rows, listening, readable=True)


def _read(path: Path) -> bytes:
    """The text of a table.

    The kernel hands out as many whole rows as fit into a page or more (seq_read_iter), so a read
    that leaves room for another row was the last: asking for the end costs one more walk.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = [os.read(file, _READ_SIZE)]
        while len(parts[-1]) > _SMALLEST_PAGE - _LONGEST_ROW:
            parts.append(os.read(file, _READ_SIZE))
    finally:
        os.close(file)
    return b"".join(parts)
