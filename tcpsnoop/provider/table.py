"""The connection table: rows are found by hashing, taken, and given back.

Rows are taken from a free list; nothing moves. A bucket is a chain of rows; buckets become more as
connections do.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.flows import ends_of, hash_of
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel, prefetcher
from tcpsnoop.provider.memory import (
    ANALYSES,
    BUCKETS,
    COUNTS,
    FOLLOWS,
    FREE,
    FRESH,
    LIVE,
    NONE,
    NUMBER,
    ConnectionTable,
)

# Fresh rows are asked for so many connections before they are begun.
_SOON = 4

prefetch = prefetcher()


@inlined
def bucket_and_sender(table: ConnectionTable, segment: Row) -> Integer:
    """The bucket of the segment's key << 1 | the end that sent it."""
    flow = np.int64(segment["flow"])
    return _bucket(table, flow >> 1) << 1 | flow & 1


@inlined
def _bucket(table: ConnectionTable, hashed: Integer) -> Integer:
    return hashed & (table.state[BUCKETS] - 1)


@inlined
def find(table: ConnectionTable, segment: Row, head: Integer, sender: Integer) -> Integer:
    """`place_of` in the chain that begins at row `head`."""
    first_high, first_low, first_port, second_high, second_low, second_port = ends_of(
        segment, sender
    )
    slot = head
    while slot >= 0:
        row = table.connections[slot]
        if (
            row["first_low"] == first_low
            and row["second_low"] == second_low
            and row["first_port"] == first_port
            and row["second_port"] == second_port
            and row["first_high"] == first_high
            and row["second_high"] == second_high
        ):
            return slot << 1 | sender
        slot = np.int64(row["chain"])
    return NONE


@kernel
def place_of(table: ConnectionTable, segment: Row) -> Integer:
    """Row of the segment's connection << 1 | the end that sent it; NONE when it is not there."""
    bucket = bucket_and_sender(table, segment)
    return find(table, segment, np.int64(table.buckets[bucket >> 1]), bucket & 1)


@inlined
def bring_near(table: ConnectionTable, slot: Integer) -> None:
    """Fetch what is known of the connection in row `slot`, as far as it is in use."""
    state, first = table.state, 2 * slot
    prefetch(table.ends, first)
    if state[FOLLOWS] != 0:
        prefetch(table.streams, first)
        if state[COUNTS] != 0:
            prefetch(table.totals, first)
        if state[ANALYSES] != 0:
            prefetch(table.analyses, first)
            prefetch(table.analyses, first + 1)
            prefetch(table.openings, slot)


@kernel
def is_full(table: ConnectionTable) -> Truth:
    """No row is free: somebody must be evicted before the next connection."""
    return table.state[FREE] < 0 and table.state[FRESH] >= len(table.connections)


@kernel
def enter(table: ConnectionTable, segment: Row) -> Integer:
    """A fresh row for the segment's connection, which is not there; as `place_of`.

    The table must not be full.
    """
    state = table.state
    if 2 * state[LIVE] >= state[BUCKETS] and state[BUCKETS] < len(table.buckets):
        _take_more_buckets(table)
    slot = state[FREE]
    if slot >= 0:
        state[FREE] = np.int64(table.connections[slot]["chain"])
    else:
        slot = state[FRESH]
        state[FRESH] += 1
        prefetch(table.connections, slot + _SOON)
        bring_near(table, slot + _SOON)
    state[LIVE] += 1
    row = table.connections[slot]
    sender = np.int64(segment["flow"]) & 1
    first_high, first_low, first_port, second_high, second_low, second_port = ends_of(
        segment, sender
    )
    row["first_high"], row["first_low"], row["first_port"] = first_high, first_low, first_port
    row["second_high"], row["second_low"], row["second_port"] = second_high, second_low, second_port
    bucket = bucket_of_row(table, row)
    row["chain"] = table.buckets[bucket]
    table.buckets[bucket] = slot
    begin_again(table, slot)
    return slot << 1 | sender


