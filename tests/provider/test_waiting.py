"""SYNs that nobody answers: `connect-timeout` (SEMANTICS 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.provider.consistency import check
from tests.provider.fired import ENDS
from tests.provider.talk import CLIENT, START_NS, Talk, Wire
from tests.provider.tracked import feed, finish, make_tracker, track

SECOND_US = 1_000_000
PATIENCE_US = 127 * SECOND_US
NS = 1_000


def timeouts(wire: Wire, **how: Any) -> list[tuple[Any, ...]]:
    """Packet, microseconds since the first SYN, retries."""
    return [
        (row.packet, int(row.added["elapsed_ns"]) / NS, row.added["count"])
        for row in track(wire.sent, "connect-timeout", **how)
    ]


@pytest.fixture
def other(wire: Wire) -> Talk:
    """Somebody else, whose segments move the clock."""
    return wire.talk(CLIENT._replace(port=60_000))


def test_127_seconds_after_the_syn(wire: Wire, talk: Talk, other: Talk) -> None:
    """Not a microsecond earlier, and at its own time, not at that of the packet that shows it."""
    talk.a.syn()
    other.a.data(1, after_us=PATIENCE_US - 1)
    tracker = make_tracker(["connect-timeout"], decided=True)
    assert feed(tracker, wire.sent) == []
    other.a.data(1, after_us=1)
    other.a.data(1, after_us=9 * SECOND_US)
    (row,) = feed(tracker, wire.sent[2:], first=3)
    assert (row.packet, row.end, ENDS[row.left]) == (3, "originator", "a")
    assert row.time_ns == START_NS + 200 * NS + PATIENCE_US * NS
    assert row.added == {"elapsed_ns": PATIENCE_US * NS, "count": 0}
    assert finish(tracker) == []


def test_its_time_is_when_it_was_due(wire: Wire, talk: Talk, other: Talk) -> None:
    talk.a.syn()
    other.a.data(1, after_us=1_000 * SECOND_US)
    assert timeouts(wire) == [(2, PATIENCE_US, 0)]


def test_from_the_last_syn_with_retries_and_the_time_since_the_first(
    wire: Wire, talk: Talk, other: Talk
) -> None:
    syn = talk.a.syn()
    for retry, after in enumerate((1, 2, 4, 8, 16, 32), 1):
        wire.again(syn, ip_id=syn.ip_id + retry, after_us=after * SECOND_US)
    other.a.data(1, after_us=PATIENCE_US)
    assert timeouts(wire) == [(8, (63 + 127) * SECOND_US, 6)]


@pytest.mark.parametrize(
    ("age_us", "expected"), [(3 * SECOND_US, []), (3 * SECOND_US + 1, [(2, 3_000_001, 0)])]
)
def test_at_the_end_of_the_input(
    wire: Wire, talk: Talk, other: Talk, age_us: int, expected: list[Any]
) -> None:
    """When that SYN is older than 3 s; a younger one fires nothing."""
    talk.a.syn()
    other.a.data(1, after_us=age_us)
    assert timeouts(wire) == expected


def test_the_age_at_the_end_is_that_of_the_last_syn(wire: Wire, talk: Talk) -> None:
    syn = talk.a.syn()
    wire.again(syn, ip_id=9, after_us=100 * SECOND_US)
    assert timeouts(wire) == []


def test_an_empty_wire_after_the_syn_fires_nothing(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    assert timeouts(wire) == []


@pytest.mark.parametrize("answer", ["syn_ack", "rst"])
@pytest.mark.parametrize("who", ["a", "b"])
def test_an_answer_or_a_rst_ends_the_wait(
    wire: Wire, talk: Talk, other: Talk, answer: str, who: str
) -> None:
    talk.a.syn()
    if (who, answer) == ("a", "syn_ack"):
        talk.b.data(1)
    else:
        getattr(getattr(talk, who), answer)()
    other.a.data(1, after_us=PATIENCE_US)
    assert timeouts(wire) == []


def test_the_ports_used_again_end_the_wait_of_the_old_connection(
    wire: Wire, talk: Talk, other: Talk
) -> None:
    talk.a.syn()
    talk.renew((70_000, 90_000))
    talk.a.syn(after_us=10 * SECOND_US)
    other.a.data(1, after_us=PATIENCE_US)
    assert timeouts(wire) == [(3, PATIENCE_US, 0)]


def test_many_wait_each_for_its_own_time(wire: Wire, other: Talk) -> None:
    """One of them asks again, one is answered: the rest keep their order."""
    talks = [wire.talk(CLIENT._replace(port=50_000 + number)) for number in range(5)]
    for talk in talks:
        talk.a.syn(after_us=SECOND_US)
    talks[1].a.syn(sequence=1_000, after_us=SECOND_US)
    talks[3].b.syn_ack()
    other.a.data(1, after_us=2 * PATIENCE_US)
    fired = track(wire.sent, "connect-timeout")
    assert [row.connection for row in fired] == [1, 3, 5, 2]
    assert {row.packet for row in fired} == {len(wire.sent)}
    elapsed = [int(row.added["elapsed_ns"]) // (NS * SECOND_US) for row in fired]
    assert elapsed == [127, 127, 127, 127 + 4]


@pytest.mark.parametrize("capacity", [1, 2, 7])
def test_who_is_evicted_waits_no_more(capacity: int) -> None:
    wire = Wire()
    for number in range(20):
        wire.talk(CLIENT._replace(port=50_000 + number)).a.syn()
    tracker = make_tracker(["connect-timeout"], max_connections=capacity, decided=True)
    feed(tracker, wire.sent)
    check(tracker)
    wire.wait(us=2 * PATIENCE_US)
    late = wire.talk(CLIENT._replace(port=50_019)).a.data(1)
    # Who is still in the table.
    kept = [row.connection for row in feed(tracker, [late], first=21)]
    assert kept == list(range(21 - capacity, 21))


def test_the_responder_alone_local_sees_nothing(wire: Wire, talk: Talk, other: Talk) -> None:
    talk.a.syn()
    other.a.data(1, after_us=PATIENCE_US)
    assert timeouts(wire, local=[talk.b.endpoint.address]) == []
    assert timeouts(wire, local=[talk.a.endpoint.address]) == [(2, PATIENCE_US, 0)]
