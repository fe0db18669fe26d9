"""Capture files built with struct alone: classic pcap, and gzip around any file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from captures.make.link_headers import ETHERNET

MICROSECOND_MAGIC, NANOSECOND_MAGIC = 0xA1B2C3D4, 0xA1B23C4D
SNAPLEN = 262144  # what tcpdump writes when none is asked for

SECOND_NS = 10**9

# Direction of a packet, as the lowest two bits of pcapng's epb_flags have it.
INBOUND, OUTBOUND = 1, 2


@dataclass(frozen=True)
class Record:
    """A packet of a file: `frame` is what was kept of `original_length` bytes (None: all)."""

    time_ns: int
    frame: bytes
    original_length: int | None = None
    interface: int = 0
    direction: int | None = None  # INBOUND or OUTBOUND; only the Enhanced Packet Block has it

    @property
    def length(self) -> int:
        """Its length on the wire."""
        return len(self.frame) if self.original_length is None else self.original_length


def exact(time_ns: int, units: int) -> int:
    """Nanoseconds as a whole number of 1/`units` seconds; ValueError when it is not whole."""
    ticks, rest = divmod(time_ns * units, SECOND_NS)
    if rest:
        message = f"{time_ns} ns is no multiple of 1/{units} s"
        raise ValueError(message)
    return ticks


def pcap_bytes(
    records: Iterable[Record],
    *,
    link_type: int = ETHERNET,
    nanoseconds: bool = False,
    big_endian: bool = False,
    snaplen: int = SNAPLEN,
) -> bytes:
    """A classic capture file, version 2.4; records are written whole, whatever `snaplen` says."""
    order = ">" if big_endian else "<"
    magic = NANOSECOND_MAGIC if nanoseconds else MICROSECOND_MAGIC
    units = SECOND_NS if nanoseconds else 10**6
    content = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type)
    for record in records:
        seconds, fraction = divmod(exact(record.time_ns, units), units)
        head = (seconds, fraction, len(record.frame), record.length)
        content += struct.pack(order + "IIII", *head) + record.frame
    return content


def gzip_bytes(content: bytes) -> bytes:
    """A gzip member of stored blocks (RFC 1951 section 3.2.4, RFC 1952).

    Compressed bytes depend on the version of zlib; stored ones are the same everywhere.
    """
    chunks = [content[at : at + 0xFFFF] for at in range(0, len(content), 0xFFFF)] or [b""]
    stored = b""
    for number, chunk in enumerate(chunks, 1):
        length = len(chunk)
        stored += struct.pack("<BHH", number == len(chunks), length, length ^ 0xFFFF) + chunk
    head = bytes.fromhex("1f8b08000000000000ff")  # deflate, no time, unknown system
    return head + stored + struct.pack("<II", zlib.crc32(content), len(content))
