"""duplicates*.pcap: packets that the capture shows twice, beside real retransmissions.

SEMANTICS 7 has the rules. The copies follow so closely that they mix with the originals of others.
"""

from __future__ import annotations

from collections.abc import Sequence

from captures.make import link_headers
from captures.make.capture import Capture, by_time, pcap
from captures.make.conversation import (
    CLIENT_6,
    SERVER_6,
    START_NS,
    Conversation,
    Link,
    Path,
    on_ethernet,
)
from captures.make.frames import ACK, PUSH
from captures.make.link_headers import COOKED_V1, ETHERNET, FROM_US, TO_US, ethernet
from captures.make.sessions import close, facts_of, handshake

SIZE = 1_000
REQUEST = b"GET /duplicates\r\n"
BURST_US, THROUGH_NS = 5, 12_000  # a copy comes after the next two originals
TIME_OUT_US = 300_000
ROUTER_MAC, NEXT_MAC = bytes.fromhex("020000000003"), bytes.fromhex("020000000004")


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {"duplicates.pcap": bridged(), "duplicates-routed.pcap": routed()}


def bridged() -> Capture:
    """A bridge watched through `any`: in at one port (type 0), out at the other (type 4)."""
    paths = (Path(_cooked(TO_US)), Path(_cooked(FROM_US), after_ns=THROUGH_NS))
    shows = "each packet twice, in and out of a bridge; a retransmission and keep-alives among them"
    return _twice(paths, shows, COOKED_V1)


def routed() -> Capture:
    """Both sides of a router in one capture: the copy has a lower TTL and other stations."""
    paths = (Path(on_ethernet), Path(_behind_router, after_ns=THROUGH_NS, ttl=63))
    return _twice(paths, "each packet twice, before and behind a router (TTL one lower)", ETHERNET)


def _twice(paths: Sequence[Path], shows: str, number: int) -> Capture:
    talks = [
        Conversation(paths=paths),
        Conversation(CLIENT_6, SERVER_6, paths=paths, start_ns=START_NS + 10**9),
    ]
    for talk in talks:
        _play(talk)
    packets = by_time(*(talk.packets for talk in talks))
    facts = {
        "duplicate_frames": len(packets) // 2,
        "unique_bytes": len(talks) * (len(REQUEST) + 3 * SIZE),
        "retransmitted_bytes": len(talks) * SIZE,
        "probe_bytes": len(talks),
        "duplicate_bytes": len(talks) * (len(REQUEST) + 4 * SIZE + 1),
        "events": {
            "retransmit timeout": len(talks),
            "keep-alive": 2 * len(talks),
            "duplicate-frame": len(packets) // 2,
        },
    }
    return pcap(packets, shows, {**facts_of(*talks), **facts}, link_type=number)


def _play(talk: Conversation) -> None:
    """A response of three segments, the last of them retransmitted; then two keep-alives."""
    client, server = talk.originator, talk.responder
    handshake(talk)
    client.sends(PUSH | ACK, REQUEST)
    server.sends(ACK)
    server.sends(ACK, b"a" * SIZE)
    server.sends(ACK, b"b" * SIZE, after_us=BURST_US)
    lost = server.next
    server.sends(PUSH | ACK, b"c" * SIZE, after_us=BURST_US)
    client.sends(ACK, acknowledgment=lost)
    server.sends(PUSH | ACK, b"c" * SIZE, sequence=lost, after_us=TIME_OUT_US)
    client.sends(ACK)
    for payload in (b"", b"\0"):
        client.sends(ACK, payload, sequence=client.next - 1, after_us=10_000_000)
        server.sends(ACK)
    close(talk)


def _cooked(packet_type: int) -> Link:
    return lambda packet, from_originator: link_headers.cooked_v1(packet, packet_type=packet_type)


def _behind_router(packet: bytes, from_originator: bool) -> bytes:
    if from_originator:
        return ethernet(packet, source=ROUTER_MAC, destination=NEXT_MAC)
    return ethernet(packet, source=NEXT_MAC, destination=ROUTER_MAC)
