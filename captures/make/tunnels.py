"""tunnel-*.pcap: a session in each tunnel, and one in two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from captures.make.capture import Capture, by_time, pcap
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
from captures.make.extension_headers import authentication
from captures.make.frames import Endpoint, ipv4, ipv6, is_ipv6, udp
from captures.make.link_headers import ether_type, ethernet, is_ipv6_packet
from captures.make.sessions import facts_of, session
from captures.make.tunnel_headers import (
    AUTHENTICATION,
    AYIYA,
    ERSPAN,
    GENEVE,
    GRE,
    GTP,
    IPV4_IN_IP,
    IPV6_IN_IP,
    L2TP,
    TEREDO,
    TRANSPARENT_ETHERNET,
    UDP,
    VXLAN,
    VXLAN_GPE,
    VXLAN_LINUX,
    ayiya,
    enhanced_gre,
    erspan_ii,
    erspan_iii,
    geneve,
    gre,
    gtp,
    l2tp,
    teredo,
    vxlan,
    vxlan_gpe,
)
from captures.make.wire_headers import ppp, tagged_ethernet

APART_NS = 100_000
NEAR, FAR = Endpoint("203.0.113.1", 40_000), Endpoint("203.0.113.2", 0)
NEAR_6, FAR_6 = Endpoint("2001:db8:a::1", 40_000), Endpoint("2001:db8:b::2", 0)
TEREDO_CLIENT = Endpoint("2001:0:cb00:7102::1", 49_152)
CHECK_VALUE = bytes(12)
GENEVE_OPTION = bytes.fromhex("0102 80 01 00000000")  # class, type, one word
PDU_SESSION = (0x85, bytes.fromhex("0009"))  # the extension header of a 5G user plane

Wrap = Callable[[bytes], bytes]
"""Puts everything before an inner IP packet, Ethernet included."""


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {**_protocols(), **_datagrams(), **_nested()}


def _protocols() -> dict[str, Capture]:
    """Tunnels that are protocols of IP."""
    return {
        "tunnel-ip.pcap": _pcap(
            "IP in IP: 4 in 4, 6 in 6, 4 in 6, 6 in 4; behind an authentication header",
            partial(_in_ip, outer=(NEAR, FAR)),
            partial(_in_ip, outer=(NEAR_6, FAR_6)),
            partial(_in_ip, outer=(NEAR_6, FAR_6)),
            partial(_in_ip, outer=(NEAR, FAR)),
            _authenticated,
        ),
        "tunnel-gre.pcap": _pcap(
            "GRE: bare; with checksum, key and number; Ethernet; PPP (PPTP)",
            _over_gre(gre),
            _over_gre(partial(gre, checksum=True, key=7, sequence=8)),
            _over_gre(lambda packet: gre(ethernet(packet), protocol=TRANSPARENT_ETHERNET)),
            _over_gre(lambda packet: enhanced_gre(ppp(packet), sequence=1, acknowledgment=2)),
        ),
        "tunnel-erspan.pcap": _pcap(
            "ERSPAN types I, II, and III with Ethernet and a platform header, then with IP",
            _over_gre(lambda packet: gre(ethernet(packet), protocol=ERSPAN)),
            _over_gre(lambda packet: erspan_ii(tagged_ethernet(packet))),
            _over_gre(lambda packet: erspan_iii(ethernet(packet), platform=True)),
            _over_gre(partial(erspan_iii, kind=2)),
        ),
    }


def _datagrams() -> dict[str, Capture]:
    """Tunnels in UDP."""
    return {
        "tunnel-vxlan.pcap": _pcap(
            "VXLAN: over IPv4, IPv6, at Linux's port with a tagged frame, and extended (GPE)",
            _over_udp(VXLAN, lambda packet: vxlan(ethernet(packet))),
            _over_udp(VXLAN, lambda packet: vxlan(ethernet(packet)), (NEAR_6, FAR_6)),
            _over_udp(VXLAN_LINUX, lambda packet: vxlan(tagged_ethernet(packet))),
            _over_udp(VXLAN_GPE, lambda packet: vxlan_gpe(packet, carries=2)),
        ),
        "tunnel-geneve.pcap": _pcap(
            "Geneve: Ethernet behind two options; IP alone",
            _over_udp(
                GENEVE,
                lambda packet: geneve(
                    ethernet(packet), protocol=TRANSPARENT_ETHERNET, options=2 * GENEVE_OPTION
                ),
            ),
            _over_udp(GENEVE, lambda packet: geneve(packet, protocol=ether_type(packet))),
        ),
        "tunnel-gtp.pcap": _pcap(
            "GTP-U: bare, numbered, and with the extension header of a 5G session",
            _over_udp(GTP, gtp),
            _over_udp(GTP, partial(gtp, sequence=9)),
            _over_udp(GTP, partial(gtp, extensions=(PDU_SESSION,))),
        ),
        "tunnel-l2tp.pcap": _pcap(
            "L2TP version 2: with a length; with numbers and an offset",
            _over_udp(L2TP, lambda packet: l2tp(ppp(packet))),
            _over_udp(
                L2TP,
                lambda packet: l2tp(ppp(packet), length=False, sequence=True, offset=3),
            ),
        ),
        "tunnel-teredo.pcap": _teredo(),
        "tunnel-ayiya.pcap": _pcap(
            "AYIYA: IPv4 and IPv6, signed", _over_udp(AYIYA, ayiya), _over_udp(AYIYA, ayiya)
        ),
    }


def _nested() -> dict[str, Capture]:
    return {
        "tunnel-nested.pcap": _pcap(
            "GRE in VXLAN; IP in IP in GTP-U: the innermost ends count",
            _over_udp(VXLAN, lambda packet: vxlan(_over_gre(gre)(packet))),
            _over_udp(GTP, lambda packet: gtp(_in_ip(packet, (NEAR_6, FAR_6))[14:])),
        ),
    }


def _in_ip(packet: bytes, outer: tuple[Endpoint, Endpoint]) -> bytes:
    number = IPV6_IN_IP if is_ipv6_packet(packet) else IPV4_IN_IP
    wrap = ipv6 if is_ipv6(outer[0].address) else ipv4
    return ethernet(wrap(*outer, packet, protocol=number))


def _authenticated(packet: bytes) -> bytes:
    header = bytes([IPV4_IN_IP]) + authentication(CHECK_VALUE).content[1:]
    return ethernet(ipv4(NEAR, FAR, header + packet, protocol=AUTHENTICATION))


def _over_gre(header: Wrap) -> Wrap:
    return lambda packet: ethernet(ipv4(NEAR, FAR, header(packet), protocol=GRE))


def _over_udp(port: int, header: Wrap, outer: tuple[Endpoint, Endpoint] = (NEAR, FAR)) -> Wrap:
    near, far = outer[0], outer[1]._replace(port=port)
    wrap = ipv6 if is_ipv6(near.address) else ipv4
    return lambda packet: ethernet(wrap(near, far, udp(near, far, header(packet)), protocol=UDP))


def _teredo() -> Capture:
    """A client behind a Teredo server: bare, and with the indications of the server."""
    kinds: tuple[Wrap, ...] = (teredo, partial(teredo, authentication=True, origin=True))
    talks = [
        Conversation(
            TEREDO_CLIENT._replace(address=f"2001:0:cb00:7102::{index + 1}"),
            SERVER_6._replace(address=f"2001:db8:1::{index + 1}"),
            start_ns=START_NS + index * APART_NS,
            paths=(Path(_unaware(_over_udp(TEREDO, kind))),),
        )
        for index, kind in enumerate(kinds)
    ]
    return _of(talks, "Teredo: bare; with the indications of authentication and origin")


def _pcap(shows: str, *wraps: Wrap) -> Capture:
    """A session in each tunnel: IPv4 in the first, the third and the fifth, IPv6 in the others."""
    talks = []
    for index, wrap in enumerate(wraps):
        ends = (CLIENT_6, SERVER_6) if index % 2 else (CLIENT, SERVER)
        client, server = (
            end._replace(address=f"{end.address[:-2]}{number + index}")
            for end, number in zip(ends, (10, 20), strict=True)
        )
        start_ns = START_NS + index * APART_NS
        talks.append(Conversation(client, server, start_ns=start_ns, paths=(Path(_unaware(wrap)),)))
    return _of(talks, shows)


def _of(talks: Sequence[Conversation], shows: str) -> Capture:
    for talk in talks:
        session(talk)
    packets = by_time(*(talk.packets for talk in talks))
    return pcap(packets, shows, facts_of(*talks))


def _unaware(wrap: Wrap) -> Link:
    return lambda packet, from_originator: wrap(packet)
