"""Damaged and random frames, against the oracle: a verdict for each, and nothing from outside."""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.make import link_headers as link
from captures.make import recorder_headers as recorder
from captures.make import tunnel_headers as tunnel
from captures.make import wire_headers as wire
from captures.make.extension_headers import (
    authentication,
    destination_options,
    fragment,
    hop_by_hop,
    inserted,
    jumbo,
    routing,
)
from captures.make.frames import ACK, PUSH, Endpoint, icmp, ipv4, ipv6, tcp, udp
from captures.make.link_headers import (
    COOKED_V1,
    COOKED_V2,
    LOOP,
    NULL,
    RAW,
    RAW_IPV4,
    RAW_IPV6,
    USER0,
    cooked_v1,
    cooked_v2,
    ethernet,
    loop,
    null,
)
from tcpsnoop.batches.packets import CaptureInterface
from tests.dissect.agreement import expectation, observations
from tests.dissect.one_frame import ETHERNET, batch_of

FOUR_ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
SIX_ENDS = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::2", 443)
OPTIONS = bytes.fromhex("0101080a0000000100000002")
FOUR_TCP, SIX_TCP = (
    tcp(*ends, flags=PUSH | ACK, options=OPTIONS, payload=b"data") for ends in (FOUR_ENDS, SIX_ENDS)
)
FOUR, SIX = ipv4(*FOUR_ENDS, FOUR_TCP), ipv6(*SIX_ENDS, SIX_TCP)
CHAINED = inserted(
    SIX,
    hop_by_hop(),
    destination_options(bytes([5, 1, 0])),
    routing("2001:db8::9"),
    fragment(0, more=True, identification=1),
    authentication(bytes(12)),
)
JUMBO = inserted(ipv6(*SIX_ENDS, SIX_TCP, payload_length=0), jumbo(8 + len(SIX_TCP)))
ERROR = ipv4(*FOUR_ENDS, icmp(*FOUR_ENDS, 3, 1, bytes(4) + FOUR), protocol=1)
ERROR_6 = ipv6(*SIX_ENDS, icmp(*SIX_ENDS, 1, 4, bytes(4) + SIX), protocol=58)
PACKETS = [
    FOUR,
    SIX,
    CHAINED,
    JUMBO,
    ERROR,
    ERROR_6,
    ipv4(*FOUR_ENDS, FOUR_TCP, options=bytes(8)),
    ipv4(*FOUR_ENDS, FOUR_TCP, total_length=0),
    ipv4(*FOUR_ENDS, udp(*FOUR_ENDS, b"data"), protocol=17),
]
SNAP = bytes.fromhex("aaaa030000000800")
OUTER = Endpoint("203.0.113.1", 40000)


def in_udp(port: int, payload: bytes) -> bytes:
    """On Ethernet, in a datagram to this port."""
    far = Endpoint("203.0.113.2", port)
    return ethernet(ipv4(OUTER, far, udp(OUTER, far, payload), protocol=tunnel.UDP))


def in_ip(protocol: int, payload: bytes) -> bytes:
    """On Ethernet, in an IPv4 packet of this protocol."""
    return ethernet(ipv4(OUTER, Endpoint("203.0.113.2", 0), payload, protocol=protocol))


