"""IPv4 and IPv6: addresses, lengths, fragments, extension headers."""

from __future__ import annotations

import struct

import pytest

from captures.make.extension_headers import (
    Extension,
    authentication,
    destination_options,
    fragment,
    hop_by_hop,
    inserted,
    jumbo,
    routing,
)
from captures.make.frames import ACK, Endpoint, ip, ipv4, ipv6, tcp
from captures.make.link_headers import ethernet
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
ENDS_6 = Endpoint("2001:db8::1", 40000), Endpoint("fe80::ffff:0:2", 443)
SEGMENT = tcp(*ENDS, flags=ACK, payload=bytes(100))
SEGMENT_6 = tcp(*ENDS_6, flags=ACK, payload=bytes(100))
FOUR, SIX = ipv4(*ENDS, SEGMENT), ipv6(*ENDS_6, SEGMENT_6)
SIX_WITHOUT_LENGTH = ipv6(*ENDS_6, SEGMENT_6, payload_length=0)

TCP, UDP, ESP, NO_NEXT_HEADER = 6, 17, 50, 59
MOBILITY, HOST_IDENTITY, SHIM6 = 135, 139, 140


def test_ipv4_fields(dissect: DissectOne) -> None:
    packet = ipv4(*ENDS, SEGMENT, identification=0xBEEF, ttl=57)
    outcome = dissect(ethernet(packet))
    assert outcome.ends == (*ENDS[0], *ENDS[1])
    assert (outcome["ip_id"], outcome["ttl"], outcome["payload"]) == (0xBEEF, 57, 100)


def test_ipv6_fields(dissect: DissectOne) -> None:
    packet = ipv6(*ENDS_6, SEGMENT_6, hop_limit=255)
    outcome = dissect(ethernet(packet))
    assert outcome.ends == (*ENDS_6[0], *ENDS_6[1])
    assert (outcome["ip_id"], outcome["ttl"], outcome["payload"]) == (0, 255, 100)


def test_highest_addresses(dissect: DissectOne) -> None:
    four = Endpoint("255.255.255.255", 65535), Endpoint("224.0.0.1", 1)
    six = Endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535), Endpoint("8000::8000", 1)
    for ends in (four, six):
        assert dissect(ethernet(ip(*ends, tcp(*ends, flags=ACK)))).ends == (*ends[0], *ends[1])


def test_ipv4_options_are_no_payload(dissect: DissectOne) -> None:
    for words in range(11):
        packet = ipv4(*ENDS, SEGMENT, options=b"\1" * 4 * words)
        outcome = dissect(ethernet(packet))
        assert (outcome["payload"], outcome["source_port"]) == (100, 40000)


def test_bytes_behind_the_declared_end_do_not_count(dissect: DissectOne) -> None:
    for packet in (FOUR, SIX):
        assert dissect(ethernet(packet) + bytes(17))["payload"] == 100


def test_declared_length_counts_when_cut(dissect: DissectOne) -> None:
    for packet, header in ((FOUR, 20), (SIX, 40)):
        whole = ethernet(packet)
        for captured in (14 + header + 14, 14 + header + 20, 14 + header + 60):
            outcome = dissect(whole[:captured], original=len(whole))
            assert (outcome["payload"], outcome["frame_bytes"]) == (100, len(whole))
            outcome = dissect(whole[:captured], original=-1)
            assert (outcome["payload"], outcome["frame_bytes"]) == (100, -1)


def test_declared_longer_than_the_frame_is_clipped_and_counted(dissect: DissectOne) -> None:
    """The frame has 30 of the 100 bytes that IP declares, or ends within the TCP header."""
    for packet, header in ((FOUR, 20), (SIX, 40)):
        for kept, payload in ((30, 30), (0, 0), (-6, 0)):
            frame = ethernet(packet)[: 14 + header + 20 + kept]
            outcome = dissect(frame)
            assert (outcome["payload"], outcome.clipped) == (payload, 1)
    assert dissect(ethernet(FOUR)).clipped == 0
    assert dissect(ethernet(FOUR)[:60], original=-1).clipped == 0


def test_ipv4_without_length_takes_that_of_the_frame(dissect: DissectOne) -> None:
    """Segmentation offload: total length 0."""
    frame = ethernet(ipv4(*ENDS, SEGMENT, total_length=0))
    assert dissect(frame)["payload"] == 100
    assert dissect(frame[:60], original=len(frame))["payload"] == 100
    assert dissect(frame[:60], original=70_000)["payload"] == 70_000 - 54
    assert dissect(frame, original=-1)["payload"] == -1
    assert dissect(frame).clipped == 0


