"""What is remembered is as small as docs/architecture.md says, and empty at the start."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.provider import memory
from tcpsnoop.provider.memory import NONE, make_table


@pytest.mark.parametrize(
    ("dtype", "bytes_"),
    [
        (memory.CONNECTION, 64),
        (memory.END, 32),
        (memory.STREAM, 32),
        (memory.TOTALS, 32),
        (memory.ANALYSIS, 64),
        (memory.SPELL, 16),
        (memory.OPENING, 64),
        (memory.HANDSHAKE, 40),
    ],
)
def test_rows_have_their_size(dtype: np.dtype[np.void], bytes_: int) -> None:
    """A million connections cost what is written there; 64 bytes are a line of the cache."""
    assert dtype.itemsize <= bytes_


@pytest.mark.parametrize("capacity", [1, 2, 3, 5_000])
def test_an_empty_table(capacity: int) -> None:
    table = make_table(capacity, follows=True, counts=False, analyses=True)
    assert len(table.connections) == len(table.openings) == len(table.handshakes) == capacity
    for rows in (table.ends, table.streams, table.totals, table.analyses, table.spells):
        assert len(rows) == 2 * capacity
    state = table.state
    assert [state[flag] for flag in (memory.FOLLOWS, memory.COUNTS, memory.ANALYSES)] == [1, 0, 1]
    lists = (memory.FREE, memory.INTERVAL_FREE, memory.TIMING_FREE, memory.WAITING_FIRST)
    assert [state[place] for place in (*lists, memory.WAITING_LAST)] == [NONE] * 5
    assert state[memory.LIVE] == state[memory.NUMBER] == 0
    assert set(table.buckets[: state[memory.BUCKETS]].tolist()) == {NONE}


def test_places_of_the_state_are_all_different() -> None:
    names = [
        *("LIVE", "FREE", "FRESH", "NUMBER", "CLOCK", "SERIAL", "INTERVAL_FREE"),
        *("INTERVAL_FRESH", "INTERVALS_USED", "ROWS", "CLOSED_ROWS", "WRITES", "DUPLICATES"),
        *("FOLLOWS", "COUNTS", "KEPT_FROM", "BUCKETS", "ANALYSES", "DETAIL_ROWS"),
        *("NEW_BYTES", "PROBED", "HOLE_SINCE", "HOLE_START", "TIMING_FREE", "TIMING_FRESH"),
        *("WAITING_FIRST", "WAITING_LAST", "PARTING"),
    ]
    assert sorted(getattr(memory, name) for name in names) == list(range(memory.STATE_SIZE))
