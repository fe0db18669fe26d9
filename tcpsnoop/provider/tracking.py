"""The loop over segments: find the connection, decide its side, follow it, fire probes.

`track` takes a batch of segments, `drop` ends connections that nothing on the wire ends. Both write
rows of probes and stop before these are full.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches import probes
from tcpsnoop.batches.probes import PROBES
from tcpsnoop.batches.segments import RST, SYN, SegmentBatch
from tcpsnoop.kernel import Integer, Row, inlined, kernel
from tcpsnoop.provider.copies import is_copy
from tcpsnoop.provider.firing import fire_all, fire_closed
from tcpsnoop.provider.handshake import (
    CLOSED_FIRES,
    advance,
    begins_anew,
    finish,
    hear,
    originator_of,
)
from tcpsnoop.provider.intervals import release_all
from tcpsnoop.provider.sequence import MODULUS_MASK
from tcpsnoop.provider.sides import Sides, local_ends
from tcpsnoop.provider.stream import MAX_WRITES, follow
from tcpsnoop.provider.table import (
    CLOCK,
    CLOSED,
    DUPLICATES,
    FOLLOWS,
    LOOKAHEAD,
    MIDSTREAM,
    REPORTED,
    ROWS,
    WRITES,
    ConnectionTable,
    begin_again,
    enter,
    is_full,
    locate,
    place_of,
    remove,
)

# The most rows that one segment, or one connection that is dropped, can fire.
ROWS_OF_ONE = MAX_WRITES + 2 * len(PROBES)

_REUSED = probes.END_REASONS.index("reused")

_SEND_BIT = 1 << probes.SEND
_RECEIVE_BIT = 1 << probes.RECEIVE
_WRITE_BIT = 1 << probes.WRITE
# Probes that need to know every byte of both directions.
STREAM_BITS = _WRITE_BIT | CLOSED_FIRES
_COPY_BITS = _SEND_BIT | _RECEIVE_BIT | 1 << probes.DUPLICATE_FRAME


class Output(NamedTuple):
    """Where probes go; `state` of the table counts what is there."""

    rows: NDArray[np.void]  # PROBE_ROW
    closed: NDArray[np.void]  # CLOSED_ROW
    writes: NDArray[np.int64]  # scratch, see provider.stream
    places: NDArray[np.int64]  # scratch, see provider.table.locate
    heads: NDArray[np.int64]  # likewise


class Memory(NamedTuple):
    """What is remembered beside the table."""

    intervals: NDArray[np.void]  # provider.intervals.INTERVAL
    copies: NDArray[np.void]  # provider.copies.LOGGED
    services: NDArray[np.bool_]  # ports of registered services, shape (65536,)


@kernel
def track(
    segments: SegmentBatch,
    start: Integer,
    table: ConnectionTable,
    memory: Memory,
    sides: Sides,
    output: Output,
    wanted: Integer,
) -> Integer:
    """Take the segments from `start` on; the index of the first one not taken.

    It stops early when the output is nearly full, or before a new connection when the table is.
    """
    state = table.state
    count = len(segments)
    i = first = located = start
    while i < count and state[ROWS] + ROWS_OF_ONE <= len(output.rows):
        if i == located:
            first = i
            located = min(count, i + LOOKAHEAD)
            locate(table, segments, i, located, output.places, output.heads)
        segment = segments[i]
        place = output.places[i - first]
        if place < 0:
            # Not there when it was looked for; a segment since then may have been its first.
            place = place_of(table, segment)
        if place < 0:
            if is_full(table):
                break
            place = enter(table, segment)
            _begin(segment, table, memory, sides, place >> 1, place & 1)
            _take(segment, table, memory, output, place >> 1, place & 1, wanted)
            i += 1
            continue
        slot, sender = place >> 1, place & 1
        if is_copy(memory.copies, table.connections, table.ends, state, slot, sender, segment):
            _take_copy(segment, table, output, slot, sender, wanted)
            i += 1
            continue
        if np.int64(segment["flags"]) & SYN != 0 and begins_anew(
            table.connections[slot], table.ends[2 * slot + sender], segment
        ):
            _drop(table, memory, output, slot, _REUSED, wanted, segment)
            begin_again(table, slot)
            _begin(segment, table, memory, sides, slot, sender)
        _take(segment, table, memory, output, slot, sender, wanted)
        i += 1
    return i


@kernel
def _take_copy(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
) -> None:
    """A frame seen before: it is shown, and counts for nothing."""
    table.state[DUPLICATES] += 1
    fired = wanted & _COPY_BITS
    if fired != 0:
        connection = table.connections[slot]
        size = np.int64(segment["payload"])
        fire_all(output.rows, table.state, connection, segment, fired, sender, size, 1)


@kernel
def _begin(
    segment: Row,
    table: ConnectionTable,
    memory: Memory,
    sides: Sides,
    slot: Integer,
    sender: Integer,
) -> None:
    """The first segment of a connection decides its side and its originator."""
    connection = table.connections[slot]
    flags = np.int64(segment["flags"])
    connection["start_ns"] = segment["time_ns"]
    connection["flags"] = 0 if flags & (SYN | RST) == SYN else MIDSTREAM
    connection["originator"] = originator_of(
        sender,
        flags,
        np.int64(segment["source_port"]),
        np.int64(segment["destination_port"]),
        memory.services,
    )
    connection["local"] = local_ends(
        sides,
        connection["first_high"],
        connection["first_low"],
        connection["second_high"],
        connection["second_low"],
        np.int64(segment["side"]),
    )
    # So that the first segment itself can be known again.
    is_copy(memory.copies, table.connections, table.ends, table.state, slot, sender, segment)


@inlined
def _take(
    segment: Row,
    table: ConnectionTable,
    memory: Memory,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
) -> None:
    """A segment of the connection in row `slot` that is no copy."""
    state = table.state
    connection = table.connections[slot]
    state[CLOCK] += 1
    connection["active"] = state[CLOCK] & MODULUS_MASK
    payload = np.int64(segment["payload"])
    fired = advance(connection, table.ends, slot, sender, segment)
    state[WRITES] = 0
    if wanted & STREAM_BITS != 0:
        follow(table, memory.intervals, output.writes, slot, sender, segment)
        fired |= finish(connection, table.ends, table.streams, slot)
    hear(table.ends[2 * slot + sender], segment)
    shown = (fired | _SEND_BIT | _RECEIVE_BIT) & wanted & ~CLOSED_FIRES
    if shown != 0:
        fire_all(output.rows, state, connection, segment, shown, sender, payload, 0)
    if state[WRITES] > 0 and wanted & _WRITE_BIT != 0:
        for number in range(state[WRITES]):
            writer, size = output.writes[number, 0], output.writes[number, 1]
            fire_all(output.rows, state, connection, segment, _WRITE_BIT, writer, size, 0)
    if fired & wanted & CLOSED_FIRES != 0:
        fire_closed(
            output.rows,
            output.closed,
            state,
            connection,
            table.totals,
            slot,
            np.int64(connection["end_reason"]),
            segment,
        )


@kernel
def _drop(
    table: ConnectionTable,
    memory: Memory,
    output: Output,
    slot: Integer,
    reason: Integer,
    wanted: Integer,
    moment: Row,
) -> None:
    """A connection ends because something outside it says so: tell it, and free its intervals."""
    connection = table.connections[slot]
    known = np.int64(connection["flags"])
    if known & REPORTED == 0 and wanted & CLOSED_FIRES != 0:
        why = np.int64(connection["end_reason"]) if known & CLOSED != 0 else reason
        fire_closed(
            output.rows,
            output.closed,
            table.state,
            connection,
            table.totals,
            slot,
            why,
            moment,
        )
    if table.state[FOLLOWS] != 0:
        for index in range(2 * slot, 2 * slot + 2):
            release_all(memory.intervals, table.state, table.streams[index])


@kernel
def drop(
    slots: NDArray[np.int64],
    start: Integer,
    table: ConnectionTable,
    memory: Memory,
    output: Output,
    reason: Integer,
    wanted: Integer,
    moment: NDArray[np.void],
) -> Integer:
    """Drop the connections in `slots` from `start` on; the index of the first one left.

    `moment` is the latest segment, shape (1,). It stops early when the output is nearly full.
    """
    here = start
    while here < len(slots) and table.state[ROWS] + ROWS_OF_ONE <= len(output.rows):
        _drop(table, memory, output, slots[here], reason, wanted, moment[0])
        remove(table, slots[here])
        here += 1
    return here
