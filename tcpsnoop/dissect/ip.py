"""IP, both versions by one set of rules: protocol, where its header begins, where the packet ends.

An end is where the declared length says, never where the captured bytes do; UNKNOWN_END when the
packet declares none (segmentation offload) and the length of its frame is not known either. A
negative protocol is the complement of the packet's verdict.
"""

from __future__ import annotations

from tcpsnoop.batches.addresses import MAPPED
from tcpsnoop.batches.verdicts import BAD_LENGTH, CUT_SHORT, FRAGMENT, NOT_IP
from tcpsnoop.dissect.fields import (
    EXTENSION_LENGTH,
    EXTENSION_NEXT,
    EXTENSION_SIZE,
    FRAGMENT_OFFSET,
    FRAGMENT_OFFSET_MASK,
    IPV4_DESTINATION,
    IPV4_FRAGMENT,
    IPV4_IDENTIFICATION,
    IPV4_OFFSET_MASK,
    IPV4_PROTOCOL,
    IPV4_SIZE,
    IPV4_SOURCE,
    IPV4_TOTAL_LENGTH,
    IPV4_TTL,
    IPV4_VERSION_AND_LENGTH,
    IPV6_DESTINATION,
    IPV6_DESTINATION_LOW,
    IPV6_HOP_LIMIT,
    IPV6_NEXT_HEADER,
    IPV6_PAYLOAD_LENGTH,
    IPV6_SIZE,
    IPV6_SOURCE,
    IPV6_SOURCE_LOW,
    IPV6_VERSION,
    JUMBO_LENGTH,
    JUMBO_SIZE,
    OPTION_SIZE,
    OPTION_TYPE,
    Bytes,
    holds,
    s64,
    u8,
    u16,
    u32,
)
from tcpsnoop.dissect.numbers import (
    AUTHENTICATION,
    DESTINATION_OPTIONS,
    FRAGMENT_HEADER,
    HOP_BY_HOP,
    HOST_IDENTITY,
    IPV4,
    MOBILITY,
    ROUTING,
    SHIM6,
    TCP_PROTOCOL,
)
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel

# RFC 8200 section 4.1 wants each header at most once and destination options twice: nine, with the
# later ones. Twice that leaves room for oddities; longer chains are made to waste time.
MAX_EXTENSIONS = 18

# Options of a hop-by-hop header (RFC 8200 section 4.2, RFC 2675 section 2).
PAD_1 = 0
JUMBO_PAYLOAD = 0xC204  # its number and its length

UNKNOWN_END = -1


@inlined
def open_ip(
    frame: Bytes, at: Integer, ether_type: Integer, limit: Integer, segment: Row
) -> tuple[Integer, Integer, Integer]:
    """The protocol inside an IP packet at `at`, where its header begins, where the packet ends.

    `limit` is where the layer around ends (UNKNOWN_END: not known), and so does a packet that
    declares no length; one that declares more is not clipped here. Addresses, identification and
    TTL are written to `segment`, whatever comes of the packet.
    """
    if ether_type == IPV4:
        protocol, start, end = _ipv4(frame, at, segment)
        extended = protocol == AUTHENTICATION
    else:
        protocol, start, end = _ipv6(frame, at, segment)
        extended = protocol != TCP_PROTOCOL
    if extended:
        protocol, start, jumbo = _follow_extensions(frame, protocol, start)
        if end == UNKNOWN_END and jumbo > 0:
            end = at + IPV6_SIZE + jumbo
    if end == UNKNOWN_END:
        end = limit
    return protocol, start, end


@kernel
def read_ip(
    frame: Bytes, at: Integer, ether_type: Integer, limit: Integer, segment: Row
) -> tuple[Integer, Integer, Integer]:
    """What `open_ip` does, as a call: for what is inside of a packet."""
    return open_ip(frame, at, ether_type, limit, segment)


