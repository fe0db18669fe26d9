"""What an ACK says: the same as before, and whether the window is 0 (SEMANTICS 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tcpsnoop.batches.segments import ACK, RST
from tests.provider.fired import fired
from tests.provider.talk import Talk, Wire

SECOND_US = 1_000_000


def duplicates(wire: Wire) -> list[tuple[Any, ...]]:
    """Packet and which repetition it is."""
    return fired(wire, "duplicate-ack", "count")


@pytest.fixture
def acknowledged(connected: Talk) -> Talk:
    """A has sent two segments, and B acknowledged the first: six segments."""
    connected.a.data(100)
    connected.a.data(100)
    connected.b.ack(1_101)
    return connected


def test_repetitions_are_counted(wire: Wire, acknowledged: Talk) -> None:
    for _ in range(3):
        acknowledged.b.ack(1_101)
    assert duplicates(wire) == [(7, 1), (8, 2), (9, 3)]
    assert fired(wire, "duplicate-ack", "sent") == [(7, "b"), (8, "b"), (9, "b")]


@pytest.mark.parametrize(("window", "expected"), [(8_192, [(5, 1), (7, 2)]), (500, [(7, 1)])])
def test_the_syn_ack_is_the_ack_before(
    wire: Wire, talk: Talk, window: int, expected: list[tuple[int, int]]
) -> None:
    """RFC 5681: equal to the greatest acknowledgment; only its window may be another."""
    talk.handshake()
    for _ in range(2):
        talk.a.data(100, seen=False)
        talk.a.data(100)
        talk.b.ack(1_001, window=window)
    assert duplicates(wire) == expected


def test_a_higher_ack_begins_anew(wire: Wire, acknowledged: Talk) -> None:
    acknowledged.b.ack(1_101)
    acknowledged.b.ack(1_201)
    acknowledged.b.ack(1_201)
    assert duplicates(wire) == [(7, 1), (9, 1)]


def test_a_lower_ack_comes_late_and_changes_nothing(wire: Wire, acknowledged: Talk) -> None:
    acknowledged.b.ack(1_101)
    acknowledged.b.ack(1_001)
    acknowledged.b.ack(1_101)
    assert duplicates(wire) == [(7, 1), (9, 2)]


@pytest.mark.parametrize(
    "say",
    [
        lambda b: b.data(1, acknowledgment=1_101),
        lambda b: b.ack(1_101, window=8_193),
        lambda b: b.fin(acknowledgment=1_101),
        lambda b: b.syn_ack(acknowledgment=1_101),
        lambda b: b.rst(acknowledgment=1_101),
        lambda b: b.ack(1_101, window=0),
        lambda b: b.ack(1_102),
        lambda b: b.ack(1_101, sequence=5_002),
    ],
    ids=["data", "window", "fin", "syn", "rst", "zero window", "number", "sequence"],
)
def test_what_is_no_repetition(
    wire: Wire, acknowledged: Talk, say: Callable[[Any], object]
) -> None:
    say(acknowledged.b)
    assert duplicates(wire) == []


def test_a_window_of_zero_repeated_is_no_duplicate(wire: Wire, acknowledged: Talk) -> None:
    """The answers to window probes."""
    for _ in range(3):
        acknowledged.b.ack(1_101, window=0)
    assert duplicates(wire) == []


@pytest.mark.parametrize("size", [0, 1])
def test_the_answer_to_a_keep_alive_is_no_duplicate(
    wire: Wire, acknowledged: Talk, size: int
) -> None:
    acknowledged.b.ack(1_201)
    for _ in range(3):
        acknowledged.a.sends(ACK, size, sequence=1_200, after_us=SECOND_US)
        acknowledged.b.ack(1_201)
    assert duplicates(wire) == []
    assert len(fired(wire, "keep-alive")) == 3
    acknowledged.a.ack()
    acknowledged.b.ack(1_201)
    assert duplicates(wire) == [(14, 1), (15, 1)], "the latest segment was no keep-alive"


def test_both_directions_are_counted_apart(wire: Wire, connected: Talk) -> None:
    connected.a.data(10)
    connected.b.data(10)
    for end in (connected.a, connected.b, connected.a, connected.b):
        end.ack()
    assert duplicates(wire) == [(7, 1), (8, 1), (9, 2)]
    assert fired(wire, "duplicate-ack", "sent") == [(7, "b"), (8, "a"), (9, "b")]


# The window


def test_a_window_closes_once_and_opens_once(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    for window in (0, 0, 0, 1, 0, 9_000, 8_000):
        connected.b.ack(window=window, after_us=1_000)
    closed = fired(wire, "window-closed", "left")
    assert closed == [(5, "b"), (9, "b")]
    opened = fired(wire, "window-opened", "left", "elapsed_us")
    assert opened == [(8, "b", 3_000), (10, "b", 1_000)]


def test_data_tells_the_window_too(wire: Wire, connected: Talk) -> None:
    connected.a.window = 0
    connected.a.push(10)
    connected.a.push(10)
    connected.a.window = 5
    connected.a.fin(after_us=500)
    assert fired(wire, "window-closed", "left") == [(4, "a")]
    assert fired(wire, "window-opened", "left", "elapsed_us") == [(6, "a", 700)]


def test_syn_and_rst_close_no_window(wire: Wire, talk: Talk) -> None:
    talk.a.syn(window=0)
    talk.b.syn_ack(window=0)
    talk.a.ack()
    talk.b.sends(RST | ACK, window=0)
    assert fired(wire, "window-closed") == []


def test_a_window_that_is_still_zero_in_the_first_ack_is_told(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack(window=0)
    talk.a.ack()
    talk.b.ack(window=0)
    talk.b.ack()
    assert fired(wire, "window-closed") == [(4,)]
    assert fired(wire, "window-opened", "elapsed_us") == [(5, 200)]
