"""Tunnels in general: IP in IP, which layer counts, lengths, nesting, paths."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from captures.make.extension_headers import authentication, inserted
from captures.make.frames import ACK, SYN, Endpoint, icmp, ipv4, ipv6, tcp, udp
from captures.make.link_headers import ethernet
from captures.make.tunnel_headers import GRE, IPV4_IN_IP, IPV6_IN_IP, UDP, VXLAN, gre, vxlan
from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne, batch_of
from tests.dissect.packets import ENDS, ENDS_6, FOUR, OF_FOUR, SIX, gives, is_cut_short, reads_both

NEAR, FAR = Endpoint("203.0.113.1", 40000), Endpoint("203.0.113.2", VXLAN)
NEAR_6, FAR_6 = Endpoint("2001:db8:a::1", 40000), Endpoint("2001:db8:b::1", VXLAN)
AUTHENTICATION, ICMP = 51, 1


def in_ipv4(packet: bytes) -> bytes:
    return ipv4(NEAR, FAR, packet, protocol=IPV4_IN_IP if packet[0] >> 4 == 4 else IPV6_IN_IP)


def in_ipv6(packet: bytes) -> bytes:
    return ipv6(NEAR_6, FAR_6, packet, protocol=IPV4_IN_IP if packet[0] >> 4 == 4 else IPV6_IN_IP)


def in_vxlan(packet: bytes) -> bytes:
    return ipv4(NEAR, FAR, udp(NEAR, FAR, vxlan(ethernet(packet))), protocol=UDP)


def test_ip_in_ip(dissect: DissectOne) -> None:
    """RFC 2003, RFC 2473, RFC 4213: all four ways."""
    for wrap in (in_ipv4, in_ipv6):
        reads_both(dissect, ethernet(wrap(FOUR)), ethernet(wrap(SIX)))
        is_cut_short(dissect, ethernet(wrap(FOUR)), FOUR)


def test_behind_an_authentication_header(dissect: DissectOne) -> None:
    """RFC 4302 section 3.1.2, tunnel mode, in both versions."""
    header = authentication(bytes(12))
    four, six = (
        ipv4(NEAR, FAR, bytes([number]) + header.content[1:] + each, protocol=AUTHENTICATION)
        for each, number in ((FOUR, IPV4_IN_IP), (SIX, IPV6_IN_IP))
    )
    reads_both(dissect, ethernet(four), ethernet(six))
    four, six = (inserted(in_ipv6(each), header) for each in (FOUR, SIX))
    reads_both(dissect, ethernet(four), ethernet(six))


def test_innermost_layer_counts(dissect: DissectOne) -> None:
    inner = ipv4(*ENDS, tcp(*ENDS, flags=ACK), identification=0xBEEF, ttl=7)
    outcome = dissect(ethernet(in_ipv4(inner)))
    assert outcome.ends == OF_FOUR
    assert (outcome["ip_id"], outcome["ttl"]) == (0xBEEF, 7)
    assert outcome["frame_bytes"] == 14 + 20 + len(inner)


def test_what_is_no_sound_ip(dissect: DissectOne) -> None:
    """In a protocol of its own, unlike in UDP, the inner header is judged like any other."""
    for inner, verdict in (
        (b"\x50" + FOUR[1:], Verdict.NOT_TCP),
        (b"\x44" + FOUR[1:], Verdict.BAD_LENGTH),
        (ipv4(*ENDS, FOUR[20:], fragment_offset=8), Verdict.FRAGMENT),
        (ipv4(*ENDS, FOUR[20:], protocol=132), Verdict.NOT_TCP),
    ):
        frame = ethernet(ipv4(NEAR, FAR, inner, protocol=IPV4_IN_IP))
        gives(dissect, verdict, frame)


def test_icmp_error_in_a_tunnel(dissect: DissectOne) -> None:
    """It still quotes a segment, and is none."""
    quoted = ipv4(*ENDS, tcp(*ENDS, flags=SYN))
    error = ipv4(*ENDS[::-1], icmp(*ENDS[::-1], 3, 1, bytes(4) + quoted), protocol=ICMP)
    gives(dissect, Verdict.ICMP_ERROR, ethernet(in_ipv4(error)), ethernet(in_vxlan(error)))


def test_tunnels_quoted_in_an_error_are_not_entered(dissect: DissectOne) -> None:
    error = icmp(FAR, NEAR, 3, 1, bytes(4) + in_ipv4(FOUR))
    gives(dissect, Verdict.NOT_TCP, ethernet(ipv4(FAR, NEAR, error, protocol=ICMP)))


@pytest.mark.parametrize("wrap", [in_ipv4, in_ipv6, in_vxlan])
def test_nesting_limit(dissect: DissectOne, wrap: Callable[[bytes], bytes]) -> None:
    packet = FOUR
    for _ in range(8):
        packet = wrap(packet)
    assert dissect(ethernet(packet)).ends == OF_FOUR
    gives(dissect, Verdict.NESTED_TOO_DEEP, ethernet(wrap(packet)), ethernet(wrap(wrap(packet))))


def test_eight_tunnels_without_tcp_are_not_too_deep(dissect: DissectOne) -> None:
    packet = ipv4(*ENDS, udp(*ENDS, b"data"), protocol=UDP)
    for _ in range(8):
        packet = in_ipv4(packet)
    gives(dissect, Verdict.NOT_TCP, ethernet(packet))


def test_an_inner_length_is_clipped_to_the_outer_one(dissect: DissectOne) -> None:
    """As in the first fragment of a packet that was too large with its tunnel's header."""
    inner = ipv4(*ENDS, tcp(*ENDS, flags=ACK, payload=bytes(100)))
    outcome = dissect(ethernet(ipv4(NEAR, FAR, inner[:-30], protocol=IPV4_IN_IP)) + bytes(30))
    assert (outcome["payload"], outcome.clipped) == (70, 1)
    cut = dissect(ethernet(in_ipv4(inner))[:80], original=14 + 20 + len(inner))
    assert (cut["payload"], cut.clipped) == (100, 0)


