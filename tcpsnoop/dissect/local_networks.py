"""FDDI, ARCNET, and Ethernet that may be preempted.

Readers answer as link.py says. Layouts are those of tcpdump.org/linktypes where no standard is
named.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import CUT_SHORT, FRAGMENT, NOT_IP
from tcpsnoop.dissect.fields import Bytes, holds, u8
from tcpsnoop.dissect.numbers import IPV4, IPV6, LLC, TRANSPARENT_ETHERNET
from tcpsnoop.kernel import Integer, Truth, inlined

# FDDI (ISO 9314-2): frame control, addresses. Its bits FF and LL tell a frame of LLC, of whichever
# class.
FDDI_SIZE = 13
FDDI_CLASS_MASK = 0x70
FDDI_LLC = 0x50

# ARCNET: two addresses and a type. Linux has two more bytes before the type. Types of RFC 1201 have
# three more bytes behind it, or seven in an exception frame; those of RFC 1051 none.
ARCNET_TYPE = 2
ARCNET_LINUX_TYPE = 4
ARCNET_IP_RFC1051 = 240
ARCNET_IP = 212
ARCNET_IPV6 = 196
ARCNET_SPLIT_SIZE = 3
ARCNET_EXCEPTION = 0xFF
ARCNET_EXCEPTION_SIZE = 7
ARCNET_SECOND_SPLIT = 4  # the split flag of an exception frame, behind its type

# mPacket (IEEE 802.3 figure 99-4): seven bytes of preamble and a start delimiter, or six, the start
# delimiter of a continuation, and its number.
CONTINUATION = 6
CONTINUATIONS = (0x61, 0x52, 0x9E, 0x2A)  # SMD-C0 to SMD-C3
START = 7
STARTS = (0xD5, 0xE6, 0x4C, 0x7F, 0xB3)  # SMD-E, SMD-S0 to SMD-S3
PREAMBLE_SIZE = 8


@inlined
def open_fddi(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LINKTYPE_FDDI: LLC in the frames that have it."""
    if not holds(frame, at, FDDI_SIZE):
        return ~CUT_SHORT, at
    if u8(frame, at, 0) & FDDI_CLASS_MASK != FDDI_LLC:
        return ~NOT_IP, at
    return LLC, at + FDDI_SIZE


@inlined
def open_arcnet(frame: Bytes, at: Integer, of_linux: Truth) -> tuple[Integer, Integer]:
    """LINKTYPE_ARCNET_BSD, or LINKTYPE_ARCNET_LINUX, which has whole packets instead of parts."""
    at += ARCNET_LINUX_TYPE if of_linux else ARCNET_TYPE
    if not holds(frame, at, 1):
        return ~CUT_SHORT, at
    kind = u8(frame, at, 0)
    at += 1
    if kind == ARCNET_IP_RFC1051:
        return IPV4, at
    if kind != ARCNET_IP and kind != ARCNET_IPV6:
        return ~NOT_IP, at
    if not holds(frame, at, ARCNET_SPLIT_SIZE):
        return ~CUT_SHORT, at
    split, size = u8(frame, at, 0), ARCNET_SPLIT_SIZE
    if not of_linux:
        if split == ARCNET_EXCEPTION:
            size = ARCNET_EXCEPTION_SIZE
            if not holds(frame, at, size):
                return ~CUT_SHORT, at
            split = u8(frame, at, ARCNET_SECOND_SPLIT)
        if split != 0 and split & 1 == 0:  # parts are numbered: odd is the first, even a later one
            return ~FRAGMENT, at
    return (IPV4 if kind == ARCNET_IP else IPV6), at + size


@inlined
def open_mpacket(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LINKTYPE_ETHERNET_MPACKET: a frame or its first part, or a later one."""
    if not holds(frame, at, PREAMBLE_SIZE):
        return ~CUT_SHORT, at
    if u8(frame, at, CONTINUATION) in CONTINUATIONS:
        return ~FRAGMENT, at
    if u8(frame, at, START) in STARTS:
        return TRANSPARENT_ETHERNET, at + PREAMBLE_SIZE
    return ~NOT_IP, at
