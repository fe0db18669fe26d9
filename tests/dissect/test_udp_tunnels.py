"""Tunnels in UDP, by port and header; what only looks like one."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from captures.make.frames import ACK, Endpoint, ipv4, ipv6, tcp, udp
from captures.make.link_headers import ether_type, ethernet
from captures.make.tunnel_headers import (
    AYIYA,
    GENEVE,
    GTP,
    L2TP,
    TEREDO,
    TRANSPARENT_ETHERNET,
    UDP,
    VXLAN,
    VXLAN_GPE,
    VXLAN_LINUX,
    ayiya,
    geneve,
    gtp,
    l2tp,
    teredo,
    vxlan,
    vxlan_gpe,
)
from captures.make.wire_headers import ppp, tagged_ethernet
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne
from tests.dissect.packets import FOUR, SIX, gives, is_cut_short, reads_both

NEAR, FAR = Endpoint("203.0.113.1", 40000), Endpoint("203.0.113.2", 0)
NEAR_6, FAR_6 = Endpoint("2001:db8:a::1", 40000), Endpoint("2001:db8:b::1", 0)
SERVER_6 = Endpoint("2001:db8:1::1", 443)
Header = Callable[[bytes], bytes]


def in_vxlan(packet: bytes) -> bytes:
    return vxlan(ethernet(packet))


def in_geneve(packet: bytes) -> bytes:
    return geneve(ethernet(packet), protocol=TRANSPARENT_ETHERNET, options=bytes(12))


def in_l2tp(packet: bytes) -> bytes:
    return l2tp(ppp(packet))


TUNNELS = pytest.mark.parametrize(
    ("port", "header"),
    [
        (VXLAN, in_vxlan),
        (VXLAN_LINUX, in_vxlan),
        (VXLAN_GPE, in_vxlan),
        (GENEVE, in_geneve),
        (GTP, gtp),
        (L2TP, in_l2tp),
        (AYIYA, ayiya),
    ],
)


def over(payload: bytes, port: int, *, back: bool = False) -> bytes:
    """A datagram to the port, or back from it."""
    ends = NEAR, FAR._replace(port=port)
    source, destination = ends[::-1] if back else ends
    return ethernet(ipv4(source, destination, udp(source, destination, payload), protocol=UDP))


def over_ipv6(payload: bytes, port: int) -> bytes:
    far = FAR_6._replace(port=port)
    return ethernet(ipv6(NEAR_6, far, udp(NEAR_6, far, payload), protocol=UDP))


@TUNNELS
def test_port_at_either_end(dissect: DissectOne, port: int, header: Header) -> None:
    for back in (False, True):
        reads_both(dissect, *(over(header(each), port, back=back) for each in (FOUR, SIX)))
    reads_both(dissect, *(over_ipv6(header(each), port) for each in (FOUR, SIX)))
    gives(dissect, Verdict.NOT_TCP, over(header(FOUR), port + 100))


@TUNNELS
def test_cut_within_a_tunnel(dissect: DissectOne, port: int, header: Header) -> None:
    """What is missing was cut by the capture; without the ports it is only known to be UDP."""
    frame = over(header(FOUR), port)
    ports_known = 14 + 20 + 8
    least = len(frame) - len(FOUR) + 20 + 14
    for kept in range(ports_known, least):
        outcome = dissect(frame[:kept], original=len(frame))
        assert outcome.verdict is Verdict.CUT_SHORT, kept
    assert dissect(frame[: ports_known - 1], original=len(frame)).verdict is Verdict.NOT_TCP
    assert dissect(frame[:least], original=len(frame)).verdict is Verdict.TCP
    is_cut_short(dissect, frame[:14] + FOUR, FOUR)


@TUNNELS
def test_a_port_is_not_enough(dissect: DissectOne, port: int, header: Header) -> None:
    """Datagrams that end before an inner header is whole, or have none that is sound."""
    whole = header(FOUR)
    before = len(whole) - len(FOUR)
    for kept in range(before + 20):
        gives(dissect, Verdict.NOT_TCP, over(whole[:kept], port))
    for first in (b"\x55", b"\x65", b"\x44", b"\x00"):
        gives(dissect, Verdict.NOT_TCP, over(whole[:before] + first + FOUR[1:], port))
    gives(dissect, Verdict.NOT_TCP, over(bytes(len(whole)), port))
    gives(dissect, Verdict.NOT_TCP, over(b"\xff" * len(whole), port))


@TUNNELS
def test_later_fragments_inside(dissect: DissectOne, port: int, header: Header) -> None:
    ends = Endpoint("192.0.2.1", 1), Endpoint("198.51.100.2", 2)
    later = ipv4(*ends, tcp(*ends, flags=ACK), fragment_offset=1480)
    gives(dissect, Verdict.FRAGMENT, over(header(later), port))


def test_vxlan(dissect: DissectOne) -> None:
    """RFC 7348: reserved bits are ignored, the flag of a valid network is not."""
    reserved = vxlan(tagged_ethernet(FOUR), reserved=b"\xff\xff\xff")
    reads_both(dissect, over(reserved, VXLAN), over(vxlan(tagged_ethernet(SIX)), VXLAN))
    gives(dissect, Verdict.NOT_TCP, over(vxlan(ethernet(FOUR), valid=False), VXLAN))
    gives(dissect, Verdict.NOT_TCP, over(vxlan(ethernet(bytes(28), protocol=0x0806)), VXLAN))


def test_vxlan_extension(dissect: DissectOne) -> None:
    four, six = vxlan_gpe(FOUR, carries=1), vxlan_gpe(SIX, carries=2)
    reads_both(dissect, over(four, VXLAN_GPE), over(six, VXLAN_GPE))
    framed = (vxlan_gpe(ethernet(each), carries=3) for each in (FOUR, SIX))
    reads_both(dissect, *(over(each, VXLAN_GPE) for each in framed))
    gives(dissect, Verdict.NOT_TCP, over(vxlan_gpe(FOUR, carries=4), VXLAN_GPE))
    gives(dissect, Verdict.NOT_TCP, over(four, VXLAN))  # the extension has a port of its own


@pytest.mark.parametrize("options", [b"", bytes(4), bytes(252)])
def test_geneve(dissect: DissectOne, options: bytes) -> None:
    """RFC 8926: up to 63 words of options; Ethernet, or any EtherType."""
    for framed, kind in ((ethernet, TRANSPARENT_ETHERNET), (bytes, None)):
        four, six = (
            geneve(framed(each), protocol=kind or ether_type(each), options=options)
            for each in (FOUR, SIX)
        )
        reads_both(dissect, over(four, GENEVE), over(six, GENEVE))
    other = geneve(FOUR, protocol=0x0800, options=options, version=1)
    gives(dissect, Verdict.NOT_TCP, over(other, GENEVE))


@pytest.mark.parametrize("sequence", [None, 9])
@pytest.mark.parametrize(
    "extensions", [(), ((0x85, bytes(2)),), ((0x85, bytes(2)), (0x20, bytes(14)), (0xC0, bytes(6)))]
)
def test_gtp(
    dissect: DissectOne, sequence: int | None, extensions: tuple[tuple[int, bytes], ...]
) -> None:
    """3GPP TS 29.281: a sequence number or extension headers make the header longer."""
    four, six = (gtp(each, sequence=sequence, extensions=extensions) for each in (FOUR, SIX))
    reads_both(dissect, over(four, GTP), over(six, GTP))


def test_other_gtp(dissect: DissectOne) -> None:
    """Echo, control, version 2 and prime; an extension of no length; a chain without end."""
    whole = gtp(FOUR)
    others = [gtp(FOUR, message=message) for message in (1, 26, 254)]
    others += [bytes([first]) + whole[1:] for first in (0x50, 0x20)]
    others += [gtp(FOUR, extensions=((0x85, bytes(2)),) * 9)]
    chained = gtp(FOUR, extensions=((0x85, bytes(2)),))
    others += [chained[:12] + b"\0" + chained[13:]]
    gives(dissect, Verdict.NOT_TCP, *(over(each, GTP) for each in others))


@pytest.mark.parametrize("length", [False, True])
@pytest.mark.parametrize("sequence", [False, True])
@pytest.mark.parametrize("offset", [None, 0, 5])
def test_l2tp(dissect: DissectOne, length: bool, sequence: bool, offset: int | None) -> None:
    """RFC 2661 section 3.1: optional fields."""
    for framing in (b"\xff\x03", b""):
        four, six = (
            l2tp(ppp(each, framing=framing), length=length, sequence=sequence, offset=offset)
            for each in (FOUR, SIX)
        )
        reads_both(dissect, over(four, L2TP), over(six, L2TP))


def test_other_l2tp(dissect: DissectOne) -> None:
    """Control messages, version 3, link control."""
    whole = in_l2tp(FOUR)
    others = [struct.pack(">H", flags) + whole[2:] for flags in (0xC002, 0x4003, 0x4000)]
    others.append(l2tp(ppp(FOUR, protocol=0xC021)))
    gives(dissect, Verdict.NOT_TCP, *(over(each, L2TP) for each in others))


@pytest.mark.parametrize("address", ["2001:0:cb00:7101::1", "fe80::1"])
@pytest.mark.parametrize("authentication", [False, True])
@pytest.mark.parametrize("origin", [False, True])
def test_teredo(dissect: DissectOne, address: str, authentication: bool, origin: bool) -> None:
    """RFC 4380: one end has the prefix 2001::/32 or is local to the link."""
    for ends in (
        (Endpoint(address, 1), SERVER_6),
        (SERVER_6, Endpoint(address, 1)),
    ):
        packet = ipv6(*ends, tcp(*ends, flags=ACK, payload=b"data"))
        payload = teredo(packet, authentication=authentication, origin=origin)
        outcome = dissect(over(payload, TEREDO))
        assert outcome.ends == (*ends[0], *ends[1])
        assert outcome["payload"] == 4


def test_other_teredo(dissect: DissectOne) -> None:
    """Other addresses, a length beyond the datagram's, IPv4, anything else."""
    ends = Endpoint("2001:0:cb00:7101::1", 1), SERVER_6
    segment = tcp(*ends, flags=ACK, payload=b"data")
    too_long = ipv6(*ends, segment, payload_length=len(segment) + 1)
    others = (SIX, too_long, FOUR, b"`" * 80, b"")
    gives(dissect, Verdict.NOT_TCP, *(over(teredo(each), TEREDO) for each in others))


def test_other_ayiya(dissect: DissectOne) -> None:
    """Operations that carry nothing, and other protocols."""
    whole = ayiya(SIX)
    others = [ayiya(SIX, operation=operation) for operation in (0, 2, 3)]
    others.append(whole[:3] + b"\x3b" + whole[4:])
    gives(dissect, Verdict.NOT_TCP, *(over(each, AYIYA) for each in others))
