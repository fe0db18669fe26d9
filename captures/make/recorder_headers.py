"""Headers of capturing systems that are not Linux's or BSD's: NFLOG, PKTAP, PPI.

From tcpdump.org/linktypes; PPI from CACE's specification 1.0.10.
"""

from __future__ import annotations

import struct

from captures.make.link_headers import is_ipv6_packet

NFLOG_PREFIX, NFLOG_PAYLOAD = 10, 9
PKTAP_IN, PKTAP_OUT = 1, 2


def nflog(packet: bytes, *, big_endian: bool = False) -> bytes:
    """A message of Linux's netfilter: fields, of which one is the packet."""
    order = ">" if big_endian else "<"
    content = bytes([10 if is_ipv6_packet(packet) else 2, 0, 0, 42])
    for number, value in ((1, bytes(4)), (NFLOG_PREFIX, b"in \0\0"), (NFLOG_PAYLOAD, packet)):
        content += struct.pack(order + "HH", 4 + len(value), number) + value
        content += bytes(-len(value) % 4)
    return content


def pktap(frame: bytes, *, link_type: int, direction: int = 0, follows: int = 1) -> bytes:
    """Apple's header: the interface, a direction and a process before a frame of any link type."""
    head = struct.pack("<III24sIIII", 108, follows, link_type, b"en0", direction, 2, 14, 0)
    return head + struct.pack("<i20sIHHi20s", 501, b"curl", 0, 6, 0, -1, b"") + frame


def ppi(frame: bytes, *, link_type: int) -> bytes:
    """A PPI header with the common field of 802.11."""
    field = struct.pack("<HH", 2, 20) + bytes(20)
    return struct.pack("<BBHI", 0, 0, 8 + len(field), link_type) + field + frame
