"""Where IP starts, for each link type; EtherTypes and tags."""

from __future__ import annotations

import struct

import pytest

from captures.make.frames import ACK, Endpoint, ip, tcp
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
    padded,
)
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import ETHERNET, DissectOne

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
ENDS_6 = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8:ffff::2", 443)
FOUR = ip(*ENDS, tcp(*ENDS, flags=ACK, payload=b"four"))
SIX = ip(*ENDS_6, tcp(*ENDS_6, flags=ACK, payload=b"sixsix"))
PACKETS = pytest.mark.parametrize(
    ("packet", "ends", "payload"),
    [(FOUR, ENDS, 4), (SIX, ENDS_6, 6)],
    ids=["IPv4", "IPv6"],
)
RAW_BSD, RAW_OPENBSD = 12, 14

Ends = tuple[Endpoint, Endpoint]


def reads(dissect: DissectOne, frame: bytes, link_type: int, ends: Ends, payload: int) -> None:
    """The frame gives the segment of these ends with so many bytes."""
    outcome = dissect(frame, link_type)
    assert outcome.ends == (*ends[0], *ends[1])
    assert outcome["payload"] == payload


@PACKETS
def test_ethernet(dissect: DissectOne, packet: bytes, ends: Ends, payload: int) -> None:
    reads(dissect, ethernet(packet), ETHERNET, ends, payload)


@PACKETS
@pytest.mark.parametrize("kind", [0x8100, 0x88A8, 0x9100, 0x9200])
def test_a_tag_of_each_kind(
    dissect: DissectOne, packet: bytes, ends: Ends, payload: int, kind: int
) -> None:
    reads(dissect, ethernet(packet, tags=[(kind, 7)]), ETHERNET, ends, payload)


@pytest.mark.parametrize(("depth", "verdict"), [(2, "TCP"), (3, "TCP"), (8, "TCP"), (9, "NOT_IP")])
def test_tags_stack_to_the_limit_of_linux(dissect: DissectOne, depth: int, verdict: str) -> None:
    tags = [(0x88A8, 1), *[(0x8100, number) for number in range(2, depth + 1)]]
    assert dissect(ethernet(FOUR, tags=tags)).verdict is Verdict[verdict]


@PACKETS
@pytest.mark.parametrize("tags", [(), [(0x8100, 7)]], ids=["untagged", "tagged"])
def test_snap(
    dissect: DissectOne, packet: bytes, ends: Ends, payload: int, tags: list[tuple[int, int]]
) -> None:
    """RFC 1042: a length where the EtherType would be, LLC AA AA 03, organisation 0."""
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    body = bytes.fromhex("aaaa03000000") + struct.pack(">H", kind) + packet
    reads(dissect, ethernet(body, tags=tags, protocol=len(body)), ETHERNET, ends, payload)


@pytest.mark.parametrize("llc", ["aaaa03 00000c 0800", "424203 000000 0800", "aaaa00 000000 0800"])
def test_other_llc_is_no_ip(dissect: DissectOne, llc: str) -> None:
    """Another organisation's numbers are no EtherTypes; 42 is the spanning tree."""
    body = bytes.fromhex(llc) + FOUR
    assert dissect(ethernet(body, protocol=len(body))).verdict is Verdict.NOT_IP


@pytest.mark.parametrize("kind", [0x0806, 0x88CC, 1501, 1535, 0xFFFF])
def test_other_ethertypes_are_no_ip(dissect: DissectOne, kind: int) -> None:
    assert dissect(ethernet(FOUR, protocol=kind)).verdict is Verdict.NOT_IP


@PACKETS
@pytest.mark.parametrize(
    ("kind", "link_type"), [(cooked_v1, COOKED_V1), (cooked_v2, COOKED_V2)], ids=["v1", "v2"]
)
def test_cooked(
    dissect: DissectOne, packet: bytes, ends: Ends, payload: int, kind: object, link_type: int
) -> None:
    header = cooked_v1 if kind is cooked_v1 else cooked_v2
    reads(dissect, header(packet, packet_type=0), link_type, ends, payload)
    tagged = struct.pack(">HH", 7, 0x86DD if ends is ENDS_6 else 0x0800) + packet
    framed = header(tagged, packet_type=0, protocol=0x8100)
    reads(dissect, framed, link_type, ends, payload)


