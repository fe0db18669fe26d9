"""GRE (RFC 2784, RFC 2890), its enhanced form (RFC 2637), and ERSPAN inside of it.

Readers answer as link.py says; NO_TUNNEL where nothing is carried that is read.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import CUT_SHORT, NOT_TCP
from tcpsnoop.dissect.fields import Bytes, holds, u16
from tcpsnoop.dissect.numbers import (
    BY_VERSION,
    ERSPAN,
    ERSPAN_III,
    LARGEST_LENGTH,
    PPP,
    TRANSPARENT_ETHERNET,
)
from tcpsnoop.kernel import Integer, inlined

NO_TUNNEL = ~NOT_TCP

# Flags and version, then an EtherType; a word for each flag that is set.
GRE_TYPE = 2
GRE_SIZE = 4
CHECKSUM = 0x8000
ROUTED = 0x4000  # RFC 1701, withdrawn: such packets are to be discarded
KEY = 0x2000
SEQUENCE = 0x1000
ACKNOWLEDGMENT = 0x0080  # enhanced GRE only
VERSION_MASK = 0x0007
ENHANCED = 1
WORD_SIZE = 4

# ERSPAN (draft-foschiano-erspan-03): type I is a bare frame; II has a header where GRE has a
# sequence number, III another one, which may have eight bytes more. Versions are the first half of
# a byte: 1 of type II, 2 of type III.
ERSPAN_II_VERSION = 1
ERSPAN_II_SIZE = 8
ERSPAN_III_VERSION = 2
ERSPAN_III_SIZE = 12
ERSPAN_III_KIND = 10  # frame type in five bits behind the first, platform header in the last
FRAME_SHIFT, FRAME_MASK = 10, 0x1F
ETHERNET_FRAME, IP_PACKET = 0, 2
PLATFORM_MASK = 0x0001
PLATFORM_SIZE = 8


@inlined
def open_gre(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """A GRE header at `at`."""
    if not holds(frame, at, GRE_SIZE):
        return ~CUT_SHORT, at
    flags, kind = u16(frame, at, 0), u16(frame, at, GRE_TYPE)
    version = flags & VERSION_MASK
    behind = at + GRE_SIZE
    for flag in (CHECKSUM, KEY, SEQUENCE):
        if flags & flag:
            behind += WORD_SIZE
    if version == ENHANCED:
        if kind != PPP or not flags & SEQUENCE:  # without a number it only acknowledges
            return NO_TUNNEL, at
        if flags & ACKNOWLEDGMENT:
            behind += WORD_SIZE
        return PPP, behind
    if version != 0 or flags & ROUTED or kind <= LARGEST_LENGTH:
        return NO_TUNNEL, at
    if kind == ERSPAN:
        return _open_erspan(frame, behind, flags & SEQUENCE)
    if kind == ERSPAN_III:
        return _open_erspan_iii(frame, behind)
    return kind, behind


@inlined
def _open_erspan(frame: Bytes, at: Integer, numbered: Integer) -> tuple[Integer, Integer]:
    if not numbered:
        return TRANSPARENT_ETHERNET, at
    if not holds(frame, at, ERSPAN_II_SIZE):
        return ~CUT_SHORT, at
    if u16(frame, at, 0) >> 12 != ERSPAN_II_VERSION:
        return NO_TUNNEL, at
    return TRANSPARENT_ETHERNET, at + ERSPAN_II_SIZE


@inlined
def _open_erspan_iii(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    if not holds(frame, at, ERSPAN_III_SIZE):
        return ~CUT_SHORT, at
    word = u16(frame, at, ERSPAN_III_KIND)
    carried = word >> FRAME_SHIFT & FRAME_MASK
    if u16(frame, at, 0) >> 12 != ERSPAN_III_VERSION:
        return NO_TUNNEL, at
    behind = at + ERSPAN_III_SIZE
    if word & PLATFORM_MASK:
        behind += PLATFORM_SIZE
    if carried == ETHERNET_FRAME:
        return TRANSPARENT_ETHERNET, behind
    return (BY_VERSION if carried == IP_PACKET else NO_TUNNEL), behind