TEREDO_PACKET = ipv6(Endpoint("2001:0:1::1", 1), SIX_ENDS[1], SIX_TCP)
WIRES: list[tuple[int, bytes]] = [
    (ETHERNET, ethernet(wire.mpls(SIX, 1, 2), protocol=wire.MPLS)),
    (ETHERNET, ethernet(wire.mpls(bytes(4) + ethernet(FOUR), 1), protocol=wire.MPLS)),
    (ETHERNET, ethernet(wire.pppoe(FOUR), protocol=wire.PPPOE_SESSION)),
    (ETHERNET, ethernet(wire.backbone(ethernet(SIX)), protocol=wire.BACKBONE)),
    (link.PPP_BARE, wire.ppp(FOUR)),
    (link.PPP_BARE, wire.ppp(SIX, framing=b"", compressed=True)),
    (link.PPP_SERIAL, wire.hdlc(FOUR)),
    (link.PPP_ETHERNET, wire.pppoe(SIX)),
    (link.PPP_PPPD, b"\1" + wire.ppp(FOUR)[1:]),
    (link.PPP_WITH_DIRECTION, b"\0" + wire.ppp(SIX)),
    (link.HDLC, wire.hdlc(SIX)),
    (link.HDLC_WITH_DIRECTION, b"\1" + wire.hdlc(FOUR)),
    (link.FDDI, wire.fddi(FOUR)),
    (link.ARCNET_BSD, wire.arcnet(SIX, linux=False)),
    (link.ARCNET_BSD, wire.arcnet_exception(FOUR, split=1)),
    (link.ARCNET_LINUX, wire.arcnet(FOUR, linux=True, old=True)),
    (link.IPOIB, wire.ipoib(FOUR)),
    (link.MPACKET, wire.mpacket(SIX)),
    (link.WIRELESS, wire.wlan(FOUR, flags=3, quality=b"\x80\0", body=wire.aggregate(FOUR))),
    (link.RADIOTAP, wire.radiotap(wire.wlan(SIX, quality=bytes(2)), flags=0x20, time=True)),
    (link.NFLOG, recorder.nflog(FOUR)),
    (link.NFLOG, recorder.nflog(SIX, big_endian=True)),
    (link.PKTAP, recorder.pktap(ethernet(FOUR), link_type=ETHERNET, direction=2)),
    (link.PPI, recorder.ppi(wire.wlan(FOUR), link_type=link.WIRELESS)),
]
TUNNELS: list[tuple[int, bytes]] = [
    (ETHERNET, frame)
    for frame in (
        in_ip(4, FOUR),
        in_ip(41, SIX),
        in_ip(4, in_ip(4, in_ip(41, SIX)[14:])[14:]),
        in_ip(47, tunnel.gre(FOUR, checksum=True, key=1, sequence=2)),
        in_ip(47, tunnel.gre(ethernet(SIX), protocol=tunnel.TRANSPARENT_ETHERNET)),
        in_ip(47, tunnel.enhanced_gre(wire.ppp(FOUR), sequence=1, acknowledgment=2)),
        in_ip(47, tunnel.gre(ethernet(FOUR), protocol=tunnel.ERSPAN)),
        in_ip(47, tunnel.erspan_ii(ethernet(FOUR))),
        in_ip(47, tunnel.erspan_iii(ethernet(SIX), platform=True)),
        in_udp(tunnel.VXLAN, tunnel.vxlan(ethernet(FOUR, tags=[(0x8100, 1)]))),
        in_udp(tunnel.VXLAN, tunnel.vxlan(ethernet(ERROR))),
        in_udp(tunnel.VXLAN, tunnel.vxlan(ethernet(SIX, protocol=0x0806))),
        in_udp(tunnel.VXLAN_GPE, tunnel.vxlan_gpe(SIX, carries=2)),
        in_udp(tunnel.GENEVE, tunnel.geneve(ethernet(FOUR), protocol=0x6558, options=bytes(8))),
        in_udp(tunnel.GTP, tunnel.gtp(CHAINED, extensions=((0x85, bytes(2)), (0xC0, bytes(6))))),
        in_udp(tunnel.L2TP, tunnel.l2tp(wire.ppp(FOUR), sequence=True, offset=2)),
        in_udp(tunnel.TEREDO, tunnel.teredo(TEREDO_PACKET, authentication=True, origin=True)),
        in_udp(tunnel.AYIYA, tunnel.ayiya(SIX)),
    )
]
FRAMES: list[tuple[int, bytes]] = [
    *WIRES,
    *TUNNELS,
    *((ETHERNET, ethernet(packet)) for packet in PACKETS),
    (ETHERNET, ethernet(FOUR, tags=[(0x88A8, 1), (0x9100, 2), (0x8100, 3)])),
    (ETHERNET, ethernet(SNAP + FOUR, protocol=60)),
    (COOKED_V1, cooked_v1(FOUR, packet_type=4)),
    (COOKED_V2, cooked_v2(SIX, packet_type=0)),
    (NULL, null(FOUR)),
    (NULL, null(SIX, big_endian=True)),
    (LOOP, loop(SIX)),
    *((RAW, packet) for packet in PACKETS),
    (RAW_IPV4, FOUR),
    (RAW_IPV6, CHAINED),
    (USER0, FOUR),
]
LINK_TYPES = sorted({link_type for link_type, _ in FRAMES})


