"""ICMP: errors quote the segment that they are about, which is no segment of this capture."""

from __future__ import annotations

from tcpsnoop.batches.segments import QUOTE
from tcpsnoop.batches.verdicts import CUT_SHORT, ICMP_ERROR, NOT_TCP
from tcpsnoop.dissect.fields import (
    ICMP_SIZE,
    ICMP_TYPE,
    TCP_DESTINATION_PORT,
    TCP_SEQUENCE,
    TCP_SOURCE_PORT,
    Bytes,
    holds,
    u8,
    u16,
)
from tcpsnoop.dissect.ip import UNKNOWN_END, read_ip
from tcpsnoop.dissect.numbers import ICMP, ICMPV6, IPV4, TCP_PROTOCOL
from tcpsnoop.kernel import Integer, Row, Truth, inlined

# ICMP errors (RFC 792): destination unreachable, source quench, redirect, time exceeded, parameter
# problem. Those of ICMPv6 are the types below 128 (RFC 4443 section 2.1).
ICMP_ERRORS = (3, 4, 5, 11, 12)
FIRST_INFORMATIONAL = 128


@inlined
def verdict_on_other(
    frame: Bytes, at: Integer, protocol: Integer, ether_type: Integer, segment: Row
) -> Integer:
    """The verdict on an IP packet without TCP at `at`: ICMP_ERROR when it quotes a segment's ports.

    `segment` then has the quoted ends and what SEGMENT says of a QUOTE.
    """
    if protocol != (ICMP if ether_type == IPV4 else ICMPV6):
        return NOT_TCP
    if not holds(frame, at, ICMP_TYPE + 1):
        return CUT_SHORT
    if not _is_error(u8(frame, at, ICMP_TYPE), protocol):
        return NOT_TCP
    sender_high, sender_low = segment["source_high"], segment["source_low"]
    quoted, start, _ = read_ip(frame, at + ICMP_SIZE, ether_type, UNKNOWN_END, segment)
    if quoted != TCP_PROTOCOL or not holds(frame, start, TCP_SEQUENCE):
        return NOT_TCP
    segment["source_port"] = u16(frame, start, TCP_SOURCE_PORT)
    segment["destination_port"] = u16(frame, start, TCP_DESTINATION_PORT)
    segment["options"] = QUOTE
    segment["fingerprint"] = sender_high
    segment["tsval"] = (sender_low >> 32) & 0xFFFF_FFFF
    segment["tsecr"] = sender_low & 0xFFFF_FFFF
    segment["payload"] = u16(frame, at, ICMP_TYPE)
    segment["window"] = 4 if protocol == ICMP else 6
    segment["flags"] = 0
    segment["sequence"] = 0
    segment["acknowledgment"] = 0
    segment["header"] = 0
    return ICMP_ERROR


@inlined
def _is_error(kind: Integer, protocol: Integer) -> Truth:
    return kind in ICMP_ERRORS if protocol == ICMP else kind < FIRST_INFORMATIONAL
