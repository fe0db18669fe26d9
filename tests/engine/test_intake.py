"""From packets to segments: stop rules, filters by link type, what is counted on the way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from captures.make.frames import ACK, UDP, Endpoint, ip, ipv4, tcp, udp
from captures.make.link_headers import ethernet
from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.engine.intake import Intake
from tcpsnoop.errors import UsageError
from tcpsnoop.sources.memory import MemorySource

ETHERNET, RAW, UNKNOWN = 1, 101, 147
MILLISECOND = 1_000_000
HERE, THERE = Endpoint("192.0.2.1", 1000), Endpoint("198.51.100.1", 80)


def segment(port: int = 80) -> bytes:
    there = Endpoint(THERE.address, port)
    return ip(HERE, there, tcp(HERE, there, flags=ACK))


def datagram() -> bytes:
    return ipv4(HERE, THERE, udp(HERE, THERE, b"x"), protocol=UDP)


def tagged() -> bytes:
    frame = ethernet(segment())
    return frame[:12] + b"\x81\x00\x00\x07" + frame[12:]


def intake_of(
    frames: Sequence[bytes],
    expression: str = "",
    *,
    count: int | None = None,
    duration_ms: float | None = None,
    link_types: int | Sequence[int] = RAW,
    batch_size: int = 100,
    keep_frames: bool = False,
) -> Intake:
    """Of packets a millisecond apart."""
    duration = None if duration_ms is None else round(duration_ms * MILLISECOND)
    source = MemorySource(frames, link_types=link_types, batch_size=batch_size)
    return Intake(source, expression, count, duration, keep_frames)


def drained(intake: Intake) -> list[int]:
    """The packet numbers of all segments."""
    dissector, packets = Dissector(100), []
    while not intake.ended:
        batch = intake.step(dissector, 0.1)
        if batch is not None:
            packets += batch.segments["packet"].tolist()
    assert intake.step(dissector, 0.1) is None
    return packets


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_everything_without_rules(batch_size: int) -> None:
    intake = intake_of([segment(), datagram(), segment()], batch_size=batch_size)
    assert drained(intake) == [1, 3]
    assert (intake.tally.packets, intake.tally.passed) == (3, 3)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_count_takes_packets_that_pass_tcp_or_not(batch_size: int) -> None:
    frames = [segment(), datagram(), segment(), segment()]
    intake = intake_of(frames, count=3, batch_size=batch_size)
    assert drained(intake) == [1, 3]
    assert (intake.tally.packets, intake.tally.passed) == (3, 3)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_count_and_filter(batch_size: int) -> None:
    frames = [segment(), segment(81), datagram(), segment(), segment(), segment(81)]
    intake = intake_of(frames, "port 80", count=3, batch_size=batch_size)
    # The first three that pass: a segment, the datagram, a segment; the fifth was not looked at.
    assert drained(intake) == [1, 4]
    assert (intake.tally.packets, intake.tally.passed) == (4, 3)


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_duration_ends_before_the_first_packet_that_is_late(batch_size: int) -> None:
    for duration_ms, expected in ((3, [1, 2, 3]), (3.001, [1, 2, 3, 4]), (0.5, [1]), (99, 7)):
        intake = intake_of([segment()] * 7, duration_ms=duration_ms, batch_size=batch_size)
        packets = drained(intake)
        assert packets == (expected if isinstance(expected, list) else list(range(1, expected + 1)))


def test_a_filter_is_compiled_for_each_link_type() -> None:
    frames = [ethernet(segment()), segment(81), segment(), ethernet(segment(81))]
    intake = intake_of(frames, "tcp port 81", link_types=[ETHERNET, RAW, RAW, ETHERNET])
    assert drained(intake) == [2, 4]
    assert (intake.tally.packets, intake.tally.passed, intake.tally.unfilterable) == (4, 2, 0)


def test_what_libpcap_cannot_filter_does_not_pass_and_is_counted() -> None:
    frames = [segment(), b"\0" * 40, segment()]
    link_types = [RAW, UNKNOWN, RAW]
    intake = intake_of(frames, "tcp", link_types=link_types)
    assert drained(intake) == [1, 3]
    assert (intake.tally.passed, intake.tally.unfilterable) == (2, 1)
    without = intake_of(frames, link_types=link_types)
    assert drained(without) == [1, 3]
    assert without.tally.unsupported == {UNKNOWN: 1}


def test_a_wrong_filter_is_refused() -> None:
    with pytest.raises(UsageError, match="filter"):
        drained(intake_of([segment()], "tcp prot 80"))


def test_tags_that_a_filter_did_not_look_behind_are_noticed() -> None:
    for expression, noticed in (("tcp", True), ("vlan and tcp", False), ("", False)):
        intake = intake_of([ethernet(segment()), tagged()], expression, link_types=ETHERNET)
        drained(intake)
        # With `vlan` the packet passes; the other one, which has no tag, is no reason.
        assert intake.tally.tagged == noticed, expression


def test_a_frame_too_short_for_a_tag_is_no_reason_to_look_behind_it() -> None:
    intake = intake_of([b"\0" * 13, ethernet(segment())], "tcp", link_types=ETHERNET)
    assert drained(intake) == [2]
    assert not intake.tally.tagged


def test_frames_come_along_only_if_asked_for() -> None:
    for keep in (False, True):
        batch = intake_of([segment()], keep_frames=keep).step(Dissector(9), 0.1)
        assert batch is not None
        assert (batch.packets is not None) == keep


def test_each_segment_has_its_capture_time() -> None:
    source = MemorySource([segment()] * 3, [5, 9, 7], link_types=RAW)
    batch = Intake(source).step(Dissector(9), 0.1)
    assert batch is not None
    assert batch.segments["clock_ns"].tolist() == [5, 9, 9]
    assert batch.first_ns == 5