def test_ipv6_without_length_takes_that_of_the_frame(dissect: DissectOne) -> None:
    frame = ethernet(SIX_WITHOUT_LENGTH)
    assert dissect(frame)["payload"] == 100
    assert dissect(frame[:80], original=100_000)["payload"] == 100_000 - 74
    assert dissect(frame, original=-1)["payload"] == -1


def test_jumbogram(dissect: DissectOne) -> None:
    """RFC 2675: the length is in a hop-by-hop option, behind whatever padding."""
    declared = 8 + 20 + 70_000
    option = struct.pack(">BBI", 0xC2, 4, declared)
    first = hop_by_hop(bytes([1, 0]) + option + bytes(6))  # PadN, the option, six Pad1
    for extension, size in ((jumbo(declared), 8), (first, 16)):
        packet = inserted(SIX_WITHOUT_LENGTH, extension)
        frame = ethernet(packet)
        wire = 14 + 40 + declared
        for original in (wire, -1, wire + 4):
            outcome = dissect(frame[:90], original=original)
            assert outcome["payload"] == declared - size - 20
        outcome = dissect(frame[:90], original=wire - 1)
        assert (outcome["payload"], outcome.clipped) == (declared - size - 20 - 1, 1)


@pytest.mark.parametrize("option", ["c203 000111", "c205 0001117000", "c304 00011170"])
def test_other_options_are_no_jumbogram(dissect: DissectOne, option: str) -> None:
    extension = hop_by_hop(bytes.fromhex(option))
    packet = inserted(SIX_WITHOUT_LENGTH, extension)
    assert dissect(ethernet(packet), original=-1)["payload"] == -1


def test_a_length_in_the_header_overrules_a_jumbo_option(dissect: DissectOne) -> None:
    packet = inserted(SIX, jumbo(70_000))
    assert dissect(ethernet(packet), original=-1)["payload"] == 100


def options_header(number: int) -> Extension:
    return Extension(number, destination_options().content)


CHAIN = [
    hop_by_hop(),
    destination_options(),
    routing("2001:db8::5", "2001:db8::6"),
    fragment(0, more=False, identification=1),
    authentication(bytes(12)),
    authentication(bytes(16)),
    options_header(MOBILITY),
    options_header(HOST_IDENTITY),
    options_header(SHIM6),
    destination_options(bytes([5, 20]) + bytes(20)),
]


@pytest.mark.parametrize("extension", CHAIN, ids=lambda each: str(each.number))
def test_each_extension_header(dissect: DissectOne, extension: Extension) -> None:
    outcome = dissect(ethernet(inserted(SIX, extension)))
    assert (outcome["payload"], outcome["source_port"]) == (100, 40000)


def test_all_extension_headers(dissect: DissectOne) -> None:
    outcome = dissect(ethernet(inserted(SIX, *CHAIN)))
    assert (outcome["payload"], outcome["source_port"]) == (100, 40000)


@pytest.mark.parametrize(("length", "verdict"), [(18, "TCP"), (19, "NOT_TCP")])
def test_extension_headers_to_the_limit(dissect: DissectOne, length: int, verdict: str) -> None:
    packet = inserted(SIX, *[destination_options()] * length)
    assert dissect(ethernet(packet)).verdict is Verdict[verdict]


def test_extension_headers_beyond_the_declared_end(dissect: DissectOne) -> None:
    packet = inserted(SIX, *CHAIN)
    packet = packet[:4] + struct.pack(">H", 20) + packet[6:]
    assert dissect(ethernet(packet)).verdict is Verdict.BAD_LENGTH


def test_cut_within_extension_headers(dissect: DissectOne) -> None:
    chain = [hop_by_hop(), routing("2001:db8::5")]  # 8 and 24 bytes
    frame = ethernet(inserted(SIX, *chain))
    for length in range(14, 14 + 40 + 8 + 24 + 14):
        outcome = dissect(frame[:length], original=len(frame))
        assert outcome.verdict is Verdict.CUT_SHORT, length
    assert dissect(frame[: 14 + 40 + 8 + 24 + 14], original=len(frame))["payload"] == 100


def test_authentication_header_in_ipv4(dissect: DissectOne) -> None:
    header = bytes([TCP]) + authentication(bytes(12)).content[1:]
    packet = ipv4(*ENDS, header + SEGMENT, protocol=51)
    assert dissect(ethernet(packet))["payload"] == 100


