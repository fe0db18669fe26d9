"""The connection table: a row for each live connection, two for its ends, found by hashing.

The rows are structured arrays, so that what belongs together lies together: with a million
connections a segment costs a few cache misses, not one for each field. Rows are taken from a free
list; nothing moves. All memory is reserved at the start and touched only as it is used.

The end that sorts first by (address, port) is end 0, the other end 1, so both directions of a
connection give the same key.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel

# Bits of CONNECTION["flags"].
REQUESTED = 0x01  # connect-request has fired
CONNECTED = 0x02  # connect-established has fired
ACCEPTED = 0x04  # accept-established has fired
CLOSED = 0x08  # both FINs, or a RST
REPORTED = 0x10  # closed has fired
MIDSTREAM = 0x20  # the first segment seen was no SYN
SIMULTANEOUS = 0x40  # SYN from both ends

# Bits of END["flags"].
SYN_SENT = 0x01  # its SYN was seen, `isn` is its number
SYN_ACKED = 0x02  # that SYN was a SYN|ACK
ISN_IMPLIED = 0x04  # `isn` is known from the other end's SYN|ACK
FIN_SENT = 0x08
HEARD = 0x10  # midstream: `isn` is one below the lowest sequence number seen

# Bits of STREAM["flags"].
FOLLOWED = 0x01  # `next` and `lowest` are known
PROBE_PENDING = 0x02  # a zero-window probe's byte is not yet acknowledged
BELOW_ZERO = 0x04  # `lowest`, unwrapped as `next` is, is negative
PICKED_UP = 0x08  # midstream: bytes below `lowest` may still come
HAS_SENT = 0x10  # a segment of this end was captured

NONE = -1  # no row, no interval, no end

CONNECTION = np.dtype(
    [
        ("first_high", "i8"),  # address of end 0
        ("first_low", "i8"),
        ("second_high", "i8"),  # address of end 1
        ("second_low", "i8"),
        ("number", "i8"),  # unique in a run, from 1; 0: the row is free
        ("start_ns", "i8"),  # time of its first segment
        ("chain", "i4"),  # next row of the same bucket, or of the free list
        ("active", "u4"),  # count of segments when it was last active, modulo 2^32
        ("first_port", "u2"),
        ("second_port", "u2"),
        ("flags", "u1"),
        ("originator", "u1"),  # which end
        ("local", "u1"),  # bit 0: end 0 is local, bit 1: end 1
        ("end_reason", "u1"),  # index in END_REASONS, valid when CLOSED
    ],
    align=True,
)

# What every report needs to know of an end.
END = np.dtype(
    [
        ("lanes", "i8"),  # see `copies`
        ("latest", "i4"),  # its latest segment in the log of `copies`
        ("isn", "u4"),  # initial sequence number; midstream: lowest sequence seen - 1
        ("fin", "u4"),  # sequence number after the FIN
        ("flags", "u1"),
    ],
    align=True,
)

# What is known of the bytes an end sends. Apart from END, as many reports do not ask for it, and a
# million connections' memory is not touched then.
STREAM = np.dtype(
    [
        ("next", "i8"),  # next sequence number expected in order, unwrapped
        ("acknowledged", "i8"),  # highest acknowledgment by the other end, unwrapped
        ("lowest", "u4"),  # sequence number of its first byte captured, or of where to begin
        ("writing", "i4"),  # bytes since the last boundary; VOID until the next one
        ("held", "i4"),  # first interval above `next`
        ("holes", "i4"),  # first interval below `next` that was never captured
        ("window", "u2"),  # as last advertised, unscaled
        ("flags", "u1"),
    ],
    align=True,
)

# What is counted of an end, for whoever is told at its connection's end; apart likewise.
TOTALS = np.dtype(
    [
        ("payload", "i8"),  # payload bytes, retransmissions counted again
        ("retransmitted", "i8"),  # of those, bytes already seen
        ("probe", "i4"),  # of those, keep-alive and zero-window probe bytes
        ("segments", "u4"),
    ],
    align=True,
)

# Places in `ConnectionTable.state`.
LIVE = 0  # connections in the table
FREE = 1  # first row of the free list
FRESH = 2  # rows from here on were never used
NUMBER = 3  # number of the latest connection
CLOCK = 4  # segments seen
LOG_NEXT = 5  # entry of the log of `copies` after the latest
INTERVAL_FREE = 6  # first interval of the free list
INTERVAL_FRESH = 7  # intervals from here on were never used
INTERVALS_USED = 8
ROWS = 9  # probe rows written
CLOSED_ROWS = 10  # rows of `closed` written
WRITES = 11  # rows of the scratch array of writes
DUPLICATES = 12  # frames that were copies
TOUCHED = 13  # nothing that matters, see `locate`
FOLLOWS = 14  # 1: bytes are followed, `streams` is in use
COUNTS = 15  # 1: they are counted too, `totals` is in use
LOG_END = 16  # entries from here on are too old to count
BUCKETS = 17  # buckets in use
STATE_SIZE = 18

# How many segments `locate` is ahead: their rows must still be in the nearest cache when they are
# used, some 300 bytes each.
LOOKAHEAD = 64

# Buckets in use at the start, a power of two. They become more with the connections, as each lies
# in a line of the cache of its own.
FIRST_BUCKETS = 1 << 12

# 2 x 32 bits for each half of both addresses, and the ports.
_HASH_KEYS = 9


class ConnectionTable(NamedTuple):
    """Arrays a kernel takes whole; made by `make_table`."""

    connections: NDArray[np.void]  # CONNECTION, shape (n,)
    ends: NDArray[np.void]  # END, shape (2 n,): row 2 c + e is end e of connection c
    streams: NDArray[np.void]  # STREAM, likewise
    totals: NDArray[np.void]  # TOTALS, likewise
    buckets: NDArray[np.int32]  # first row of each bucket, as many as are in use
    keys: NDArray[np.int64]  # random multipliers of the hash
    state: NDArray[np.int64]  # counters, see the constants


def make_table(capacity: int, *, follows: bool, counts: bool) -> ConnectionTable:
    """An empty table for `capacity` live connections; whether bytes are followed and counted.

    The hash is multilinear with secret multipliers (Carter and Wegman 1979): a sender who chooses
    addresses and ports cannot make long chains.
    """
    most = max(FIRST_BUCKETS, 1 << (capacity - 1).bit_length())
    state = np.zeros(STATE_SIZE, np.int64)
    state[BUCKETS] = FIRST_BUCKETS
    state[FREE] = state[INTERVAL_FREE] = NONE
    state[FOLLOWS] = int(follows)
    state[COUNTS] = int(counts)
    buckets = np.empty(most, np.int32)
    buckets[:FIRST_BUCKETS] = NONE
    return ConnectionTable(
        np.zeros(capacity, CONNECTION),
        np.zeros(2 * capacity, END),
        np.zeros(2 * capacity, STREAM),
        np.zeros(2 * capacity, TOTALS),
        buckets,
        # 27 bits: nine products with 32-bit words stay below 2^63.
        np.frombuffer(os.urandom(8 * _HASH_KEYS), np.int64) & 0x7FF_FFFF | 1,
        state,
    )


@inlined
def _is_in_order(segment: Row) -> Truth:
    """Whether (address, port) of the source sorts before that of the destination."""
    low, to_low = segment["source_low"], segment["destination_low"]
    if low != to_low:
        return low < to_low
    high, to_high = segment["source_high"], segment["destination_high"]
    if high != to_high:
        return high < to_high
    return np.int64(segment["source_port"]) <= np.int64(segment["destination_port"])


@inlined
def _bucket_of(
    table: ConnectionTable,
    first_high: Integer,
    first_low: Integer,
    second_high: Integer,
    second_low: Integer,
    ports: Integer,
) -> Integer:
    """The bucket of a key whose ends are in order; `ports` is first << 16 | second."""
    keys = table.keys
    mixed = (
        (first_high & 0xFFFFFFFF) * keys[0]
        + ((first_high >> 32) & 0xFFFFFFFF) * keys[1]
        + (first_low & 0xFFFFFFFF) * keys[2]
        + ((first_low >> 32) & 0xFFFFFFFF) * keys[3]
        + (second_high & 0xFFFFFFFF) * keys[4]
        + ((second_high >> 32) & 0xFFFFFFFF) * keys[5]
        + (second_low & 0xFFFFFFFF) * keys[6]
        + ((second_low >> 32) & 0xFFFFFFFF) * keys[7]
        + ports * keys[8]
    )
    return (mixed >> 26) & (table.state[BUCKETS] - 1)


@inlined
def _bucket_and_sender(table: ConnectionTable, segment: Row) -> Integer:
    """The bucket of the segment's key << 1 | the end that sent it."""
    source_port = np.int64(segment["source_port"])
    destination_port = np.int64(segment["destination_port"])
    source_high, source_low = segment["source_high"], segment["source_low"]
    destination_high, destination_low = segment["destination_high"], segment["destination_low"]
    if _is_in_order(segment):
        ports = source_port << 16 | destination_port
        return (
            _bucket_of(table, source_high, source_low, destination_high, destination_low, ports)
            << 1
        )
    ports = destination_port << 16 | source_port
    bucket = _bucket_of(table, destination_high, destination_low, source_high, source_low, ports)
    return bucket << 1 | 1


