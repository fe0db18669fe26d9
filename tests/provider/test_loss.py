"""What a segment's bytes are: every kind of retransmission, out of order, probes (SEMANTICS 7).

The handshake of `connected` takes 400 us from SYN to ACK: that is the initial round-trip time.
"""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.batches.segments import ACK, RST
from tests.provider.carried import sent_by
from tests.provider.fired import fired
from tests.provider.talk import Talk, Wire

IRTT_US = 400
SECOND_US = 1_000_000


def retransmissions(wire: Wire) -> list[tuple[Any, ...]]:
    """Packet, kind and bytes seen before."""
    return fired(wire, "retransmit", "kind", "overlap")


def lost_one(talk: Talk, duplicates: int, **how: Any) -> None:
    """A sends three segments; B acknowledges the first, and again so many times."""
    for _ in range(3):
        talk.a.data(100)
    for _ in range(1 + duplicates):
        talk.b.ack(1_101, **how)


# Bytes that were seen before


def test_a_segment_sent_again_without_being_asked_for(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.a.data(100, sequence=1_001, after_us=SECOND_US)
    found = fired(wire, "retransmit", "kind", "sequence", "overlap", "new", "left")
    assert found == [(5, "timeout", 1_001, 100, "ESTABLISHED", "a")]


def test_only_the_bytes_seen_before_are_overlap(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.a.data(250, sequence=1_051)
    connected.b.ack()
    assert retransmissions(wire) == [(5, "timeout", 50)]
    assert sent_by(wire, "a")[2] == 50


@pytest.mark.parametrize(
    ("duplicates", "after_us", "kind"),
    [
        (2, 20_000, "fast"),
        (2, 20_001, "timeout"),  # later than 20 ms after the ACK
        (1, 100, "timeout"),  # asked for by one duplicate only
        (3, 100, "fast"),
    ],
)
def test_fast_needs_two_duplicates_and_twenty_milliseconds(
    wire: Wire, connected: Talk, duplicates: int, after_us: float, kind: str
) -> None:
    lost_one(connected, duplicates)
    connected.a.data(100, sequence=1_101, after_us=after_us)
    assert retransmissions(wire) == [(3 + 3 + 1 + duplicates + 1, kind, 100)]


def test_fast_is_what_the_ack_asks_for(wire: Wire, connected: Talk) -> None:
    """Its sequence number equals the acknowledgment."""
    lost_one(connected, 2)
    connected.a.data(100, sequence=1_201)
    connected.a.data(99, sequence=1_102)
    connected.a.data(100, sequence=1_101)
    assert [kind for _, kind, _ in retransmissions(wire)] == ["timeout", "timeout", "fast"]


@pytest.mark.parametrize(("sack", "kind"), [(True, "fast"), (False, "timeout")])
def test_a_sack_is_evidence_without_duplicates(
    wire: Wire, connected: Talk, sack: bool, kind: str
) -> None:
    lost_one(connected, 0, sack=sack)
    connected.a.data(100, sequence=1_101)
    assert retransmissions(wire) == [(8, kind, 100)]


def test_the_latest_ack_is_the_evidence(wire: Wire, connected: Talk) -> None:
    """A SACK of an earlier ACK, or its duplicates, say nothing once a later one has come."""
    for _ in range(4):
        connected.a.data(100)
    for _ in range(3):
        connected.b.ack(1_101, sack=True)
    connected.b.ack(1_201)
    connected.a.data(100, sequence=1_201)
    assert retransmissions(wire) == [(12, "timeout", 100)]


@pytest.mark.parametrize(
    ("acknowledged", "kind"), [(1_201, "spurious"), (1_200, "timeout"), (1_301, "spurious")]
)
def test_spurious_ends_at_or_below_the_highest_ack(
    wire: Wire, connected: Talk, acknowledged: int, kind: str
) -> None:
    connected.a.data(300)
    connected.b.ack(acknowledged)
    connected.a.data(100, sequence=1_101)
    assert retransmissions(wire) == [(6, kind, 100)]


def test_spurious_is_checked_first(wire: Wire, connected: Talk) -> None:
    """A lower ACK that comes late, with duplicates of the highest one."""
    lost_one(connected, 2)
    connected.b.ack(1_301)
    connected.b.ack(1_101, sack=True)
    connected.a.data(100, sequence=1_101)
    assert retransmissions(wire) == [(12, "spurious", 100)]


def test_acknowledged_by_data_as_well(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.push(5)
    connected.a.push(100, sequence=1_001)
    assert retransmissions(wire) == [(6, "spurious", 100)]


# SYN and FIN


def test_repeats_of_syn_and_syn_ack(wire: Wire, talk: Talk) -> None:
    syn = talk.a.syn()
    wire.again(syn, ip_id=2, after_us=SECOND_US)
    answer = talk.b.syn_ack()
    wire.again(answer, ip_id=2, after_us=SECOND_US)
    found = fired(wire, "retransmit", "kind", "overlap", "sequence", "new", "left")
    assert found == [
        (2, "handshake", 0, 1_000, "SYN-SENT", "a"),
        (4, "handshake", 0, 5_000, "SYN-RECEIVED", "b"),
    ]


def test_the_answers_of_a_simultaneous_open_repeat_nothing(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn()
    talk.a.syn_ack(sequence=1_000)
    talk.b.syn_ack(sequence=5_000)
    assert retransmissions(wire) == []


def test_a_fin_sent_again(wire: Wire, connected: Talk) -> None:
    fin = connected.a.fin()
    wire.again(fin, ip_id=99)
    found = fired(wire, "retransmit", "kind", "overlap", "new")
    assert found == [(5, "handshake", 0, "FIN-WAIT-1")]


def test_a_fin_sent_again_with_its_data_has_bytes(wire: Wire, connected: Talk) -> None:
    fin = connected.a.fin(10)
    wire.again(fin, ip_id=99)
    assert retransmissions(wire) == [(5, "timeout", 10)]


def test_a_fast_open_syn_sent_again_without_its_data(wire: Wire, talk: Talk) -> None:
    talk.a.syn(30)
    talk.a.syn(sequence=1_000, after_us=SECOND_US)
    talk.b.syn_ack(acknowledgment=1_001)
    talk.a.data(30, sequence=1_001)
    assert retransmissions(wire) == [(2, "handshake", 0), (4, "timeout", 30)]


def test_a_rst_is_never_one(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    rst = connected.a.sends(RST | ACK, 20, sequence=1_001)
    wire.again(rst, ip_id=99)
    assert retransmissions(wire) == []


# Holes


def hole(talk: Talk, **how: Any) -> None:
    """A byte range that was not captured, and the segment behind it."""
    talk.a.data(100, seen=False)
    talk.a.data(100, **how)


@pytest.mark.parametrize(
    ("after_us", "late"), [(0, False), (IRTT_US - 1, False), (IRTT_US, True), (SECOND_US, True)]
)
def test_the_initial_rtt_divides_out_of_order_from_unseen(
    wire: Wire, connected: Talk, after_us: float, late: bool
) -> None:
    hole(connected)
    connected.a.data(100, sequence=1_001, after_us=after_us)
    assert retransmissions(wire) == ([(5, "unseen", 0)] if late else [])
    out_of_order = fired(wire, "out-of-order", "sequence", "sent")
    assert out_of_order == ([] if late else [(5, 1_001, "a")])
    assert sent_by(wire, "a") == (2, 200, 0, 0)


@pytest.mark.parametrize(("after_us", "late"), [(2_999, False), (3_000, True)])
def test_three_milliseconds_where_the_initial_rtt_is_unknown(
    wire: Wire, talk: Talk, after_us: float, late: bool
) -> None:
    talk.a.data(10)
    hole(talk)
    talk.a.data(100, sequence=1_010, after_us=after_us)
    assert retransmissions(wire) == ([(3, "unseen", 0)] if late else [])
    assert fired(wire, "out-of-order") == ([] if late else [(3,)])


def test_an_ambiguous_handshake_is_no_initial_rtt(wire: Wire, talk: Talk) -> None:
    """Its SYN was repeated: 3 ms hold."""
    syn = talk.a.syn()
    wire.again(syn, ip_id=9, after_us=SECOND_US)
    talk.b.syn_ack()
    talk.a.ack()
    hole(talk)
    talk.a.data(100, sequence=1_001, after_us=2_999)
    assert fired(wire, "out-of-order") == [(6,)]


def test_the_age_is_that_of_the_hole_not_of_the_latest_segment(wire: Wire, connected: Talk) -> None:
    hole(connected)
    connected.a.data(100, after_us=IRTT_US - 100)
    connected.a.data(100, sequence=1_001, after_us=100)
    assert retransmissions(wire) == [(6, "unseen", 0)]


@pytest.mark.parametrize(("duplicates", "kind"), [(2, []), (3, ["unseen"])])
def test_three_duplicate_acks_are_evidence_of_loss(
    wire: Wire, connected: Talk, duplicates: int, kind: list[str]
) -> None:
    """However young the hole is."""
    connected.a.data(100)
    connected.b.ack()
    hole(connected)
    for _ in range(duplicates):
        connected.b.ack(1_101, after_us=1)
    connected.a.data(100, sequence=1_101, after_us=1)
    assert [each[1] for each in retransmissions(wire)] == kind
    assert len(fired(wire, "out-of-order")) == 1 - len(kind)


def test_duplicate_acks_for_another_hole_say_nothing(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.b.ack()
    hole(connected, after_us=1)
    hole(connected, after_us=1)
    for _ in range(3):
        connected.b.ack(1_101, after_us=1)
    connected.a.data(100, sequence=1_301, after_us=1)
    connected.a.data(100, sequence=1_101, after_us=1)
    assert fired(wire, "out-of-order", "sequence") == [(11, 1_301)]
    assert retransmissions(wire) == [(12, "unseen", 0)]


def test_bytes_already_seen_are_never_out_of_order(wire: Wire, connected: Talk) -> None:
    hole(connected)
    connected.a.data(100, sequence=1_101, after_us=1)
    connected.a.data(101, sequence=1_001, after_us=1)
    assert fired(wire, "out-of-order") == []
    assert retransmissions(wire) == [(5, "timeout", 100), (6, "timeout", 1)]


def test_what_comes_behind_everything_is_neither(wire: Wire, connected: Talk) -> None:
    hole(connected)
    connected.a.data(100, after_us=SECOND_US)
    assert fired(wire, "out-of-order") + retransmissions(wire) == []


def test_a_hole_that_was_acknowledged_and_is_filled_after_all(wire: Wire, connected: Talk) -> None:
    hole(connected)
    connected.b.ack()
    connected.a.data(100, sequence=1_001, after_us=SECOND_US)
    assert retransmissions(wire) == [(6, "unseen", 0)]
    assert sent_by(wire, "a") == (2, 200, 0, 0)


# What captures do to it


@pytest.mark.parametrize(("after_us", "copy"), [(1_000, True), (1_001, False)])
def test_a_copy_of_a_frame_is_no_retransmission(
    wire: Wire, connected: Talk, after_us: float, copy: bool
) -> None:
    """Routed twice: the same IP ID within a millisecond, a TTL lower by one."""
    connected.a.data(100)
    wire.again(after_us=after_us, ttl=63)
    assert retransmissions(wire) == ([] if copy else [(5, "timeout", 100)])


def test_bytes_that_were_acknowledged_but_not_captured_fire_nothing(
    wire: Wire, connected: Talk
) -> None:
    connected.a.data(100, seen=False)
    connected.b.ack()
    connected.a.data(100)
    assert retransmissions(wire) + fired(wire, "out-of-order") == []


def test_an_ack_from_the_future_asks_for_nothing_fast(wire: Wire, connected: Talk) -> None:
    """Time goes back between the duplicate ACKs and what is sent again."""
    lost_one(connected, 2)
    connected.a.data(100, sequence=1_101, after_us=-1)
    assert [kind for _, kind, _ in retransmissions(wire)] == ["timeout"]


def test_data_behind_a_fin(wire: Wire, connected: Talk) -> None:
    connected.a.fin()
    connected.a.data(10)
    assert retransmissions(wire) == []
    connected.a.data(10, sequence=1_002)
    assert retransmissions(wire) == [(6, "timeout", 10)]


@pytest.mark.parametrize(("after_us", "late"), [(2_999, False), (3_000, True)])
def test_bytes_before_the_first_ones_of_a_capture(
    wire: Wire, talk: Talk, after_us: float, late: bool
) -> None:
    """What was sent before them is missing since the capture began."""
    talk.a.data(100, sequence=2_000)
    talk.a.data(100, sequence=1_900, after_us=after_us)
    assert retransmissions(wire) == ([(2, "unseen", 0)] if late else [])
    assert fired(wire, "out-of-order") == ([] if late else [(2,)])


# Sequence numbers that wrap


def test_sequence_numbers_that_wrap_twice(wire: Wire) -> None:
    """9 GiB, and then the last GiB once more."""
    gigabyte = 2**30
    talk = wire.talk(isn=(2**32 - 2, 2**31 - 1))
    talk.handshake()
    for _ in range(9):
        talk.a.push(gigabyte)
        talk.b.ack()
    last = talk.a.next - gigabyte
    talk.a.push(gigabyte, sequence=last)
    talk.a.data(100, seen=False)
    talk.a.data(100)
    talk.a.data(100, sequence=talk.a.next - 200, after_us=1)
    assert fired(wire, "retransmit", "kind", "sequence", "overlap") == [
        (22, "spurious", last % 2**32, gigabyte)
    ]
    assert fired(wire, "out-of-order", "sequence") == [(24, (last + gigabyte) % 2**32)]
    assert sent_by(wire, "a") == (12, 9 * gigabyte + 200, gigabyte, 0)
    assert len(fired(wire, "rtt-sample", "kind")) == 4 + 9
