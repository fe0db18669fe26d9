"""Headers that the capturing system puts in front: BSD loopback, NFLOG, PKTAP, PPI.

Linux's cooked ones are rows of link.py. Readers answer as it says; layouts are those of
tcpdump.org/linktypes.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import BAD_LENGTH, CUT_SHORT, NOT_IP
from tcpsnoop.dissect.fields import (
    FAMILY_SIZE,
    PKTAP_KIND,
    PKTAP_LENGTH,
    PKTAP_LINK_TYPE,
    PKTAP_SIZE,
    Bytes,
    holds,
    little16,
    little32,
    u16,
    u32,
)
from tcpsnoop.dissect.numbers import BY_VERSION, IPV4, IPV6, LINK
from tcpsnoop.kernel import Integer, Truth, inlined

# Address families of BSD null and loop. Each BSD has another one for IPv6, and so have Linux (10)
# and Windows (23), which write such files too.
FAMILY_IPV4 = 2
FAMILIES_IPV6 = (10, 23, 24, 28, 30)
LARGEST_FAMILY = 0xFFFF  # a larger one is in the other byte order

# NFLOG: four bytes, then fields of length (with its own four bytes), number and value, each padded
# to four. Length and number are in the byte order of the writer, and no number needs two bytes.
NFLOG_SIZE = 4
FIELD_NUMBER = 2
FIELD_SIZE = 4
PAYLOAD = 9
LARGEST_NUMBER = 0xFF

PACKET_FOLLOWS = 1  # of a PKTAP header

# PPI (CACE's PPI header format 1.0.10), little-endian.
PPI_LENGTH = 2
PPI_LINK_TYPE = 4
PPI_SIZE = 8


@inlined
def open_bsd_loopback(frame: Bytes, at: Integer, either_order: Truth) -> tuple[Integer, Integer]:
    """An address family: loop has it in network byte order, null in that of its writer."""
    if not holds(frame, at, FAMILY_SIZE):
        return ~CUT_SHORT, at
    family = u32(frame, at, 0)
    if either_order and family > LARGEST_FAMILY:
        family = little32(frame, at, 0)
    if family == FAMILY_IPV4:
        return IPV4, at + FAMILY_SIZE
    if family in FAMILIES_IPV6:
        return IPV6, at + FAMILY_SIZE
    return ~NOT_IP, at


@inlined
def open_nflog(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LINKTYPE_NFLOG: IP in the field that has the payload, which comes last if it was kept."""
    at += NFLOG_SIZE
    while holds(frame, at, FIELD_SIZE):
        number, length = little16(frame, at, FIELD_NUMBER), little16(frame, at, 0)
        if number > LARGEST_NUMBER:  # of a big-endian writer
            number, length = u16(frame, at, FIELD_NUMBER), u16(frame, at, 0)
        if length < FIELD_SIZE:
            return ~BAD_LENGTH, at
        if number == PAYLOAD:
            return BY_VERSION, at + FIELD_SIZE
        at += (length + 3) // 4 * 4
    return ~CUT_SHORT, at


@inlined
def open_pktap(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LINKTYPE_PKTAP, of Apple: a header that tells its length and the interface's link type."""
    if not holds(frame, at, PKTAP_SIZE):
        return ~CUT_SHORT, at
    length = little32(frame, at, PKTAP_LENGTH)
    if length < PKTAP_SIZE:
        return ~BAD_LENGTH, at
    if little32(frame, at, PKTAP_KIND) != PACKET_FOLLOWS:
        return ~NOT_IP, at
    return LINK + little32(frame, at, PKTAP_LINK_TYPE), at + length


@inlined
def open_ppi(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LINKTYPE_PPI: a header that tells its length and a link type."""
    if not holds(frame, at, PPI_SIZE):
        return ~CUT_SHORT, at
    length = little16(frame, at, PPI_LENGTH)
    if length < PPI_SIZE:
        return ~BAD_LENGTH, at
    return LINK + little32(frame, at, PPI_LINK_TYPE), at + length
