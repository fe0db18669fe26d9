"""Hosts with a fault that a report shows: what docs/reporters/ teaches by.

One client has all connections of a capture, so its side is found by rule 4 of SEMANTICS 4.
"""

from __future__ import annotations

from captures.make.capture import Capture, Truth, by_time, connected, pcap
from captures.make.conversation import CLIENT, START_NS, STEP_US, Conversation
from captures.make.frames import ACK, PUSH, RST, Endpoint
from captures.make.sessions import THE_ONE_ADDRESS, close, exchange, handshake, session

SECOND_US = 1_000_000
DATABASE, REPLICA = Endpoint("198.51.100.20", 5432), Endpoint("198.51.100.21", 5432)
QUERY, ANSWER = b"q" * 100, b"r" * 1_400


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {"idle-reset.pcap": idle_reset(), "churn.pcap": churn()}


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
