"""Resets, the accept queue that was full, and the details of opening (SEMANTICS 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tcpsnoop.batches.segments import ACK, RST
from tests.provider.fired import fired
from tests.provider.talk import Sent, Talk, Wire
from tests.provider.tracked import EVERY, make_tracker, track

SECOND_US = 1_000_000


def resets(wire: Wire) -> list[tuple[Any, ...]]:
    """Packet, who sent it, its TTL, that of the sender's segment before, the sender's state."""
    return fired(wire, "reset", "sent", "ttl", "old", "new")


# Resets


def test_a_reset_of_an_open_connection(wire: Wire, talk: Talk) -> None:
    talk.a.syn(ttl=64)
    talk.b.syn_ack(ttl=57)
    talk.a.ack(ttl=64)
    talk.b.rst(ttl=250)
    assert resets(wire) == [(4, "b", 250, 57, "ESTABLISHED")]


def test_a_reset_by_an_end_that_said_nothing_before(wire: Wire, talk: Talk) -> None:
    talk.a.data(10)
    talk.b.rst(ttl=99)
    assert resets(wire) == [(2, "b", 99, 0, "ESTABLISHED")]


def test_an_originator_that_gives_up(wire: Wire, talk: Talk) -> None:
    talk.a.syn(ttl=63)
    talk.a.rst(ttl=63)
    assert resets(wire) == [(2, "a", 63, 63, "SYN-SENT")]


def test_a_refusal_is_no_reset_of_an_open_connection(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.rst()
    assert resets(wire) == []


def test_a_closed_connection_is_not_reset(wire: Wire, connected: Talk) -> None:
    connected.close()
    connected.b.rst()
    assert resets(wire) == []


def test_once(wire: Wire, connected: Talk) -> None:
    for end in (connected.a, connected.b, connected.a):
        end.sends(RST | ACK)
    assert [each[:2] for each in resets(wire)] == [(4, "a")]


# The accept queue


def test_a_syn_ack_after_its_ack_says_that_the_queue_was_full(wire: Wire, connected: Talk) -> None:
    for _ in range(2):
        connected.b.syn_ack(sequence=5_000, after_us=SECOND_US)
        connected.a.ack()
    assert fired(wire, "accept-overflow", "left", "count") == [(4, "b", 1), (6, "b", 2)]
    assert [kind for _, kind in fired(wire, "retransmit", "kind")] == ["handshake"] * 2


def test_a_syn_ack_repeated_before_its_ack_says_nothing(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    for _ in range(3):
        talk.b.syn_ack(sequence=5_000, after_us=SECOND_US)
    talk.a.ack()
    assert fired(wire, "accept-overflow") == []


# How long opening took


def test_a_connection_that_needed_a_retry(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.a.syn(sequence=1_000, after_us=SECOND_US)
    talk.b.syn_ack(after_us=30_000, ttl=57)
    talk.a.ack(after_us=12_000, ttl=61)
    fields = ("left", "elapsed_us", "count", "ttl")
    assert fired(wire, "connect-established", *fields) == [(3, "a", 1_030_000, 1, 57)]
    assert fired(wire, "accept-established", *fields) == [(4, "b", 1_042_000, 1, 61)]


@pytest.mark.parametrize(("probe", "left"), [("connect-refused", "a"), ("accept-refused", "b")])
def test_a_refusal_after_two_retries(wire: Wire, talk: Talk, probe: str, left: str) -> None:
    talk.a.syn()
    for _ in range(2):
        talk.a.syn(sequence=1_000, after_us=SECOND_US)
    talk.b.rst(after_us=500, ttl=250)
    found = fired(wire, probe, "left", "elapsed_us", "count", "ttl")
    assert found == [(4, left, 2_000_500, 2, 250)]


def test_without_the_first_syn_the_time_is_unknown(wire: Wire, talk: Talk) -> None:
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.a.ack()
    assert fired(wire, "accept-established", "elapsed_ns", "count") == [(2, -1, 0)]


def test_a_simultaneous_open_is_established_by_the_answer(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn()
    talk.a.syn_ack(sequence=1_000)
    talk.b.syn_ack(sequence=5_000, ttl=59)
    found = fired(wire, "connect-established", "left", "elapsed_us", "count", "ttl")
    assert found == [(4, "a", 600, 0, 59)]


# TCP options


def test_every_probe_that_options_decide_asks_for_them() -> None:
    """The same with the options as without, for each probe that does not."""
    for probe in EVERY:
        if make_tracker([probe]).needs_options:
            continue
        without = [replace(each, tsval=None, sack=False) for each in stamped()]
        assert track(stamped(), probe) == track(without, probe), probe


@pytest.mark.parametrize("probe", ["rtt-sample", "retransmit", "out-of-order", "first-byte"])
def test_options_decide(probe: str) -> None:
    without = [replace(each, tsval=None, sack=False) for each in stamped()]
    assert track(stamped(), probe) != track(without, probe)
    assert make_tracker([probe]).needs_options


def stamped() -> list[Sent]:
    """A SYN is sent twice, then data is lost; the timestamps tell that the first SYN was late."""
    wire = Wire()
    talk = wire.talk()
    talk.a.syn(tsval=1)
    talk.a.syn(sequence=1_000, tsval=1_001, after_us=SECOND_US)
    talk.b.syn_ack(tsval=1, tsecr=1)
    talk.a.ack(tsval=1_002, tsecr=1)
    talk.a.data(100, tsval=1_003, tsecr=1, seen=False)
    talk.a.data(100, tsval=1_003, tsecr=1)
    talk.a.data(100, sequence=1_001, tsval=1_004, tsecr=1, after_us=4_000)
    talk.b.push(100, tsval=2, tsecr=1_004)
    talk.a.push(100, tsval=1_005, tsecr=2)
    talk.b.ack(1_201, sack=True, tsval=3, tsecr=1_004)
    talk.a.push(100, sequence=1_201, tsval=1_006, tsecr=3)
    return wire.sent