@pytest.mark.parametrize("number", [0, 43, 44, 60, 135, 139, 140])
def test_ipv4_has_no_extension_headers(dissect: DissectOne, number: int) -> None:
    packet = ipv4(*ENDS, bytes([TCP, 0]) + bytes(6) + SEGMENT, protocol=number)
    assert dissect(ethernet(packet)).verdict is Verdict.NOT_TCP


@pytest.mark.parametrize("number", [UDP, ESP, NO_NEXT_HEADER, 4, 41, 47, 108, 132, 255])
def test_other_protocols_are_not_tcp(dissect: DissectOne, number: int) -> None:
    assert dissect(ethernet(ipv4(*ENDS, SEGMENT, protocol=number))).verdict is Verdict.NOT_TCP
    for chain in ([], [hop_by_hop(), destination_options()]):
        packet = inserted(ipv6(*ENDS_6, SEGMENT_6, protocol=number), *chain)
        assert dissect(ethernet(packet)).verdict is Verdict.NOT_TCP


def test_first_fragment_carries_what_its_own_length_says(dissect: DissectOne) -> None:
    part = SEGMENT[: 20 + 60]
    outcome = dissect(ethernet(ipv4(*ENDS, part, more_fragments=True)))
    assert outcome["payload"] == 60
    head = fragment(0, more=True, identification=7)
    outcome = dissect(ethernet(inserted(ipv6(*ENDS_6, SEGMENT_6[: 20 + 60]), head)))
    assert outcome["payload"] == 60


@pytest.mark.parametrize("offset", [8, 80, 65528])
@pytest.mark.parametrize("more", [False, True])
def test_later_fragments_give_none(dissect: DissectOne, offset: int, more: bool) -> None:
    packet = ipv4(*ENDS, SEGMENT, fragment_offset=offset, more_fragments=more)
    assert dissect(ethernet(packet)).verdict is Verdict.FRAGMENT
    extension = fragment(offset, more=more, identification=7)
    packet = inserted(SIX, hop_by_hop(), extension)
    assert dissect(ethernet(packet)).verdict is Verdict.FRAGMENT


def test_reserved_bits_are_no_fragment_offset(dissect: DissectOne) -> None:
    """RFC 791: bit 0 reserved, bit 1 don't fragment. RFC 8200 section 4.5: two bits above M."""
    for bits in (0x8000, 0x4000, 0xC000):
        packet = FOUR[:6] + struct.pack(">H", bits) + FOUR[8:]
        assert dissect(ethernet(packet))["payload"] == 100
    extension = Extension(44, struct.pack(">BBHI", 0, 0xFF, 0x0006, 7))
    assert dissect(ethernet(inserted(SIX, extension)))["payload"] == 100


@pytest.mark.parametrize("words", range(5))
def test_header_length_below_five_words(dissect: DissectOne, words: int) -> None:
    packet = ipv4(*ENDS, SEGMENT, header_words=words)
    assert dissect(ethernet(packet)).verdict is Verdict.BAD_LENGTH


@pytest.mark.parametrize("length", [1, 19])
def test_total_length_below_the_header(dissect: DissectOne, length: int) -> None:
    packet = ipv4(*ENDS, SEGMENT, total_length=length)
    assert dissect(ethernet(packet)).verdict is Verdict.BAD_LENGTH


def test_total_length_below_a_header_with_options(dissect: DissectOne) -> None:
    packet = ipv4(*ENDS, SEGMENT, options=bytes(8), total_length=27)
    assert dissect(ethernet(packet)).verdict is Verdict.BAD_LENGTH


@pytest.mark.parametrize("version", [0, 5, 6, 15])
def test_version_must_be_what_the_link_says(dissect: DissectOne, version: int) -> None:
    packet = bytes([version << 4 | 5]) + FOUR[1:]
    assert dissect(ethernet(packet, protocol=0x0800)).verdict is Verdict.NOT_IP
    packet = bytes([(version ^ 2) << 4]) + SIX[1:]
    assert dissect(ethernet(packet, protocol=0x86DD)).verdict is Verdict.NOT_IP


def test_cut_within_the_ip_header(dissect: DissectOne) -> None:
    for packet, header in ((FOUR, 20), (SIX, 40)):
        frame = ethernet(packet)
        for length in range(14, 14 + header):
            assert dissect(frame[:length], original=len(frame)).verdict is Verdict.CUT_SHORT
