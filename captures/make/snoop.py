"""Sun snoop files built with struct alone (RFC 1761)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from captures.make.files import Record, exact

MAGIC, VERSION = b"snoop\0\0\0", 2
DATALINK_ETHERNET = 4
RECORD_HEADER = 24
MICROSECONDS = 10**6


def snoop_bytes(records: Iterable[Record], *, dropped: int = 0) -> bytes:
    """A capture on Ethernet, padded to 4 bytes as Solaris does; `dropped` counts from the first."""
    content = MAGIC + struct.pack(">II", VERSION, DATALINK_ETHERNET)
    for record in records:
        filled = record.frame + b"\0" * (-len(record.frame) % 4)
        lengths = (record.length, len(record.frame), RECORD_HEADER + len(filled))
        times = divmod(exact(record.time_ns, MICROSECONDS), MICROSECONDS)
        content += struct.pack(">6I", *lengths, dropped, *times) + filled
    return content
