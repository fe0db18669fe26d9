"""A plain dissector, one packet at a time: what the program's columns must agree with.

Only struct, nothing of tcpsnoop. It follows SEMANTICS 3 to the letter for Ethernet (VLAN tags,
SNAP), Linux cooked, BSD null and loop, and raw IP, and prefers being read to being fast. Its reader
of capture files is oracle_files.py.

Its readings where SEMANTICS leaves a choice: a later fragment is `fragment` whatever it carries; a
packet known not to be TCP is `not tcp` even when it is cut; a header of IP whose own lengths are
impossible is `bad length`; `cut short` is what the capture cut, so a whole packet that declares too
few bytes for TCP is `bad length`; an ICMP error is `icmp error` only when it quotes TCP.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from tests.oracle_files import read

IPV4, IPV6 = 0x0800, 0x86DD
VLAN_TYPES = (0x8100, 0x88A8, 0x9100, 0x9200)
MOST_TAGS = 8  # as in Linux (VLAN_MAX_DEPTH)
LONGEST_LENGTH, SNAP = 1500, b"\xaa\xaa\x03\0\0\0"  # IEEE 802.3, RFC 1042
IPV4_FAMILY, IPV6_FAMILIES = 2, (10, 23, 24, 28, 30)  # Linux, Windows, three BSDs
NO_ETHER_TYPE = (770, 803, 824)  # hardware types whose cooked protocol field is no EtherType

ICMP, TCP, ICMP_6 = 1, 6, 58
HOP_BY_HOP, FRAGMENT, AUTHENTICATION = 0, 44, 51
EXTENSIONS = (HOP_BY_HOP, 43, FRAGMENT, AUTHENTICATION, 60, 135, 139, 140)
MOST_EXTENSIONS = 18
PAD_1, JUMBO = 0, 0xC2
ICMP_ERRORS, ICMP_6_ERRORS = (3, 4, 5, 11, 12), range(128)  # RFC 792, RFC 4443
LEAST_TCP, WITH_WINDOW, PORTS = 14, 16, 4  # bytes of a TCP header


class Segment(NamedTuple):
    """A TCP segment; window and payload are None when they cannot be known."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    sequence: int
    acknowledgment: int
    flags: int
    window: int | None
    payload: int | None


class Observation(NamedTuple):
    """A packet of a file (counted from 1), its verdict, and its segment when that is `tcp`."""

    packet: int
    time_ns: int
    link_type: int
    verdict: str
    segment: Segment | None


class _NoSegmentError(Exception):
    """Ends the dissection of a packet that gives no segment; its text is the verdict."""


class _Transport(NamedTuple):
    """What an IP packet carries, and where; `end` is None where only the frame could tell."""

    source: str
    destination: str
    protocol: int
    at: int
    end: int | None


def observe(content: bytes) -> Iterator[Observation]:
    """Every packet of a capture file, dissected."""
    for number, packet in enumerate(read(content).packets, 1):
        verdict, segment = dissect(packet.link_type, packet.data, packet.original)
        yield Observation(number, packet.time_ns, packet.link_type, verdict, segment)


def dissect(link_type: int, data: bytes, original: int | None) -> tuple[str, Segment | None]:
    """The verdict of a packet, and its segment; `original` None: its length is not known."""
    frame_end = None if original is None else max(original, len(data))
    try:
        kind, at = _network(link_type, data)
        packet = _ip(kind, data, at, frame_end)
        return "tcp", _segment(data, packet)
    except _NoSegmentError as verdict:
        return str(verdict), None


def _need(data: bytes, end: int) -> None:
    if len(data) < end:
        raise _NoSegmentError("cut short")


