"""The TCP header: fields, flags, data offset, what may be cut off, fingerprints."""

from __future__ import annotations

import itertools
import random
import struct

import pytest

from captures.make.frames import ACK, SYN, Endpoint, ipv4, ipv6, tcp
from captures.make.link_headers import ethernet
from tcpsnoop.batches.segments import flags_text
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
ENDS_6 = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::2", 443)
TCP_AT = 14 + 20
NO_OPERATION, END_OF_OPTIONS = b"\1", b"\0"


def frame_of(header: bytes, payload: bytes = b"") -> bytes:
    return ethernet(ipv4(*ENDS, header + payload))


def header(
    *,
    offset: int = 5,
    flags: int = ACK,
    window: int = 512,
    checksum: int = 0,
    urgent: int = 0,
    options: bytes = b"",
) -> bytes:
    """A TCP header, field by field (RFC 9293 section 3.1)."""
    numbers = struct.pack(">HHII", 40000, 443, 1, 2)
    return numbers + struct.pack(">HHHH", offset << 12 | flags, window, checksum, urgent) + options


def test_fields(dissect: DissectOne) -> None:
    first = struct.pack(">HHIIHHHH", 0xFEDC, 0xBA98, 0x89ABCDEF, 0xFFFFFFFF, 0x5018, 0xFFFE, 7, 9)
    outcome = dissect(frame_of(first, b"abc"))
    assert (outcome["source_port"], outcome["destination_port"]) == (0xFEDC, 0xBA98)
    assert (outcome["sequence"], outcome["acknowledgment"]) == (0x89ABCDEF, 0xFFFFFFFF)
    assert (outcome["flags"], outcome["window"], outcome["payload"]) == (0x018, 0xFFFE, 3)


@pytest.mark.parametrize("bit", range(9))
def test_each_flag(dissect: DissectOne, bit: int) -> None:
    """RFC 9293 section 3.1 and RFC 9768, in the order of SEMANTICS 3."""
    names = ("FIN", "SYN", "RST", "PUSH", "ACK", "URG", "ECE", "CWR", "AE")
    assert flags_text(dissect(frame_of(header(flags=1 << bit)))["flags"]) == names[bit]


def test_reserved_bits_are_no_flags(dissect: DissectOne) -> None:
    assert dissect(frame_of(header(flags=0xE00)))["flags"] == 0
    assert dissect(frame_of(header(flags=0xFFF)))["flags"] == 0x1FF


@pytest.mark.parametrize("words", range(16))
def test_data_offset(dissect: DissectOne, words: int) -> None:
    """Below 5 it is bad; to its greatest value options are no payload."""
    outcome = dissect(frame_of(header(offset=words), bytes(40)))
    if words < 5:
        assert outcome.verdict is Verdict.BAD_LENGTH
    else:
        assert outcome["payload"] == 40 - 4 * (words - 5)


def test_data_offset_beyond_the_declared_end(dissect: DissectOne) -> None:
    """The bytes are there, as padding, but IP does not declare them."""
    for declared, verdict in ((43, "BAD_LENGTH"), (44, "TCP"), (33, "BAD_LENGTH")):
        segment = header(offset=6, options=bytes(4))
        frame = ethernet(ipv4(*ENDS, segment, total_length=declared)) + bytes(30)
        assert dissect(frame).verdict is Verdict[verdict]
    for declared, verdict in ((23, "BAD_LENGTH"), (24, "TCP")):
        segment = header(offset=6, options=bytes(4))
        frame = ethernet(ipv6(*ENDS_6, segment, payload_length=declared)) + bytes(30)
        assert dissect(frame).verdict is Verdict[verdict]


def test_data_offset_beyond_a_frame_that_declares_nothing(dissect: DissectOne) -> None:
    frame = ethernet(ipv4(*ENDS, header(offset=6), total_length=0))
    assert dissect(frame).verdict is Verdict.BAD_LENGTH
    assert dissect(frame, original=len(frame) + 4)["payload"] == 0
    assert dissect(frame, original=-1)["payload"] == -1