class Given(NamedTuple):
    """A frame and what its capture says of it."""

    link_type: int
    data: bytes
    original: int  # -1: not known


@st.composite
def damaged(draw: st.DrawFn) -> Given:
    """A sound frame with some bytes replaced, cut, or followed by others."""
    link_type, frame = draw(st.sampled_from(FRAMES))
    data = bytearray(frame)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(data) - 1))
        data[place] = draw(st.integers(0, 255) | st.sampled_from([0, 1, 6, 0x45, 0x50, 0xFF]))
    data += draw(st.binary(max_size=8))
    whole = len(data)
    kept = draw(st.integers(0, whole) | st.just(whole))
    longer = draw(st.sampled_from([0, 0, 4, 65536]))
    return Given(link_type, bytes(data[:kept]), draw(st.sampled_from([-1, kept, whole + longer])))


@st.composite
def random_bytes(draw: st.DrawFn) -> Given:
    data = draw(st.binary(max_size=120))
    return Given(draw(st.sampled_from(LINK_TYPES)), data, draw(st.sampled_from([-1, len(data)])))


def dissected(package: ModuleType, frames: list[Given], canary: bytes) -> list[tuple[object, ...]]:
    kinds = sorted({each.link_type for each in frames})
    batch = batch_of(
        [each.data for each in frames],
        originals=[each.original for each in frames],
        interfaces=[kinds.index(each.link_type) for each in frames],
        canary=canary,
    )
    result = package.Dissector(len(frames)).dissect(batch, [CaptureInterface(k) for k in kinds])
    return observations(len(frames), *result)


def check(package: ModuleType, frames: list[Given]) -> None:
    expected = [expectation(*each) for each in frames]
    assert dissected(package, frames, b"\x00") == expected
    assert dissected(package, frames, b"\xff") == expected


@given(st.lists(damaged() | random_bytes(), min_size=1, max_size=30))
def test_agrees_with_the_oracle(compiled: ModuleType, frames: list[Given]) -> None:
    check(compiled, frames)


@given(st.lists(damaged() | random_bytes(), min_size=1, max_size=5))
def test_interpreted_agrees_with_the_oracle(interpreted: ModuleType, frames: list[Given]) -> None:
    check(interpreted, frames)


@pytest.mark.parametrize(
    ("link_type", "frame"),
    FRAMES,
    ids=[f"{at}-{link_type}" for at, (link_type, _) in enumerate(FRAMES)],
)
def test_every_length_of_each_frame(compiled: ModuleType, link_type: int, frame: bytes) -> None:
    """Cut anywhere, of known length or not, or really so short."""
    lengths = range(len(frame) + 1)
    cut = [Given(link_type, frame[:kept], len(frame)) for kept in lengths]
    unknown = [Given(link_type, frame[:kept], -1) for kept in lengths]
    short = [Given(link_type, frame[:kept], kept) for kept in lengths]
    check(compiled, cut + unknown + short)


def test_compiled_and_interpreted_give_the_same_bytes(
    compiled: ModuleType, interpreted: ModuleType
) -> None:
    """Every field, fingerprints included, of frames with each of their bytes replaced."""
    changed = []
    for link_type, frame in FRAMES:
        for place in range(len(frame)):
            data = (
                frame[:place] + bytes([frame[place] ^ (place * 37 % 255 + 1)]) + frame[place + 1 :]
            )
            changed.append(Given(link_type, data, len(data)))
    kinds = LINK_TYPES
    batch = batch_of(
        [each.data for each in changed],
        interfaces=[kinds.index(each.link_type) for each in changed],
    )
    interfaces = [CaptureInterface(kind) for kind in kinds]
    segments, verdicts = compiled.Dissector(1).dissect(batch, interfaces)
    others, other_verdicts = interpreted.Dissector(1).dissect(batch, interfaces)
    assert np.array_equal(verdicts, other_verdicts)
    assert np.array_equal(segments, others)
    assert len(segments) > 500
