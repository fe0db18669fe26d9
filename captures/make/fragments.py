"""fragments.pcap: TCP in fragmented IPv4 and IPv6 packets.

A first fragment has the TCP header and its own share of the data; later ones have only data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

from captures.make.capture import CUT_SHORT, FRAGMENT, Capture, Packet, by_time, pcap
from captures.make.conversation import CLIENT_6, SERVER_6, START_NS, Conversation, on_ethernet
from captures.make.extension_headers import fragment, inserted
from captures.make.frames import ACK, PUSH, ipv4, ipv6
from captures.make.sessions import close, facts_of, handshake

TCP_HEADER = 32  # with the timestamps option
LEAST_TCP = 14  # bytes of it that make a segment
IPV4_AT, IPV4_HEADER, IPV6_HEADER = 14, 20, 40
BETWEEN_NS = 10_000

Wrap = Callable[[bytes, int, bool], bytes]
"""Makes an IP packet of a share of a segment, at an offset, with more to come or not."""


def captures() -> dict[str, Capture]:
    """The capture of this module by name."""
    return {"fragments.pcap": fragments()}


def fragments() -> Capture:
    """Requests in three fragments each; over IPv4 once more, with the fragments in reverse order.

    Last a request whose first fragment holds 8 bytes of TCP: too few for a segment.
    """
    first = Conversation()
    handshake(first)
    packets = first.packets
    for sizes, backwards in (((1480, 1480), False), ((1480, 1480), True), ((8, 1480), False)):
        packets += _request_in_fragments(first, _ipv4_wrap(first, len(packets)), sizes, backwards)
    close(first)
    second = Conversation(CLIENT_6, SERVER_6, start_ns=START_NS + 50_000)
    handshake(second)
    wrap = _ipv6_wrap(second, 0xCAFE)
    second.packets += _request_in_fragments(second, wrap, (1440, 1440), False)
    close(second)
    shows = "fragments: the first gives a segment with its own data, later ones give none"
    return pcap(by_time(first.packets, second.packets), shows, facts_of(first, second))


def _request_in_fragments(
    talk: Conversation, wrap: Wrap, sizes: Iterable[int], backwards: bool
) -> list[Packet]:
    """The next request of 4,000 bytes, cut at `sizes` bytes of IP payload; then its ACK."""
    talk.originator.sends(PUSH | ACK, b"q" * 4_000)
    whole = talk.packets.pop()
    header = IPV6_HEADER if talk.originator.endpoint.address == CLIENT_6.address else IPV4_HEADER
    segment = whole.frame[IPV4_AT + header :]
    parts, start = [], 0
    for size in (*sizes, len(segment)):
        share = segment[start : start + size]
        more = start + size < len(segment)
        frame = on_ethernet(wrap(share, start, more), True)
        parts.append(_stated(replace(whole, frame=frame), start, len(share)))
        start += size
    if backwards:
        parts.reverse()
    times = count(whole.time_ns, BETWEEN_NS)
    return [replace(part, time_ns=time) for part, time in zip(parts, times, strict=False)]


def _stated(packet: Packet, start: int, share: int) -> Packet:
    if start > 0:
        return replace(packet, verdict=FRAGMENT, payload_bytes=0)
    if share < LEAST_TCP:
        return replace(packet, verdict=CUT_SHORT, payload_bytes=0)
    return replace(packet, payload_bytes=share - TCP_HEADER)


def _ipv4_wrap(talk: Conversation, identification: int) -> Wrap:
    ends = talk.originator.endpoint, talk.responder.endpoint

    def wrapped(share: bytes, start: int, more: bool) -> bytes:
        return ipv4(
            *ends, share, identification=identification, fragment_offset=start, more_fragments=more
        )

    return wrapped


def _ipv6_wrap(talk: Conversation, identification: int) -> Wrap:
    ends = talk.originator.endpoint, talk.responder.endpoint

    def wrapped(share: bytes, start: int, more: bool) -> bytes:
        header = fragment(start, more=more, identification=identification)
        return inserted(ipv6(*ends, share), header)

    return wrapped