@kernel
def _take_more_buckets(table: ConnectionTable) -> None:
    """Four times as many; every row in use goes into its new one."""
    state, buckets, connections = table.state, table.buckets, table.connections
    state[BUCKETS] = min(4 * state[BUCKETS], len(buckets))
    for bucket in range(state[BUCKETS]):
        buckets[bucket] = NONE
    for slot in range(state[FRESH]):
        row = connections[slot]
        if row["number"] > 0:
            bucket = bucket_of_row(table, row)
            row["chain"] = buckets[bucket]
            buckets[bucket] = slot


@kernel
def bucket_of_row(table: ConnectionTable, row: Row) -> Integer:
    """The bucket that a row in use is in."""
    ports = np.int64(row["first_port"]) << 16 | np.int64(row["second_port"])
    hashed = hash_of(
        row["first_high"],
        row["first_low"],
        row["second_high"],
        row["second_low"],
        ports,
        table.keys,
    )
    return _bucket(table, hashed)


@kernel
def begin_again(table: ConnectionTable, slot: Integer) -> None:
    """Make the row a new connection of the same key: a number of its own, nothing known."""
    table.state[NUMBER] += 1
    row = table.connections[slot]
    row["number"] = table.state[NUMBER]
    row["flags"] = 0
    row["local"] = 0
    row["end_reason"] = 0
    for index in range(2 * slot, 2 * slot + 2):
        end = table.ends[index]
        end["lanes"] = 0
        end["latest"] = 0
        end["heard"] = 0
        end["isn"] = 0
        end["fin"] = 0
        end["flags"] = 0
        end["repeats"] = 0
        end["window"] = 0
        end["stream"] = 0
        if table.state[FOLLOWS] != 0:
            _clear(table.streams[index])
        if table.state[COUNTS] != 0:
            totals = table.totals[index]
            totals["payload"] = 0
            totals["retransmitted"] = 0
            totals["last_ns"] = 0
            totals["probe"] = 0
            totals["segments"] = 0
        if table.state[ANALYSES] != 0:
            _clear_analysis(table.analyses[index], table.spells[index])
    if table.state[ANALYSES] != 0:
        _clear_opening(table.openings[slot], table.handshakes[slot])


@kernel
def _clear(stream: Row) -> None:
    stream["next"] = 0
    stream["acknowledged"] = NONE
    stream["lowest"] = 0
    stream["writing"] = 0
    stream["held"] = NONE
    stream["holes"] = NONE


@kernel
def _clear_analysis(analysis: Row, spell: Row) -> None:
    spell["state_ns"] = NONE
    spell["window_ns"] = 0
    analysis["ack_ns"] = 0
    analysis["doubt"] = NONE
    analysis["flight"] = NONE
    analysis["flight_last"] = NONE
    analysis["stamps"] = NONE
    analysis["stamps_last"] = NONE
    analysis["ack"] = 0
    analysis["highest"] = 0
    analysis["stamp"] = 0
    analysis["duplicates"] = 0
    analysis["flights"] = 0
    analysis["stamped"] = 0
    analysis["window"] = 0
    analysis["state"] = 0
    analysis["ttl"] = 0
    analysis["known"] = 0


@kernel
def _clear_opening(opening: Row, handshake: Row) -> None:
    opening["syn_clock_ns"] = 0
    opening["accepted_ns"] = NONE
    opening["syn_rtt_ns"] = NONE
    opening["irtt_ns"] = NONE
    opening["request_ns"] = NONE
    opening["before"] = NONE
    opening["after"] = NONE
    opening["overflows"] = 0
    opening["known"] = 0
    handshake["syn_ns"] = NONE
    handshake["synack_first_ns"] = NONE
    handshake["synack_ns"] = NONE
    handshake["syn_stamp"] = 0
    handshake["syn_stamp_last"] = 0
    handshake["synack_stamp"] = 0
    handshake["synack_stamp_last"] = 0


@kernel
def remove(table: ConnectionTable, slot: Integer) -> None:
    """Take the row out of its bucket and give it back."""
    row = table.connections[slot]
    bucket = bucket_of_row(table, row)
    here = np.int64(table.buckets[bucket])
    if here == slot:
        table.buckets[bucket] = row["chain"]
    else:
        while np.int64(table.connections[here]["chain"]) != slot:
            here = np.int64(table.connections[here]["chain"])
        table.connections[here]["chain"] = row["chain"]
    row["number"] = 0
    row["chain"] = table.state[FREE]
    table.state[FREE] = slot
    table.state[LIVE] -= 1
