"""Records are handed out as time goes on: what was seen ahead of what was told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tcpsnoop.owners.journal.feed import NEVER, Feed
from tcpsnoop.owners.journal.records import (
    CgroupNumber,
    Clocks,
    End,
    Events,
    Holders,
    ProcessRead,
    Record,
    Sockets,
)
from tcpsnoop.owners.tracing.events import FORKED
from tests.owners.journal.journals import BARE, NOON, WEB, event


class Heard:
    """A feed, and what it has handed out."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.seen: list[Record] = []
        self.told: list[Record] = []
        self.feed = Feed(records, self.seen.append, self.told.append)

    def until(self, told: int, seen: int) -> tuple[list[Record], list[Record]]:
        """What is handed out for these times after noon."""
        self.seen.clear()
        self.told.clear()
        self.feed.advance(NOON + told, NOON + seen)
        return list(self.seen), list(self.told)


def events(*at: int) -> Events:
    return Events(np.concatenate([event(each, FORKED, 1) for each in at]))


def sockets(at: int) -> Sockets:
    return Sockets((NOON + at - 1, NOON + at), (), ())


def test_events_are_told_and_the_rest_is_seen_each_in_its_time() -> None:
    first, second, end = events(10, 30), events(50), End(NOON + 90, 0)
    heard = Heard([first, sockets(20), second, sockets(60), end])
    assert heard.until(5, 5) == ([], [])
    assert (heard.feed.next_told_ns, heard.feed.next_seen_ns) == (NOON + 10, NOON + 10)
    assert heard.until(5, 20) == ([sockets(20)], [])
    assert (heard.feed.next_told_ns, heard.feed.next_seen_ns) == (NOON + 10, NOON + 50)
    assert heard.until(10, 20) == ([], [first])
    assert heard.until(55, 60) == ([sockets(60)], [second])
    assert heard.feed.over_ns == NEVER
    assert heard.until(90, 90) == ([end], [end])
    assert heard.feed.over_ns == NOON + 90
    assert heard.feed.next_told_ns == heard.feed.next_seen_ns == NEVER


def test_what_has_no_time_comes_with_what_is_behind_it() -> None:
    web, number = ProcessRead(NOON + 1, WEB), CgroupNumber(7, "/a")
    told = events(50)
    heard = Heard([sockets(10), web, number, told, End(NOON + 90, 0)])
    assert heard.until(20, 20) == ([sockets(10)], [])
    assert heard.until(20, 50) == ([web, number], [])
    assert heard.until(50, 50) == ([], [web, number, told])


def test_times_that_go_back_are_of_now() -> None:
    """Somebody has set the clock."""
    late, early = events(50), events(5)
    heard = Heard([late, early, sockets(7), End(NOON + 60, 0)])
    assert heard.until(49, 49) == ([], [])
    assert heard.until(50, 50) == ([sockets(7)], [late, early])


def test_a_look_that_took_long_does_not_hold_events_up() -> None:
    """They were told while it was going on, and are read behind it."""
    look, told = Holders(NOON + 900, {}, 0, False), events(100, 200)
    first = events(50)
    heard = Heard([first, look, told, End(NOON + 999, 0)])
    assert heard.until(50, 899) == ([], [first])
    assert heard.feed.next_told_ns == NOON + 900  # what is behind is not known yet
    assert heard.until(150, 900) == ([look], [told])


def test_cut_off_it_ends_with_what_is_there() -> None:
    web = ProcessRead(NOON, WEB)
    heard = Heard([events(10, 80), web])
    seen, told = heard.until(79, 79)
    assert (seen, [type(each) for each in told]) == ([], [Events])
    seen, told = heard.until(80, 80)
    assert (seen, told) == ([web, End(NOON + 80, 0)], [web, End(NOON + 80, 0)])
    assert heard.feed.over_ns == NOON + 80


def test_of_nothing_there_is_an_end_at_once() -> None:
    heard = Heard([])
    heard.feed.advance(-NEVER, -NEVER)
    assert heard.feed.over_ns < 0


def test_behind_the_end_there_is_nothing() -> None:
    heard = Heard([End(NOON, 0), ProcessRead(NOON, BARE), events(50)])
    seen, told = heard.until(99, 99)
    assert seen == told == [End(NOON, 0)]


def test_readings_and_looks_have_the_time_when_they_were_done() -> None:
    holders, clocks = Holders(NOON + 20, {}, 0, False), Clocks(NOON + 30, 1, 2)
    heard = Heard([Sockets((NOON, NOON + 10), (), ()), holders, clocks, End(NOON + 90, 0)])
    assert heard.until(0, 9) == ([], [])
    assert heard.until(0, 25)[0] == [Sockets((NOON, NOON + 10), (), ()), holders]
    assert heard.until(0, 30)[0] == [clocks]
