"""Hosts with a fault that a report shows: what docs/reporters/ teaches by.

One host has all connections of a capture, so its side is found by rule 4 of SEMANTICS 4.
"""

from __future__ import annotations

from captures.make.capture import Capture, Truth, accepted, by_time, connected, pcap
from captures.make.conversation import CLIENT, START_NS, STEP_US, Conversation
from captures.make.frames import ACK, FIN, PUSH, RST, Endpoint
from captures.make.sessions import THE_ONE_ADDRESS, close, exchange, handshake, session

SECOND_US = 1_000_000
DATABASE, REPLICA = Endpoint("198.51.100.20", 5432), Endpoint("198.51.100.21", 5432)
QUERY, ANSWER = b"q" * 100, b"r" * 1_400


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "idle-reset.pcap": idle_reset(),
        "churn.pcap": churn(),
        "close-wait.pcap": close_wait(),
    }


def idle_reset() -> Capture:
    """A pool of database connections behind a firewall that forgets them after a minute."""
    short, *idle, kept = talks = [
        _talk(number, server, after_us=number * SECOND_US)
        for number, server in enumerate((DATABASE, DATABASE, REPLICA, DATABASE))
    ]
    session(short, QUERY, ANSWER)
    for talk in idle:
        handshake(talk)
        exchange(talk, QUERY, ANSWER)
        talk.originator.sends(PUSH | ACK, QUERY, after_us=60 * SECOND_US)
        talk.responder.sends(RST)
    handshake(kept)
    exchange(kept, QUERY, ANSWER)
    for _ in range(4):
        before = kept.originator.next - 1
        kept.originator.sends(ACK, sequence=before, after_us=30 * SECOND_US - STEP_US)
        kept.responder.sends(ACK)
    exchange(kept, QUERY, ANSWER)
    shows = "connections idle for a minute are reset, one with keep-alives is not"
    return pcap(by_time(*(talk.packets for talk in talks)), shows, _facts(talks))


def churn() -> Capture:
    """A connection for each of five requests, a second apart; and one that is used for five."""
    *single, kept = talks = [
        _talk(number, server, after_us=number * SECOND_US)
        for number, server in enumerate([DATABASE] * 5 + [REPLICA])
    ]
    for talk in single:
        session(talk, QUERY, ANSWER)
    handshake(kept)
    for _ in range(5):
        exchange(kept, QUERY, ANSWER)
        kept.wait(us=SECOND_US)
    close(kept)
    shows = "a connection for each request to one server, one connection for all to another"
    return pcap(by_time(*(talk.packets for talk in talks)), shows, _facts(talks))


def close_wait() -> Capture:
    """Three clients that close first; the server closes at once, after 30 s, and never."""
    server = Endpoint("198.51.100.20", 8080)
    talks = [
        Conversation(Endpoint(f"192.0.2.{10 + number}", CLIENT.port), server, start_ns=start_ns)
        for number, start_ns in enumerate(range(START_NS, START_NS + 3 * 10**9, 10**9))
    ]
    for talk, patience_us in zip(talks, (STEP_US, 30 * SECOND_US, None), strict=True):
        handshake(talk)
        exchange(talk, QUERY, ANSWER)
        talk.originator.sends(FIN | ACK)
        talk.responder.sends(ACK)
        if patience_us is not None:
            talk.responder.sends(FIN | ACK, after_us=patience_us)
            talk.originator.sends(ACK)
    shows = "a server that closes its connections at once, after 30 s, and never"
    facts: Truth = {
        "connections": len(talks),
        "local_rule": THE_ONE_ADDRESS,
        "local": [server.address],
        "connects": [],
        "accepts": [accepted(talk.originator.endpoint.address, server.port) for talk in talks],
        "refused": 0,
    }
    return pcap(by_time(*(talk.packets for talk in talks)), shows, facts)


def _talk(number: int, server: Endpoint, *, after_us: int) -> Conversation:
    """A connection of the client with a port of its own."""
    client = Endpoint(CLIENT.address, CLIENT.port + number)
    return Conversation(client, server, start_ns=START_NS + after_us * 1000)


def _facts(talks: list[Conversation]) -> Truth:
    """What is true when each of these is one connection that was established."""
    servers = [talk.responder.endpoint for talk in talks]
    return {
        "connections": len(talks),
        "local_rule": THE_ONE_ADDRESS,
        "local": [CLIENT.address],
        "connects": [
            connected(*server, servers.count(server)) for server in dict.fromkeys(servers)
        ],
        "accepts": [],
        "refused": 0,
    }
