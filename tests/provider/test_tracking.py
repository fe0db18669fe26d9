"""The kernels of the loop: where they stop, and that they go on from there."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.batches.probes import END_REASONS, PROBES
from tcpsnoop.batches.segments import ACK, SEGMENT, SYN, SegmentBatch
from tcpsnoop.provider.copies import make_copies
from tcpsnoop.provider.firing import make_output
from tcpsnoop.provider.intervals import make_intervals
from tcpsnoop.provider.memory import (
    LIVE,
    ROWS,
    ConnectionTable,
    make_table,
)
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.timings import make_timings
from tcpsnoop.provider.tracking import ROWS_OF_ONE, Memory, drop, track
from tests.provider.talk import with_flows

EVERY_PROBE = sum(1 << probe.number for probe in PROBES.values())
SEND_AND_RECEIVE = 1 << PROBES["send"].number | 1 << PROBES["receive"].number


def memory() -> Memory:
    """Nothing remembered, no registered services."""
    return Memory(make_intervals(), make_timings(), make_copies(), np.zeros(1 << 16, np.bool_))


def openings(count: int) -> SegmentBatch:
    """A SYN of each of so many connections."""
    segments = np.zeros(count, SEGMENT)
    segments["packet"] = np.arange(1, count + 1)
    segments["source_low"] = 0xFFFF_C000_0201
    segments["destination_low"] = 0xFFFF_C633_6401
    segments["source_port"] = np.arange(40_000, 40_000 + count)
    segments["destination_port"] = 80
    segments["flags"] = SYN
    return with_flows(segments)


def table_for(connections: int) -> ConnectionTable:
    """An empty table."""
    return make_table(connections, follows=True, counts=True)


@pytest.mark.parametrize("spare", [0, 1, 5])
def test_stops_before_rows_run_out(spare: int) -> None:
    """A segment is taken only when all it may fire has room; one more fits with two rows more."""
    table, sides = table_for(16), Window().sides
    output = make_output(ROWS_OF_ONE + spare)
    taken = track(openings(16), 0, table, memory(), sides, output, SEND_AND_RECEIVE)
    # Each SYN is one row: the responder's, no end is local.
    assert taken == spare + 1
    assert table.state[ROWS] == taken


def test_stops_before_a_connection_that_has_no_room() -> None:
    """The table holds three: the fourth waits, and is taken once somebody was dropped."""
    table, sides, output, kept = table_for(3), Window().sides, make_output(4096), memory()
    segments = openings(4)
    assert track(segments, 0, table, kept, sides, output, EVERY_PROBE) == 3
    moment = segments[2:3].copy()
    reason = END_REASONS.index("evicted")
    slots = np.array([1], np.int64)
    assert drop(slots, 0, table, kept, output, reason, EVERY_PROBE, moment) == 1
    assert table.state[LIVE] == 2
    assert track(segments, 3, table, kept, sides, output, EVERY_PROBE) == 4
    assert table.state[LIVE] == 3


def test_goes_on_where_it_stopped() -> None:
    """In steps of one row's room it fires what it fires at once."""
    answered = openings(8)
    answered["flags"][4:] = ACK
    whole, parts = make_output(4096), make_output(ROWS_OF_ONE)
    table = table_for(16)
    track(answered, 0, table, memory(), Window().sides, whole, SEND_AND_RECEIVE)
    expected = whole.rows[: table.state[ROWS]].copy()
    table, kept, sides = table_for(16), memory(), Window().sides
    found = []
    start = 0
    while start < len(answered):
        start = track(answered, start, table, kept, sides, parts, SEND_AND_RECEIVE)
        found.append(parts.rows[: table.state[ROWS]].copy())
        table.state[ROWS] = 0
    assert np.concatenate(found).tolist() == expected.tolist()
