"""Looking ahead changes nothing but time: what is found is what would be found without."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.kernel import Integer, kernel
from tcpsnoop.provider.looking_ahead import RING, STEP, begin_looking, look_ahead
from tcpsnoop.provider.memory import NONE, ConnectionTable
from tcpsnoop.provider.table import place_of
from tests.provider.consistency import check, live
from tests.provider.talk import Wire, many_talks, rows
from tests.provider.tracked import feed, finish, make_tracker, numbers, track


@pytest.mark.parametrize(
    "distance",
    [1, *(steps * STEP + more for steps in (1, 2, 3) for more in (-1, 0, 1)), 2 * RING, 9 * RING],
)
def test_segments_of_one_batch_find_the_connection_that_began_in_it(distance: int) -> None:
    wire = Wire()
    talks = list(many_talks(wire, distance))
    for talk in talks:
        talk.a.syn()
    for talk in talks:
        talk.b.syn_ack()
    expected = [*range(1, distance + 1), *range(1, distance + 1)]
    assert numbers(track(wire.sent, max_connections=12 * RING)) == expected


@pytest.mark.parametrize("start", [0, 1, STEP, RING + 3, 99, 100])
def test_what_is_found_is_what_the_table_has(start: int) -> None:
    wire = Wire()
    known, unknown = (list(many_talks(wire, 100))[part] for part in (slice(60), slice(60, 100)))
    tracker = make_tracker(["rtt-sample"], decided=True)
    for talk in known:
        talk.handshake()
        talk.a.data(10, tsval=1)
    feed(tracker, wire.sent)
    seen = len(wire.sent)
    for talk in np.random.default_rng(4).permutation(np.array([*known, *unknown], object)):
        talk.b.ack()
    segments = rows(wire.sent)[seen:]
    table, output = tracker._table, tracker._output
    found, expected = np.empty(100, np.int64), np.empty(100, np.int64)
    look(table, tracker._memory.timings, segments, start, output.places, output.heads, found)
    search(table, segments, expected)
    assert found[start:].tolist() == expected[start:].tolist()
    assert np.count_nonzero(expected == NONE) == 40


@kernel
def look(
    table: ConnectionTable,
    timings: NDArray[np.void],
    segments: SegmentBatch,
    start: Integer,
    places: NDArray[np.int64],
    heads: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    begin_looking(table, segments, start, places, heads)
    for i in range(start, len(segments)):
        found[i] = look_ahead(table, timings, segments, i, places, heads)


@kernel
def search(table: ConnectionTable, segments: SegmentBatch, found: NDArray[np.int64]) -> None:
    for i in range(len(segments)):
        found[i] = place_of(table, segments[i])


@pytest.mark.parametrize("count", [1, STEP, 2 * STEP + 1, 200])
def test_connections_dropped_together_are_all_gone(count: int) -> None:
    wire = Wire()
    for talk in many_talks(wire, count):
        talk.handshake()
    tracker = make_tracker(["closed"], decided=True)
    feed(tracker, wire.sent)
    assert live(tracker) == count
    assert [each.connection for each in finish(tracker)] == [*range(1, count + 1)]
    check(tracker)
    assert live(tracker) == 0
