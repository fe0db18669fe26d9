"""Sun snoop made with struct alone; fields as in RFC 1761."""

from __future__ import annotations

import struct

ETHERNET = 4


def header(*, version: int = 2, datalink: int = ETHERNET) -> bytes:
    """A file header, 16 bytes."""
    return b"snoop\0\0\0" + struct.pack(">II", version, datalink)


def record(
    data: bytes,
    seconds: int = 0,
    microseconds: int = 0,
    original: int | None = None,
    *,
    padding: int | None = None,
    drops: int = 0,
    length: int | None = None,
) -> bytes:
    """A record, 24 bytes before the data; padded to 4 bytes, and of its true length, unless told.

    `original` is the length on the wire if it differs, `drops` is cumulative.
    """
    filled = data + bytes(-len(data) % 4 if padding is None else padding)
    lengths = (
        len(data) if original is None else original,
        len(data),
        24 + len(filled) if length is None else length,
    )
    return struct.pack(">6I", *lengths, drops, seconds, microseconds) + filled
