"""ipv6-extensions.pcap: TCP behind each IPv6 extension header, and behind all of them."""

from __future__ import annotations

from captures.make.capture import Capture, accepted, by_time, connected, pcap
from captures.make.conversation import (
    CLIENT_6,
    SERVER_6,
    START_NS,
    Conversation,
    Link,
    Path,
    on_ethernet,
)
from captures.make.extension_headers import (
    Extension,
    authentication,
    destination_options,
    fragment,
    hop_by_hop,
    inserted,
    routing,
)
from captures.make.sessions import NO_END_IS_LOCAL, session

ROUTER_ALERT = bytes.fromhex("05020000")  # RFC 2711
EXPERIMENT = bytes([0x1E, 5]) + b"hello"  # an option to be skipped when unknown (RFC 4727)
VISITED = ("2001:db8:a::1", "2001:db8:b::1")
CHECK_VALUE = bytes(range(16))  # HMAC-SHA-256-128 has this length (RFC 4868)
APART_NS = 100_000

ATOMIC_FRAGMENT = fragment(0, more=False, identification=0xBEEF)  # RFC 6946: the whole packet

CHAINS: tuple[tuple[Extension, ...], ...] = (
    (hop_by_hop(ROUTER_ALERT),),
    (routing(*VISITED),),
    (destination_options(EXPERIMENT),),
    (ATOMIC_FRAGMENT,),
    (authentication(CHECK_VALUE),),
    (  # every one, in the order that RFC 8200 section 4.1 recommends
        hop_by_hop(ROUTER_ALERT),
        destination_options(EXPERIMENT),
        routing(*VISITED),
        ATOMIC_FRAGMENT,
        authentication(CHECK_VALUE),
        destination_options(2 * EXPERIMENT),
    ),
)


def captures() -> dict[str, Capture]:
    """The capture of this module by name."""
    return {"ipv6-extensions.pcap": ipv6_extensions()}


def ipv6_extensions() -> Capture:
    """A session for each chain of headers, its client's port counting them."""
    talks = []
    for index, chain in enumerate(CHAINS):
        talk = Conversation(
            CLIENT_6._replace(port=CLIENT_6.port + index),
            SERVER_6,
            start_ns=START_NS + index * APART_NS,
            paths=(Path(_behind(chain)),),
        )
        session(talk)
        talks.append(talk.packets)
    facts = {
        "connections": len(CHAINS),
        "local_rule": NO_END_IS_LOCAL,
        "connects": [connected(*SERVER_6, len(CHAINS))],
        "accepts": [accepted(CLIENT_6.address, SERVER_6.port, len(CHAINS))],
        "refused": 0,
    }
    shows = "hop-by-hop, routing, destination options, atomic fragment, AH: each, then all"
    return pcap(by_time(*talks), shows, facts)


def _behind(chain: tuple[Extension, ...]) -> Link:
    def framed(packet: bytes, from_originator: bool) -> bytes:
        return on_ethernet(inserted(packet, *chain), from_originator)

    return framed
