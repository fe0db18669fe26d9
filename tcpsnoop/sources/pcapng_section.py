"""How a section of pcapng begins (draft-ietf-opsawg-pcapng section 4.1)."""

from __future__ import annotations

import struct

SECTION_TYPE = b"\n\r\r\n"  # the same in both byte orders
BYTE_ORDER_MAGIC = 0x1A2B3C4D
SUPPORTED_MAJOR = 1

# Type, length, byte-order magic, versions, section length, length again: without options.
SMALLEST_SECTION_HEADER = 28


def byte_order(header: bytes) -> str | None:
    """The byte order of a section, as struct writes it, by its header's magic."""
    for order in "<>":
        if header[8:12] == struct.pack(f"{order}I", BYTE_ORDER_MAGIC):
            return order
    return None
