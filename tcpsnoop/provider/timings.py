"""Queues of what waits: segments for their ACK, timestamps for their echo (SEMANTICS 8).

Each end has two queues, in one pool for all connections. What comes when a queue has MOST entries,
or when the pool is used up, is not timed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, inlined, kernel
from tcpsnoop.provider.memory import NONE, TIMING_FREE, TIMING_FRESH
from tcpsnoop.provider.sequence import distance

# For all connections together; 24 bytes each, touched only as used.
POOL = 1 << 19
# A queue that long is one whose answers are not captured.
MOST = 4096

TIMING = np.dtype(
    [
        ("number", "i8"),  # sequence number after the segment, unwrapped; or a TSval
        ("time_ns", "i8"),
        ("chain", "i4"),
    ],
    align=True,
)

Timings = NDArray[np.void]
State = NDArray[np.int64]


def make_timings() -> Timings:
    """An empty pool."""
    return np.empty(POOL, TIMING)


@kernel
def await_ack(pool: Timings, state: State, end: Row, number: Integer, time_ns: Integer) -> None:
    """A segment of new bytes before `number` was sent."""
    count = np.int64(end["flights"])
    place = _allocate(pool, state, number, time_ns) if count < MOST else NONE
    if place < 0:
        return
    end["flights"] = count + 1
    if np.int64(end["flight"]) < 0:
        end["flight"] = place
    else:
        pool[np.int64(end["flight_last"])]["chain"] = place
    end["flight_last"] = place


@kernel
def acknowledged(pool: Timings, state: State, end: Row, number: Integer) -> Integer:
    """Everything before `number` is acknowledged: when the segment that ends there was sent.

    NONE when no segment that was timed ends there.
    """
    sent_ns: Integer = NONE
    here = np.int64(end["flight"])
    while here >= 0 and np.int64(pool[here]["number"]) <= number:
        if np.int64(pool[here]["number"]) == number:
            sent_ns = np.int64(pool[here]["time_ns"])
        here = _release(pool, state, here)
        end["flights"] = np.int64(end["flights"]) - 1
    end["flight"] = here
    return sent_ns


@kernel
def await_echo(pool: Timings, state: State, end: Row, stamp: Integer, time_ns: Integer) -> None:
    """A segment with a new TSval was sent."""
    count = np.int64(end["stamped"])
    place = _allocate(pool, state, stamp, time_ns) if count < MOST else NONE
    if place < 0:
        return
    end["stamped"] = count + 1
    if np.int64(end["stamps"]) < 0:
        end["stamps"] = place
    else:
        pool[np.int64(end["stamps_last"])]["chain"] = place
    end["stamps_last"] = place


@kernel
def echoed(pool: Timings, state: State, end: Row, stamp: Integer) -> Integer:
    """`stamp` came back: when it was first sent; NONE if it does not wait."""
    sent_ns: Integer = NONE
    here = np.int64(end["stamps"])
    while here >= 0 and distance(stamp, np.int64(pool[here]["number"])) >= 0:
        if np.int64(pool[here]["number"]) == stamp:
            sent_ns = np.int64(pool[here]["time_ns"])
        here = _release(pool, state, here)
        end["stamped"] = np.int64(end["stamped"]) - 1
    end["stamps"] = here
    return sent_ns


@kernel
def forget_flight(pool: Timings, state: State, end: Row) -> None:
    """No segment waits any more: what is acknowledged next is ambiguous (Karn's rule)."""
    here = np.int64(end["flight"])
    while here >= 0:
        here = _release(pool, state, here)
    end["flight"] = NONE
    end["flights"] = 0


@kernel
def forget_timings(pool: Timings, state: State, end: Row) -> None:
    """Give back all of an end."""
    forget_flight(pool, state, end)
    here = np.int64(end["stamps"])
    while here >= 0:
        here = _release(pool, state, here)
    end["stamps"] = NONE
    end["stamped"] = 0


@inlined
def _allocate(pool: Timings, state: State, number: Integer, time_ns: Integer) -> Integer:
    place = state[TIMING_FREE]
    if place >= 0:
        state[TIMING_FREE] = np.int64(pool[place]["chain"])
    elif state[TIMING_FRESH] < len(pool):
        place = state[TIMING_FRESH]
        state[TIMING_FRESH] += 1
    else:
        return NONE
    pool[place]["number"] = number
    pool[place]["time_ns"] = time_ns
    pool[place]["chain"] = NONE
    return place


@inlined
def _release(pool: Timings, state: State, place: Integer) -> Integer:
    """Give one back; what followed it."""
    after = np.int64(pool[place]["chain"])
    pool[place]["chain"] = state[TIMING_FREE]
    state[TIMING_FREE] = place
    return after