@inlined
def _ipv4(frame: Bytes, at: Integer, segment: Row) -> tuple[Integer, Integer, Integer]:
    if not holds(frame, at, IPV4_SIZE):
        return ~CUT_SHORT, at, at
    version_and_length = u8(frame, at, IPV4_VERSION_AND_LENGTH)
    header_length = (version_and_length & 0x0F) * 4
    total_length = u16(frame, at, IPV4_TOTAL_LENGTH)
    if version_and_length >> 4 != 4:
        return ~NOT_IP, at, at
    if header_length < IPV4_SIZE or 0 < total_length < header_length:
        return ~BAD_LENGTH, at, at
    if u16(frame, at, IPV4_FRAGMENT) & IPV4_OFFSET_MASK != 0:
        return ~FRAGMENT, at, at
    segment["source_high"] = 0
    segment["source_low"] = MAPPED | u32(frame, at, IPV4_SOURCE)
    segment["destination_high"] = 0
    segment["destination_low"] = MAPPED | u32(frame, at, IPV4_DESTINATION)
    segment["ip_id"] = u16(frame, at, IPV4_IDENTIFICATION)
    segment["ttl"] = u8(frame, at, IPV4_TTL)
    end = at + total_length if total_length > 0 else UNKNOWN_END
    return u8(frame, at, IPV4_PROTOCOL), at + header_length, end


@inlined
def _ipv6(frame: Bytes, at: Integer, segment: Row) -> tuple[Integer, Integer, Integer]:
    if not holds(frame, at, IPV6_SIZE):
        return ~CUT_SHORT, at, at
    if u8(frame, at, IPV6_VERSION) >> 4 != 6:
        return ~NOT_IP, at, at
    segment["source_high"] = s64(frame, at, IPV6_SOURCE)
    segment["source_low"] = s64(frame, at, IPV6_SOURCE_LOW)
    segment["destination_high"] = s64(frame, at, IPV6_DESTINATION)
    segment["destination_low"] = s64(frame, at, IPV6_DESTINATION_LOW)
    segment["ip_id"] = 0
    segment["ttl"] = u8(frame, at, IPV6_HOP_LIMIT)
    start = at + IPV6_SIZE
    payload_length = u16(frame, at, IPV6_PAYLOAD_LENGTH)
    end = start + payload_length if payload_length > 0 else UNKNOWN_END
    return u8(frame, at, IPV6_NEXT_HEADER), start, end


@kernel
def _follow_extensions(
    frame: Bytes, protocol: Integer, at: Integer
) -> tuple[Integer, Integer, Integer]:
    """The protocol behind extension headers, its offset, the jumbo payload length (0: none)."""
    jumbo = 0
    for _ in range(MAX_EXTENSIONS):
        if not _is_extension(protocol):
            return protocol, at, jumbo
        if not holds(frame, at, EXTENSION_SIZE):
            return ~CUT_SHORT, at, jumbo
        length = (u8(frame, at, EXTENSION_LENGTH) + 1) * 8
        if protocol == AUTHENTICATION:
            length = (u8(frame, at, EXTENSION_LENGTH) + 2) * 4
        elif protocol == FRAGMENT_HEADER:
            length = EXTENSION_SIZE
            if u16(frame, at, FRAGMENT_OFFSET) & FRAGMENT_OFFSET_MASK != 0:
                return ~FRAGMENT, at, jumbo
        elif protocol == HOP_BY_HOP:
            jumbo = _jumbo_length(frame[at : at + length])
        protocol = u8(frame, at, EXTENSION_NEXT)
        at += length
    return protocol, at, jumbo


@kernel
def _is_extension(protocol: Integer) -> Truth:
    return (
        protocol == HOP_BY_HOP
        or protocol == ROUTING
        or protocol == FRAGMENT_HEADER
        or protocol == AUTHENTICATION
        or protocol == DESTINATION_OPTIONS
        or protocol == MOBILITY
        or protocol == HOST_IDENTITY
        or protocol == SHIM6
    )


@kernel
def _jumbo_length(header: Bytes) -> Integer:
    """The length in a hop-by-hop header's jumbo payload option; 0 when it has none."""
    at = OPTION_SIZE  # next header and length stand in front of the options
    while holds(header, at, OPTION_SIZE):
        option = u16(header, at, OPTION_TYPE)
        if option == JUMBO_PAYLOAD and holds(header, at, JUMBO_SIZE):
            return u32(header, at, JUMBO_LENGTH)
        at += 1 if option >> 8 == PAD_1 else OPTION_SIZE + (option & 0xFF)
    return 0
