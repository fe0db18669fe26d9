"""Looking ahead: what a segment needs of the table is asked for before it is its turn.

With many connections their rows are not in the processor's cache. Memory takes as long to answer as
a segment takes to be followed, but it answers several questions at once, if they are asked early:
for the bucket, then for the row that it names, then for what is known of that connection. Each
question is asked of another segment ahead, as its answer is needed for the next one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.kernel import Integer, inlined, prefetcher
from tcpsnoop.provider.memory import ANALYSES, ConnectionTable
from tcpsnoop.provider.table import bring_near, bucket_and_sender, bucket_of_row, find

# How many segments lie between the steps of looking ahead: as many as pass while memory answers.
STEP = 8
# What is known of segments ahead, in a ring: three steps of them.
RING = 4 * STEP
_RING = RING - 1

prefetch = prefetcher()


@inlined
def begin_looking(
    table: ConnectionTable,
    segments: SegmentBatch,
    start: Integer,
    places: NDArray[np.int64],
    heads: NDArray[np.int64],
) -> None:
    """Take the steps of `look_ahead` that segments before `start` would have taken."""
    count = len(segments)
    for i in range(start, min(count, start + 3 * STEP)):
        _ask_for_bucket(table, segments, i, places)
    for i in range(start, min(count, start + 2 * STEP)):
        _ask_for_head(table, i, places, heads)
    for i in range(start, min(count, start + STEP)):
        _ask_for_rows(table, segments, i, places, heads)


@inlined
def look_ahead(
    table: ConnectionTable,
    timings: NDArray[np.void],
    segments: SegmentBatch,
    at: Integer,
    places: NDArray[np.int64],
    heads: NDArray[np.int64],
) -> Integer:
    """`place_of` segment `at`, as it was STEP segments before, and a step for four others ahead.

    Each asks memory for what the next one needs: so it is never waited for. `places` and `heads`
    are rings of RING entries.
    """
    count = len(segments)
    if at + 3 * STEP < count:
        _ask_for_bucket(table, segments, at + 3 * STEP, places)
    if at + 2 * STEP < count:
        _ask_for_head(table, at + 2 * STEP, places, heads)
    if at + STEP < count:
        _ask_for_rows(table, segments, at + STEP, places, heads)
    if at + STEP // 2 < count and table.state[ANALYSES] != 0:
        _ask_for_timings(table, timings, places[at + STEP // 2 & _RING])
    return places[at & _RING]


@inlined
def _ask_for_bucket(
    table: ConnectionTable, segments: SegmentBatch, i: Integer, places: NDArray[np.int64]
) -> None:
    place = bucket_and_sender(table, segments[i])
    places[i & _RING] = place
    prefetch(table.buckets, place >> 1)


@inlined
def _ask_for_head(
    table: ConnectionTable, i: Integer, places: NDArray[np.int64], heads: NDArray[np.int64]
) -> None:
    head = np.int64(table.buckets[places[i & _RING] >> 1])
    heads[i & _RING] = head
    prefetch(table.connections, head)


@inlined
def _ask_for_rows(
    table: ConnectionTable,
    segments: SegmentBatch,
    i: Integer,
    places: NDArray[np.int64],
    heads: NDArray[np.int64],
) -> None:
    place = find(table, segments[i], heads[i & _RING], places[i & _RING] & 1)
    places[i & _RING] = place
    if place >= 0:
        bring_near(table, place >> 1)


@inlined
def _ask_for_timings(table: ConnectionTable, timings: NDArray[np.void], place: Integer) -> None:
    """Where the queues of the other end begin, and where those of this end go on."""
    if place >= 0:
        mine, theirs = table.analyses[place], table.analyses[place ^ 1]
        prefetch(timings, theirs["flight"])
        prefetch(timings, theirs["stamps"])
        prefetch(timings, mine["flight_last"])
        prefetch(timings, mine["stamps_last"])


@inlined
def look_ahead_to_remove(table: ConnectionTable, slots: NDArray[np.int64], at: Integer) -> None:
    """Ask memory for what dropping the rows after `slots[at]` needs, as `look_ahead` does."""
    count = len(slots)
    if at + 2 * STEP < count:
        prefetch(table.connections, slots[at + 2 * STEP])
    if at + STEP < count:
        slot = slots[at + STEP]
        bring_near(table, slot)
        prefetch(table.buckets, bucket_of_row(table, table.connections[slot]))
