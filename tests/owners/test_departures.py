"""Sockets that ended, found by the ends that the kernel still tells."""

from __future__ import annotations

import pytest

from tcpsnoop.owners.departures import MOST, OLDEST_NS, Departures
from tcpsnoop.owners.ends import ALWAYS
from tests.owners.diag.fakes import diag_listener, diag_socket, fake_ending
from tests.owners.proc_tree import Place, packed

HERE: Place = ("192.168.1.5", 80)
THERE: Place = ("192.168.1.9", 50000)
NOON = 12 * 3600 * 10**9


def last(departures: Departures, cookie: int = 99) -> int:
    return departures.last(packed(HERE), packed(THERE), cookie)


@pytest.mark.parametrize(
    ("local", "remote", "is_it"),
    [
        (HERE, THERE, True),
        (HERE, ("192.168.1.9", 0), True),  # reset by its own process
        (("0.0.0.0", 80), ("192.168.1.9", 0), True),  # likewise, the kernel chose its address
        (("::", 80), ("192.168.1.9", 0), True),  # likewise, an IPv6 socket
        (("192.168.1.6", 80), THERE, False),
        (HERE, ("192.168.1.9", 50001), False),
        (HERE, ("192.168.1.8", 0), False),
        (("192.168.1.5", 81), THERE, False),
        (("0.0.0.0", 0), ("0.0.0.0", 0), False),  # never connected
    ],
)
def test_what_ended_is_found_by_what_is_left_of_its_ends(
    local: Place, remote: Place, is_it: bool
) -> None:
    departures = Departures()
    departures.note(fake_ending(diag_socket(local, remote, 0, 7)), NOON)
    assert last(departures) == (NOON if is_it else ALWAYS)


def test_a_listener_that_ended_was_no_connection() -> None:
    departures = Departures()
    departures.note(fake_ending(diag_listener(HERE, 0)), NOON)
    assert last(departures) == ALWAYS


def test_the_last_of_several_counts_and_the_socket_itself_does_not() -> None:
    departures = Departures()
    for number, cookie in enumerate((7, 8, 9)):
        departures.note(fake_ending(diag_socket(HERE, THERE, 0, cookie)), NOON + number)
    assert last(departures) == NOON + 2
    assert last(departures, cookie=9) == NOON + 1


def test_what_ended_long_ago_is_forgotten() -> None:
    departures = Departures()
    departures.note(fake_ending(diag_socket(HERE, THERE, 0, 7)), NOON)
    other = fake_ending(diag_socket(("192.168.1.5", 1), ("192.168.1.9", 2), 0, 8))
    departures.note(other, NOON + OLDEST_NS)
    assert last(departures) == NOON
    departures.note(other, NOON + OLDEST_NS + 1)
    assert last(departures) == ALWAYS


def test_of_a_flood_the_newest_are_remembered() -> None:
    departures = Departures()
    departures.note(fake_ending(diag_socket(HERE, THERE, 0, 7)), NOON)
    other = fake_ending(diag_socket(("192.168.1.5", 1), ("192.168.1.9", 2), 0, 8))
    for number in range(MOST - 1):
        departures.note(other, NOON + number)
    assert last(departures) == NOON
    departures.note(other, NOON + MOST)
    assert last(departures) == ALWAYS
