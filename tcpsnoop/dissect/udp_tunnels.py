"""Tunnels in UDP, each known by its port at either end: VXLAN, Geneve, GTP-U, L2TP, Teredo, AYIYA.

Readers answer as link.py says; NO_TUNNEL where the header is none of theirs.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import CUT_SHORT
from tcpsnoop.dissect.fields import (
    IPV6_DESTINATION,
    IPV6_PAYLOAD_LENGTH,
    IPV6_SIZE,
    IPV6_SOURCE,
    Bytes,
    holds,
    u8,
    u16,
    u32,
)
from tcpsnoop.dissect.gre import NO_TUNNEL
from tcpsnoop.dissect.numbers import (
    AYIYA_PORT,
    BY_VERSION,
    GENEVE_PORT,
    GTP_PORT,
    IPV4,
    IPV4_IN_IP,
    IPV6,
    IPV6_IN_IP,
    L2TP_PORT,
    PPP,
    TEREDO_PORT,
    TRANSPARENT_ETHERNET,
    VXLAN_GPE_PORT,
    VXLAN_LINUX_PORT,
    VXLAN_PORT,
)
from tcpsnoop.kernel import Integer, Truth, inlined, kernel

# UDP (RFC 768).
UDP_DESTINATION = 2
UDP_LENGTH = 4
UDP_SIZE = 8

# VXLAN (RFC 7348): a flag that the network's number is valid. Its extension (GPE,
# draft-ietf-nvo3-vxlan-gpe): another that the last of the reserved bytes says what is carried.
VXLAN_SIZE = 8
VXLAN_VALID = 0x08
GPE_CARRIES = 0x04
GPE_NEXT = 3
GPE_KINDS = ((1, IPV4), (2, IPV6), (3, TRANSPARENT_ETHERNET))

# Geneve (RFC 8926): version and words of options, flags, an EtherType, the network.
GENEVE_TYPE = 2
GENEVE_SIZE = 8
GENEVE_OPTIONS_MASK = 0x3F

# GTP-U (3GPP TS 29.281 section 5): version 1, protocol type 1, then three flags, any of which adds
# four bytes, the last of them the type of the first extension header. Those have their length in
# units of four bytes first, the next one's type last.
GTP_VERSION_MASK, GTP_VERSION = 0xF0, 0x30
GTP_OPTIONAL = 0x07
GTP_EXTENDED = 0x04
GTP_MESSAGE = 1
GTP_DATA = 255
GTP_SIZE = 8
GTP_OPTIONAL_SIZE = 4
MAX_GTP_EXTENSIONS = 8

# L2TP version 2 (RFC 2661 section 3.1): of the flags, type (control) and length, sequence and
# offset present.
L2TP_CONTROL_AND_VERSION, L2TP_DATA = 0x800F, 2
L2TP_LENGTH, L2TP_SEQUENCE, L2TP_OFFSET = 0x4000, 0x0800, 0x0200
L2TP_SIZE = 6  # with tunnel and session

# Teredo (RFC 4380 section 5.1.1): indications in front of IPv6, of which one end has a prefix or is
# local to the link. Anything else may use the port, so the lengths must fit as well.
TEREDO_AUTHENTICATION = 1
TEREDO_ORIGIN = 0
TEREDO_ORIGIN_SIZE = 8
TEREDO_PREFIX = 0x20010000
LINK_LOCAL, LINK_LOCAL_MASK = 0xFE800000, 0xFFC00000

# AYIYA (draft-massar-v6ops-ayiya-02): length of the identity as a power of two, of the signature in
# words, an operation, the protocol carried, a time.
AYIYA_OPERATION = 2
AYIYA_NEXT = 3
AYIYA_SIZE = 8
AYIYA_FORWARD = 1


@inlined
def open_udp(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """What a UDP datagram at `at` carries, by its ports."""
    if not holds(frame, at, UDP_SIZE):
        return NO_TUNNEL, at
    kind, behind = _open_port(frame, at, u16(frame, at, UDP_DESTINATION))
    if kind == NO_TUNNEL:
        kind, behind = _open_port(frame, at, u16(frame, at, 0))
    return kind, behind


@kernel
def _open_port(frame: Bytes, udp: Integer, port: Integer) -> tuple[Integer, Integer]:
    """The tunnel that has this port, in the datagram at `udp`."""
    at = udp + UDP_SIZE
    if port == VXLAN_PORT or port == VXLAN_LINUX_PORT or port == VXLAN_GPE_PORT:
        return _open_vxlan(frame, at, port == VXLAN_GPE_PORT)
    if port == GENEVE_PORT:
        return _open_geneve(frame, at)
    if port == GTP_PORT:
        return _open_gtp(frame, at)
    if port == L2TP_PORT:
        return _open_l2tp(frame, at)
    if port == TEREDO_PORT:
        return _open_teredo(frame, at, udp + u16(frame, udp, UDP_LENGTH))
    if port == AYIYA_PORT:
        return _open_ayiya(frame, at)
    return NO_TUNNEL, at


@inlined
def _open_vxlan(frame: Bytes, at: Integer, extended: Truth) -> tuple[Integer, Integer]:
    if not holds(frame, at, VXLAN_SIZE):
        return ~CUT_SHORT, at
    flags, behind = u8(frame, at, 0), at + VXLAN_SIZE
    if extended and flags & GPE_CARRIES:
        for number, kind in GPE_KINDS:
            if u8(frame, at, GPE_NEXT) == number:
                return kind, behind
        return NO_TUNNEL, at
    return (TRANSPARENT_ETHERNET if flags & VXLAN_VALID else NO_TUNNEL), behind


@inlined
def _open_geneve(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    if not holds(frame, at, GENEVE_SIZE):
        return ~CUT_SHORT, at
    first = u8(frame, at, 0)
    if first > GENEVE_OPTIONS_MASK:  # another version than 0
        return NO_TUNNEL, at
    return u16(frame, at, GENEVE_TYPE), at + GENEVE_SIZE + first * 4


@inlined
def _open_gtp(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    if not holds(frame, at, GTP_SIZE):
        return ~CUT_SHORT, at
    flags = u8(frame, at, 0)
    if flags & GTP_VERSION_MASK != GTP_VERSION or u8(frame, at, GTP_MESSAGE) != GTP_DATA:
        return NO_TUNNEL, at
    at += GTP_SIZE
    if not flags & GTP_OPTIONAL:
        return BY_VERSION, at
    at += GTP_OPTIONAL_SIZE
    if not holds(frame, at, 0):
        return ~CUT_SHORT, at
    if not flags & GTP_EXTENDED:
        return BY_VERSION, at
    for _ in range(MAX_GTP_EXTENSIONS):
        if u8(frame, at - 1, 0) == 0:
            return BY_VERSION, at
        if not holds(frame, at, 1):
            return ~CUT_SHORT, at
        size = u8(frame, at, 0) * 4
        if size == 0:
            return NO_TUNNEL, at
        at += size
        if not holds(frame, at, 0):
            return ~CUT_SHORT, at
    return NO_TUNNEL, at


@inlined
def _open_l2tp(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    if not holds(frame, at, L2TP_SIZE):
        return ~CUT_SHORT, at
    flags = u16(frame, at, 0)
    if flags & L2TP_CONTROL_AND_VERSION != L2TP_DATA:
        return NO_TUNNEL, at
    at += L2TP_SIZE
    if flags & L2TP_LENGTH:
        at += 2
    if flags & L2TP_SEQUENCE:
        at += 4
    if flags & L2TP_OFFSET:
        if not holds(frame, at, 2):
            return ~CUT_SHORT, at
        at += 2 + u16(frame, at, 0)
    return PPP, at


@inlined
def _open_teredo(frame: Bytes, at: Integer, end: Integer) -> tuple[Integer, Integer]:
    """IPv6 that ends by `end`, where the datagram does."""
    if holds(frame, at, 4) and u16(frame, at, 0) == TEREDO_AUTHENTICATION:
        # Behind the lengths of an identifier and a value, and these, a number and a confirmation.
        at += 4 + u8(frame, at, 2) + u8(frame, at, 3) + 8 + 1
    if holds(frame, at, 2) and u16(frame, at, 0) == TEREDO_ORIGIN:
        at += TEREDO_ORIGIN_SIZE
    if not holds(frame, at, IPV6_SIZE):
        return ~CUT_SHORT, at
    source, destination = u32(frame, at, IPV6_SOURCE), u32(frame, at, IPV6_DESTINATION)
    fits = at + IPV6_SIZE + u16(frame, at, IPV6_PAYLOAD_LENGTH) <= end
    if fits and (_is_teredo(source) or _is_teredo(destination)):
        return IPV6, at
    return NO_TUNNEL, at


@inlined
def _is_teredo(prefix: Integer) -> Truth:
    return prefix == TEREDO_PREFIX or prefix & LINK_LOCAL_MASK == LINK_LOCAL


@inlined
def _open_ayiya(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    if not holds(frame, at, AYIYA_SIZE):
        return ~CUT_SHORT, at
    identity, signature = 1 << (u8(frame, at, 0) >> 4), (u8(frame, at, 1) >> 4) * 4
    carried = u8(frame, at, AYIYA_NEXT)
    if u8(frame, at, AYIYA_OPERATION) & 0x0F != AYIYA_FORWARD:
        return NO_TUNNEL, at
    behind = at + AYIYA_SIZE + identity + signature
    if carried == IPV4_IN_IP:
        return IPV4, behind
    return (IPV6 if carried == IPV6_IN_IP else NO_TUNNEL), behind
