"""A plain dissector, one packet at a time: what the program's columns must agree with.

Only struct, nothing of tcpsnoop. It follows SEMANTICS 2 and 3 to the letter, and prefers being read
to being fast. Its link types are in oracle_links.py, its tunnels in oracle_tunnels.py, its reader
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
from tests.oracle_links import IPV4, IPV6, NoSegmentError, Place, need, network, onward
from tests.oracle_tunnels import enter

ICMP, TCP, UDP, ICMP_6 = 1, 6, 17, 58
MOST_TUNNELS = 8
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


class _Transport(NamedTuple):
    """What an IP packet carries, and where; ends are None where they are not known."""

    source: str
    destination: str
    protocol: int
    at: int
    declared: int | None  # where the packet ends by its own length
    limit: int | None  # where the frame or the packet around ends

    @property
    def end(self) -> int | None:
        """Where it ends: clipped to what is around."""
        return _nearer(self.declared, self.limit)


def observe(content: bytes) -> Iterator[Observation]:
    """Every packet of a capture file, dissected."""
    for number, packet in enumerate(read(content).packets, 1):
        verdict, segment = dissect(packet.link_type, packet.data, packet.original)
        yield Observation(number, packet.time_ns, packet.link_type, verdict, segment)


def dissect(link_type: int, data: bytes, original: int | None) -> tuple[str, Segment | None]:
    """The verdict of a packet, and its segment; `original` None: its length is not known."""
    frame_end = None if original is None else max(original, len(data))
    try:
        place = network(link_type, data)
        return "tcp", _segment(data, _innermost(data, place, _nearer(place.end, frame_end)))
    except NoSegmentError as verdict:
        return str(verdict), None


def _u16(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _innermost(
    data: bytes, place: Place, limit: int | None, deeper: int = MOST_TUNNELS
) -> _Transport:
    """The TCP that a packet carries, in tunnels or not, or the verdict that it carries none."""
    if place.kind not in (IPV4, IPV6):
        raise NoSegmentError("not ip")
    return _carried(data, place.kind, _any_ip(data, place, limit), limit, deeper)


def _carried(
    data: bytes, kind: int, packet: _Transport, limit: int | None, deeper: int
) -> _Transport:
    """The same, of an IP packet of this kind."""
    if packet.protocol == TCP:
        return packet
    if packet.protocol == (ICMP if kind == IPV4 else ICMP_6) and _quotes_tcp(kind, data, packet):
        raise NoSegmentError("icmp error")
    limit = _nearer(packet.end, limit)
    try:
        place = enter(packet.protocol, data, packet.at)
        if place is None:
            raise NoSegmentError("not tcp")
        if deeper == 0:
            raise NoSegmentError("nested too deep")
        place = onward(data, place)
        limit = _nearer(place.end, limit)
        if place.kind not in (IPV4, IPV6):
            raise NoSegmentError("not tcp")
        inner = _inside(data, place, limit)
    except NoSegmentError as verdict:
        raise _doubted(str(verdict), packet.protocol, len(data), limit) from verdict
    return _carried(data, place.kind, inner, limit, deeper - 1)


def _inside(data: bytes, place: Place, limit: int | None) -> _Transport:
    """An IP packet in another, in whose length its header must be."""
    if limit is not None and place.at + (20 if place.kind == IPV4 else 40) > limit:
        raise NoSegmentError("bad length")
    return _any_ip(data, place, limit)


def _doubted(verdict: str, protocol: int, captured: int, limit: int | None) -> NoSegmentError:
    """What a tunnel that leads to no sound IP header makes of its packet."""
    whole = limit is not None and captured >= limit
    if verdict == "not ip":
        verdict = "not tcp"
    if protocol == UDP and (verdict == "bad length" or (verdict == "cut short" and whole)):
        verdict = "not tcp"
    return NoSegmentError(verdict)


def _any_ip(data: bytes, place: Place, limit: int | None) -> _Transport:
    return (_ipv4 if place.kind == IPV4 else _ipv6)(data, place.at, limit)


def _nearer(end: int | None, limit: int | None) -> int | None:
    """The nearer of two ends, as far as they are known."""
    return min((each for each in (end, limit) if each is not None), default=None)


def _ipv4(data: bytes, at: int, limit: int | None) -> _Transport:
    need(data, at + 20)
    if data[at] >> 4 != 4:
        raise NoSegmentError("not ip")
    header, total = (data[at] & 15) * 4, _u16(data, at + 2)
    if header < 20 or 0 < total < header:
        raise NoSegmentError("bad length")
    if _u16(data, at + 6) & 0x1FFF:
        raise NoSegmentError("fragment")
    source, destination = (str(IPv4Address(data[at + i : at + i + 4])) for i in (12, 16))
    declared = at + total if total else None
    protocol, at = data[at + 9], at + header
    if protocol == AUTHENTICATION:
        protocol, at, _ = _behind_extensions(data, protocol, at)
    return _Transport(source, destination, protocol, at, declared, limit)


def _ipv6(data: bytes, at: int, limit: int | None) -> _Transport:
    need(data, at + 40)
    if data[at] >> 4 != 6:
        raise NoSegmentError("not ip")
    source, destination = (_text(data[at + i : at + i + 16]) for i in (8, 24))
    length, protocol, body = _u16(data, at + 4), data[at + 6], at + 40
    declared = body + length if length else None
    protocol, at, jumbo = _behind_extensions(data, protocol, body)
    if length == 0 and jumbo:
        declared = body + jumbo
    return _Transport(source, destination, protocol, at, declared, limit)


def _behind_extensions(data: bytes, protocol: int, at: int) -> tuple[int, int, int]:
    """The protocol behind extension headers, its offset, and the jumbo payload length (0: none)."""
    jumbo = 0
    for _ in range(MOST_EXTENSIONS):
        if protocol not in EXTENSIONS:
            break
        need(data, at + 8)
        following, words = data[at], data[at + 1]
        if protocol == FRAGMENT and _u16(data, at + 2) & 0xFFF8:
            raise NoSegmentError("fragment")
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
    need(data, message.at + 1)
    if data[message.at] not in errors:
        return False
    try:
        quoted = (_ipv4 if kind == IPV4 else _ipv6)(data, message.at + 8, None)
    except NoSegmentError:
        return False
    return quoted.protocol == TCP and quoted.at + PORTS <= len(data)


def _segment(data: bytes, packet: _Transport) -> Segment:
    at, end = packet.at, packet.end
    need(data, at + LEAST_TCP)
    ports_and_numbers = struct.unpack_from(">HHII", data, at)
    offset_and_flags = _u16(data, at + 12)
    header = (offset_and_flags >> 12) * 4
    declared = end if packet.declared is None else packet.declared
    if header < 20 or (declared is not None and at + header > declared):
        raise NoSegmentError("bad length")
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
        None if end is None else max(end - at - header, 0),
    )