def test_an_inner_packet_without_length_takes_the_outer_one(dissect: DissectOne) -> None:
    """Segmentation offload of a tunnel's packets; padding of the frame is none of it."""
    segment = tcp(*ENDS, flags=ACK, payload=bytes(100))
    for inner in (
        ipv4(*ENDS, segment, total_length=0),
        ipv6(*ENDS_6, tcp(*ENDS_6, flags=ACK, payload=bytes(100)), payload_length=0),
    ):
        for wrap in (in_ipv4, in_ipv6, in_vxlan):
            assert dissect(ethernet(wrap(inner)) + bytes(9))["payload"] == 100


def test_an_inner_header_beyond_the_outer_length(dissect: DissectOne) -> None:
    """Behind an outer packet that is too short stands padding, whatever it looks like."""
    for total, verdict in ((20, Verdict.BAD_LENGTH), (39, Verdict.BAD_LENGTH), (40, Verdict.TCP)):
        outer = ipv4(NEAR, FAR, FOUR, protocol=IPV4_IN_IP, total_length=total)
        gives(dissect, verdict, ethernet(outer))


def paths_of(dissect: DissectOne, *frames: bytes) -> list[int]:
    segments, _ = dissect.package.Dissector(1).dissect(batch_of(frames), [CaptureInterface(1)])
    paths: list[int] = segments["path"].tolist()
    assert len(paths) == len(frames)
    return paths


def test_a_tunnel_is_another_path(dissect: DissectOne) -> None:
    """The same segment bare and in tunnels: copies that came other ways (SEMANTICS 7)."""
    other = ipv4(NEAR, FAR._replace(address="203.0.113.9"), FOUR, protocol=IPV4_IN_IP)
    frames = [
        *(FOUR, in_ipv4(FOUR), in_ipv6(FOUR), in_vxlan(FOUR), other),
        ipv4(NEAR, FAR, gre(FOUR), protocol=GRE),
    ]
    paths = paths_of(dissect, *(ethernet(each) for each in frames * 2))
    assert len(set(paths)) == len(frames)
    assert paths[: len(frames)] == paths[len(frames) :]
    assert paths[0] == 15
    assert min(paths) >= 0
