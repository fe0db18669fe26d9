"""TCP options: timestamps and SACK, however they are placed, cut or malformed (RFC 7323, 2018)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.make.frames import ACK, Endpoint, ipv4
from captures.make.link_headers import ethernet
from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.batches.segments import OPTION_SACK, OPTION_TIMESTAMPS
from tests.dissect.one_frame import ETHERNET, DissectOne, batch_of

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
ACKNOWLEDGED = 1_000
NO_OPERATION, END_OF_OPTIONS = b"\1", b"\0"
MAXIMUM_SEGMENT_SIZE = b"\2\4\5\xb4"
SACK_PERMITTED = b"\4\2"
HEADERS = 14 + 20 + 20


def timestamps(value: int, echo: int) -> bytes:
    return struct.pack(">BBII", 8, 10, value, echo)


def sack(*blocks: tuple[int, int]) -> bytes:
    numbers = [number for block in blocks for number in block]
    return struct.pack(f">BB{len(numbers)}I", 5, 2 + 4 * len(numbers), *numbers)


def frame_of(options: bytes, flags: int = ACK) -> bytes:
    """A segment with these options, padded to a whole number of words by END_OF_OPTIONS."""
    padded = options + END_OF_OPTIONS * (-len(options) % 4)
    offset = 5 + len(padded) // 4
    numbers = struct.pack(">HHII", 40000, 443, 7, ACKNOWLEDGED)
    rest = struct.pack(">HHHH", offset << 12 | flags, 512, 0, 0)
    return ethernet(ipv4(*ENDS, numbers + rest + padded))


def read(
    dissect: DissectOne, frame: bytes, *, captured: int | None = None, asked: bool = True
) -> tuple[int, int, int]:
    """Option bits, TSval, TSecr; `captured` cuts the frame."""
    dissector = dissect.package.Dissector(1, options=asked)
    kept = frame if captured is None else frame[:captured]
    batch = batch_of([kept], originals=[len(frame)])
    segments, _ = dissector.dissect(batch, [CaptureInterface(ETHERNET)])
    (row,) = segments
    return int(row["options"]), int(row["tsval"]), int(row["tsecr"])


@pytest.mark.parametrize(
    "options",
    [
        timestamps(0x89ABCDEF, 0xFEDCBA98),
        NO_OPERATION * 2 + timestamps(0x89ABCDEF, 0xFEDCBA98),
        MAXIMUM_SEGMENT_SIZE + SACK_PERMITTED + timestamps(0x89ABCDEF, 0xFEDCBA98),
        timestamps(0x89ABCDEF, 0xFEDCBA98) + NO_OPERATION + b"\3\3\7",
        b"\xfd\6abcd" + timestamps(0x89ABCDEF, 0xFEDCBA98),
    ],
    ids=["alone", "aligned", "as on a SYN", "first of several", "behind an unknown one"],
)
def test_timestamps(dissect: DissectOne, options: bytes) -> None:
    assert read(dissect, frame_of(options)) == (OPTION_TIMESTAMPS, 0x89ABCDEF, 0xFEDCBA98)


@pytest.mark.parametrize(
    ("blocks", "evidence"),
    [
        ([(1_100, 1_200)], True),
        ([(1_001, 1_002)], True),
        ([(900, 1_000)], False),  # RFC 2883: bytes that came twice
        ([(900, 1_000), (1_500, 1_600)], True),
        ([(1_000, 1_100)], False),  # begins where the acknowledgment is: nothing is missing
        ([], False),
    ],
)
def test_a_sack_is_evidence_when_it_is_above_the_acknowledgment(
    dissect: DissectOne, blocks: list[tuple[int, int]], evidence: bool
) -> None:
    bits, _, _ = read(dissect, frame_of(sack(*blocks)))
    assert bits == (OPTION_SACK if evidence else 0)


def test_both(dissect: DissectOne) -> None:
    options = NO_OPERATION * 2 + timestamps(1, 2) + NO_OPERATION * 2 + sack((1_100, 1_200))
    assert read(dissect, frame_of(options)) == (OPTION_TIMESTAMPS | OPTION_SACK, 1, 2)


def test_sack_permitted_says_nothing_of_bytes(dissect: DissectOne) -> None:
    assert read(dissect, frame_of(SACK_PERMITTED))[0] == 0


def test_a_sack_without_ack_says_nothing(dissect: DissectOne) -> None:
    assert read(dissect, frame_of(sack((1_100, 1_200)), flags=0))[0] == 0


@pytest.mark.parametrize(
    "options",
    [
        END_OF_OPTIONS + timestamps(1, 2),
        b"\x02\x00" + timestamps(1, 2),  # a length of 0
        b"\x02\x01" + timestamps(1, 2),  # of 1
        b"\x02\x28" + timestamps(1, 2),  # beyond the header
        b"\x08\x08" + bytes(6),  # timestamps of another length
        b"",
    ],
)
def test_what_follows_the_end_or_is_malformed_is_not_read(
    dissect: DissectOne, options: bytes
) -> None:
    assert read(dissect, frame_of(options)) == (0, 0, 0)


@pytest.mark.parametrize("captured", range(HEADERS - 6, HEADERS + 13))
def test_what_was_not_captured_is_not_read(dissect: DissectOne, captured: int) -> None:
    """Behind the frame in memory stand other bytes: none of them may be seen."""
    frame = frame_of(NO_OPERATION * 2 + timestamps(1, 2))
    whole = captured >= HEADERS + 12
    expected = (OPTION_TIMESTAMPS, 1, 2) if whole else (0, 0, 0)
    assert read(dissect, frame, captured=captured) == expected


def test_only_where_asked_for(dissect: DissectOne) -> None:
    frame = frame_of(timestamps(1, 2) + sack((1_100, 1_200)))
    assert read(dissect, frame, asked=False) == (0, 0, 0)


@given(st.binary(max_size=40))
def test_any_bytes_are_options(
    compiled_dissect: DissectOne, interpreted_dissect: DissectOne, options: bytes
) -> None:
    found = read(compiled_dissect, frame_of(options))
    assert found == read(interpreted_dissect, frame_of(options))
    assert found[0] & ~(OPTION_TIMESTAMPS | OPTION_SACK) == 0
    if not found[0] & OPTION_TIMESTAMPS:
        assert found[1:] == (0, 0)


@pytest.fixture(scope="session")
def compiled_dissect(request: pytest.FixtureRequest) -> DissectOne:
    """One frame through the compiled kernels."""
    return DissectOne(request.getfixturevalue("compiled"))


@pytest.fixture(scope="session")
def interpreted_dissect(request: pytest.FixtureRequest) -> DissectOne:
    """The same through plain functions."""
    return DissectOne(request.getfixturevalue("interpreted"))
