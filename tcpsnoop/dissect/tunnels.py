"""Tunnels: from an IP packet to the innermost one that it carries."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.verdicts import (
    BAD_LENGTH,
    CUT_SHORT,
    FRAGMENT,
    NESTED_TOO_DEEP,
    NOT_IP,
    NOT_TCP,
)
from tcpsnoop.dissect.fields import IPV4_SIZE, IPV6_SIZE, Bytes
from tcpsnoop.dissect.gre import NO_TUNNEL, open_gre
from tcpsnoop.dissect.icmp import verdict_on_other
from tcpsnoop.dissect.ip import UNKNOWN_END, read_ip
from tcpsnoop.dissect.link import follow
from tcpsnoop.dissect.numbers import (
    GRE,
    IPV4,
    IPV4_IN_IP,
    IPV6,
    IPV6_IN_IP,
    TCP_PROTOCOL,
    UDP,
)
from tcpsnoop.dissect.udp_tunnels import open_udp
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel

# Tunnels in tunnels that are entered. Real ones are two deep, or three with a mobile network's;
# deeper ones are made to waste time.
MAX_TUNNELS = 8

# A tunnel's number, 1 to 32767, is made of what tells one tunnel from another; 0 is none.
_TUNNELS = 0x7FFF
_LOW_MASK = 0xFFFF_FFFF


@kernel
def innermost(
    frame: Bytes,
    protocol: Integer,
    at: Integer,
    end: Integer,
    ether_type: Integer,
    limit: Integer,
    segment: Row,
) -> tuple[Integer, Integer, Integer, Integer, Integer]:
    """TCP_PROTOCOL, where TCP begins, its packet ends, the packet around ends; the tunnel's number.

    Or a negative protocol. `protocol` is that of an IP packet, not TCP, `at` where it begins, `end`
    where the packet ends by its own length, `limit` where its frame does. `segment` gets the
    innermost addresses.
    """
    tunnel = 0
    for depth in range(MAX_TUNNELS + 1):
        kind, start = _open_tunnel(frame, protocol, at)
        if kind == NO_TUNNEL:
            return ~verdict_on_other(frame, at, protocol, ether_type, segment), at, end, limit, 0
        if depth == MAX_TUNNELS:
            break
        limit = _nearer(end, limit)
        kind, start, limit = follow(frame, kind, start, limit)
        inner, behind = ~CUT_SHORT if kind == ~CUT_SHORT else ~NOT_TCP, start
        if kind == IPV4 or kind == IPV6:
            tunnel = _number(tunnel, start, segment)
            inner, behind, end = read_ip(frame, start, kind, limit, segment)
            if limit != UNKNOWN_END and limit < start + (IPV4_SIZE if kind == IPV4 else IPV6_SIZE):
                inner = ~BAD_LENGTH
        if inner < 0:
            cut = limit == UNKNOWN_END or frame.size < limit
            return ~_doubted(~inner, protocol == UDP, cut), at, end, limit, 0
        if inner == TCP_PROTOCOL:
            return inner, behind, end, limit, tunnel
        protocol, at, ether_type = inner, behind, kind
    return ~NESTED_TOO_DEEP, at, end, limit, 0


@inlined
def _open_tunnel(frame: Bytes, protocol: Integer, at: Integer) -> tuple[Integer, Integer]:
    if protocol == UDP:
        return open_udp(frame, at)
    if protocol == IPV4_IN_IP:
        return IPV4, at
    if protocol == IPV6_IN_IP:
        return IPV6, at
    if protocol == GRE:
        return open_gre(frame, at)
    return NO_TUNNEL, at


@inlined
def _doubted(verdict: Integer, is_udp: Truth, cut: Truth) -> Integer:
    """The verdict on a packet whose tunnel leads to no sound IP header, by what is wrong with that.

    A datagram that only has a tunnel's port may be anything, so it is `not tcp` unless the capture
    cut it.
    """
    if verdict == NOT_IP or (is_udp and (verdict == BAD_LENGTH or not cut)):
        return verdict if verdict == FRAGMENT else NOT_TCP
    return verdict


@inlined
def _nearer(end: Integer, limit: Integer) -> Integer:
    """The nearer of two ends, either of which may be unknown."""
    if end == UNKNOWN_END or 0 <= limit < end:
        return limit
    return end


@inlined
def _number(tunnel: Integer, start: Integer, outer: Row) -> Integer:
    """The number of the tunnel between these outer ends, in which IP begins at `start`."""
    source = np.int64(outer["source_low"]) & _LOW_MASK
    destination = np.int64(outer["destination_low"]) & _LOW_MASK
    return (tunnel * 31 + source * 5 + destination * 3 + start) % _TUNNELS + 1 & _TUNNELS
