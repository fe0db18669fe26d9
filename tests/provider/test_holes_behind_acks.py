"""Duplicate ACKs of an end that has itself lost data before the capture (SEMANTICS 6 and 7)."""

from __future__ import annotations

from tests.provider.talk import Talk, Wire
from tests.provider.tracked import track


def duplicates(wire: Wire) -> list[int]:
    """Packets that are duplicate ACKs."""
    fired = track(wire.sent, "duplicate-ack", local=("::/0",))
    return sorted({each.packet for each in fired})


def test_an_ack_is_repeated_behind_a_hole_of_its_sender(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.data(100, seen=False)
    talk.a.data(100)
    talk.a.ack()
    talk.a.ack()
    assert duplicates(wire) == [5, 6]


def test_a_number_ahead_of_all_that_was_captured_is_no_repetition(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.data(100)
    talk.a.data(100, seen=False)
    talk.a.ack()
    assert duplicates(wire) == []


def test_an_ack_that_was_overtaken_by_data_is_no_repetition(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.ack()
    talk.a.data(100)
    wire.overtake()
    assert duplicates(wire) == []
