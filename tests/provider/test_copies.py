"""Frames captured twice: what makes a copy, and what it counts for (SEMANTICS 7)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tcpsnoop.batches.segments import ACK, PUSH
from tcpsnoop.provider.copies import HEARD_BITS, REMEMBERED
from tests.provider.talk import CLIENT_6, SERVER_6, START_NS, Endpoint, Sent, Wire, rows
from tests.provider.tracked import ALL, Fired, feed, feed_rows, finish, make_tracker, track


def copies(sent: list[Sent], **how: Any) -> list[int]:
    """The packets that are copies."""
    fired = track(sent, "duplicate-frame", **how)
    assert all(each.duplicate for each in fired)
    return [each.packet for each in fired]


def twice(after_us: float, *, ipv6: bool = False, **changed: Any) -> list[int]:
    """Whether the second of two segments with data, changed so, is a copy: [2] or []."""
    wire = Wire()
    talk = wire.talk(CLIENT_6, SERVER_6) if ipv6 else wire.talk()
    talk.a.push(100)
    wire.again(after_us=after_us, **changed)
    return copies(wire.sent)


@pytest.mark.parametrize(("after_us", "copy"), [(0, True), (1_000, True), (1_000.001, False)])
def test_the_same_identification_within_a_millisecond(after_us: float, copy: bool) -> None:
    assert twice(after_us) == ([2] if copy else [])
    assert twice(-after_us) == ([2] if copy else [])


@pytest.mark.parametrize(("after_us", "copy"), [(0, True), (50, True), (50.001, False)])
def test_no_identification_within_50_microseconds(after_us: float, copy: bool) -> None:
    assert twice(after_us, ipv6=True) == ([2] if copy else [])
    wire = Wire()
    talk = wire.talk()
    talk.a.push(100, ip_id=0)
    wire.again(after_us=after_us)
    assert copies(wire.sent) == ([2] if copy else [])


@pytest.mark.parametrize(("after_us", "copy"), [(0, True), (1_000, True), (1_000.001, False)])
@pytest.mark.parametrize("ipv6", [False, True])
def test_another_path_within_a_millisecond(after_us: float, copy: bool, ipv6: bool) -> None:
    assert twice(after_us, ipv6=ipv6, path=1) == ([2] if copy else [])


@pytest.mark.parametrize(
    "changed",
    [
        {"sequence": 1_001},
        {"acknowledgment": 4_999},
        {"flags": ACK},
        {"flags": ACK | PUSH | 0x40},
        {"flags": ACK | PUSH | 0x100},
        {"payload": 99},
        {"fingerprint": 1},  # window, checksum or options
        {"ttl": 65},
    ],
)
@pytest.mark.parametrize("path", [0, 1])
def test_what_must_be_the_same(changed: dict[str, Any], path: int) -> None:
    assert twice(10, path=path, **changed) == []


def test_the_time_to_live_may_be_lower() -> None:
    assert twice(10, ttl=63) == [2]
    assert twice(10, ttl=1) == [2]


def test_another_identification_on_the_same_path_is_a_retransmission() -> None:
    assert twice(10, ip_id=2) == []
    assert twice(10, ip_id=0) == []
    assert twice(10, ip_id=2, path=1) == [2]


def test_the_other_direction_is_no_copy() -> None:
    wire = Wire()
    talk = wire.talk(isn=(1_000, 1_000))
    talk.a.ack(ip_id=7)
    talk.b.ack(ip_id=7, after_us=1)
    assert copies(wire.sent) == []


def test_another_connection_is_no_copy() -> None:
    wire = Wire()
    wire.talk().a.ack(ip_id=7)
    wire.talk(Endpoint("192.0.2.10", 50_000)).a.ack(ip_id=7, after_us=1)
    assert copies(wire.sent) == []


@pytest.mark.parametrize("between", range(10))
def test_the_last_eight_segments_of_the_direction_are_compared(between: int) -> None:
    wire = Wire()
    talk = wire.talk()
    first = talk.a.push(100)
    for _ in range(between):
        talk.a.push(100, after_us=1)
        talk.b.ack(after_us=1)
    wire.again(first, after_us=1)
    assert copies(wire.sent) == ([len(wire.sent)] if between < 8 else [])


def test_copies_do_not_push_segments_out_of_the_last_eight() -> None:
    wire = Wire()
    talk = wire.talk()
    first = talk.a.push(100)
    second = talk.a.push(100, after_us=1)
    for _ in range(20):
        wire.again(second, after_us=1)
    wire.again(first, after_us=1)
    assert copies(wire.sent) == list(range(3, 24))


def test_segments_of_others_in_between_do_not_count() -> None:
    wire = Wire()
    talk, other = wire.talk(), wire.talk(Endpoint("192.0.2.10", 50_000))
    first = talk.a.push(100)
    for _ in range(500):
        other.a.push(100, after_us=1)
    wire.again(first, after_us=1)
    assert copies(wire.sent) == [len(wire.sent)]


def test_what_was_forgotten_is_no_copy_and_no_confusion() -> None:
    """As many are remembered as a millisecond has at any rate: these times are impossible."""
    wire = Wire()
    talk, other = wire.talk(), wire.talk(Endpoint("192.0.2.10", 50_000))
    first = talk.a.push(100)
    filler = other.a.push(100, after_us=0)
    for number in range(REMEMBERED - 2):
        wire.again(filler, after_us=0, ip_id=2 + number % 60_000, path=0)
    wire.again(first, after_us=0)
    assert len(wire.sent) in copies(wire.sent)
    wire.sent.pop()
    for number in range(3):
        wire.again(filler, after_us=0, ip_id=20_000 + number)
    wire.again(first, after_us=0)
    assert len(wire.sent) not in copies(wire.sent)


@pytest.mark.parametrize("other", ["connection", "direction"])
def test_what_is_remembered_of_others_is_not_compared(other: str) -> None:
    """The place of a segment was taken by one that looks like the retransmission after it."""
    wire = Wire()
    talk = wire.talk(isn=(1_000, 1_000))
    stranger = wire.talk(Endpoint("192.0.2.10", 50_000))
    first = talk.a.ack(after_us=0)
    filler = stranger.a.push(100, after_us=0)
    for number in range(REMEMBERED - 2):
        wire.again(filler, after_us=0, ip_id=2 + number % 60_000)
    ends = {"source": stranger.a.endpoint, "destination": stranger.b.endpoint}
    if other == "direction":
        ends = {"source": first.destination, "destination": first.source}
    wire.again(first, after_us=0, ip_id=7, **ends)
    wire.again(first, after_us=0, ip_id=7)
    assert len(wire.sent) not in copies(wire.sent)


def test_batches_that_are_over_are_remembered_as_this_one() -> None:
    """As many of them as without batches."""
    wire = Wire()
    talk, other = wire.talk(), wire.talk(Endpoint("192.0.2.10", 50_000))
    expected = []
    for gap in (0, 3, REMEMBERED - 1, REMEMBERED):
        first = talk.a.push(100, after_us=5_000)
        for number in range(gap):
            other.a.push(100, after_us=0, ip_id=1 + number % 60_000)
        wire.again(first, after_us=10)
        if gap < REMEMBERED:
            expected.append(len(wire.sent))
    segments = rows(wire.sent)
    for sizes in ([], [1, 1, 1, 1, 1, 7, REMEMBERED - 3, 5_000]):
        tracker = make_tracker(("duplicate-frame",))
        found = [*feed_rows(tracker, segments, sizes), *finish(tracker)]
        assert [each.packet for each in found] == expected, sizes


@pytest.mark.parametrize(("late_us", "copy"), [(15_900, True), (16_100, False)])
@pytest.mark.parametrize("sizes", [[], [1, 1, 1], [2]])
def test_how_far_times_may_go_backwards(late_us: int, copy: bool, sizes: list[int]) -> None:
    """By sixteen milliseconds, whether a batch ends between or not."""
    wire = Wire()
    talk = wire.talk()
    other = wire.talk(Endpoint("192.0.2.10", 50_000))
    first = talk.a.push(100)
    other.a.push(100, after_us=late_us)
    wire.again(first, after_us=10 - late_us)
    segments = rows(wire.sent)
    segments["clock_ns"] = np.maximum.accumulate(segments["time_ns"])
    tracker = make_tracker(("duplicate-frame",))
    found = [*feed_rows(tracker, segments, sizes), *finish(tracker)]
    assert [each.packet for each in found] == ([3] if copy else [])


def test_times_that_go_backwards() -> None:
    """The segment between is far away in time, not in order."""
    wire = Wire()
    talk = wire.talk()
    first = talk.a.push(100)
    talk.a.push(100, after_us=5_000)
    wire.again(first, after_us=-4_500)
    assert copies(wire.sent) == [3]


def test_a_millisecond_is_one_wherever_it_begins() -> None:
    """Capture times are first compared in units of their own."""
    for phase in range(0, 1 << HEARD_BITS, 997):
        wire = Wire()
        wire.time_ns = (START_NS >> HEARD_BITS << HEARD_BITS) + phase
        talk = wire.talk()
        talk.a.push(100)
        wire.again(after_us=1_000)
        wire.again(after_us=1_000.001)
        assert copies(wire.sent) == [2]


def test_a_clock_of_any_time_finds_copies() -> None:
    """What is kept of it is its lowest bits."""
    for time_ns in (0, -1, 1 << 52, -(1 << 52), (1 << 62) - 10_000_000, -(1 << 62)):
        wire = Wire()
        wire.time_ns = time_ns
        talk = wire.talk()
        talk.a.push(100)
        wire.again(after_us=500)
        assert copies(wire.sent) == [2]


def test_the_first_segment_of_a_connection_can_be_copied() -> None:
    wire = Wire()
    talk = wire.talk()
    talk.a.syn()
    wire.again(after_us=10)
    talk.b.syn_ack()
    talk.a.ack()
    fired = track(wire.sent, "connect-request", "connect-established", "duplicate-frame")
    assert [(each.probe, each.packet) for each in fired] == [
        ("connect-request", 1),
        ("duplicate-frame", 2),
        ("connect-established", 3),
    ]


def test_a_copy_of_a_syn_after_close_begins_nothing() -> None:
    wire = Wire()
    talk = wire.talk()
    talk.a.syn()
    talk.b.rst(after_us=10)
    wire.again(wire.sent[0], after_us=10)
    assert {each.connection for each in track(wire.sent)} == {1}


def test_a_new_connection_of_the_same_ports_knows_no_copies_of_the_old_one() -> None:
    wire = Wire()
    talk = wire.talk()
    talk.a.syn()
    talk.b.rst(after_us=10)
    wire.again(wire.sent[0], after_us=10, ip_id=9)
    assert {each.connection for each in track(wire.sent)} == {1, 2}


def doubled(sent: list[Sent]) -> list[Sent]:
    """Every frame once more, 12 µs later, where a bridge sent it on."""
    pairs = (
        (each, Sent(**{**vars(each), "time_ns": each.time_ns + 12_000, "path": 1})) for each in sent
    )
    return [each for pair in pairs for each in pair]


def test_a_copy_fires_send_receive_and_duplicate_frame_and_counts_nowhere() -> None:
    wire = Wire()
    talk = wire.talk()
    talk.handshake()
    talk.a.push(100)
    talk.b.data(700)
    talk.b.push(60)
    talk.a.ack()
    talk.close()
    plain = track(wire.sent, local=["192.0.2.10"])
    both = track(doubled(wire.sent), local=["192.0.2.10"])

    def without_packet(fired: list[Fired]) -> list[Fired]:
        return [each._replace(packet=0) for each in fired if not each.duplicate]

    assert without_packet(both) == without_packet(plain)
    extra = [each for each in both if each.duplicate]
    assert [each.probe for each in extra] == [
        name
        for each in plain
        if each.probe in ("send", "receive")
        for name in (each.probe, "duplicate-frame")
    ]
    sizes = [each.bytes for each in plain if each.probe in ("send", "receive")]
    assert [each.bytes for each in extra[::2]] == sizes == [each.bytes for each in extra[1::2]]
    assert all(each.packet % 2 == 0 for each in extra)


def test_copies_are_counted() -> None:
    wire = Wire()
    wire.talk().handshake()
    tracker = make_tracker(["accept-established"])
    fired = [*feed(tracker, doubled(wire.sent)), *finish(tracker)]
    assert [each.probe for each in fired] == ["accept-established"]
    assert tracker.duplicates == 3


def test_both_ends_see_a_copy_on_loopback() -> None:
    wire = Wire()
    wire.talk(Endpoint("127.0.0.1", 5), Endpoint("127.0.0.1", 6)).a.push(10)
    wire.again(after_us=1, path=1)
    fired = [each for each in track(wire.sent, *ALL) if each.duplicate]
    assert [(each.probe, each.left, each.direction) for each in fired] == [
        ("send", "127.0.0.1 5", "->"),
        ("receive", "127.0.0.1 6", "<-"),
        ("duplicate-frame", "127.0.0.1 5", "->"),
        ("duplicate-frame", "127.0.0.1 6", "<-"),
    ]
