"""The lists of intervals, against plain sets; their limits; and that none is ever lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.provider.intervals import (
    BOUNDARY,
    FINAL,
    INTERVAL,
    MAX_HELD,
    MAX_HOLES,
    MOST_RUNS,
    NOTHING,
)
from tcpsnoop.provider.memory import (
    INTERVAL_FREE,
    INTERVAL_FRESH,
    NONE,
    STATE_SIZE,
    STREAM,
)
from tests.provider.consistency import check, intervals_in_use
from tests.provider.talk import Wire
from tests.provider.tracked import feed, finish, interpreted, make_tracker, track

LISTS = interpreted().intervals  # plain functions: what is compiled is compared in test_tracker

Holding = tuple[int, int, bool]  # start, size, whether a write ends
holdings = st.lists(
    st.tuples(st.integers(100, 160), st.integers(0, 30), st.booleans()), max_size=20
)
ranges = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 40)), max_size=8)


class Lists:
    """The lists of one end in a pool."""

    def __init__(self, room: int = 1000) -> None:
        self.pool = np.zeros(room, INTERVAL)
        self.state = np.zeros(STATE_SIZE, np.int64)
        self.state[INTERVAL_FREE] = NONE
        self.end = np.zeros(1, STREAM)[0]
        self.end["held"] = self.end["holes"] = NONE

    def hold(self, start: int, stop: int, ends: int = NOTHING) -> int:
        return int(LISTS.hold(self.pool, self.state, self.end, start, stop, ends, 0))

    def remember_hole(self, start: int, stop: int) -> None:
        LISTS.remember_hole(self.pool, self.state, self.end, start, stop, 0)

    def fill_holes(self, start: int, stop: int) -> int:
        return int(LISTS.fill_holes(self.pool, self.state, self.end, start, stop))

    def runs(self, name: str) -> list[tuple[int, int, int]]:
        """Start, stop and what ends, of one of the lists."""
        return [
            (int(node["start"]), int(node["stop"]), int(node["ends"]))
            for node in (self.pool[place] for place in self.chain(int(self.end[name])))
        ]

    def chain(self, first: int) -> Iterator[int]:
        here = first
        while here >= 0:
            yield here
            here = int(self.pool[here]["chain"])

    def check(self) -> None:
        """Every interval is free or in one list."""
        firsts = self.end["held"], self.end["holes"], self.state[INTERVAL_FREE]
        found = sorted(place for first in firsts for place in self.chain(int(first)))
        assert found == list(range(self.state[INTERVAL_FRESH]))
        held = self.runs("held")
        assert all(start < stop for start, stop, _ in held)
        assert all(one[1] <= two[0] for one, two in pairwise(held))


def numbers(runs: Sequence[tuple[int, int, int]]) -> set[int]:
    return {number for start, stop, _ in runs for number in range(start, stop)}


@given(holdings)
def test_what_is_held_is_the_union(steps: list[Holding]) -> None:
    lists = Lists()
    expected: set[int] = set()
    boundaries: set[int] = set()
    for start, size, ends in steps:
        new = set(range(start, start + size)) - expected
        assert lists.hold(start, start + size, BOUNDARY if ends else NOTHING) == len(new)
        expected |= new
        boundaries |= {start + size} if ends and size else set()
        lists.check()
        held = lists.runs("held")
        assert numbers(held) == expected
        assert {stop for _, stop, what in held if what == BOUNDARY} == boundaries


def test_runs_are_joined_where_no_write_ends() -> None:
    lists = Lists()
    for start, ends in ((100, NOTHING), (110, NOTHING), (120, BOUNDARY), (130, NOTHING)):
        lists.hold(start, start + 10, ends)
    assert lists.runs("held") == [(100, 130, BOUNDARY), (130, 140, NOTHING)]


def test_a_fin_takes_a_number_of_its_own() -> None:
    lists = Lists()
    assert lists.hold(100, 110) == 10
    assert lists.hold(110, 111, FINAL) == 1
    assert lists.hold(110, 111, FINAL) == 0
    assert lists.hold(90, 110) == 10
    assert lists.runs("held") == [(90, 100, NOTHING), (100, 111, FINAL)]


def test_too_many_runs_are_refused_and_nothing_changes() -> None:
    lists = Lists()
    for index in reversed(range(MAX_HELD)):
        assert lists.hold(1_000 + 10 * index, 1_005 + 10 * index, BOUNDARY) == 5
    before = lists.runs("held")
    assert len(before) == MAX_HELD
    assert lists.hold(100, 200) == NONE
    assert lists.hold(9_000, 9_001) == NONE
    assert lists.hold(1_000, 1_005) == NONE
    assert lists.runs("held") == before
    lists.check()


def test_one_segment_can_fill_every_hole_between_runs() -> None:
    lists = Lists()
    for index in range(MAX_HELD - 1):
        lists.hold(1_000 + 10 * index, 1_005 + 10 * index, BOUNDARY)
    assert lists.hold(900, 900 + 10 * MAX_HELD + 500) == 10 * MAX_HELD + 500 - 5 * (MAX_HELD - 1)
    assert len(lists.runs("held")) <= MOST_RUNS
    lists.check()


@given(ranges, ranges)
def test_late_bytes_fill_holes_once(
    widths: list[tuple[int, int]], late: list[tuple[int, int]]
) -> None:
    lists = Lists()
    missing: set[int] = set()
    start = 0
    for gap, width in widths:
        lists.remember_hole(start + gap, start + gap + width)
        missing |= set(range(start + gap, start + gap + width))
        start += gap + width
    for at, size in late:
        place = start * at // 90
        filled = missing & set(range(place, place + size))
        assert lists.fill_holes(place, place + size) == len(filled)
        missing -= filled
        assert numbers(lists.runs("holes")) == missing
        lists.check()


def test_the_oldest_hole_is_forgotten() -> None:
    lists = Lists()
    for index in range(MAX_HOLES + 3):
        lists.remember_hole(10 * index, 10 * index + 5)
    starts = [start for start, _, _ in lists.runs("holes")]
    assert starts == [10 * index for index in range(MAX_HOLES + 2, 2, -1)]
    assert lists.fill_holes(0, 5) == 0
    lists.check()


def test_a_hole_filled_in_pieces_stays_within_the_limit() -> None:
    lists = Lists()
    lists.remember_hole(0, 10_000)
    for at in range(1, 10_000, 4):
        lists.fill_holes(at, at + 2)
        assert len(lists.runs("holes")) <= MAX_HOLES
    lists.check()


@given(st.integers(0, 6), holdings, ranges)
def test_a_pool_that_is_used_up_loses_nothing_and_goes_on(
    room: int, steps: list[Holding], late: list[tuple[int, int]]
) -> None:
    lists = Lists(room)
    for start, size, ends in steps:
        before = numbers(lists.runs("held"))
        new = lists.hold(start, start + size, BOUNDARY if ends else NOTHING)
        wanted = set(range(start, start + size)) if new >= 0 else set()
        assert numbers(lists.runs("held")) == before | wanted
        assert new in (NONE, len(wanted - before))
        lists.check()
    for start, size in late:
        lists.remember_hole(start, start + size)
        lists.fill_holes(start + 2, start + 4)
        lists.check()
    LISTS.release_all(lists.pool, lists.state, lists.end)
    assert len(list(lists.chain(int(lists.state[INTERVAL_FREE])))) == lists.state[INTERVAL_FRESH]


# The limits, seen from outside


@pytest.mark.parametrize("step", [1, -1], ids=["ascending", "descending"])
def test_more_runs_than_are_held(step: int) -> None:
    """The first holes are given up, one by one; what comes in order after all is a write."""
    count = 3 * MAX_HELD
    wire = Wire()
    talk = wire.talk()
    talk.handshake()
    for index in range(count)[::step]:
        talk.a.push(5, sequence=1_001 + 10 * index)
    talk.a.push(10 * count, sequence=1_001)
    talk.b.ack()
    talk.a.push(7, sequence=1_001 + 10 * count)
    tracker = make_tracker()
    feed(tracker, wire.sent)
    fired = finish(tracker)
    totals = next(each.totals for each in fired if each.totals is not None)
    holes = count - 1
    given_up = holes - MAX_HELD
    forgotten = {1: given_up - MAX_HOLES, -1: holes}[step]
    assert (totals.rx.segments, totals.rx.payload) == (2 + count + 2, 15 * count + 7)
    # Late bytes of a hole that was forgotten count as seen before.
    assert 0 <= totals.rx.retransmitted - 5 * count <= 5 * forgotten
    assert [each.bytes for each in fired if each.probe == "write"][-1] == 7
    assert intervals_in_use(tracker) == 0
    check(tracker)


def test_one_segment_ends_more_writes_than_fit_elsewhere() -> None:
    """Each run that waited was pushed; the missing bytes release them all, in both directions."""
    runs = MAX_HELD - 1
    wire = Wire()
    talk = wire.talk()
    talk.handshake()
    for index in range(runs):
        talk.a.push(5, sequence=1_002 + 5 * index, acknowledgment=5_001)
        talk.b.push(3, sequence=5_002 + 3 * index, acknowledgment=1_001)
    # The byte that A was missing, and an ACK of the byte that nobody captured.
    talk.a.sends(0x10, 1, sequence=1_001, acknowledgment=5_002)
    writes = [(each.left.split()[0], each.bytes) for each in track(wire.sent, "write")]
    client, server = talk.a.endpoint.address, talk.b.endpoint.address
    # The hole voids the server's first write; the client's first one has the byte that came late.
    assert writes == [(server, 3)] * (runs - 1) + [(client, 6)] + [(client, 5)] * (runs - 1)


@pytest.mark.parametrize("room", [0, 1, 2, 3, 7])
def test_a_pool_of_all_connections_that_is_used_up(room: int) -> None:
    """Bytes and order of one connection suffer, never the memory of another."""
    wire = Wire()
    talks = [wire.talk(wire_end._replace(port=40_000 + n)) for n, wire_end in enumerate([_END] * 6)]
    for talk in talks:
        talk.handshake()
    for round_ in range(12):
        for talk in talks:
            talk.a.push(10, seen=round_ % 3 > 0)
            if round_ % 5 == 4:
                talk.b.ack()
                talk.a.push(4, sequence=talk.a.next - 27)
    tracker = make_tracker(decided=True)
    tracker._memory = tracker._memory._replace(intervals=np.zeros(room, INTERVAL))
    for start in range(0, len(wire.sent), 5):
        feed(tracker, wire.sent[start : start + 5])
        check(tracker)
        assert intervals_in_use(tracker) <= room
    fired = finish(tracker)
    assert intervals_in_use(tracker) == 0
    for each in fired:
        assert each.totals is not None
        assert 0 <= each.totals.rx.retransmitted <= each.totals.rx.payload


_END = Wire().talk().a.endpoint


def test_intervals_of_dropped_connections_are_free() -> None:
    """Evicted, used again, or ended: nothing stays."""
    wire = Wire()
    for number in range(50):
        talk = wire.talk(_END._replace(port=40_000 + number % 20), isn=(number * 1_000, 0))
        talk.handshake()
        for _ in range(5):
            talk.a.data(10, seen=False)
            talk.a.data(10)
        talk.b.ack(talk.a.next - 40)
    tracker = make_tracker(max_connections=7, decided=True)
    feed(tracker, wire.sent)
    assert 0 < intervals_in_use(tracker) <= 7 * 5
    check(tracker)
    finish(tracker)
    assert intervals_in_use(tracker) == 0
