"""A capture for each link type: Ethernet with tags, raw IP, BSD null and loop.

cooked.py has Linux's cooked headers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from captures.make import link_headers
from captures.make.capture import UNSUPPORTED, Capture, by_time, pcap
from captures.make.conversation import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    START_NS,
    Conversation,
    Link,
    Path,
)
from captures.make.frames import Endpoint
from captures.make.link_headers import (
    FAMILY_IPV6_DARWIN,
    FAMILY_IPV6_FREEBSD,
    FAMILY_IPV6_OPENBSD,
    LOOP,
    NULL,
    RAW,
    RAW_DLT,
    RAW_IPV4,
    RAW_IPV6,
    SERVICE_VLAN,
    USER0,
    VLAN,
    ethernet,
)
from captures.make.sessions import BOTH_ENDS_LOCAL, facts_of, session

APART_NS = 100_000
CUSTOMER, PROVIDER = 7, 100  # VLAN numbers
LOOPBACK, LOOPBACK_6 = "127.0.0.1", "::1"


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "vlan.pcap": vlan(),
        "qinq.pcap": qinq(),
        "raw.pcap": raw(RAW),
        "raw-12.pcap": raw(RAW_DLT),
        "ipv4.pcap": ipv4(),
        "ipv6.pcap": ipv6(),
        "null.pcap": null(),
        "null-big-endian.pcap": null_big_endian(),
        "loop.pcap": loop(),
        "unsupported-link-type.pcap": unsupported(),
    }


def vlan() -> Capture:
    """802.1Q tags; numbered for IPv4, for IPv6 priority only (number 0)."""
    talks = _two_sessions(_tagged((VLAN, CUSTOMER)), _tagged((VLAN, 0)))
    return _pcap(talks, "one 802.1Q tag, number 7 over IPv4 and 0 over IPv6")


def qinq() -> Capture:
    """Two tags, the outer one 802.1ad or 802.1Q; frame check sequences are kept."""
    standard = _tagged((SERVICE_VLAN, PROVIDER), (VLAN, CUSTOMER))
    before_it = _tagged((VLAN, PROVIDER), (VLAN, CUSTOMER))
    talks = _two_sessions(_with_check_sequence(standard), _with_check_sequence(before_it))
    return _pcap(talks, "two tags: 802.1ad and 802.1Q, or 802.1Q twice; 4 bytes of FCS behind IP")


def raw(number: int) -> Capture:
    """IP without a link header, both versions in one file."""
    return _pcap(_two_sessions(_bare, _bare), "IPv4 and IPv6 without a link header", number)


def ipv4() -> Capture:
    """The link type that promises IPv4."""
    talk = Conversation(paths=(Path(_bare),))
    session(talk)
    return _pcap([talk], "only IPv4, without a link header", RAW_IPV4)


def ipv6() -> Capture:
    """The link type that promises IPv6."""
    talk = Conversation(CLIENT_6, SERVER_6, paths=(Path(_bare),))
    session(talk)
    return _pcap([talk], "only IPv6, without a link header", RAW_IPV6)


def null() -> Capture:
    """The loopback of a little-endian BSD; each BSD has its own number for IPv6."""
    return _on_loopback(_null_links(big_endian=False), "family 2, and 24, 28, 30 for IPv6", NULL)


def null_big_endian() -> Capture:
    """The loopback of a big-endian BSD: file and address family are in its byte order."""
    links = _null_links(big_endian=True)
    return _on_loopback(links, "the same from a big-endian host, file and family", NULL)


def loop() -> Capture:
    """OpenBSD's loopback: the family in network byte order, whatever the host."""
    links = (_unaware(link_headers.loop), _unaware(link_headers.loop))
    return _on_loopback(links, "the address family in network byte order", LOOP)


def unsupported() -> Capture:
    """A link type that has no public meaning: every packet is counted, none is read."""
    talk = Conversation()
    session(talk)
    packets = [replace(each, verdict=UNSUPPORTED, payload_bytes=0) for each in talk.packets]
    facts = facts_of()
    return pcap(
        packets, "a link type without a meaning: nothing can be read", facts, link_type=USER0
    )


def _bare(packet: bytes, from_originator: bool) -> bytes:
    del from_originator
    return packet


def _unaware(header: Callable[[bytes], bytes]) -> Link:
    """A link whose header is the same in both directions."""
    return lambda packet, from_originator: header(packet)


def _tagged(*tags: tuple[int, int]) -> Link:
    return lambda packet, from_originator: ethernet(packet, tags=tags)


def _with_check_sequence(link: Link) -> Link:
    def framed(packet: bytes, from_originator: bool) -> bytes:
        frame = link(packet, from_originator)
        return frame + zlib.crc32(frame).to_bytes(4, "little")

    return framed


def _null_links(*, big_endian: bool) -> list[Link]:
    families = (FAMILY_IPV6_OPENBSD, FAMILY_IPV6_FREEBSD, FAMILY_IPV6_DARWIN)
    header = partial(link_headers.null, big_endian=big_endian)
    return [
        _unaware(header),
        *(_unaware(partial(header, ipv6_family=family)) for family in families),
    ]


def _on_loopback(links: Sequence[Link], shows: str, number: int) -> Capture:
    """An IPv4 session over the first link, an IPv6 session over each other."""
    talks = []
    for index, link in enumerate(links):
        address = LOOPBACK_6 if index else LOOPBACK
        ends = Endpoint(address, 50_000 + index), Endpoint(address, 8080 + index)
        talk = Conversation(*ends, start_ns=START_NS + index * APART_NS, paths=(Path(link),))
        session(talk)
        talks.append(talk)
    facts = {**facts_of(*talks), "local_rule": BOTH_ENDS_LOCAL}
    packets = by_time(*(talk.packets for talk in talks))
    return pcap(packets, shows, facts, link_type=number)


def _two_sessions(first: Link, second: Link) -> list[Conversation]:
    talks = [
        Conversation(CLIENT, SERVER, paths=(Path(first),)),
        Conversation(CLIENT_6, SERVER_6, paths=(Path(second),), start_ns=START_NS + APART_NS),
    ]
    for talk in talks:
        session(talk)
    return talks


def _pcap(
    talks: Sequence[Conversation], shows: str, number: int = link_headers.ETHERNET
) -> Capture:
    packets = by_time(*(talk.packets for talk in talks))
    return pcap(packets, shows, facts_of(*talks), link_type=number)
