"""The queues of what waits for its answer, against plain lists; their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.provider.memory import ANALYSIS, NONE, STATE_SIZE, TIMING_FREE, TIMING_FRESH
from tcpsnoop.provider.timings import ENTRIES, LATEST_NS, MOST, TIMING
from tests.provider.consistency import check, timings_in_use
from tests.provider.talk import CLIENT, Wire
from tests.provider.tracked import feed, finish, interpreted, make_tracker, track

QUEUES = interpreted().timings  # plain functions: what is compiled is compared in test_tracker


class Queues:
    """The queues of one end in a pool."""

    def __init__(self, room: int = 10_000) -> None:
        self.pool = np.zeros(room, TIMING)
        self.state = np.zeros(STATE_SIZE, np.int64)
        self.state[TIMING_FREE] = NONE
        self.end = np.zeros(1, ANALYSIS)[0]
        self.end["flight"] = self.end["stamps"] = NONE

    def sends(self, number: int, time_ns: int) -> None:
        QUEUES.await_ack(self.pool, self.state, self.end, number, time_ns)

    def acknowledged(self, number: int) -> int:
        return int(QUEUES.acknowledged(self.pool, self.state, self.end, number))

    def stamps(self, stamp: int, time_ns: int) -> None:
        QUEUES.await_echo(self.pool, self.state, self.end, stamp, time_ns)

    def echoed(self, stamp: int) -> int:
        return int(QUEUES.echoed(self.pool, self.state, self.end, stamp))

    def waiting(self) -> int:
        """How many wait, by the rows of both queues."""
        count = 0
        for first in ("flight", "stamps"):
            here = int(self.end[first])
            while here >= 0:
                row = self.pool[here]
                count += int(row["end"]) - int(row["first"])
                here = int(row["chain"])
        assert count == self.end["flights"] + self.end["stamped"]
        return count

    def rows(self) -> int:
        """How many rows of the pool are in use."""
        free, here = 0, int(self.state[TIMING_FREE])
        while here >= 0:
            free, here = free + 1, int(self.pool[here]["chain"])
        return int(self.state[TIMING_FRESH]) - free


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=60))
def test_an_ack_finds_the_segment_that_ends_there_and_frees_those_before(
    steps: list[tuple[bool, int]],
) -> None:
    queues = Queues()
    expected: list[tuple[int, int]] = []
    sent, acknowledged = 0, 0
    for time_ns, (sends, size) in enumerate(steps):
        if sends:
            sent += size
            queues.sends(sent, time_ns)
            expected.append((sent, time_ns))
        else:
            acknowledged += size
            found = [when for number, when in expected if number == acknowledged]
            assert queues.acknowledged(acknowledged) == (found[0] if found else NONE)
            expected = [(number, when) for number, when in expected if number > acknowledged]
        assert queues.waiting() == len(expected)
        assert (queues.rows() == 0) == (expected == [])


def test_an_echo_frees_older_timestamps_across_the_wrap() -> None:
    queues = Queues()
    for time_ns, stamp in enumerate((2**32 - 2, 2**32 - 1, 3, 9)):
        queues.stamps(stamp, time_ns)
    assert queues.echoed(2**32 - 3) == NONE
    assert queues.echoed(2**32 - 1) == 1
    assert queues.echoed(2**32 - 1) == NONE
    assert queues.waiting() == 2
    assert queues.echoed(9) == 3
    assert queues.rows() == 0


@pytest.mark.parametrize("later_ns", [1, LATEST_NS // ENTRIES, LATEST_NS, LATEST_NS + 1, -1])
def test_times_far_apart_and_back_are_kept(later_ns: int) -> None:
    queues = Queues()
    times = [10**18 + number * later_ns for number in range(3 * ENTRIES)]
    for number, time_ns in enumerate(times):
        queues.sends(number, time_ns)
        queues.stamps(number, time_ns)
    assert [queues.acknowledged(number) for number in range(len(times))] == times
    assert [queues.echoed(number) for number in range(len(times))] == times
    assert queues.rows() == 0


def test_numbers_of_segments_are_known_across_the_wrap() -> None:
    """They come unwrapped, beyond 2^32 and below 0."""
    queues = Queues()
    numbers = [2**32 - 1, 2**32, 2**32 + 1, 5 * 2**32]
    for number in numbers[:3]:
        queues.sends(number, number)
    assert [queues.acknowledged(number) for number in numbers] == [*numbers[:3], NONE]
    queues.sends(-5, 7)
    assert queues.acknowledged(-6) == NONE
    assert queues.acknowledged(-5) == 7


def test_a_burst_lies_in_few_rows() -> None:
    queues = Queues()
    for number in range(5 * ENTRIES):
        queues.sends(number, number)
    assert queues.rows() == 5
    assert queues.acknowledged(2 * ENTRIES) == 2 * ENTRIES
    assert queues.rows() == 3


def test_a_queue_has_an_end() -> None:
    queues = Queues()
    for number in range(MOST + 5):
        queues.sends(number + 1, number)
        queues.stamps(number + 1, number)
    assert queues.waiting() == 2 * MOST
    assert queues.acknowledged(MOST + 5) == NONE
    assert queues.acknowledged(MOST + 6) == NONE
    assert queues.echoed(MOST) == MOST - 1
    assert queues.rows() == 0


def test_a_pool_that_is_used_up_goes_on() -> None:
    queues = Queues(room=3)
    many = 3 * ENTRIES
    for number in range(many + 2):
        queues.sends(number, number)
    assert (queues.rows(), queues.waiting()) == (3, many)
    assert queues.acknowledged(ENTRIES - 1) == ENTRIES - 1
    queues.sends(many + 5, 10)
    assert queues.acknowledged(many) == NONE
    assert queues.acknowledged(many + 5) == 10
    assert queues.rows() == 0


@pytest.mark.parametrize("room", [0, 1, 2, 3, 7])
def test_a_pool_of_all_connections_that_is_used_up(room: int) -> None:
    """Samples are missing, and none is wrong."""
    wire = Wire()
    talks = [wire.talk(CLIENT._replace(port=50_000 + number)) for number in range(6)]
    for talk in talks:
        talk.handshake()
        for stamp in range(3):
            talk.a.data(10, tsval=stamp)
            talk.a.data(10, tsval=stamp)
        talk.b.ack(tsval=1, tsecr=1)
    everything = track(wire.sent, "rtt-sample")
    tracker = make_tracker(["rtt-sample"])
    pool = tracker._memory.timings[:room].copy()
    tracker._memory = tracker._memory._replace(timings=pool)
    feed(tracker, wire.sent)
    check(tracker)
    assert timings_in_use(tracker) <= room
    assert set(finish(tracker)) <= set(everything)
    check(tracker)


def test_timings_of_dropped_connections_are_free() -> None:
    """Evicted, used again, or ended: nothing stays."""
    wire = Wire()
    for number in range(50):
        talk = wire.talk(CLIENT._replace(port=40_000 + number % 20), isn=(number * 1_000, 0))
        talk.handshake()
        for stamp in range(5):
            talk.a.data(10, tsval=stamp)
    tracker = make_tracker(["rtt-sample", "closed"], max_connections=7, decided=True)
    feed(tracker, wire.sent)
    check(tracker)
    assert timings_in_use(tracker) == 7 * 2  # a row for each queue
    finish(tracker)
    assert timings_in_use(tracker) == 0