@pytest.mark.parametrize("hardware", [770, 803, 824])
def test_cooked_hardware_without_ethertype(dissect: DissectOne, hardware: int) -> None:
    """Frame relay, radiotap, netlink: what stands in the protocol's place is no EtherType."""
    first = cooked_v1(FOUR, packet_type=0, hardware_type=hardware)
    second = cooked_v2(FOUR, packet_type=0, hardware_type=hardware)
    assert dissect(first, COOKED_V1).verdict is Verdict.NOT_IP
    assert dissect(second, COOKED_V2).verdict is Verdict.NOT_IP


def test_cooked_gre_device_has_ethertypes(dissect: DissectOne) -> None:
    reads(dissect, cooked_v1(FOUR, packet_type=0, hardware_type=778), COOKED_V1, ENDS, 4)


@pytest.mark.parametrize("family", [10, 23, 24, 28, 30])
def test_bsd_families_of_ipv6(dissect: DissectOne, family: int) -> None:
    for big_endian in (False, True):
        frame = null(SIX, ipv6_family=family, big_endian=big_endian)
        reads(dissect, frame, NULL, ENDS_6, 6)
    reads(dissect, loop(SIX, ipv6_family=family), LOOP, ENDS_6, 6)


def test_bsd_family_of_ipv4(dissect: DissectOne) -> None:
    for big_endian in (False, True):
        reads(dissect, null(FOUR, big_endian=big_endian), NULL, ENDS, 4)
    reads(dissect, loop(FOUR), LOOP, ENDS, 4)


@pytest.mark.parametrize("family", ["00000007", "07000000", "00020000", "02000002", "ffffffff"])
def test_other_bsd_families_are_no_ip(dissect: DissectOne, family: str) -> None:
    assert dissect(bytes.fromhex(family) + FOUR, NULL).verdict is Verdict.NOT_IP
    assert dissect(bytes.fromhex(family) + FOUR, LOOP).verdict is Verdict.NOT_IP


def test_loop_is_in_network_order_only(dissect: DissectOne) -> None:
    assert dissect(null(FOUR), LOOP).verdict is Verdict.NOT_IP


@PACKETS
@pytest.mark.parametrize("link_type", [RAW, RAW_BSD, RAW_OPENBSD])
def test_raw(dissect: DissectOne, packet: bytes, ends: Ends, payload: int, link_type: int) -> None:
    reads(dissect, packet, link_type, ends, payload)


def test_raw_of_one_version(dissect: DissectOne) -> None:
    reads(dissect, FOUR, RAW_IPV4, ENDS, 4)
    reads(dissect, SIX, RAW_IPV6, ENDS_6, 6)
    assert dissect(SIX, RAW_IPV4).verdict is Verdict.NOT_IP
    assert dissect(FOUR, RAW_IPV6).verdict is Verdict.NOT_IP
    assert dissect(b"\x50" + FOUR[1:], RAW).verdict is Verdict.NOT_IP


@pytest.mark.parametrize("link_type", [USER0, 2, 6, 226, 253, -1, 2**40])
def test_other_link_types_are_unsupported(dissect: DissectOne, link_type: int) -> None:
    assert dissect(ethernet(FOUR), link_type).verdict is Verdict.UNSUPPORTED_LINK_TYPE
    assert dissect(b"", link_type).verdict is Verdict.UNSUPPORTED_LINK_TYPE


@pytest.mark.parametrize(
    ("frame", "link_type", "header"),
    [
        (ethernet(FOUR), ETHERNET, 14),
        (ethernet(FOUR, tags=[(0x88A8, 1), (0x8100, 2)]), ETHERNET, 22),
        (ethernet(bytes.fromhex("aaaa030000000800") + FOUR, protocol=52), ETHERNET, 22),
        (cooked_v1(FOUR, packet_type=0), COOKED_V1, 16),
        (cooked_v2(FOUR, packet_type=0), COOKED_V2, 20),
        (null(FOUR), NULL, 4),
        (loop(FOUR), LOOP, 4),
        (FOUR, RAW, 1),
    ],
    ids=["Ethernet", "QinQ", "SNAP", "cooked 1", "cooked 2", "null", "loop", "raw"],
)
def test_cut_within_the_link_header(
    dissect: DissectOne, frame: bytes, link_type: int, header: int
) -> None:
    for length in range(header):
        outcome = dissect(frame[:length], link_type, original=len(frame))
        assert outcome.verdict is Verdict.CUT_SHORT, length


def test_ethernet_padding_is_no_payload(dissect: DissectOne) -> None:
    acknowledgment = ip(*ENDS, tcp(*ENDS, flags=ACK))
    frame = padded(ethernet(acknowledgment), b"\xff")
    assert len(frame) == 60
    assert dissect(frame)["payload"] == 0
    assert dissect(frame)["frame_bytes"] == 60
