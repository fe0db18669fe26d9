"""The key of a connection, and a table that finds, gives back and uses rows again (SEMANTICS 5)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.provider.consistency import check, live
from tests.provider.talk import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    Endpoint,
    Sent,
    Wire,
    many_talks,
)
from tests.provider.tracked import feed, finish, make_tracker, numbers, track


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (CLIENT, SERVER),
        (SERVER, CLIENT),
        (CLIENT_6, SERVER_6),
        (Endpoint("10.0.0.1", 80), Endpoint("10.0.0.1", 81)),
        (Endpoint("10.0.0.1", 81), Endpoint("10.0.0.1", 80)),
        (Endpoint("2001:db8::1", 5), Endpoint("2001:db8:0:1::1", 5)),
        (Endpoint("ffff::1", 5), Endpoint("1::1", 5)),
        (Endpoint("1::ffff:0:0:1", 5), Endpoint("1::1", 5)),
        (Endpoint("0.0.0.0", 0), Endpoint("255.255.255.255", 65535)),
    ],
)
def test_both_directions_are_one_connection(a: Endpoint, b: Endpoint) -> None:
    wire = Wire()
    talk = wire.talk(a, b)
    talk.handshake()
    talk.a.push(10)
    talk.b.push(20)
    assert set(numbers(track(wire.sent))) == {1}


@pytest.mark.parametrize(
    "other",
    [
        (CLIENT._replace(port=CLIENT.port + 1), SERVER),
        (CLIENT, SERVER._replace(port=81)),
        (CLIENT._replace(address="192.0.2.11"), SERVER),
        (CLIENT, SERVER._replace(address="198.51.100.21")),
        (CLIENT._replace(port=SERVER.port), SERVER._replace(port=CLIENT.port)),
        (CLIENT._replace(address=SERVER.address), SERVER._replace(address=CLIENT.address)),
        (CLIENT._replace(address="::192.0.2.10"), SERVER),
        (CLIENT._replace(address="1::ffff:c000:20a"), SERVER),
    ],
)
def test_another_address_or_port_is_another_connection(other: tuple[Endpoint, Endpoint]) -> None:
    wire = Wire()
    talks = wire.talk(), wire.talk(*other)
    for talk in (*talks, *talks):
        talk.a.ack()
        talk.b.ack()
    assert numbers(track(wire.sent)) == [1, 1, 2, 2, 1, 1, 2, 2]


def test_interface_and_path_are_no_part_of_the_key() -> None:
    wire = Wire()
    talk = wire.talk()
    talk.a.syn(path=1)
    talk.b.syn_ack(path=2)
    talk.a.ack(path=3)
    assert numbers(track(wire.sent)) == [1, 1, 1]


def test_an_end_that_talks_to_itself_is_one_connection() -> None:
    wire = Wire()
    talk = wire.talk(CLIENT, CLIENT, isn=(1_000, 1_000))
    talk.handshake()
    tracker = make_tracker(decided=True)
    fired = [*feed(tracker, wire.sent), *finish(tracker)]
    assert {each.connection for each in fired} == {1}
    check(tracker)


def test_a_full_table_tells_its_connections_apart() -> None:
    wire = Wire()
    talks = list(many_talks(wire, 700))
    for _ in range(3):
        for talk in talks:
            talk.a.data(1)
    tracker = make_tracker(max_connections=700, decided=True)
    assert numbers(feed(tracker, wire.sent)) == [*range(1, 701)] * 3
    assert live(tracker) == 700
    assert tracker.evicted == 0
    check(tracker)


def test_rows_are_used_again_and_none_is_lost() -> None:
    wire = Wire()
    tracker = make_tracker(max_connections=5, decided=True)
    rng = np.random.default_rng(20060513)
    talks = list(many_talks(wire, 40))
    for index in rng.integers(0, 40, 400):
        talks[index].a.data(1)
        talks[index].a.data(1, seen=index % 3 > 0)
    sizes = [int(size) for size in rng.integers(0, 30, 10)]
    fired = feed(tracker, wire.sent, sizes)
    assert len(numbers(fired)) == len(wire.sent)
    assert live(tracker) == 5
    check(tracker)
    finish(tracker)
    assert live(tracker) == 0
    check(tracker)
    again: list[Sent] = wire.sent[:50]
    assert len(numbers(feed(tracker, again))) == 50
    check(tracker)


@pytest.mark.parametrize("capacity", [1, 2, 3, 16, 17])
def test_compact_tables(capacity: int) -> None:
    wire = Wire()
    talks = list(many_talks(wire, 30))
    for talk in (*talks, *reversed(talks)):
        talk.a.syn()
        talk.b.syn_ack()
    tracker = make_tracker(max_connections=capacity, decided=True)
    for segment in wire.sent:
        feed(tracker, [segment])
        assert live(tracker) <= capacity
    feed(tracker, wire.sent)
    assert live(tracker) == capacity
    check(tracker)
    finish(tracker)
    assert live(tracker) == 0
    check(tracker)
