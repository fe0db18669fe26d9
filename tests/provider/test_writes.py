"""Writes as the wire shows them: what ends one, what belongs to it (SEMANTICS 9)."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.segments import ACK, FIN, PUSH
from tests.provider.carried import sent_by, writes
from tests.provider.talk import Talk, Wire
from tests.provider.tracked import track


def test_a_write_ends_with_push(wire: Wire, connected: Talk) -> None:
    connected.a.data(1_000)
    connected.b.ack()
    connected.a.data(1_000)
    connected.a.push(500)
    connected.a.push(7)
    assert writes(wire) == [("a", 2_500), ("a", 7)]
    fired = track(wire.sent, "write")
    assert [(each.packet, each.direction, each.flags) for each in fired] == [
        (7, "->", ACK | PUSH),
        (8, "->", ACK | PUSH),
    ]


@pytest.mark.parametrize("on_data", [False, True])
def test_a_write_ends_with_fin(wire: Wire, connected: Talk, on_data: bool) -> None:
    connected.a.data(100)
    connected.a.fin(50 if on_data else 0)
    assert writes(wire) == [("a", 150 if on_data else 100)]


def test_a_write_ends_with_data_the_other_way(wire: Wire, connected: Talk) -> None:
    """Before the write that the other data begins and ends."""
    connected.a.data(600)
    connected.b.ack()
    assert writes(wire) == []
    connected.b.push(450)
    assert writes(wire) == [("a", 600), ("b", 450)]
    first = track(wire.sent, "write")[0]
    assert (first.packet, first.direction, first.flags) == (6, "->", ACK | PUSH)


def test_repeated_data_and_probes_the_other_way_end_nothing(wire: Wire, connected: Talk) -> None:
    connected.b.push(10)
    connected.a.data(100)
    connected.b.push(10, sequence=5_001)
    connected.a.data(100)
    connected.b.sends(ACK, 1, sequence=5_010, acknowledgment=1_201)
    connected.a.push(100)
    assert writes(wire) == [("b", 10), ("a", 300)]


def test_out_of_order_data_the_other_way_ends_a_write(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.b.data(10, sequence=5_101)
    assert writes(wire) == [("a", 100)]


def test_a_push_without_data_ends_a_write(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.a.sends(ACK | PUSH)
    connected.a.sends(ACK | PUSH)
    connected.a.push(5)
    assert writes(wire) == [("a", 100), ("a", 5)]


def test_out_of_order_data_waits(wire: Wire, connected: Talk) -> None:
    """Two writes overtake the middle of the first one."""
    connected.a.data(1_000)
    connected.a.data(300, sequence=2_301)
    connected.a.push(1_000, sequence=2_601)
    connected.a.push(40, sequence=3_601)
    connected.a.data(5, sequence=3_641)
    assert writes(wire) == []
    connected.a.data(300, sequence=2_001)
    assert writes(wire) == [("a", 2_600), ("a", 40)]
    connected.a.push(1)
    assert writes(wire)[2:] == [("a", 6)]


@pytest.mark.parametrize("on_data", [False, True])
def test_a_fin_that_overtakes_data_waits(wire: Wire, connected: Talk, on_data: bool) -> None:
    connected.a.data(100)
    connected.a.fin(30 if on_data else 0)
    wire.overtake()
    connected.b.ack()
    assert writes(wire) == [("a", 130 if on_data else 100)]
    assert sent_by(wire, "a")[1:] == (130 if on_data else 100, 0, 0)


@pytest.mark.parametrize("flags", [ACK | PUSH, ACK | FIN])
def test_a_boundary_on_repeated_bytes_ends_the_write(
    wire: Wire, connected: Talk, flags: int
) -> None:
    """The application pushed, or closed, before the bytes were sent again."""
    connected.a.data(100)
    connected.a.sends(flags, 100, sequence=1_001)
    connected.b.ack()
    assert writes(wire) == [("a", 100)]
    assert sent_by(wire, "a")[1:] == (100, 100, 0)


@pytest.mark.parametrize("flags", [ACK | PUSH, ACK | FIN])
def test_a_boundary_on_repeated_bytes_that_wait(wire: Wire, connected: Talk, flags: int) -> None:
    connected.a.data(100, sequence=1_101)
    connected.a.sends(flags, 100, sequence=1_101)
    connected.a.data(100, sequence=1_001)
    assert writes(wire) == [("a", 200)]


def test_a_boundary_in_the_middle_of_a_run_that_waits(wire: Wire, connected: Talk) -> None:
    connected.a.data(100, sequence=1_101)
    connected.a.data(100, sequence=1_201)
    connected.a.push(60, sequence=1_101)
    connected.a.data(100, sequence=1_001)
    connected.a.push(1, sequence=1_301)
    assert writes(wire) == [("a", 160), ("a", 141)]


def test_a_boundary_where_what_was_missing_reaches_into_a_run_that_waits(
    wire: Wire, connected: Talk
) -> None:
    connected.a.data(100, sequence=1_101)
    connected.a.data(100, sequence=1_201)
    connected.a.push(160, sequence=1_001)
    connected.a.push(1, sequence=1_301)
    assert writes(wire) == [("a", 160), ("a", 141)]


def test_a_push_below_the_next_byte_comes_too_late(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.a.data(100)
    connected.a.push(100, sequence=1_001)
    connected.a.push(100)
    assert writes(wire) == [("a", 300)]


def test_retransmitted_bytes_are_no_write(wire: Wire, connected: Talk) -> None:
    connected.a.push(900)
    connected.a.push(900, sequence=1_001)
    connected.a.push(1_250, sequence=1_001)
    assert writes(wire) == [("a", 900), ("a", 350)]


@pytest.mark.parametrize("ended_by", ["push", "fin", "data the other way"])
def test_a_hole_voids_until_the_next_boundary(wire: Wire, connected: Talk, ended_by: str) -> None:
    connected.a.data(100)
    connected.a.data(100, seen=False)
    connected.b.ack()
    connected.a.data(100)
    if ended_by == "push":
        connected.a.push(100)
    elif ended_by == "fin":
        connected.a.fin(100)
    else:
        connected.b.push(10)
    if ended_by != "fin":
        connected.a.push(33)
        assert writes(wire)[-1] == ("a", 33)
    assert [size for who, size in writes(wire) if who == "a"] == ([] if ended_by == "fin" else [33])


def test_a_hole_behind_what_waits_voids_once(wire: Wire, connected: Talk) -> None:
    """What is known to be whole, behind the boundary, counts."""
    connected.a.data(100, seen=False)
    connected.a.push(100)
    connected.a.push(44)
    connected.a.data(10)
    assert writes(wire) == []
    connected.b.ack()
    assert writes(wire) == [("a", 44)]
    connected.a.push(10)
    assert writes(wire) == [("a", 44), ("a", 20)]


def test_a_hole_that_is_not_acknowledged_makes_writes_wait(wire: Wire, connected: Talk) -> None:
    connected.a.data(100, seen=False)
    connected.a.push(100)
    connected.b.ack(1_001)
    assert writes(wire) == []
    connected.a.push(100, sequence=1_001)
    assert writes(wire) == [("a", 100), ("a", 100)]


def test_each_end_writes_for_itself(wire: Wire, connected: Talk) -> None:
    """Both send at once; new data of one ends the write of the other."""
    connected.a.data(10)
    connected.b.data(20)
    connected.a.data(30)
    connected.b.push(40)
    assert writes(wire) == [("a", 10), ("b", 20), ("a", 30), ("b", 40)]


def test_data_on_the_syn_is_a_write(wire: Wire) -> None:
    talk = wire.talk()
    talk.a.syn(100)
    talk.b.syn_ack()
    talk.b.push(10)
    assert writes(wire) == [("a", 100), ("b", 10)]


def test_a_write_without_a_boundary_is_none(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.b.ack()
    connected.a.rst()
    assert writes(wire) == []
