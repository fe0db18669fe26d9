"""Lists of sequence intervals, in one pool for all connections.

An end has two lists: `held`, the bytes captured above the next one expected, ascending; and
`holes`, the latest stretches below it that were never captured. Both are short by their limits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, kernel
from tcpsnoop.provider.memory import (
    HOLE_SINCE,
    HOLE_START,
    INTERVAL_FREE,
    INTERVAL_FRESH,
    INTERVALS_USED,
    NONE,
)

# For all connections together; 32 bytes each, touched only as used.
POOL = 1 << 18
# With so many runs, the first hole of an end is given up: a receiver's window rarely holds more
# between losses, and every one costs a step of the search.
MAX_HELD = 128
# One segment can fill the holes between all of them, each part a run of its own.
MOST_RUNS = 2 * MAX_HELD + 2
# Late bytes for an older hole count as seen before.
MAX_HOLES = 16

# What ends at an interval's end.
NOTHING = 0
BOUNDARY = 1  # a write: PUSH was set
FINAL = 2  # a write and the stream: its last number is that of the FIN

INTERVAL = np.dtype(
    [
        ("start", "i8"),
        ("stop", "i8"),
        ("since_ns", "i8"),  # when the hole in front of it appeared; of a hole, when it did
        ("chain", "i4"),
        ("ends", "u1"),
    ],
    align=True,
)

Intervals = NDArray[np.void]
State = NDArray[np.int64]


def make_intervals() -> Intervals:
    """An empty pool."""
    return np.empty(POOL, INTERVAL)


@kernel
def allocate(
    pool: Intervals,
    state: State,
    start: Integer,
    stop: Integer,
    ends: Integer,
    chain: Integer,
    since_ns: Integer,
) -> Integer:
    """A new interval in front of `chain`; NONE when the pool is used up."""
    place = state[INTERVAL_FREE]
    if place >= 0:
        state[INTERVAL_FREE] = np.int64(pool[place]["chain"])
    elif state[INTERVAL_FRESH] < len(pool):
        place = state[INTERVAL_FRESH]
        state[INTERVAL_FRESH] += 1
    else:
        return NONE
    state[INTERVALS_USED] += 1
    node = pool[place]
    node["start"] = start
    node["stop"] = stop
    node["since_ns"] = since_ns
    node["ends"] = ends
    node["chain"] = chain
    return place


@kernel
def release(pool: Intervals, state: State, place: Integer) -> Integer:
    """Give one interval back; what followed it."""
    after = np.int64(pool[place]["chain"])
    pool[place]["chain"] = state[INTERVAL_FREE]
    state[INTERVAL_FREE] = place
    state[INTERVALS_USED] -= 1
    return after


@kernel
def release_all(pool: Intervals, state: State, end: Row) -> None:
    """Give back both lists of an end."""
    place = np.int64(end["held"])
    while place >= 0:
        place = release(pool, state, place)
    place = np.int64(end["holes"])
    while place >= 0:
        place = release(pool, state, place)
    end["held"] = NONE
    end["holes"] = NONE


@kernel
def hold(
    pool: Intervals,
    state: State,
    end: Row,
    start: Integer,
    stop: Integer,
    ends: Integer,
    time_ns: Integer,
) -> Integer:
    """Keep [start, stop) above `next`, captured at `time_ns`; how many numbers are new.

    NONE, and nothing has changed, if there is no room. Parts already held stay as they are, but for
    a write that ends in them (`ends`); runs are joined where no write ends between them.
    """
    before: Integer = NONE
    here = np.int64(end["held"])
    runs = 0
    while here >= 0:
        runs += 1
        if np.int64(pool[here]["stop"]) <= start:
            before = here
        here = np.int64(pool[here]["chain"])
    # Each hole between runs, and both ends, may need an interval; a boundary splits one.
    if runs >= MAX_HELD or state[INTERVALS_USED] + runs + 2 > len(pool):
        return NONE
    if ends == BOUNDARY:
        mark(pool, state, end, start, stop)
    fresh = 0
    while start < stop:
        here = np.int64(end["held"]) if before < 0 else np.int64(pool[before]["chain"])
        until = stop
        if here >= 0:
            if np.int64(pool[here]["start"]) <= start:
                before = here
                start = max(start, np.int64(pool[here]["stop"]))
                continue
            until = min(stop, np.int64(pool[here]["start"]))
        what = ends if until == stop else NOTHING
        if (
            before >= 0
            and np.int64(pool[before]["stop"]) == start
            and np.int64(pool[before]["ends"]) == NOTHING
        ):
            pool[before]["stop"] = until
            pool[before]["ends"] = what
        else:
            # What is in front of a later run was missing since that one came.
            since_ns = np.int64(pool[here]["since_ns"]) if here >= 0 else time_ns
            place = allocate(pool, state, start, until, what, here, since_ns)
            if before < 0:
                end["held"] = place
            else:
                pool[before]["chain"] = place
            before = place
        fresh += until - start
        start = until
    return fresh


@kernel
def mark(pool: Intervals, state: State, end: Row, start: Integer, stop: Integer) -> None:
    """A write ends at `stop`, where [start, stop) ends inside a run that is held, or with it."""
    here = np.int64(end["held"])
    while here >= 0 and np.int64(pool[here]["stop"]) < stop:
        here = np.int64(pool[here]["chain"])
    if here < 0 or start >= stop or np.int64(pool[here]["start"]) >= stop:
        return
    node = pool[here]
    if stop < np.int64(node["stop"]):
        after = np.int64(node["chain"])
        ends, since_ns = np.int64(node["ends"]), np.int64(node["since_ns"])
        rest = allocate(pool, state, stop, np.int64(node["stop"]), ends, after, since_ns)
        if rest < 0:
            return
        node["stop"] = stop
        node["chain"] = rest
        node["ends"] = BOUNDARY
    elif np.int64(node["ends"]) == NOTHING:
        node["ends"] = BOUNDARY


@kernel
def remember_hole(
    pool: Intervals, state: State, end: Row, start: Integer, stop: Integer, since_ns: Integer
) -> None:
    """Note that [start, stop) was passed without being captured; the oldest hole is forgotten."""
    place = allocate(pool, state, start, stop, NOTHING, np.int64(end["holes"]), since_ns)
    if place < 0:
        return
    end["holes"] = place
    _keep_newest(pool, state, end)


@kernel
def _keep_newest(pool: Intervals, state: State, end: Row) -> None:
    """Forget all but the first MAX_HOLES holes."""
    place = np.int64(end["holes"])
    for _ in range(MAX_HOLES - 1):
        if place < 0:
            return
        place = np.int64(pool[place]["chain"])
    if place < 0:
        return
    rest = np.int64(pool[place]["chain"])
    pool[place]["chain"] = NONE
    while rest >= 0:
        rest = release(pool, state, rest)


@kernel
def hole_at(pool: Intervals, state: State, end: Row, start: Integer, stop: Integer) -> None:
    """Write HOLE_SINCE and HOLE_START of the first hole that [start, stop) is about to fill."""
    state[HOLE_SINCE] = NONE
    below = np.int64(end["next"])
    here = np.int64(end["held"])
    while here >= 0:
        node = pool[here]
        if start < np.int64(node["start"]) and stop > below:
            state[HOLE_SINCE] = node["since_ns"]
            state[HOLE_START] = below
            return
        below = np.int64(node["stop"])
        here = np.int64(node["chain"])
    here = np.int64(end["holes"])
    while here >= 0:
        node = pool[here]
        if start < np.int64(node["stop"]) and stop > np.int64(node["start"]):
            state[HOLE_SINCE] = node["since_ns"]
            state[HOLE_START] = node["start"]
            return
        here = np.int64(node["chain"])


@kernel
def fill_holes(pool: Intervals, state: State, end: Row, start: Integer, stop: Integer) -> Integer:
    """Bytes of [start, stop) that lie in holes; they are no holes any more."""
    filled = 0
    before: Integer = NONE
    here = np.int64(end["holes"])
    while here >= 0:
        node = pool[here]
        left = np.int64(node["start"])
        right = np.int64(node["stop"])
        low = max(left, start)
        high = min(right, stop)
        if low >= high:
            before = here
            here = np.int64(node["chain"])
            continue
        filled += high - low
        if low > left and high < right:
            node["stop"] = low
            after, since_ns = np.int64(node["chain"]), np.int64(node["since_ns"])
            place = allocate(pool, state, high, right, NOTHING, after, since_ns)
            if place >= 0:
                node["chain"] = place
                _keep_newest(pool, state, end)
            return filled
        if low > left:
            node["stop"] = low
        elif high < right:
            node["start"] = high
        else:
            here = release(pool, state, here)
            if before < 0:
                end["holes"] = here
            else:
                pool[before]["chain"] = here
            continue
        before = here
        here = np.int64(node["chain"])
    return filled
