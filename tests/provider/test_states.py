"""The states of both ends, and every transition of the table (SEMANTICS 6; RFC 9293 3.3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tcpsnoop.batches.probes import STATES
from tcpsnoop.batches.segments import ACK, RST, SYN
from tcpsnoop.provider import states
from tests.provider.fired import fired
from tests.provider.talk import Talk, Wire
from tests.provider.tracked import interpreted

Change = tuple[int, str, str, str]


def changes(wire: Wire) -> list[Change]:
    """Packet, end, old and new state."""
    return [(packet, *rest) for packet, *rest in fired(wire, "state-change", "left", "old", "new")]


def opened(talk: Talk) -> None:
    talk.handshake()


def fin_sent(talk: Talk) -> None:
    talk.handshake()
    talk.a.fin()


def fin_acknowledged(talk: Talk) -> None:
    fin_sent(talk)
    talk.b.ack()


def both_fins(talk: Talk) -> None:
    fin_acknowledged(talk)
    talk.b.fin()


def finished(talk: Talk) -> None:
    talk.handshake()
    talk.close()


def fins_that_cross(talk: Talk) -> None:
    fin_sent(talk)
    talk.b.fin(acknowledgment=1_001)


OPENED = [
    (1, "a", "CLOSED", "SYN-SENT"),
    (1, "b", "LISTEN", "SYN-RECEIVED"),
    (2, "a", "SYN-SENT", "ESTABLISHED"),
    (3, "b", "SYN-RECEIVED", "ESTABLISHED"),
]
FIN_SENT = [
    *OPENED,
    (4, "a", "ESTABLISHED", "FIN-WAIT-1"),
    (4, "b", "ESTABLISHED", "CLOSE-WAIT"),
]
FIN_ACKNOWLEDGED = [*FIN_SENT, (5, "a", "FIN-WAIT-1", "FIN-WAIT-2")]
BOTH_FINS = [
    *FIN_ACKNOWLEDGED,
    (6, "b", "CLOSE-WAIT", "LAST-ACK"),
    (6, "a", "FIN-WAIT-2", "TIME-WAIT"),
]
FINISHED = [*BOTH_FINS, (7, "b", "LAST-ACK", "CLOSED")]
FINS_THAT_CROSS = [
    *FIN_SENT,
    (5, "b", "CLOSE-WAIT", "LAST-ACK"),
    (5, "a", "FIN-WAIT-1", "CLOSING"),
]


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (opened, OPENED),
        (fin_sent, FIN_SENT),
        (fin_acknowledged, FIN_ACKNOWLEDGED),
        (both_fins, BOTH_FINS),
        (finished, FINISHED),
        (fins_that_cross, FINS_THAT_CROSS),
    ],
)
def test_the_life_of_a_connection(
    wire: Wire, talk: Talk, play: Callable[[Talk], None], expected: list[Change]
) -> None:
    play(talk)
    assert sorted(changes(wire)) == sorted(expected)


def test_a_simultaneous_close_ends(wire: Wire, talk: Talk) -> None:
    fins_that_cross(talk)
    talk.a.ack()
    talk.b.ack()
    assert changes(wire)[len(FINS_THAT_CROSS) :] == [
        (6, "b", "LAST-ACK", "CLOSED"),
        (7, "a", "CLOSING", "TIME-WAIT"),
    ]


def test_a_simultaneous_open(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn()
    talk.a.syn_ack(sequence=1_000)
    talk.b.syn_ack(sequence=5_000)
    assert changes(wire) == [
        (1, "a", "CLOSED", "SYN-SENT"),
        (1, "b", "LISTEN", "SYN-RECEIVED"),
        (2, "a", "SYN-SENT", "SYN-RECEIVED"),
        (3, "b", "SYN-RECEIVED", "ESTABLISHED"),
        (4, "a", "SYN-RECEIVED", "ESTABLISHED"),
    ]


def test_the_first_segment_captured_is_a_syn_ack(wire: Wire, talk: Talk) -> None:
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.a.ack()
    assert changes(wire) == [
        (1, "b", "LISTEN", "SYN-RECEIVED"),
        (1, "a", "SYN-SENT", "ESTABLISHED"),
        (2, "b", "SYN-RECEIVED", "ESTABLISHED"),
    ]


def test_a_fin_before_the_handshakes_ack(wire: Wire, talk: Talk) -> None:
    """RFC 9293 3.10.4: CLOSE in SYN-RECEIVED sends a FIN."""
    talk.a.syn()
    talk.b.syn_ack()
    talk.b.fin()
    assert changes(wire)[3:] == [
        (3, "b", "SYN-RECEIVED", "FIN-WAIT-1"),
        (3, "a", "ESTABLISHED", "CLOSE-WAIT"),
    ]


def test_a_fin_in_syn_received(wire: Wire, talk: Talk) -> None:
    """RFC 9293 3.10.7.4: SYN-RECEIVED enters CLOSE-WAIT; here its ACK acknowledges no SYN|ACK."""
    talk.a.syn()
    talk.b.syn_ack()
    talk.a.fin(acknowledgment=4_000)
    assert changes(wire)[3:] == [
        (3, "a", "ESTABLISHED", "FIN-WAIT-1"),
        (3, "b", "SYN-RECEIVED", "CLOSE-WAIT"),
    ]


def test_a_syn_ack_that_was_not_captured(wire: Wire, talk: Talk) -> None:
    """Who sends an ACK without SYN has got it."""
    talk.a.syn()
    talk.b.syn_ack(seen=False)
    talk.a.ack()
    assert changes(wire)[2:] == [
        (2, "a", "SYN-SENT", "ESTABLISHED"),
        (2, "b", "SYN-RECEIVED", "ESTABLISHED"),
    ]


def test_midstream_both_are_established(wire: Wire, talk: Talk) -> None:
    talk.a.data(10)
    talk.b.fin()
    assert changes(wire) == [
        (2, "b", "ESTABLISHED", "FIN-WAIT-1"),
        (2, "a", "ESTABLISHED", "CLOSE-WAIT"),
    ]


def syn_sent(talk: Talk) -> None:
    talk.a.syn()


@pytest.mark.parametrize(
    ("play", "a", "b"),
    [
        (syn_sent, "SYN-SENT", "SYN-RECEIVED"),
        (opened, "ESTABLISHED", "ESTABLISHED"),
        (fin_sent, "FIN-WAIT-1", "CLOSE-WAIT"),
        (fin_acknowledged, "FIN-WAIT-2", "CLOSE-WAIT"),
        (both_fins, "TIME-WAIT", "LAST-ACK"),
        (finished, "TIME-WAIT", None),
        (fins_that_cross, "CLOSING", "LAST-ACK"),
    ],
)
@pytest.mark.parametrize("who", ["a", "b"])
def test_a_rst_closes_both_ends_from_any_state(
    wire: Wire, talk: Talk, who: str, play: Callable[[Talk], None], a: str, b: str | None
) -> None:
    play(talk)
    before = len(changes(wire))
    getattr(talk, who).sends(RST | ACK)
    packet = len(wire.sent)
    expected = [(packet, "a", a, "CLOSED")] + ([(packet, "b", b, "CLOSED")] if b else [])
    assert sorted(changes(wire)[before:]) == expected


def test_a_rst_of_nobody_changes_nothing(wire: Wire, talk: Talk) -> None:
    talk.a.rst()
    assert changes(wire) == []


def test_repeats_change_nothing(wire: Wire, talk: Talk) -> None:
    finished(talk)
    before = changes(wire)
    for segment in list(wire.sent):
        wire.again(segment, ip_id=segment.ip_id + 100, after_us=10)
    assert changes(wire)[: len(before)] == before
    # The SYN of a closed connection begins another.
    assert {new for _, _, _, new in changes(wire)[len(before) :]} <= set(STATES)


def test_how_long_an_end_was_in_its_old_state(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack(after_us=30_000)
    talk.a.ack(after_us=12_000)
    talk.a.fin(after_us=5_000_000)
    found: list[tuple[Any, ...]] = fired(wire, "state-change", "left", "old", "elapsed_ns")
    assert found == [
        (1, "a", "CLOSED", -1),
        (1, "b", "LISTEN", -1),
        (2, "a", "SYN-SENT", 30_000_000),
        (3, "b", "SYN-RECEIVED", 42_000_000),
        (4, "a", "ESTABLISHED", 5_012_000_000),
        (4, "b", "ESTABLISHED", 5_000_000_000),
    ]


# The table


def test_the_table_is_what_after_says() -> None:
    after = interpreted().states.after
    for state in range(len(STATES)):
        for event in range(len(states.EVENTS)):
            assert after(state, event) == states.TRANSITIONS.get((state, event), state)


def test_every_transition_of_the_table_was_played() -> None:
    """By the tests above: nothing is in the table that no packets lead to."""
    played = {
        *((old, new) for _, _, old, new in [*FINISHED, *FINS_THAT_CROSS]),
        ("CLOSING", "TIME-WAIT"),
        ("SYN-SENT", "SYN-RECEIVED"),
        ("SYN-RECEIVED", "FIN-WAIT-1"),
        ("SYN-RECEIVED", "CLOSE-WAIT"),
        *((old, "CLOSED") for old in STATES if old not in ("CLOSED", "LISTEN")),
    }
    table = {(STATES[old], STATES[new]) for (old, _), new in states.TRANSITIONS.items()}
    assert table == played


@pytest.mark.parametrize("flags", [SYN, SYN | ACK])
def test_a_syn_into_an_established_connection_changes_no_state(
    wire: Wire, connected: Talk, flags: int
) -> None:
    """The same SYN again."""
    before = changes(wire)
    end = connected.a if flags == SYN else connected.b
    end.sends(flags, sequence=1_000 if flags == SYN else 5_000)
    assert changes(wire) == before
