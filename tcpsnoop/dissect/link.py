"""Where IP starts: a function for each link type, and the EtherTypes that lead on to another.

Each answers (EtherType, offset of what it announces); a negative EtherType is the complement of the
packet's verdict. A new link type is a function and a line in `open_link`; a new header that stands
between link and IP is a case in `follow_types`, which tunnels that carry an EtherType use as well.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import CUT_SHORT, NOT_IP, UNSUPPORTED_LINK_TYPE
from tcpsnoop.dissect.fields import (
    COOKED_V1_HARDWARE,
    COOKED_V1_PROTOCOL,
    COOKED_V1_SIZE,
    COOKED_V2_HARDWARE,
    COOKED_V2_PROTOCOL,
    COOKED_V2_SIZE,
    ETHERNET_SIZE,
    ETHERNET_TYPE,
    FAMILY_SIZE,
    LARGEST_LENGTH,
    SNAP_HEAD,
    SNAP_ORGANISATION,
    SNAP_SIZE,
    SNAP_TYPE,
    TAG_SIZE,
    TAG_TYPE,
    Bytes,
    holds,
    u8,
    u16,
    u32,
)
from tcpsnoop.kernel import Integer, Truth, inlined, kernel

# LINKTYPE_ numbers (tcpdump.org/linktypes.html); 12 and 14 are raw IP in files of systems that
# wrote their own DLT_RAW.
NULL = 0
ETHERNET = 1
RAW_BSD = 12
RAW_OPENBSD = 14
RAW = 101
LOOP = 108
COOKED_V1 = 113
RAW_IPV4 = 228
RAW_IPV6 = 229
COOKED_V2 = 276

# EtherTypes (IEEE registration authority).
IPV4 = 0x0800
IPV6 = 0x86DD
CUSTOMER_TAG = 0x8100
SERVICE_TAG = 0x88A8
OLD_TAG = 0x9100  # this and the next from before 802.1ad had a number
OLD_INNER_TAG = 0x9200

# As many as Linux reads (VLAN_MAX_DEPTH): deeper ones are noise.
MAX_TAGS = 8

# LLC of a SNAP header: both service access points 170, unnumbered information (RFC 1042).
SNAP_LLC = 0xAAAA03

# Address families of BSD null and loop. Each BSD has another one for IPv6, and so have Linux (10)
# and Windows (23), which write such files too.
FAMILY_IPV4 = 2
FAMILIES_IPV6 = (10, 23, 24, 28, 30)
LARGEST_FAMILY = 0xFFFF  # a larger one is in the other byte order

# Hardware types of cooked captures whose protocol field is no EtherType: frame relay, 802.11 with
# radiotap, netlink (LINKTYPE_LINUX_SLL).
HARDWARE_WITHOUT_TYPE = (770, 803, 824)


@inlined
def open_link(frame: Bytes, link_type: Integer) -> tuple[Integer, Integer]:
    """The EtherType of a packet and where what it announces begins, behind all tags."""
    if link_type == ETHERNET:
        ether_type, at = _ethernet(frame, 0)
    elif link_type == COOKED_V1:
        ether_type, at = _cooked_v1(frame)
    elif link_type == COOKED_V2:
        ether_type, at = _cooked_v2(frame)
    elif link_type == RAW or link_type == RAW_BSD or link_type == RAW_OPENBSD:
        ether_type, at = _raw(frame)
    elif link_type == RAW_IPV4:
        ether_type, at = IPV4, 0
    elif link_type == RAW_IPV6:
        ether_type, at = IPV6, 0
    elif link_type == NULL or link_type == LOOP:
        ether_type, at = _bsd_loopback(frame, link_type == NULL)
    else:
        ether_type, at = ~UNSUPPORTED_LINK_TYPE, 0
    return follow_types(frame, ether_type, at)


@inlined
def follow_types(frame: Bytes, ether_type: Integer, at: Integer) -> tuple[Integer, Integer]:
    """The EtherType behind VLAN tags and LLC, and where what it announces begins."""
    if ether_type == IPV4 or ether_type < 0:
        return ether_type, at
    tags = 0
    while _is_tag(ether_type) and tags < MAX_TAGS:
        if not holds(frame, at, TAG_SIZE):
            return ~CUT_SHORT, at
        ether_type = u16(frame[at : at + TAG_SIZE], TAG_TYPE)
        at += TAG_SIZE
        tags += 1
    if ether_type <= LARGEST_LENGTH:
        return _snap(frame, at)
    return ether_type, at


@inlined
def _is_tag(ether_type: Integer) -> Truth:
    return (
        ether_type == CUSTOMER_TAG
        or ether_type == SERVICE_TAG
        or ether_type == OLD_TAG
        or ether_type == OLD_INNER_TAG
    )


@kernel
def _snap(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LLC, in the place of which an EtherType would have announced the next header."""
    if not holds(frame, at, SNAP_SIZE):
        return ~CUT_SHORT, at
    header = frame[at : at + SNAP_SIZE]
    organisation = u32(header, SNAP_ORGANISATION) >> 8
    if u32(header, SNAP_HEAD) >> 8 != SNAP_LLC or organisation != 0:
        return ~NOT_IP, at
    return u16(header, SNAP_TYPE), at + SNAP_SIZE


@inlined
def _ethernet(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    if not holds(frame, at, ETHERNET_SIZE):
        return ~CUT_SHORT, at
    return u16(frame[at : at + ETHERNET_SIZE], ETHERNET_TYPE), at + ETHERNET_SIZE


@kernel
def _cooked_v1(frame: Bytes) -> tuple[Integer, Integer]:
    if not holds(frame, 0, COOKED_V1_SIZE):
        return ~CUT_SHORT, 0
    header = frame[:COOKED_V1_SIZE]
    if u16(header, COOKED_V1_HARDWARE) in HARDWARE_WITHOUT_TYPE:
        return ~NOT_IP, 0
    return u16(header, COOKED_V1_PROTOCOL), COOKED_V1_SIZE


@kernel
def _cooked_v2(frame: Bytes) -> tuple[Integer, Integer]:
    if not holds(frame, 0, COOKED_V2_SIZE):
        return ~CUT_SHORT, 0
    header = frame[:COOKED_V2_SIZE]
    if u16(header, COOKED_V2_HARDWARE) in HARDWARE_WITHOUT_TYPE:
        return ~NOT_IP, 0
    return u16(header, COOKED_V2_PROTOCOL), COOKED_V2_SIZE


@kernel
def _raw(frame: Bytes) -> tuple[Integer, Integer]:
    """IP without a link header: its version says which."""
    if not holds(frame, 0, 1):
        return ~CUT_SHORT, 0
    version = u8(frame, 0) >> 4
    if version == 4:
        return IPV4, 0
    if version == 6:
        return IPV6, 0
    return ~NOT_IP, 0


@kernel
def _bsd_loopback(frame: Bytes, either_order: Truth) -> tuple[Integer, Integer]:
    """An address family: loop has it in network byte order, null in that of its writer."""
    if not holds(frame, 0, FAMILY_SIZE):
        return ~CUT_SHORT, 0
    header = frame[:FAMILY_SIZE]
    family = u32(header, 0)
    if either_order and family > LARGEST_FAMILY:
        family = u8(header, 3) << 24 | u8(header, 2) << 16 | u8(header, 1) << 8 | u8(header, 0)
    if family == FAMILY_IPV4:
        return IPV4, FAMILY_SIZE
    if family in FAMILIES_IPV6:
        return IPV6, FAMILY_SIZE
    return ~NOT_IP, 0
