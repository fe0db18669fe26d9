"""Queues of what waits: segments for their ACK, timestamps for their echo (SEMANTICS 8).

Each end has two queues, in one pool for all connections. A queue is a chain of rows, each a line of
the cache that has several entries: an ACK for a burst would wait for memory at each of them, if
they lay apart. What comes when a queue has MOST entries, or when the pool is used up, is not timed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, inlined, kernel
from tcpsnoop.provider.memory import NONE, TIMING_FREE, TIMING_FRESH, rows_on_lines
from tcpsnoop.provider.sequence import MODULUS_MASK, distance

# For all connections together; touched only as used.
POOL = 1 << 19
# A queue that long is one whose answers are not captured.
MOST = 4096
# As many as a row has room for.
ENTRIES = 6
# How much later than the first entry of its row one may be: 4.3 s.
LATEST_NS = (1 << 32) - 1

TIMING = np.dtype(
    [
        ("base_ns", "i8"),  # time of its first entry
        ("chain", "i4"),  # the row behind it
        ("first", "u1"),  # entries from here
        ("end", "u1"),  # to here wait
        ("numbers", "u4", (ENTRIES,)),  # the sequence number after the segment; or a TSval
        ("later_ns", "u4", (ENTRIES,)),  # than `base_ns` it was sent
    ],
    align=True,
)

Timings = NDArray[np.void]
State = NDArray[np.int64]


def make_timings() -> Timings:
    """An empty pool."""
    return rows_on_lines(POOL, TIMING)


@kernel
def await_ack(pool: Timings, state: State, end: Row, number: Integer, time_ns: Integer) -> None:
    """A segment of new bytes before `number` was sent."""
    count = np.int64(end["flights"])
    if count >= MOST:
        return
    last: Integer = np.int64(end["flight_last"]) if count > 0 else NONE
    place = _append(pool, state, last, number, time_ns)
    if place < 0:
        return
    end["flights"] = count + 1
    end["flight_last"] = place
    if count == 0:
        end["flight"] = place


@kernel
def acknowledged(pool: Timings, state: State, end: Row, number: Integer) -> Integer:
    """Everything before `number` is acknowledged: when the segment that ends there was sent.

    NONE when no segment that was timed ends there.
    """
    sent_ns, place, taken = _answered(pool, state, np.int64(end["flight"]), number)
    end["flight"] = place
    end["flights"] = np.int64(end["flights"]) - taken
    return sent_ns


@kernel
def await_echo(pool: Timings, state: State, end: Row, stamp: Integer, time_ns: Integer) -> None:
    """A segment with a new TSval was sent."""
    count = np.int64(end["stamped"])
    if count >= MOST:
        return
    last: Integer = np.int64(end["stamps_last"]) if count > 0 else NONE
    place = _append(pool, state, last, stamp, time_ns)
    if place < 0:
        return
    end["stamped"] = count + 1
    end["stamps_last"] = place
    if count == 0:
        end["stamps"] = place


@kernel
def echoed(pool: Timings, state: State, end: Row, stamp: Integer) -> Integer:
    """`stamp` came back: when it was first sent; NONE if it does not wait."""
    sent_ns, place, taken = _answered(pool, state, np.int64(end["stamps"]), stamp)
    end["stamps"] = place
    end["stamped"] = np.int64(end["stamped"]) - taken
    return sent_ns


@kernel
def forget_flight(pool: Timings, state: State, end: Row) -> None:
    """No segment waits any more: what is acknowledged next is ambiguous (Karn's rule)."""
    _release_all(pool, state, np.int64(end["flight"]))
    end["flight"] = NONE
    end["flights"] = 0


@kernel
def forget_timings(pool: Timings, state: State, end: Row) -> None:
    """Give back all of an end."""
    forget_flight(pool, state, end)
    _release_all(pool, state, np.int64(end["stamps"]))
    end["stamps"] = NONE
    end["stamped"] = 0


@inlined
def _append(
    pool: Timings, state: State, last: Integer, number: Integer, time_ns: Integer
) -> Integer:
    """Put an entry behind those of row `last` (NONE: the queue is empty); the row it is in.

    NONE when the pool is used up.
    """
    if last >= 0:
        row = pool[last]
        at, later_ns = np.int64(row["end"]), time_ns - np.int64(row["base_ns"])
        if at < ENTRIES and 0 <= later_ns <= LATEST_NS:
            row["numbers"][at] = number & MODULUS_MASK
            row["later_ns"][at] = later_ns
            row["end"] = at + 1
            return last
    place = _allocate(pool, state)
    if place < 0:
        return NONE
    row = pool[place]
    row["base_ns"] = time_ns
    row["chain"] = NONE
    row["first"] = 0
    row["end"] = 1
    row["numbers"][0] = number & MODULUS_MASK
    row["later_ns"][0] = 0
    if last >= 0:
        pool[last]["chain"] = place
    return place


@inlined
def _answered(
    pool: Timings, state: State, first: Integer, number: Integer
) -> tuple[Integer, Integer, Integer]:
    """Take the entries up to `number` from the queue that begins at row `first`.

    When that of just this number was sent, NONE if it is not there; where the queue begins now; how
    many were taken.
    """
    sent_ns: Integer = NONE
    place, taken = first, 0
    while place >= 0:
        row = pool[place]
        at, end = np.int64(row["first"]), np.int64(row["end"])
        ahead = 0
        while at < end:
            ahead = distance(number, np.int64(row["numbers"][at]))
            if ahead < 0:
                break
            if ahead == 0:
                sent_ns = np.int64(row["base_ns"]) + np.int64(row["later_ns"][at])
            at += 1
            taken += 1
        if ahead < 0:
            row["first"] = at
            break
        place = _release(pool, state, place)
    return sent_ns, place, taken


@inlined
def _release_all(pool: Timings, state: State, first: Integer) -> None:
    place = first
    while place >= 0:
        place = _release(pool, state, place)


@inlined
def _allocate(pool: Timings, state: State) -> Integer:
    place = state[TIMING_FREE]
    if place >= 0:
        state[TIMING_FREE] = np.int64(pool[place]["chain"])
    elif state[TIMING_FRESH] < len(pool):
        place = state[TIMING_FRESH]
        state[TIMING_FRESH] += 1
    else:
        return NONE
    return place


@inlined
def _release(pool: Timings, state: State, place: Integer) -> Integer:
    """Give a row back; the one that followed it."""
    after = np.int64(pool[place]["chain"])
    pool[place]["chain"] = state[TIMING_FREE]
    state[TIMING_FREE] = place
    return after
