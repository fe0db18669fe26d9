"""Connections that open slowly or not at all: what connlat and refused are for.

One client has all connections of a capture, so its side is found by rule 4 of SEMANTICS 4.
"""

from __future__ import annotations

from captures.make.capture import ICMP_ERROR, Capture, Packet, Truth, by_time, connected, pcap
from captures.make.conversation import CLIENT, START_NS, Conversation, Path, on_ethernet
from captures.make.frames import ACK, ICMP, PUSH, RST, SYN, Endpoint, icmp, ipv4, tcp
from captures.make.sessions import THE_ONE_ADDRESS, close, exchange

MS_US, SECOND_US = 1_000, 1_000_000
NEAR, FAR = Endpoint("192.0.2.80", 443), Endpoint("198.51.100.80", 443)
CLOSED, SILENT = Endpoint("198.51.100.80", 8443), Endpoint("203.0.113.80", 443)
FILTERED, WATCHED = Endpoint("203.0.113.90", 22), Endpoint("203.0.113.99", 80)
ROUTER = Endpoint("203.0.113.1", 0)
PROHIBITED = (3, 13)  # RFC 1812: communication administratively prohibited
REQUEST, RESPONSE = b"q" * 100, b"r" * 1_000


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {"slow-connect.pcap": slow_connect(), "failures.pcap": failures()}


def slow_connect() -> Capture:
    """A near server, a far one, the far one with a SYN lost, and a port where nobody listens."""
    near, far, unlucky, closed = talks = _talks(NEAR, FAR, FAR, CLOSED)
    for talk, trip_us in ((near, MS_US // 2), (far, 80 * MS_US)):
        talk.originator.sends(SYN)
        _answered(talk, trip_us)
    unlucky.originator.sends(SYN)
    unlucky.originator.sends(SYN, sequence=unlucky.originator.next - 1, after_us=SECOND_US)
    _answered(unlucky, 80 * MS_US)
    closed.originator.sends(SYN)
    closed.responder.sends(RST | ACK, after_us=80 * MS_US)
    shows = "connects: 0.5 ms, 80 ms, 80 ms after a SYN was lost, refused"
    connects = [connected(*NEAR), connected(*FAR, 2)]
    return pcap(by_time(*(talk.packets for talk in talks)), shows, _facts(4, connects, 1))


def failures() -> Capture:
    """Four ways to fail: refused, filtered with an ICMP error, dropped, and reset in between."""
    closed, filtered, silent, watched = talks = _talks(CLOSED, FILTERED, SILENT, WATCHED, ttl=52)
    closed.originator.sends(SYN)
    closed.responder.sends(RST | ACK, after_us=80 * MS_US)
    filtered.originator.sends(SYN)
    _prohibited(filtered)
    silent.originator.sends(SYN)
    for doubling in range(3):
        before = silent.originator.next - 1
        silent.originator.sends(SYN, sequence=before, after_us=SECOND_US << doubling)
    watched.originator.sends(SYN)
    watched.responder.sends(SYN | ACK, after_us=80 * MS_US)
    watched.originator.sends(ACK)
    watched.originator.sends(PUSH | ACK, REQUEST)
    watched.paths = (Path(ttl=60),)
    watched.responder.sends(RST | ACK, after_us=8 * MS_US)
    # The capture ends when nobody can answer any more.
    later = Conversation(
        Endpoint(CLIENT.address, 50_000), NEAR, start_ns=START_NS + 20 * SECOND_US * 1000
    )
    later.originator.sends(SYN)
    _answered(later, MS_US)
    shows = "refused, prohibited by a router, dropped without a word, reset by something in between"
    packets = by_time(*(talk.packets for talk in (*talks, later)))
    connects = [connected(*WATCHED), connected(*NEAR)]
    return pcap(packets, shows, _facts(5, connects, 1))


def _talks(*servers: Endpoint, ttl: int = 64) -> list[Conversation]:
    """A connection to each, a second apart, each from a port of its own."""
    return [
        Conversation(
            Endpoint(CLIENT.address, CLIENT.port + number),
            server,
            start_ns=START_NS + number * SECOND_US * 1000,
            paths=(Path(ttl=ttl),),
        )
        for number, server in enumerate(servers)
    ]


def _answered(talk: Conversation, trip_us: int) -> None:
    """The rest of a connection whose SYN was sent; the SYN|ACK comes after a round trip."""
    talk.responder.sends(SYN | ACK, after_us=trip_us)
    talk.originator.sends(ACK)
    exchange(talk, REQUEST, RESPONSE)
    close(talk)


def _prohibited(talk: Conversation) -> None:
    """A router on the way answers for the responder (RFC 792: it quotes 8 bytes of TCP)."""
    talk.wait(us=5 * MS_US)
    ends = talk.originator.endpoint, talk.responder.endpoint
    quoted = ipv4(*ends, tcp(*ends, flags=SYN, sequence=talk.originator.next - 1))
    error = icmp(ROUTER, talk.originator.endpoint, *PROHIBITED, bytes(4) + quoted[:28])
    packet = ipv4(ROUTER, talk.originator.endpoint, error, protocol=ICMP)
    frame = on_ethernet(packet, False)
    talk.packets.append(Packet(talk.clock_ns, frame, verdict=ICMP_ERROR, from_originator=False))


def _facts(connections: int, connects: list[Truth], refused: int) -> Truth:
    return {
        "connections": connections,
        "local_rule": THE_ONE_ADDRESS,
        "local": [CLIENT.address],
        "connects": connects,
        "accepts": [],
        "refused": refused,
    }
