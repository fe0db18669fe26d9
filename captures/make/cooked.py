"""cooked-*.pcap: Linux's cooked headers, which tell for each packet whether it went in or out."""

from __future__ import annotations

import struct
from collections.abc import Callable

from captures.make import link_headers
from captures.make.capture import Capture, Truth, accepted, by_time, connected, pcap
from captures.make.conversation import START_NS, Conversation, Link, Path
from captures.make.frames import Endpoint
from captures.make.host import HOST, host_facts, host_sessions
from captures.make.link_headers import (
    COOKED_V1,
    COOKED_V2,
    FROM_US,
    LOOPBACK_HARDWARE,
    TO_US,
    VLAN,
    ether_type,
)
from captures.make.sessions import BOTH_ENDS_LOCAL, BY_PACKET_DIRECTION, session

APART_NS = 100_000
CUSTOMER = 7  # VLAN number
NO_ADDRESS = bytes(6)
RETURN_NS = 3_000  # from the loopback device's output to its input

Header = Callable[[bytes, int], bytes]
"""Puts a cooked header with this packet type before a packet."""


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "cooked-v1.pcap": cooked_v1(),
        "cooked-v2.pcap": cooked_v2(),
        "cooked-vlan.pcap": cooked_vlan(),
        "cooked-loopback.pcap": cooked_loopback(),
    }


def cooked_v1() -> Capture:
    """A host on `any`, as pcap_open_live gives it."""
    shows = "a host that connects over IPv4 and accepts over IPv6; packet types tell its side"
    return _of_a_host(_v1, shows, COOKED_V1)


def cooked_v2() -> Capture:
    """The same as tcpdump writes it today, with the index of the interface."""
    return _of_a_host(_v2, "the same in the newer form, with interface numbers", COOKED_V2)


def cooked_vlan() -> Capture:
    """A tag that the kernel had taken off, put back behind the cooked header by libpcap."""
    return _of_a_host(_v1_tagged, "a VLAN tag behind the cooked header", COOKED_V1)


def cooked_loopback() -> Capture:
    """The loopback device on `any`: every packet goes out and comes in again."""
    ends = [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        (HOST, HOST),
        ("127.0.0.1", HOST),  # the hardware type alone says that both are local
    ]
    talks = [_there_and_back(index, *pair) for index, pair in enumerate(ends)]
    packets = by_time(*(talk.packets for talk in talks))
    facts: Truth = {
        "connections": len(talks),
        "local_rule": BOTH_ENDS_LOCAL,
        "connects": [connected(*talk.responder.endpoint) for talk in talks],
        "accepts": [
            accepted(talk.originator.endpoint.address, talk.responder.endpoint.port)
            for talk in talks
        ],
        "refused": 0,
        "duplicate_frames": len(packets) // 2,
    }
    shows = "the loopback device on `any`: each packet out and in, both ends local"
    return pcap(packets, shows, facts, link_type=COOKED_V1)


def _of_a_host(header: Header, shows: str, number: int) -> Capture:
    talks = host_sessions(_from(header, True), _from(header, False))
    packets = by_time(*(talk.packets for talk in talks))
    return pcap(packets, shows, host_facts(BY_PACKET_DIRECTION), link_type=number)


def _from(header: Header, originator_is_local: bool) -> Link:
    def framed(packet: bytes, from_originator: bool) -> bytes:
        return header(packet, FROM_US if from_originator == originator_is_local else TO_US)

    return framed


def _v1(packet: bytes, packet_type: int) -> bytes:
    return link_headers.cooked_v1(packet, packet_type=packet_type)


def _v2(packet: bytes, packet_type: int) -> bytes:
    return link_headers.cooked_v2(packet, packet_type=packet_type)


def _v1_tagged(packet: bytes, packet_type: int) -> bytes:
    tagged = struct.pack(">HH", CUSTOMER, ether_type(packet)) + packet
    return link_headers.cooked_v1(tagged, packet_type=packet_type, protocol=VLAN)


def _there_and_back(index: int, client: str, server: str) -> Conversation:
    paths = [Path(_on_loopback(FROM_US)), Path(_on_loopback(TO_US), after_ns=RETURN_NS)]
    talk = Conversation(
        Endpoint(client, 50_000 + index),
        Endpoint(server, 8080 + index),
        start_ns=START_NS + index * APART_NS,
        paths=paths,
    )
    session(talk)
    return talk


def _on_loopback(packet_type: int) -> Link:
    def framed(packet: bytes, from_originator: bool) -> bytes:
        del from_originator  # both ends are this host
        return link_headers.cooked_v1(
            packet,
            packet_type=packet_type,
            hardware_type=LOOPBACK_HARDWARE,
            address=NO_ADDRESS,
        )

    return framed
