"""Name resolution blocks of pcapng (draft-ietf-opsawg-pcapng section 4.5)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator

from tcpsnoop.batches.addresses import halves

_BLOCK_HEADER, _BLOCK_TRAILER = 8, 4

_END_OF_RECORDS = 0
# Record types, and the bytes of the address that precedes the names.
_ADDRESS_BYTES = {1: 4, 2: 16}

# A longer one is no host name (RFC 1035 section 2.3.4); it would only take memory.
_LONGEST_NAME = 255


def names_of(block: bytes, order: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Addresses and their first names, up to the end or the first record that is not whole."""
    content = block[_BLOCK_HEADER : len(block) - _BLOCK_TRAILER]
    at = 0
    while at + 4 <= len(content):
        kind, length = struct.unpack_from(f"{order}HH", content, at)
        value = content[at + 4 : at + 4 + length]
        if kind == _END_OF_RECORDS or len(value) < length:
            return
        address_bytes = _ADDRESS_BYTES.get(kind, length)
        name = value[address_bytes:].split(b"\0", 1)[0]
        if 0 < len(name) <= _LONGEST_NAME:
            address = ipaddress.ip_address(value[:address_bytes])
            yield halves(str(address)), name.decode("utf-8", "replace")
        at += 4 + length + (-length % 4)
