"""Round-trip times: handshake, ack and timestamp, never mixed (SEMANTICS 8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.provider.fired import fired
from tests.provider.talk import Talk, Wire

SECOND_US = 1_000_000


def samples(wire: Wire, *kinds: str) -> list[tuple[Any, ...]]:
    """Packet, method, the end that sent what was answered, and microseconds."""
    found = fired(wire, "rtt-sample", "kind", "left", "elapsed_us")
    return [each for each in found if each[1] in kinds]


HANDSHAKE = ("syn", "synack", "irtt")


# The handshake


def test_the_halves_of_a_handshake_and_their_sum(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack(after_us=30_000)
    talk.a.ack(after_us=12_000)
    talk.a.data(10)
    assert samples(wire, *HANDSHAKE) == [
        (2, "syn", "a", 30_000),
        (3, "synack", "b", 12_000),
        (3, "irtt", "a", 42_000),
        (3, "irtt", "b", 42_000),
    ]


def test_data_may_complete_the_handshake(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack(after_us=30_000)
    talk.a.push(10, after_us=12_000)
    assert [each[3] for each in samples(wire, "synack", "irtt")] == [12_000, 42_000, 42_000]


def test_without_the_syn_there_is_one_half(wire: Wire, talk: Talk) -> None:
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.a.ack(after_us=12_000)
    assert samples(wire, *HANDSHAKE) == [(2, "synack", "b", 12_000)]


def test_a_handshake_that_is_refused_or_not_answered_has_none(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.rst(after_us=SECOND_US)
    assert samples(wire, *HANDSHAKE) == []


def test_a_time_that_goes_back_is_no_sample(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack(after_us=-1)
    talk.a.ack(after_us=-1)
    assert samples(wire, *HANDSHAKE) == []


# First and second SYN, and its answer, 1 s apart and 50 ms later.
@pytest.mark.parametrize(
    ("first", "second", "echo", "measured_us"),
    [
        (10, 1_010, 10, 1_050_000),
        (10, 1_010, 1_010, 50_000),
        (10, 1_010, 500, None),  # of neither
        (10, 10, 10, None),  # of both
        (None, None, None, None),
    ],
)
def test_a_repeated_syn_is_ambiguous_unless_its_timestamp_decides(
    wire: Wire,
    talk: Talk,
    first: int | None,
    second: int | None,
    echo: int | None,
    measured_us: int | None,
) -> None:
    stamps = {} if echo is None else {"tsval": 7, "tsecr": echo}
    talk.a.syn(tsval=first)
    talk.a.syn(sequence=1_000, tsval=second, after_us=SECOND_US)
    talk.b.syn_ack(after_us=50_000, **stamps)
    talk.a.ack(after_us=1_000)
    found = [(kind, us) for _, kind, _, us in samples(wire, *HANDSHAKE)]
    if measured_us is None:
        assert found == [("synack", 1_000)]
    else:
        whole = measured_us + 1_000
        expected = [("syn", measured_us), ("synack", 1_000), ("irtt", whole), ("irtt", whole)]
        assert found == expected


@pytest.mark.parametrize(
    ("first", "second", "echo", "measured_us"),
    [
        (10, 1_010, 10, 1_050_000),
        (10, 1_010, 1_010, 50_000),
        (10, 1_010, 500, None),
        (10, 10, 10, None),
        (None, None, None, None),
    ],
)
def test_a_repeated_syn_ack_likewise(
    wire: Wire,
    talk: Talk,
    first: int | None,
    second: int | None,
    echo: int | None,
    measured_us: int | None,
) -> None:
    stamps = {} if echo is None else {"tsval": 7, "tsecr": echo}
    talk.a.syn()
    talk.b.syn_ack(after_us=3_000, tsval=first)
    talk.b.syn_ack(sequence=5_000, tsval=second, after_us=SECOND_US)
    talk.a.ack(after_us=50_000, **stamps)
    found = [(kind, us) for _, kind, _, us in samples(wire, *HANDSHAKE)]
    if measured_us is None:
        assert found == [("syn", 3_000)]
    else:
        whole = measured_us + 3_000
        expected = [("syn", 3_000), ("synack", measured_us), ("irtt", whole), ("irtt", whole)]
        assert found == expected


# A segment and its ACK


def test_an_ack_of_a_segments_end(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.b.ack(after_us=5_000)
    connected.b.push(30)
    connected.a.push(40, after_us=7_000)
    assert samples(wire, "ack") == [(5, "ack", "a", 5_000), (7, "ack", "b", 7_000)]


def test_one_sample_for_an_ack_of_several_segments(wire: Wire, connected: Talk) -> None:
    """Of the one whose exact end it is."""
    connected.a.data(100)
    connected.a.data(100, after_us=1_000)
    connected.b.ack(after_us=5_000)
    connected.b.ack(after_us=1_000)
    assert samples(wire, "ack") == [(6, "ack", "a", 5_000)]


def test_an_ack_within_a_segment_measures_nothing(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.b.ack(1_050, after_us=5_000)
    assert samples(wire, "ack") == []
    connected.b.ack(1_101, after_us=1_000)
    assert samples(wire, "ack") == [(6, "ack", "a", 6_000)]


def test_karn_a_segment_sent_twice_is_never_measured(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.a.data(100, sequence=1_001, after_us=SECOND_US)
    connected.b.ack()
    assert samples(wire, "ack") == []


def test_a_segment_behind_one_that_was_sent_twice_waits_for_it(wire: Wire, connected: Talk) -> None:
    """Its ACK may have waited for the retransmission: no sample, sent before it or after it."""
    connected.a.data(100)
    connected.a.data(100)
    connected.a.data(100, sequence=1_001, after_us=SECOND_US)
    connected.a.data(100)
    connected.b.ack(after_us=5_000)
    assert samples(wire, "ack") == []
    connected.a.data(100)
    connected.b.ack(after_us=4_000)
    assert samples(wire, "ack") == [(10, "ack", "a", 4_000)]


def test_a_segment_behind_it_is_measured_once_the_retransmission_is_acknowledged(
    wire: Wire, connected: Talk
) -> None:
    connected.a.data(100)
    connected.a.data(100, sequence=1_001, after_us=SECOND_US)
    connected.a.data(100)
    connected.b.ack(1_101, after_us=2_000)
    connected.b.ack(1_201, after_us=1_000)
    assert samples(wire, "ack") == [(8, "ack", "a", 3_000)]


def test_a_filled_hole_is_no_sample(wire: Wire, connected: Talk) -> None:
    connected.a.data(100, seen=False)
    connected.a.data(100)
    connected.a.data(100, sequence=1_001)
    connected.b.ack(1_101)
    assert samples(wire, "ack") == []


def test_a_fin_belongs_to_the_segments_end(wire: Wire, connected: Talk) -> None:
    connected.a.fin(10)
    connected.b.ack(after_us=900)
    assert samples(wire, "ack") == [(5, "ack", "a", 900)]


def test_a_keep_alive_and_a_pure_ack_wait_for_nothing(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.b.ack()
    connected.a.data(1, sequence=1_100)
    connected.b.ack()
    connected.a.ack()
    connected.b.ack()
    assert len(samples(wire, "ack")) == 1


# A timestamp and its echo


def test_a_timestamp_and_its_first_echo(wire: Wire, connected: Talk) -> None:
    connected.a.data(100, tsval=10)
    connected.a.data(100, tsval=10)
    connected.b.ack(1_101, tsval=500, tsecr=10, after_us=7_000)
    connected.b.ack(1_201, tsval=500, tsecr=10)
    assert samples(wire, "timestamp") == [(6, "timestamp", "a", 7_200)]


def test_a_pure_acks_timestamp_is_not_timed(wire: Wire, connected: Talk) -> None:
    """It may be echoed much later."""
    connected.a.ack(tsval=10)
    connected.b.data(100, tsval=500, tsecr=10, after_us=SECOND_US)
    connected.a.ack(tsval=11, tsecr=500, after_us=3_000)
    assert samples(wire, "timestamp") == [(6, "timestamp", "b", 3_000)]


def test_syn_and_fin_are_timed(wire: Wire, talk: Talk) -> None:
    talk.a.syn(tsval=1)
    talk.b.syn_ack(tsval=90, tsecr=1, after_us=4_000)
    talk.a.ack(tsval=2, tsecr=90, after_us=2_000)
    talk.a.fin(tsval=3, tsecr=90)
    talk.b.ack(tsval=91, tsecr=3, after_us=1_000)
    assert samples(wire, "timestamp") == [
        (2, "timestamp", "a", 4_000),
        (3, "timestamp", "b", 2_000),
        (5, "timestamp", "a", 1_000),
    ]


def test_a_retransmission_is_measured_by_its_own_timestamp(wire: Wire, connected: Talk) -> None:
    connected.a.data(100, tsval=10)
    connected.a.data(100, sequence=1_001, tsval=20, after_us=SECOND_US)
    connected.b.ack(tsval=500, tsecr=20, after_us=3_000)
    assert samples(wire, "timestamp") == [(6, "timestamp", "a", 3_000)]
    assert samples(wire, "ack") == []


def test_midstream_and_across_the_end_of_the_numbers(wire: Wire, talk: Talk) -> None:
    talk.a.data(100, tsval=2**32 - 1)
    talk.a.data(100, tsval=5)
    talk.b.ack(1_100, tsval=9, tsecr=2**32 - 1)
    talk.b.ack(1_200, tsval=9, tsecr=5)
    assert samples(wire, "timestamp") == [
        (3, "timestamp", "a", 400),
        (4, "timestamp", "a", 400),
    ]


def test_without_the_option_there_is_nothing_to_echo(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.b.ack(tsval=500, tsecr=0)
    assert samples(wire, "timestamp") == []


def test_the_methods_are_independent(wire: Wire, connected: Talk) -> None:
    connected.a.data(100, tsval=1)
    connected.b.ack(tsval=2, tsecr=1, after_us=8_000)
    assert samples(wire, "ack", "timestamp") == [
        (5, "ack", "a", 8_000),
        (5, "timestamp", "a", 8_000),
    ]