@pytest.mark.parametrize("kept", range(14))
def test_fewer_than_14_bytes_are_cut_short(dissect: DissectOne, kept: int) -> None:
    frame = frame_of(header(), bytes(10))
    assert dissect(frame[: TCP_AT + kept], original=len(frame)).verdict is Verdict.CUT_SHORT


@pytest.mark.parametrize("kept", range(14, 32))
def test_14_bytes_are_enough(dissect: DissectOne, kept: int) -> None:
    """A window that was cut off reads as the widest, not as a closed one."""
    frame = frame_of(header(offset=8, flags=SYN, window=3, options=bytes(12)), bytes(10))
    outcome = dissect(frame[: TCP_AT + kept], original=len(frame))
    assert (outcome["flags"], outcome["payload"], outcome["sequence"]) == (SYN, 10, 1)
    assert outcome["window"] == (3 if kept >= 16 else 65535)


def test_bad_length_of_a_cut_header(dissect: DissectOne) -> None:
    frame = frame_of(header(offset=4))
    assert dissect(frame[: TCP_AT + 14], original=len(frame)).verdict is Verdict.BAD_LENGTH


def test_fingerprint_knows_a_copy(dissect: DissectOne) -> None:
    """What routers and bridges change, and payload and flags, are not part of it."""
    options = bytes(range(12))
    first = header(offset=8, checksum=0x1234, options=options)
    second = header(offset=8, flags=SYN, checksum=0x1234, options=options)
    prints = {
        dissect(ethernet(ipv4(*ENDS, first, ttl=64)))["fingerprint"],
        dissect(ethernet(ipv4(*ENDS, first + b"data", ttl=63), tags=[(0x8100, 7)]))["fingerprint"],
        dissect(ethernet(ipv6(*ENDS_6, second)))["fingerprint"],
    }
    assert len(prints) == 1


def test_fingerprint_tells_every_bit_apart(dissect: DissectOne) -> None:
    """One bit, or two at a time, of window, checksum, urgent pointer and options."""
    tail = bytes(18)
    prints = set()
    flips: list[tuple[int, ...]] = [(), *itertools.combinations(range(8 * len(tail)), 1)]
    chosen = random.Random(1).sample(list(itertools.combinations(range(8 * len(tail)), 2)), 800)
    for flip in [*flips, *chosen]:
        number = sum(1 << bit for bit in flip)
        changed = header(offset=8)[:14] + number.to_bytes(len(tail), "big")
        prints.add(dissect(frame_of(changed))["fingerprint"])
    assert len(prints) == len(flips) + len(chosen)


def test_fingerprint_goes_as_far_as_captured(dissect: DissectOne) -> None:
    """Each further byte that was captured makes another one, to the end of the options."""
    frame = frame_of(header(offset=7, window=1, checksum=2, urgent=3, options=bytes(8)), b"data")
    prints = [
        dissect(frame[: TCP_AT + kept], original=len(frame))["fingerprint"]
        for kept in range(16, 33)
    ]
    assert len(set(prints)) == 28 - 16 + 1
    assert set(prints[28 - 16 :]) == {prints[-1]}


def test_options_may_be_anything(dissect: DissectOne) -> None:
    for options in (NO_OPERATION * 40, END_OF_OPTIONS * 40, b"\xff" * 40):
        assert dissect(frame_of(header(offset=15, options=options), b"x"))["payload"] == 1


def test_largest_payload(dissect: DissectOne) -> None:
    """The column holds 2^31 - 1; a frame without a length may be said to have more."""
    frame = ethernet(ipv4(*ENDS, header(), total_length=0))
    outcome = dissect(frame, original=2**40)
    assert (outcome["payload"], outcome["frame_bytes"]) == (2**31 - 1, 2**31 - 1)


def test_segments_of_the_builder(dissect: DissectOne) -> None:
    segment = tcp(*ENDS, flags=ACK, sequence=2**32 - 1, window=0, payload=b"12345")
    outcome = dissect(ethernet(ipv4(*ENDS, segment)))
    assert (outcome["sequence"], outcome["window"], outcome["payload"]) == (2**32 - 1, 0, 5)
