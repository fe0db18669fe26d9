"""A capture of any length on standard output: `python -m bench.repeat CAPTURE BYTES`.

The packets of a made capture come again and again until BYTES are written: each time later, and
between hosts of the other of two networks, so that what is kept of hosts and of connections that
were left open does not grow. The records lie in memory and are changed in place; nothing else is
done, so this is as fast as a pipe.
"""

from __future__ import annotations

import os
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
    data = np.frombuffer(content, np.uint8)
    seconds: NDArray[np.uint32] = np.ndarray((len(data) - 3,), np.uint32, data, strides=(1,))
    span = int(seconds[offsets[-1]]) - int(seconds[offsets[0]]) + 1
    _write(descriptor, memoryview(content)[:FILE_HEADER])
    written = packets = 0
    while written < least_bytes:
        _write(descriptor, memoryview(content)[FILE_HEADER:])
        written += len(content) - FILE_HEADER
        packets += len(offsets)
        seconds[offsets] += np.uint32(span)
        for octet in OCTETS:
            data[offsets + octet] ^= np.uint8(1)
    return packets


def _write(descriptor: int, view: memoryview) -> None:
    while len(view) > 0:
        view = view[os.write(descriptor, view[:PIECE]) :]


def main(arguments: Sequence[str]) -> None:
    """Write the named capture again and again; the number of packets goes to standard error."""
    packets = write_repeated(Path(arguments[0]), int(arguments[1]))
    sys.stderr.write(f"{packets}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
