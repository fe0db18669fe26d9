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
from tcpsnoop.batches.segments import QUOTE, RST, SYN, SegmentBatch
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel
from tcpsnoop.provider.analysis import ANALYSIS_BITS, analyse, begin_analysis
from tcpsnoop.provider.copies import Copies, is_copy
from tcpsnoop.provider.firing import Output, elapsed_since_syn, fire_all, fire_closed, fire_drafted
from tcpsnoop.provider.handshake import (
    CLOSED_FIRES,
    advance,
    begins_anew,
    finish,
    hear,
    originator_of,
)
from tcpsnoop.provider.intervals import release_all
from tcpsnoop.provider.looking_ahead import begin_looking, look_ahead, look_ahead_to_remove
from tcpsnoop.provider.memory import (
    ANALYSES,
    CLOCK,
    CLOSED,
    DUPLICATES,
    FOLLOWS,
    MIDSTREAM,
    REPORTED,
    ROWS,
    WAITING_FIRST,
    WRITES,
    ConnectionTable,
)
from tcpsnoop.provider.sequence import MODULUS_MASK
from tcpsnoop.provider.sides import Sides, local_ends
from tcpsnoop.provider.stream import follow
from tcpsnoop.provider.table import begin_again, enter, is_full, place_of, remove
from tcpsnoop.provider.timings import forget_timings
from tcpsnoop.provider.waiting import PATIENCE_AT_END_NS, PATIENCE_NS, stop_waiting
from tcpsnoop.provider.writes import MAX_WRITES

# The most rows that one segment, or one connection that is dropped, can fire.
# The latter: two ends of each probe, some of which fire several times.
ROWS_OF_ONE = MAX_WRITES + 4 * len(PROBES)

_REUSED = probes.END_REASONS.index("reused")

_SEND_BIT = 1 << probes.SEND
_RECEIVE_BIT = 1 << probes.RECEIVE
WRITE_BIT = 1 << probes.WRITE
# Probes that need to know every byte of both directions.
STREAM_BITS = WRITE_BIT | CLOSED_FIRES | ANALYSIS_BITS
_COPY_BITS = _SEND_BIT | _RECEIVE_BIT | 1 << probes.DUPLICATE_FRAME


class Memory(NamedTuple):
    """What is remembered beside the table."""

    intervals: NDArray[np.void]  # provider.intervals.INTERVAL
    timings: NDArray[np.void]  # provider.timings.TIMING
    copies: Copies
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
    i = start
    looked = start - 1
    place = 0
    begin_looking(table, segments, start, output.places, output.heads)
    while i < count and state[ROWS] + ROWS_OF_ONE <= len(output.rows):
        if state[WAITING_FIRST] >= 0 and _expire_one(table, output, segments[i], wanted):
            continue
        segment = segments[i]
        if looked < i:
            place = look_ahead(table, memory.timings, segments, i, output.places, output.heads)
            looked = i
        if place < 0:
            # Not there when it was looked for; a segment since then may have been its first.
            place = place_of(table, segment)
        if np.int64(segment["options"]) & QUOTE != 0:
            if place >= 0:
                _tell_unreachable(segment, table, output, place >> 1, place & 1)
            i += 1
            continue
        if place < 0:
            if is_full(table):
                break
            place = enter(table, segment)
            _begin(segments, i, table, memory, sides, place >> 1, place & 1)
            _take(segment, table, memory, output, place >> 1, place & 1, wanted)
            i += 1
            continue
        slot, sender = place >> 1, place & 1
        if is_copy(memory.copies, table.ends, state, place, segments, i):
            _take_copy(segment, table, output, slot, sender, wanted)
            i += 1
            continue
        if np.int64(segment["flags"]) & SYN != 0 and begins_anew(
            table.connections[slot], table.ends[2 * slot + sender], segment
        ):
            _drop(table, memory, output, slot, _REUSED, wanted, segment)
            begin_again(table, slot)
            _begin(segments, i, table, memory, sides, slot, sender)
        _take(segment, table, memory, output, slot, sender, wanted)
        i += 1
    return i


@kernel
def _tell_unreachable(
    quote: Row, table: ConnectionTable, output: Output, slot: Integer, sender: Integer
) -> None:
    """An ICMP error is about the connection in row `slot`; end `sender` had sent what it quotes."""
    connection, draft = table.connections[slot], output.draft[0]
    originator = np.int64(connection["originator"])
    kind_and_code = np.int64(quote["payload"])
    draft["sender_high"] = quote["fingerprint"]
    upper = np.int64(quote["tsval"])
    upper -= (upper >> 31) << 32  # its highest bit is the sign of the whole
    draft["sender_low"] = (upper << 32) | np.int64(quote["tsecr"])
    draft["kind"] = kind_and_code >> 8
    draft["code"] = kind_and_code & 0xFF
    draft["new"] = quote["window"]
    draft["elapsed_ns"] = elapsed_since_syn(connection, np.int64(quote["time_ns"]))
    draft["count"] = table.ends[2 * slot + originator]["repeats"]
    moment = output.moment[0]
    _at_packet(moment, quote)
    moment["time_ns"] = quote["time_ns"]
    moment["frame_bytes"] = quote["frame_bytes"]
    moment["frame"] = quote["frame"]
    fire_drafted(output, table.state, connection, moment, probes.UNREACHABLE, sender, sender)