@inlined
def _find(table: ConnectionTable, segment: Row, head: Integer, sender: Integer) -> Integer:
    """`place_of` in the chain that begins at row `head`."""
    if sender == 0:
        first_high, first_low = segment["source_high"], segment["source_low"]
        second_high, second_low = segment["destination_high"], segment["destination_low"]
        first_port, second_port = segment["source_port"], segment["destination_port"]
    else:
        first_high, first_low = segment["destination_high"], segment["destination_low"]
        second_high, second_low = segment["source_high"], segment["source_low"]
        first_port, second_port = segment["destination_port"], segment["source_port"]
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
    bucket = _bucket_and_sender(table, segment)
    return _find(table, segment, np.int64(table.buckets[bucket >> 1]), bucket & 1)


@kernel
def locate(
    table: ConnectionTable,
    segments: SegmentBatch,
    start: Integer,
    stop: Integer,
    places: NDArray[np.int64],
    heads: NDArray[np.int64],
) -> None:
    """Write `place_of` of the segments `start` to `stop` into `places`, at index modulo its size.

    In several passes, each so short that the processor is many segments ahead and fetches what they
    need from memory at once, where one pass would wait for each in turn; that is what they are for.
    `heads` is scratch of the same size.
    """
    count = stop - start
    for k in range(count):
        places[k] = _bucket_and_sender(table, segments[start + k])
    for k in range(count):
        heads[k] = table.buckets[places[k] >> 1]
    touched: Integer = 0
    for k in range(count):
        head = heads[k]
        if head >= 0:
            touched ^= np.int64(table.connections[head]["chain"])
            touched ^= table.ends[2 * head]["lanes"] ^ table.ends[2 * head + 1]["lanes"]
    if table.state[FOLLOWS] != 0:
        for k in range(count):
            head = heads[k]
            if head >= 0:
                touched ^= table.streams[2 * head]["next"] ^ table.streams[2 * head + 1]["next"]
    table.state[TOUCHED] = touched
    for k in range(count):
        places[k] = _find(table, segments[start + k], heads[k], places[k] & 1)


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
    if state[LIVE] == state[BUCKETS]:
        _take_more_buckets(table)
    slot = state[FREE]
    if slot >= 0:
        state[FREE] = np.int64(table.connections[slot]["chain"])
    else:
        slot = state[FRESH]
        state[FRESH] += 1
    state[LIVE] += 1
    row = table.connections[slot]
    sender = 0 if _is_in_order(segment) else 1
    if sender == 0:
        row["first_high"], row["first_low"] = segment["source_high"], segment["source_low"]
        row["second_high"] = segment["destination_high"]
        row["second_low"] = segment["destination_low"]
        row["first_port"], row["second_port"] = segment["source_port"], segment["destination_port"]
    else:
        row["first_high"] = segment["destination_high"]
        row["first_low"] = segment["destination_low"]
        row["second_high"], row["second_low"] = segment["source_high"], segment["source_low"]
        row["first_port"], row["second_port"] = segment["destination_port"], segment["source_port"]
    bucket = _bucket_of_row(table, row)
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
            bucket = _bucket_of_row(table, row)
            row["chain"] = buckets[bucket]
            buckets[bucket] = slot


@kernel
def _bucket_of_row(table: ConnectionTable, row: Row) -> Integer:
    ports = np.int64(row["first_port"]) << 16 | np.int64(row["second_port"])
    return _bucket_of(
        table, row["first_high"], row["first_low"], row["second_high"], row["second_low"], ports
    )


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
        end["latest"] = NONE
        end["isn"] = 0
        end["fin"] = 0
        end["flags"] = 0
        if table.state[FOLLOWS] != 0:
            _clear(table.streams[index])
        if table.state[COUNTS] != 0:
            totals = table.totals[index]
            totals["payload"] = 0
            totals["retransmitted"] = 0
            totals["probe"] = 0
            totals["segments"] = 0


@kernel
def _clear(stream: Row) -> None:
    stream["next"] = 0
    stream["acknowledged"] = NONE
    stream["lowest"] = 0
    stream["writing"] = 0
    stream["held"] = NONE
    stream["holes"] = NONE
    stream["window"] = 0
    stream["flags"] = 0


@kernel
def remove(table: ConnectionTable, slot: Integer) -> None:
    """Take the row out of its bucket and give it back."""
    row = table.connections[slot]
    bucket = _bucket_of_row(table, row)
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
