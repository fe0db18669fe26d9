"""Intervals: aligned to the first packet or the start, the last one cut short (SEMANTICS 1)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.engine.intervals import FileIntervals, LiveIntervals
from tcpsnoop.report import Interval
from tests.probe_batches import START_NS, batch_of, row

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


def at(*offsets: int, digits: int = 6) -> ProbeBatch:
    """A row for each capture time, nanoseconds after the first packet; `bytes` repeats it."""
    return batch_of(
        [
            row(
                "send",
                "10.0.0.1 80",
                "10.0.0.2 9",
                clock_ns=START_NS + offset,
                bytes=offset,
                digits=digits,
            )
            for offset in offsets
        ]
    )


Parts = list[tuple[Interval | None, list[int]]]


def cut(intervals: FileIntervals, batch: ProbeBatch) -> Parts:
    """The parts: which interval ended before each, and its rows."""
    return [(ended, part.rows["bytes"].tolist()) for ended, part in intervals.cut(batch, START_NS)]


def interval(offset: int, digits: int = 6, *, partial: bool = False) -> Interval:
    return Interval(START_NS + offset, digits, partial)


def test_they_are_aligned_to_the_first_packet_not_to_the_first_probe() -> None:
    intervals = FileIntervals(1)
    late = 700 * MILLISECOND
    assert cut(intervals, at(late, SECOND - 1, SECOND)) == [
        (None, [late, SECOND - 1]),
        (interval(0), [SECOND]),
    ]
    assert intervals.last() == interval(SECOND, partial=True)


def test_intervals_without_rows_are_left_out_and_the_next_stays_aligned() -> None:
    intervals = FileIntervals(2)
    last = 7 * SECOND + 5
    assert cut(intervals, at(0, last)) == [(None, [0]), (interval(0), [last])]
    assert intervals.last() == interval(6 * SECOND, partial=True)


def test_the_last_interval_with_probes_is_whole_when_packets_go_on_behind_it() -> None:
    intervals = FileIntervals(1)
    cut(intervals, at(0, SECOND))
    assert intervals.last(START_NS + 2 * SECOND - 1) == interval(SECOND, partial=True)
    assert intervals.last(START_NS + 2 * SECOND) == interval(SECOND)


def test_an_interval_goes_on_in_the_next_batch() -> None:
    intervals = FileIntervals(0.25)
    quarter = SECOND // 4
    assert cut(intervals, at(0)) == [(None, [0])]
    assert cut(intervals, at(quarter - 1)) == [(None, [quarter - 1])]
    assert cut(intervals, at(quarter)) == [(interval(0), [quarter])]


def test_a_clock_that_was_started_anew_in_the_past_starts_the_intervals_anew() -> None:
    intervals = FileIntervals(1)
    back = -3 * 86_400 * SECOND - 1
    assert cut(intervals, at(0, back, back + SECOND - 1, back + SECOND)) == [
        (None, [0]),
        (interval(0), [back, back + SECOND - 1]),
        (interval(back), [back + SECOND]),
    ]


def test_the_start_has_as_many_digits_as_the_source() -> None:
    intervals = FileIntervals(1)
    assert cut(intervals, at(0, SECOND, digits=9))[1][0] == interval(0, 9)
    assert intervals.last() == interval(SECOND, 9, partial=True)


def test_an_input_without_probes_has_no_interval() -> None:
    assert FileIntervals(1).last() is None


@given(st.lists(st.integers(0, 12_000), min_size=1, max_size=30), st.integers(1, 7))
def test_no_row_is_lost_and_batches_do_not_matter(times: list[int], size: int) -> None:
    """Each stretch of rows is one interval of the arithmetic, whatever the batches."""
    offsets = sorted(time * MILLISECOND for time in times)
    intervals = FileIntervals(1)
    found: list[tuple[Interval, list[int]]] = []
    rows: list[int] = []
    for start in range(0, len(offsets), size):
        for ended, part in cut(intervals, at(*offsets[start : start + size])):
            if ended is not None:
                found.append((ended, rows))
                rows = []
            rows = rows + part
    last = intervals.last()
    assert last is not None
    # The first row may come after the first interval, which then has no rows: it is left out.
    told = [(each.start_ns - START_NS, part) for each, part in [*found, (last, rows)] if part]
    numbers = sorted({offset // SECOND for offset in offsets})
    assert told == [
        (number * SECOND, [offset for offset in offsets if offset // SECOND == number])
        for number in numbers
    ]
    assert all(
        before.start_ns < after.start_ns for before, after in pairwise([x for x, _ in found])
    )


def test_live_they_tick_by_the_clock_also_when_nothing_came() -> None:
    intervals = LiveIntervals(0.5, START_NS, now=100.0)
    assert intervals.ends == 100.5
    assert list(intervals.ended(100.25)) == []
    assert list(intervals.ended(100.5)) == [interval(0)]
    assert list(intervals.ended(101.75)) == [interval(SECOND // 2), interval(SECOND)]
    assert intervals.ends == 102.0
    assert intervals.last() == interval(3 * SECOND // 2, partial=True)


def test_live_a_late_look_does_not_shift_those_that_follow() -> None:
    intervals = LiveIntervals(1, START_NS, now=0.0)
    ended = [each for late in np.arange(1.0, 1_000.0) for each in intervals.ended(late + 0.375)]
    assert [each.start_ns - START_NS for each in ended] == [n * SECOND for n in range(999)]
    assert intervals.ends == 1_000.0


def test_live_none_begins_after_the_last_that_was_asked_for() -> None:
    intervals = LiveIntervals(1, START_NS, now=0.0, count=2)
    over = [intervals.over]
    assert list(intervals.ended(1.5)) == [interval(0)]
    over.append(intervals.over)
    assert list(intervals.ended(9.0)) == [interval(SECOND)]
    over.append(intervals.over)
    assert over == [False, False, True]
    assert intervals.last() is None
    assert list(intervals.ended(99.0)) == []


def test_live_an_interval_has_the_load_at_its_end() -> None:
    loads = iter((0.5, 2.25))
    intervals = LiveIntervals(1, START_NS, now=0.0, load=lambda: next(loads))
    assert [each.load for each in intervals.ended(1.0)] == [0.5]
    last = intervals.last()
    assert last is not None
    assert (last.load, last.partial) == (2.25, True)


def test_when_the_interval_that_has_ended_was_over() -> None:
    intervals = FileIntervals(1.0)
    list(intervals.cut(at(0, SECOND // 2), START_NS))
    assert intervals.ended_ns == 0
    list(intervals.cut(at(5 * SECOND), START_NS))
    assert intervals.ended_ns == START_NS + SECOND - 1
