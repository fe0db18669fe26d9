"""A host that connects over IPv4 and accepts over IPv6, for captures that tell which side it is."""

from __future__ import annotations

from captures.make.capture import Truth, accepted, connected
from captures.make.conversation import START_NS, Conversation, Link, Path
from captures.make.frames import Endpoint
from captures.make.sessions import session

HOST, HOST_6 = "192.0.2.1", "2001:db8::1"
ELSEWHERE, GUEST_6 = Endpoint("198.51.100.20", 443), Endpoint("2001:db8:2::5", 50_000)
APART_NS = 100_000


def host_sessions(outward: Link, inward: Link) -> tuple[Conversation, Conversation]:
    """The connection that the host makes, over one link, and the one it accepts, over another."""
    talks = (
        Conversation(Endpoint(HOST, 49_152), ELSEWHERE, paths=(Path(outward),)),
        Conversation(
            GUEST_6, Endpoint(HOST_6, 22), start_ns=START_NS + APART_NS, paths=(Path(inward),)
        ),
    )
    for talk in talks:
        session(talk)
    return talks


def host_facts(rule: int) -> Truth:
    """What is true of a capture of both, when this rule of SEMANTICS 4 tells the host's side."""
    return {
        "connections": 2,
        "local_rule": rule,
        "local": [HOST, HOST_6],
        "connects": [connected(*ELSEWHERE)],
        "accepts": [accepted(GUEST_6.address, 22)],
        "refused": 0,
    }
