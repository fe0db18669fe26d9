"""The writes that one direction's bytes make up (SEMANTICS 9).

A write is the new in-order payload since the last boundary: PUSH, FIN, or new data the other way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, inlined, kernel
from tcpsnoop.provider.intervals import FINAL, MOST_RUNS, NOTHING, State
from tcpsnoop.provider.memory import PARTING, WRITES

# STREAM["writing"] after a hole: nothing is known of the write until the next boundary.
VOID = -1
_LARGEST_WRITE = 2**31 - 1
# One segment can release all that is held of both ends, and end a write of each.
MAX_WRITES = 2 * MOST_RUNS + 4

Writes = NDArray[np.int64]  # shape (MAX_WRITES, 2): end, bytes


@inlined
def write_on(state: State, end: Row, count: Integer) -> None:
    """`count` bytes more of the write at hand, where somebody asks for writes."""
    if state[PARTING] != 0 and np.int64(end["writing"]) >= 0:
        end["writing"] = min(_LARGEST_WRITE, np.int64(end["writing"]) + count)


@inlined
def extend(
    state: State, writes: Writes, end: Row, which: Integer, count: Integer, ends: Integer
) -> None:
    """`count` new bytes in order; `ends` says what ends behind them."""
    if count > 0:
        end["next"] += count
        write_on(state, end, count)
    if ends == FINAL:
        end["next"] += 1
    if ends != NOTHING and state[PARTING] != 0:
        _end_write(state, writes, end, which)


@inlined
def _end_write(state: State, writes: Writes, end: Row, which: Integer) -> None:
    """A boundary: what was written so far is one write, unless a hole made it void."""
    size = np.int64(end["writing"])
    end["writing"] = 0
    if size > 0 and state[WRITES] < len(writes):
        writes[state[WRITES], 0] = which
        writes[state[WRITES], 1] = size
        state[WRITES] += 1


@kernel
def end_write_before(
    state: State, writes: Writes, end: Row, which: Integer, place: Integer
) -> None:
    """A boundary in front of the writes from `place` on, which the segment itself ended."""
    count = state[WRITES]
    _end_write(state, writes, end, which)
    if state[WRITES] > count:
        size = writes[count, 1]
        for later in range(count, place, -1):
            writes[later, 0] = writes[later - 1, 0]
            writes[later, 1] = writes[later - 1, 1]
        writes[place, 0] = which
        writes[place, 1] = size