@inlined
def _expire_one(table: ConnectionTable, output: Output, segment: Row, wanted: Integer) -> Truth:
    """Fire `connect-timeout` for the oldest SYN if it is due by now; whether it was."""
    slot = table.state[WAITING_FIRST]
    due_ns = np.int64(table.openings[slot]["syn_clock_ns"]) + PATIENCE_NS
    if due_ns > np.int64(segment["clock_ns"]):
        return False
    _give_up(table, output, slot, segment, due_ns)
    return True


@kernel
def _give_up(
    table: ConnectionTable, output: Output, slot: Integer, segment: Row, time_ns: Integer
) -> None:
    """Nobody answered the SYN of the connection in row `slot`; `segment` is the latest of all."""
    stop_waiting(table, slot)
    connection, draft = table.connections[slot], output.draft[0]
    originator = np.int64(connection["originator"])
    moment = output.moment[0]
    _at_packet(moment, segment)
    moment["time_ns"] = time_ns
    moment["frame_bytes"] = -1
    moment["frame"] = -1
    draft["elapsed_ns"] = elapsed_since_syn(connection, time_ns)
    draft["count"] = table.ends[2 * slot + originator]["repeats"]
    fire_drafted(
        output, table.state, connection, moment, probes.CONNECT_TIMEOUT, originator, originator
    )


@inlined
def _at_packet(moment: Row, segment: Row) -> None:
    """What a row says of the packet at which it fires, where that is no segment."""
    moment["packet"] = segment["packet"]
    moment["clock_ns"] = segment["clock_ns"]
    moment["interface"] = segment["interface"]
    moment["digits"] = segment["digits"]


@kernel
def give_up_all(table: ConnectionTable, output: Output, latest: NDArray[np.void]) -> Truth:
    """The input has ended: fire for every SYN that waited long enough; whether that was all.

    `latest` is the latest segment, shape (1,). It stops early when the output is nearly full.
    """
    state, segment = table.state, latest[0]
    clock_ns = np.int64(segment["clock_ns"])
    while state[WAITING_FIRST] >= 0:
        if state[ROWS] + ROWS_OF_ONE > len(output.rows):
            return False
        slot = state[WAITING_FIRST]
        if clock_ns - np.int64(table.openings[slot]["syn_clock_ns"]) <= PATIENCE_AT_END_NS:
            return True
        _give_up(table, output, slot, segment, clock_ns)
    return True


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
        fire_all(output, table.state, connection, 0, segment, fired, sender, size, 1)


@kernel
def _begin(
    segments: SegmentBatch,
    i: Integer,
    table: ConnectionTable,
    memory: Memory,
    sides: Sides,
    slot: Integer,
    sender: Integer,
) -> None:
    """The first segment of a connection decides its side and its originator."""
    segment, connection = segments[i], table.connections[slot]
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
    if table.state[ANALYSES] != 0:
        begin_analysis(segment, table, slot, sender)
    # So that the first segment itself can be known again.
    is_copy(memory.copies, table.ends, table.state, 2 * slot + sender, segments, i)


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
    known = np.int64(connection["flags"])
    earlier = np.int64(table.ends[2 * slot + sender]["flags"])
    fired = advance(connection, table.ends, slot, sender, segment)
    state[WRITES] = 0
    if wanted & STREAM_BITS != 0:
        follow(table, memory.intervals, output.writes, slot, sender, segment)
        fired |= finish(connection, table.ends, table.streams, slot)
    hear(table.ends[2 * slot + sender], segment)
    shown = (fired | _SEND_BIT | _RECEIVE_BIT) & wanted & ~CLOSED_FIRES
    if shown != 0:
        repeats = np.int64(table.ends[2 * slot + np.int64(connection["originator"])]["repeats"])
        fire_all(output, state, connection, repeats, segment, shown, sender, payload, 0)
    if state[ANALYSES] != 0:
        analyse(segment, table, memory.timings, output, slot, sender, wanted, fired, known, earlier)
    if state[WRITES] > 0:
        for number in range(state[WRITES]):
            writer, size = output.writes[number, 0], output.writes[number, 1]
            fire_all(output, state, connection, 0, segment, WRITE_BIT, writer, size, 0)
    if fired & wanted & CLOSED_FIRES != 0:
        fire_closed(
            output,
            state,
            connection,
            table.ends,
            table.totals,
            slot,
            np.int64(connection["end_reason"]),
            segment,
            np.int64(segment["ttl"]),
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
            output,
            table.state,
            connection,
            table.ends,
            table.totals,
            slot,
            why,
            moment,
            0,
        )
    if table.state[FOLLOWS] != 0:
        for index in range(2 * slot, 2 * slot + 2):
            release_all(memory.intervals, table.state, table.streams[index])
    if table.state[ANALYSES] != 0:
        stop_waiting(table, slot)
        for index in range(2 * slot, 2 * slot + 2):
            forget_timings(memory.timings, table.state, table.analyses[index])


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
        look_ahead_to_remove(table, slots, here)
        _drop(table, memory, output, slots[here], reason, wanted, moment[0])
        remove(table, slots[here])
        here += 1
    return here
