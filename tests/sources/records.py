"""Classic pcap made with struct alone; fields as in draft-ietf-opsawg-pcap."""

from __future__ import annotations

import struct

MICROSECONDS, NANOSECONDS, KUZNETZOV = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
ETHERNET = 1


def header(
    order: str = "<",
    *,
    magic: int = MICROSECONDS,
    version: tuple[int, int] = (2, 4),
    snaplen: int = 262144,
    link: int = ETHERNET,
) -> bytes:
    """A file header, 24 bytes."""
    return struct.pack(f"{order}IHHiIII", magic, *version, 0, 0, snaplen, link)


def record(
    data: bytes,
    seconds: int = 0,
    fraction: int = 0,
    original: int | None = None,
    order: str = "<",
) -> bytes:
    """A record, 16 bytes before the data; `original` is the length on the wire if it differs."""
    length = len(data) if original is None else original
    return struct.pack(f"{order}IIII", seconds, fraction, len(data), length) + data
