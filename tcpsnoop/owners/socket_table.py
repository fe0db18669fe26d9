"""The TCP sockets of one network namespace, as /proc/net/tcp and /proc/net/tcp6 list them.

The form of a row: Documentation/networking/proc_net_tcp.rst of the kernel. Addresses are 32-bit
words in the byte order of the machine. Rows are kept as text, and places are spelled as the rows
of tcp6 are, in which an IPv4 address is `::ffff:a.b.c.d`: few are asked for.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tcpsnoop.owners.sockets import ADDRESS_BYTES, IPV4, LISTEN, Socket, who_listens

FILES = ("tcp", "tcp6")

_LISTEN_TEXT = b"%02X" % LISTEN

# sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode; more follows.
_ROW = re.compile(
    rb"^ *\d+: ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]{2})"
    rb" \S+ \S+ \S+ +\d+ +\S+ (\d+)",
    re.MULTILINE,
)
# What is missing before the addresses of tcp.
_IPV4_TEXT = b"%08X" * 3 % struct.unpack("=3I", IPV4)

_TEXT_SIZE = 2 * ADDRESS_BYTES + 5  # with the port

_READ_SIZE = 1 << 20
_SMALLEST_PAGE, _LONGEST_ROW = 4096, 512


class _File(NamedTuple):
    """One of the two files, by places as text: local and remote joined, or local alone."""

    rows: Mapping[bytes, tuple[bytes, bytes]]
    listening: Mapping[bytes, tuple[int, ...]]
    readable: bool


class SocketTable:
    """The sockets of the namespace whose folder is `net` (/proc/net): Sockets, read when asked.

    An IPv4 address is looked for in tcp first, and in tcp6 only when it is not there: reading a
    file means that the kernel walks all its hash tables, however few sockets there are.

    `inodes` are those that the files must have. The kernel gives the files of each namespace their
    own, so what has come to be another namespace's folder is not read.
    """

    def __init__(self, net: Path, inodes: Mapping[str, int] | None = None) -> None:
        self._net = net
        self._inodes = inodes
        self._files: dict[str, _File] = {}

    @property
    def readable(self) -> bool:
        """Whether a file that was asked for could be read."""
        return any(file.readable for file in self._files.values())

    def find(self, local: bytes, remote: bytes) -> Socket | None:
        """The socket with these ends (places), if there is one."""
        ends = _text(local) + _text(remote)
        for file in self._files_for(local):
            if row := file.rows.get(ends):
                return Socket(int(row[0], 16), int(row[1]))
        return None

    def listeners(self, local: bytes) -> tuple[int, ...]:
        """Inodes of the listening sockets that get what is sent to `local`."""
        return who_listens(local, self._groups)

    def _groups(self, place: bytes) -> Iterator[tuple[int, ...]]:
        for file in self._files_for(place):
            yield file.listening.get(_text(place), ())

    def held(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Ends and inode of every socket that a process can have; listeners have no remote.

        The ends are texts, which `read_place` reads.
        """
        for name, prefix in (("tcp", _IPV4_TEXT), ("tcp6", b"")):
            file = self._file(name, prefix)
            for joined, (_, inode) in file.rows.items():
                if inode != b"0":
                    yield joined[:_TEXT_SIZE], joined[_TEXT_SIZE:], int(inode)
            for local, inodes in file.listening.items():
                for each in inodes:
                    yield local, b"", each

    def _files_for(self, local: bytes) -> Iterator[_File]:
        if local.startswith(IPV4):
            yield self._file("tcp", _IPV4_TEXT)
        yield self._file("tcp6", b"")

    def _file(self, name: str, prefix: bytes) -> _File:
        file = self._files.get(name)
        if file is None:
            try:
                text = _read(self._net / name, None if not self._inodes else self._inodes[name])
            except (OSError, KeyError):  # no IPv6, no such folder, or another one
                file = _File({}, {}, readable=False)
            else:
                file = _parsed(text, prefix)
            self._files[name] = file
        return file


def read_place(text: bytes) -> tuple[int, int, int]:
    """The two halves of the address, and the port, of a place as a row of tcp6 writes it."""
    words = (int(text[at : at + 8], 16) for at in range(0, 2 * ADDRESS_BYTES, 8))
    high, low = struct.unpack(">qq", struct.pack("=4I", *words))
    return high, low, int(text[2 * ADDRESS_BYTES + 1 :], 16)


def _text(place: bytes) -> bytes:
    """A place as a row of tcp6 writes it."""
    words = struct.unpack_from("=4I", place)
    return b"%08X%08X%08X%08X:%04X" % (*words, int.from_bytes(place[ADDRESS_BYTES:]))


def _parsed(text: bytes, prefix: bytes) -> _File:
    rows: dict[bytes, tuple[bytes, bytes]] = {}
    listening: dict[bytes, tuple[int, ...]] = {}
    for local, remote, state, inode in _ROW.findall(text):
        if state == _LISTEN_TEXT:
            spelled = prefix + local
            listening[spelled] = (*listening.get(spelled, ()), int(inode))
        else:
            rows[prefix + local + prefix + remote] = (state, inode)
    return _File(rows, listening, readable=True)


def _read(path: Path, inode: int | None) -> bytes:
    """The text of a table; OSError when it cannot be read, or has another inode.

    The kernel hands out as many whole rows as fit into a page or more (seq_read_iter), so a read
    that leaves room for another row was the last: asking for the end costs one more walk.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if inode is not None and os.fstat(file).st_ino != inode:
            raise OSError("a table of another namespace")
        parts = [os.read(file, _READ_SIZE)]
        while len(parts[-1]) > _SMALLEST_PAGE - _LONGEST_ROW:
            parts.append(os.read(file, _READ_SIZE))
    finally:
        os.close(file)
    return b"".join(parts)
