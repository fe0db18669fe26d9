"""A capture of any length on standard output: `python -m bench.repeat CAPTURE BYTES`.

The packets of a made capture come again and again until BYTES are written: each time later, and
between hosts of the other of two networks, so that what is kept of hosts and of connections that
were left open does not grow. The records lie in memory and are changed in place, and a pipe is lent
their pages instead of a copy: so what is measured is who reads.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE_HEADER, RECORD_HEADER = 24, 16
# Second octets of source and destination in a record: after Ethernet, in the IPv4 header.
OCTETS = (RECORD_HEADER + 14 + 12 + 1, RECORD_HEADER + 14 + 16 + 1)
PIECE = 1 << 20
MOST_OF_A_PIPE = 4 << 20  # four times what a user's pipe holds at most (pipe(7))


def record_offsets(content: bytes) -> NDArray[np.int64]:
    """Where each record of a little-endian pcap begins."""
    offsets, at = [], FILE_HEADER
    while at < len(content):
        offsets.append(at)
        at += RECORD_HEADER + struct.unpack_from("<I", content, at + 8)[0]
    return np.array(offsets, np.int64)


def write_repeated(path: Path, least_bytes: int, descriptor: int = 1) -> int:
    """Write whole repetitions until there are `least_bytes`; how many packets were written."""
    content = bytearray(path.read_bytes())
    offsets = record_offsets(bytes(content))
    lend = stat.S_ISFIFO(os.fstat(descriptor).st_mode) and len(content) > MOST_OF_A_PIPE
    # Two, taken in turn: of the one written last, the pipe may still hold the end.
    turns = [_Repetition(content, offsets), _Repetition(bytearray(content), offsets)]
    os.write(descriptor, content[:FILE_HEADER])
    written = repetitions = 0
    while written < least_bytes:
        turn = turns[repetitions % 2]
        turn.move_to(repetitions)
        (_lend if lend else _write)(descriptor, memoryview(turn.content)[FILE_HEADER:])
        written += len(content) - FILE_HEADER
        repetitions += 1
    return repetitions * len(offsets)


class _Repetition:
    """The records of one repetition, in place."""

    def __init__(self, content: bytearray, offsets: NDArray[np.int64]) -> None:
        self.content = content
        self._offsets = offsets
        self._data = np.frombuffer(content, np.uint8)
        shape = (len(content) - 3,)
        self._seconds: NDArray[np.uint32] = np.ndarray(shape, np.uint32, content, strides=(1,))
        self._span = int(self._seconds[offsets[-1]]) - int(self._seconds[offsets[0]]) + 1
        self._number = 0

    def move_to(self, number: int) -> None:
        """Make it that repetition: later, and between the other hosts when that is odd."""
        later, self._number = number - self._number, number
        if later > 0:
            self._seconds[self._offsets] += np.uint32(later * self._span)
            for octet in OCTETS:
                self._data[self._offsets + octet] ^= np.uint8(later % 2)


def _write(descriptor: int, view: memoryview) -> None:
    while len(view) > 0:
        view = view[os.write(descriptor, view[:PIECE]) :]


class _Piece(ctypes.Structure):
    """struct iovec (readv(2))."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _lend(descriptor: int, view: memoryview) -> None:
    """Put the pages themselves into the pipe (vmsplice(2)): they must stay as they are for now."""
    vmsplice = ctypes.CDLL(None, use_errno=True).vmsplice
    base = ctypes.addressof(ctypes.c_char.from_buffer(view))
    at = 0
    while at < len(view):
        piece = _Piece(base + at, min(PIECE, len(view) - at))
        lent = vmsplice(descriptor, ctypes.byref(piece), ctypes.c_ulong(1), 0)
        if lent < 0:
            raise OSError(ctypes.get_errno(), "vmsplice")
        at += lent


def main(arguments: Sequence[str]) -> None:
    """Write the named capture again and again; the number of packets goes to standard error."""
    packets = write_repeated(Path(arguments[0]), int(arguments[1]))
    sys.stderr.write(f"{packets}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
