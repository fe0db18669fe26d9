"""Sockets that readings have shown, and when they were there for sure."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.journal.records import SocketRow, Sockets
from tcpsnoop.owners.journal.seen_sockets import KEPT_NS, Place, SeenSockets

WEB = SocketRow("192.0.2.10", 443, "198.51.100.20", 50001, 7)
AGAIN = WEB._replace(inode=8)
LOCAL: Place = (*halves("192.0.2.10"), 443)
REMOTE: Place = (*halves("198.51.100.20"), 50001)


def reading(
    begun: int, done: int, new: tuple[SocketRow, ...] = (), gone: tuple[SocketRow, ...] = ()
) -> Sockets:
    return Sockets((begun, done), new, gone)


def between(seen: SeenSockets, since: int, until: int) -> list[tuple[int, int]]:
    return list(seen.between(LOCAL, REMOTE, since, until))


def test_one_reading_may_have_seen_it_at_any_moment() -> None:
    seen = SeenSockets()
    seen.note(reading(100, 110, (WEB,)))
    assert between(seen, 100, 110) == [(7, 100)]
    assert between(seen, 0, 999) == [(7, 100)]
    assert between(seen, 101, 110) == []
    assert between(seen, 100, 109) == []


def test_between_two_readings_it_was_there() -> None:
    seen = SeenSockets()
    seen.note(reading(100, 110, (WEB,)))
    seen.note(reading(200, 210))
    assert between(seen, 150, 160) == [(7, 150)]
    assert between(seen, 0, 115) == [(7, 100)]
    assert between(seen, 195, 300) == [(7, 200)]
    assert between(seen, 199, 205) == [(7, 199)]
    assert between(seen, 211, 300) == []
    assert between(seen, 0, 99) == []


def test_what_is_gone_was_there_at_the_reading_before() -> None:
    seen = SeenSockets()
    seen.note(reading(100, 110, (WEB,)))
    seen.note(reading(200, 210))
    seen.note(reading(300, 310, (AGAIN,), (WEB,)))
    assert between(seen, 190, 195) == [(7, 190)]
    assert between(seen, 220, 290) == []
    assert between(seen, 220, 310) == [(8, 300)]
    assert between(seen, 190, 310) == [(7, 200), (8, 300)]


def test_what_was_never_there_is_not_gone() -> None:
    seen = SeenSockets()
    seen.note(reading(100, 110, (), (WEB,)))
    assert between(seen, 0, 999) == []


@pytest.mark.parametrize(
    ("listening", "local", "found"),
    [
        (["192.0.2.10"], "192.0.2.10", [0]),
        (["0.0.0.0"], "192.0.2.10", [0]),
        (["::"], "192.0.2.10", [0]),
        (["0.0.0.0", "192.0.2.10"], "192.0.2.10", [1]),
        (["::", "0.0.0.0"], "192.0.2.10", [1]),
        (["0.0.0.0", "0.0.0.0"], "192.0.2.10", [0, 1]),  # SO_REUSEPORT
        (["127.0.0.1"], "192.0.2.10", []),
        (["::", "2001:db8::1"], "2001:db8::1", [1]),
        (["0.0.0.0"], "2001:db8::1", []),
    ],
)
def test_who_listened_by_the_choice_of_the_kernel(
    listening: list[str], local: str, found: list[int]
) -> None:
    seen = SeenSockets()
    rows = [SocketRow(each, 443, "::", 0, number) for number, each in enumerate(listening)]
    seen.note(reading(100, 110, tuple(rows)))
    seen.note(reading(200, 210))
    assert list(seen.listeners((*halves(local), 443), 150)) == found
    assert list(seen.listeners((*halves(local), 80), 150)) == []
    assert list(seen.listeners((*halves(local), 443), 90)) == []  # not yet, as far as is known


def test_what_is_gone_for_long_is_forgotten() -> None:
    seen = SeenSockets()
    seen.note(reading(100, 110, (WEB, WEB._replace(lport=80, inode=9))))
    seen.note(reading(200, 210, (), (WEB,)))
    assert list(seen.forget()) == []
    seen.note(reading(3 * KEPT_NS, 3 * KEPT_NS + 5))
    assert list(seen.forget()) == [7]
    assert between(seen, 0, 999) == []
    assert list(seen.forget()) == []