def _u16(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _network(link_type: int, data: bytes) -> tuple[int, int]:
    """The EtherType of what a frame carries, and where that begins."""
    if link_type == 1:
        _need(data, 14)
        return _untagged(data, _u16(data, 12), 14)
    if link_type == 113:
        _need(data, 16)
        return _cooked(data, _u16(data, 2), _u16(data, 14), 16)
    if link_type == 276:
        _need(data, 20)
        return _cooked(data, _u16(data, 8), _u16(data, 0), 20)
    if link_type in (0, 108):
        _need(data, 4)
        orders = "<>" if link_type == 0 else ">"
        return _of_family([struct.unpack_from(order + "I", data)[0] for order in orders]), 4
    if link_type in (12, 14, 101):
        _need(data, 1)
        return {4: IPV4, 6: IPV6}.get(data[0] >> 4, 0), 0
    if link_type in (228, 229):
        return {228: IPV4, 229: IPV6}[link_type], 0
    raise _NoSegmentError("unsupported link type")


def _untagged(data: bytes, kind: int, at: int) -> tuple[int, int]:
    """The EtherType behind VLAN tags, or behind a length and LLC with SNAP."""
    for _ in range(MOST_TAGS):
        if kind in VLAN_TYPES:
            _need(data, at + 4)
            kind, at = _u16(data, at + 2), at + 4
    if kind <= LONGEST_LENGTH:
        _need(data, at + 8)
        return (_u16(data, at + 6) if data[at : at + 6] == SNAP else 0), at + 8
    return kind, at


def _cooked(data: bytes, hardware: int, kind: int, at: int) -> tuple[int, int]:
    return (0, at) if hardware in NO_ETHER_TYPE else _untagged(data, kind, at)


def _of_family(families: list[int]) -> int:
    if IPV4_FAMILY in families:
        return IPV4
    return IPV6 if set(families) & set(IPV6_FAMILIES) else 0


def _ip(kind: int, data: bytes, at: int, frame_end: int | None) -> _Transport:
    """The TCP that an IP packet carries, or the verdict that it carries none."""
    if kind not in (IPV4, IPV6):
        raise _NoSegmentError("not ip")
    packet = (_ipv4 if kind == IPV4 else _ipv6)(data, at, frame_end)
    if packet.protocol == (ICMP if kind == IPV4 else ICMP_6) and _quotes_tcp(kind, data, packet):
        raise _NoSegmentError("icmp error")
    if packet.protocol != TCP:
        raise _NoSegmentError("not tcp")
    return packet


def _nearer(end: int, frame_end: int | None) -> int:
    """A declared end, clipped to the frame."""
    return end if frame_end is None else min(end, frame_end)


def _ipv4(data: bytes, at: int, frame_end: int | None) -> _Transport:
    _need(data, at + 20)
    if data[at] >> 4 != 4:
        raise _NoSegmentError("not ip")
    header, total = (data[at] & 15) * 4, _u16(data, at + 2)
    if header < 20 or 0 < total < header:
        raise _NoSegmentError("bad length")
    if _u16(data, at + 6) & 0x1FFF:
        raise _NoSegmentError("fragment")
    source, destination = (str(IPv4Address(data[at + i : at + i + 4])) for i in (12, 16))
    end = _nearer(at + total, frame_end) if total else frame_end
    protocol, at = data[at + 9], at + header
    if protocol == AUTHENTICATION:
        protocol, at, _ = _behind_extensions(data, protocol, at)
    return _Transport(source, destination, protocol, at, end)


def _ipv6(data: bytes, at: int, frame_end: int | None) -> _Transport:
    _need(data, at + 40)
    if data[at] >> 4 != 6:
        raise _NoSegmentError("not ip")
    source, destination = (_text(data[at + i : at + i + 16]) for i in (8, 24))
    length, protocol, body = _u16(data, at + 4), data[at + 6], at + 40
    end = _nearer(body + length, frame_end) if length else frame_end
    protocol, at, jumbo = _behind_extensions(data, protocol, body)
    if length == 0 and jumbo:
        end = _nearer(body + jumbo, frame_end)
    return _Transport(source, destination, protocol, at, end)


def _behind_extensions(data: bytes, protocol: int, at: int) -> tuple[int, int, int]:
    """The protocol behind extension headers, its offset, and the jumbo payload length (0: none)."""
    jumbo = 0
    for _ in range(MOST_EXTENSIONS):
        if protocol not in EXTENSIONS:
            break
        _need(data, at + 8)
        following, words = data[at], data[at + 1]
        if protocol == FRAGMENT and _u16(data, at + 2) & 0xFFF8:
            raise _NoSegmentError("fragment")
        size = {FRAGMENT: 8, AUTHENTICATION: words * 4 + 8}.get(protocol, words * 8 + 8)
        if protocol == HOP_BY_HOP:
            jumbo = _jumbo(data[at + 2 : at + size])
        protocol, at = following, at + size
    return protocol, at, jumbo


def _text(packed: bytes) -> str:
    address = IPv6Address(packed)
    return str(address.ipv4_mapped or address)


def _jumbo(options: bytes) -> int:
    """The payload length that a jumbo option tells (RFC 2675), 0 without one."""
    at = 0
    while at < len(options):
        if options[at] == PAD_1:
            at += 1
            continue
        if options[at : at + 2] == bytes([JUMBO, 4]) and at + 6 <= len(options):
            return int.from_bytes(options[at + 2 : at + 6], "big")
        at += 2 + options[at + 1] if at + 1 < len(options) else 2
    return 0


def _quotes_tcp(kind: int, data: bytes, message: _Transport) -> bool:
    """Whether an ICMP message is an error about a TCP segment, and quotes its ports."""
    errors = ICMP_ERRORS if kind == IPV4 else ICMP_6_ERRORS
    _need(data, message.at + 1)
    if data[message.at] not in errors:
        return False
    try:
        quoted = (_ipv4 if kind == IPV4 else _ipv6)(data, message.at + 8, None)
    except _NoSegmentError:
        return False
    return quoted.protocol == TCP and quoted.at + PORTS <= len(data)


def _segment(data: bytes, packet: _Transport) -> Segment:
    at, end = packet.at, packet.end
    _need(data, at + LEAST_TCP)
    ports_and_numbers = struct.unpack_from(">HHII", data, at)
    offset_and_flags = _u16(data, at + 12)
    header = (offset_and_flags >> 12) * 4
    if header < 20 or (end is not None and at + header > end):
        raise _NoSegmentError("bad length")
    source_port, destination_port, sequence, acknowledgment = ports_and_numbers
    return Segment(
        packet.source,
        source_port,
        packet.destination,
        destination_port,
        sequence,
        acknowledgment,
        offset_and_flags & 0x1FF,
        _u16(data, at + 14) if len(data) >= at + WITH_WINDOW else None,
        None if end is None else end - at - header,
    )
