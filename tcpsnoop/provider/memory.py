"""What is remembered of connections: a row for each live one, two for its ends; and counters.

The rows are structured arrays, so that what belongs together lies together: with a million
connections a segment costs a few cache misses, not one for each field. What only some probes ask
for is in arrays of its own. All memory is reserved at the start and touched only as it is used.

The end that sorts first by (address, port) is end 0, the other end 1, so both directions of a
connection give the same key.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.flows import flow_keys
from tcpsnoop.batches.segments import PUSH

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

# Bits of END["stream"].
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

# What every report needs to know of an end. Two of these rows are one line of the cache, as are two
# of STREAM and of TOTALS: so those of a connection.
END = np.dtype(
    [
        ("lanes", "i8"),  # see `copies`
        ("latest", "u4"),  # number of its latest segment, modulo 2^32; 0: none, see `copies`
        ("heard", "u4"),  # capture time of that one, in the unit of `copies`, modulo 2^32
        ("isn", "u4"),  # initial sequence number; midstream: lowest sequence seen - 1
        ("fin", "u4"),  # sequence number after the FIN
        ("flags", "u1"),
        ("repeats", "u1"),  # times its SYN or SYN|ACK was sent again, 255 at most
        ("window", "u2"),  # as last advertised, unscaled
        ("stream", "u1"),  # what is known of the bytes it sends, in bits
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
    ],
    align=True,
)

# What is counted of an end, for whoever is told at its connection's end; apart likewise.
TOTALS = np.dtype(
    [
        ("payload", "i8"),  # payload bytes, retransmissions counted again
        ("retransmitted", "i8"),  # of those, bytes already seen
        ("last_ns", "i8"),  # time of its latest segment
        ("probe", "i4"),  # of those, keep-alive and zero-window probe bytes
        ("segments", "u4"),
    ],
    align=True,
)

# What is remembered of an end to judge its segments by; for whoever asks for such a judgement. A
# row is one line of the cache, as is one of OPENING.
ANALYSIS = np.dtype(
    [
        ("ack_ns", "i8"),  # time of its latest ACK
        ("doubt", "i8"),  # what it sent again and is not acknowledged ends here; NONE nothing
        ("flight", "i4"),  # first and last of its segments that wait for their ACK
        ("flight_last", "i4"),
        ("stamps", "i4"),  # first and last of its timestamps that wait for their echo
        ("stamps_last", "i4"),
        ("ack", "u4"),  # its latest acknowledgment, as sent
        ("highest", "u4"),  # the number behind all it has sent, holes or not
        ("stamp", "u4"),  # its latest TSval
        ("duplicates", "u4"),  # how often it repeated that acknowledgment
        ("flights", "u2"),  # segments and timestamps that wait
        ("stamped", "u2"),
        ("window", "u2"),  # its latest window
        ("state", "u1"),  # index in probes.STATES
        ("ttl", "u1"),  # of its latest segment
        ("known", "u1"),  # bits of provider.analysis
    ],
    align=True,
)

# Since when an end is as it is; apart, as few segments change that.
SPELL = np.dtype(
    [
        ("state_ns", "i8"),  # when it came into its state; NONE unknown
        ("window_ns", "i8"),  # since when its window is 0
    ],
    align=True,
)

# What is remembered of a connection likewise.
OPENING = np.dtype(
    [
        ("syn_clock_ns", "i8"),  # capture time of the latest SYN
        ("accepted_ns", "i8"),  # time of the ACK that completed the handshake; NONE not yet
        ("syn_rtt_ns", "i8"),  # SYN to SYN|ACK; NONE unknown
        ("irtt_ns", "i8"),  # the whole handshake; NONE unknown
        ("request_ns", "i8"),  # last new byte of the request; NONE when it is answered
        ("before", "i4"),  # neighbours in the list of unanswered SYNs
        ("after", "i4"),
        ("overflows", "u2"),  # SYN|ACKs sent again after the originator's ACK
        ("known", "u1"),  # bits, see below
        ("spare", "u1", 13),  # to the end of the line
    ],
    align=True,
)

# What times its handshake; apart, as no other segment does.
HANDSHAKE = np.dtype(
    [
        ("syn_ns", "i8"),  # time of the latest SYN, and of the first and the latest SYN|ACK
        ("synack_first_ns", "i8"),
        ("synack_ns", "i8"),
        ("syn_stamp", "u4"),  # TSval of the first and of the latest SYN and SYN|ACK
        ("syn_stamp_last", "u4"),
        ("synack_stamp", "u4"),
        ("synack_stamp_last", "u4"),
    ],
    align=True,
)

# Bits of ANALYSIS["known"].
HAS_ACKED = 0x01  # `ack` is known
SHUT = 0x02  # its window is 0
HAS_STAMP = 0x04  # `stamp` is known
SACKED = 0x08  # its latest ACK said that later bytes have come (RFC 2018)
KEPT_ALIVE = 0x10  # its latest segment was a keep-alive
HAS_SPOKEN = 0x20  # `highest` is known

# Bits of OPENING["known"].
WAITS = 0x01  # for an answer to its SYN
ASKED = 0x02  # the originator has sent data
SERVED = 0x04  # the responder has

# Places in `ConnectionTable.state`.
LIVE = 0  # connections in the table
FREE = 1  # first row of the free list
FRESH = 2  # rows from here on were never used
NUMBER = 3  # number of the latest connection
CLOCK = 4  # segments seen
SERIAL = 5  # number of the batch's first segment, from 1
INTERVAL_FREE = 6  # first interval of the free list
INTERVAL_FRESH = 7  # intervals from here on were never used
INTERVALS_USED = 8
ROWS = 9  # probe rows written
CLOSED_ROWS = 10  # rows of `closed` written
WRITES = 11  # rows of the scratch array of writes
DUPLICATES = 12  # frames that were copies
FOLLOWS = 13  # 1: bytes are followed, `streams` is in use
COUNTS = 14  # 1: they are counted too, `totals` is in use
KEPT_FROM = 15  # segments before this number are not remembered
BUCKETS = 16  # buckets in use
ANALYSES = 17  # 1: segments are judged, `analyses` and what follows them is in use
DETAIL_ROWS = 18  # rows of `details` written
NEW_BYTES = 19  # of the segment at hand: bytes not seen before
PROBED = 20  # whether it is a keep-alive or window probe, see provider.stream
HOLE_SINCE = 21  # when the hole it fills appeared; NONE it fills none
HOLE_START = 22  # unwrapped start of that hole; if it fills none, what was expected next
TIMING_FREE = 23  # as INTERVAL_FREE and so on, for the pool of provider.timings
TIMING_FRESH = 24
WAITING_FIRST = 25  # first and last of the unanswered SYNs
WAITING_LAST = 26
PARTING = 27  # flags that end a write, with data or without: PUSH; 0 where nobody asks
STATE_SIZE = 28

# Buckets in use at the start, a power of two. They become more with the connections, as each lies
# in a line of the cache of its own, and stay at least twice as many: a second row in a bucket is
# one more to wait for.
FIRST_BUCKETS = 1 << 12

_LINE = 64  # bytes
# Caches look a line up by these low bits of its address, and keep eight or so that have them alike.
_ALIKE = 4096
# Bytes between where the arrays begin, as to those bits. A segment asks for the same row of each:
# if they began alike, its lines would drive each other out.
_APART = 2 * _LINE


class ConnectionTable(NamedTuple):
    """Arrays a kernel takes whole; made by `make_table`."""

    connections: NDArray[np.void]  # CONNECTION, shape (n,)
    ends: NDArray[np.void]  # END, shape (2 n,): row 2 c + e is end e of connection c
    streams: NDArray[np.void]  # STREAM, likewise
    totals: NDArray[np.void]  # TOTALS, likewise
    analyses: NDArray[np.void]  # ANALYSIS, likewise
    spells: NDArray[np.void]  # SPELL, likewise
    openings: NDArray[np.void]  # OPENING, shape (n,)
    handshakes: NDArray[np.void]  # HANDSHAKE, likewise
    buckets: NDArray[np.int32]  # first row of each bucket, as many as are in use
    keys: NDArray[np.int64]  # see batches.flows
    state: NDArray[np.int64]  # counters, see the constants


def make_table(
    capacity: int, *, follows: bool, counts: bool, analyses: bool = False, writes: bool = False
) -> ConnectionTable:
    """An empty table for `capacity` live connections.

    Whether bytes are followed, whether they are counted, whether segments are judged, whether bytes
    are parted into writes.
    """
    most = max(FIRST_BUCKETS, 2 << (capacity - 1).bit_length())
    state = np.zeros(STATE_SIZE, np.int64)
    state[BUCKETS] = FIRST_BUCKETS
    state[SERIAL] = state[KEPT_FROM] = 1
    for first in (FREE, INTERVAL_FREE, TIMING_FREE, WAITING_FIRST, WAITING_LAST):
        state[first] = NONE
    state[FOLLOWS] = int(follows)
    state[COUNTS] = int(counts)
    state[ANALYSES] = int(analyses)
    state[PARTING] = PUSH if writes else 0
    buckets = np.empty(most, np.int32)
    buckets[:FIRST_BUCKETS] = NONE
    return ConnectionTable(
        rows_on_lines(capacity, CONNECTION, 0),
        rows_on_lines(2 * capacity, END, 1),
        rows_on_lines(2 * capacity, STREAM, 2),
        rows_on_lines(2 * capacity, TOTALS, 3),
        rows_on_lines(2 * capacity, ANALYSIS, 4),
        rows_on_lines(2 * capacity, SPELL, 5),
        rows_on_lines(capacity, OPENING, 6),
        rows_on_lines(capacity, HANDSHAKE, 7),
        buckets,
        flow_keys(),
        state,
    )


def rows_on_lines(count: int, dtype: np.dtype[np.void], number: int = 0) -> NDArray[np.void]:
    """`count` rows of zeros, the first at the beginning of a line of the cache.

    So a row of 64 bytes is one line, where NumPy's own arrays would spread it over two. Those of
    another `number` begin on another line of a page.
    """
    size = count * dtype.itemsize
    raw = np.zeros(size + _ALIKE, np.uint8)
    start = (number * _APART - raw.ctypes.data) % _ALIKE
    return raw[start : start + size].view(dtype)
