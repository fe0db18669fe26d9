"""A frame captured twice: a bridge, or the device `any`, shows one packet at two places.

The latest segments of the whole capture are kept in one log; each end points at its latest one and
each entry at the one before it of the same end, so no connection pays for segments of its own. A
copy comes within a millisecond: entries that are older are written over, from the beginning of the
log on, so that it is only as long as the capture's rate asks and stays in the nearest cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel
from tcpsnoop.provider.memory import (
    LOG_END,
    LOG_NEXT,
)
from tcpsnoop.provider.sequence import MODULUS_MASK, distance

# A millisecond at 16 million segments a second.
REMEMBERED = 1 << 14
# How many earlier segments of the end are compared, and how long they count (SEMANTICS 7).
DEPTH = 8
NEAR_NS = 1_000_000
NEARER_NS = 50_000
# END["heard"] counts so many nanoseconds, as a power of two: a bit more than NEAR_NS.
HEARD_BITS = 20
# Entries are kept longer than that in capture time, as times may go back.
KEPT_NS = 16 * NEAR_NS

# END["lanes"]: seven bits of each of the latest DEPTH segments, side by side in an int64.
LANE_BITS = 7
LANE = (1 << LANE_BITS) - 1
ALL_LANES = (1 << LANE_BITS * DEPTH) - 1
LANES = ALL_LANES // LANE  # the lowest bit of every lane
LANE_TOPS = LANES << LANE_BITS - 1  # the highest

LOGGED = np.dtype(
    [
        ("time_ns", "i8"),
        ("clock_ns", "i8"),  # capture time
        ("fingerprint", "i8"),
        ("number", "i8"),  # of its connection: rows of the table are used again
        ("sequence", "u4"),
        ("acknowledgment", "u4"),
        ("payload", "i4"),
        ("ip_id", "i4"),
        ("path", "i4"),
        ("before", "i4"),  # the end's segment before this one
        ("flags", "u2"),
        ("ttl", "u1"),
        ("end", "u1"),
    ],
    align=True,
)


def make_log() -> NDArray[np.void]:
    """An empty log."""
    return np.zeros(REMEMBERED, LOGGED)


@inlined
def is_copy(
    log: NDArray[np.void],
    connections: NDArray[np.void],
    ends: NDArray[np.void],
    state: NDArray[np.int64],
    slot: Integer,
    end: Integer,
    segment: Row,
) -> Truth:
    """Whether this segment is a copy of one of the end's latest; if not, it is remembered."""
    row = ends[2 * slot + end]
    number = np.int64(connections[slot]["number"])
    fingerprint = np.int64(segment["fingerprint"])
    sequence = np.int64(segment["sequence"])
    clock_ns = np.int64(segment["clock_ns"])
    # Most comparisons end here: the latest segment was captured too long ago, and so were all
    # before it, as none has a time after its capture time since that was started anew. Or none has
    # the same seven bits, which lie side by side in one word.
    elapsed = distance(np.int64(segment["time_ns"]) >> HEARD_BITS, np.int64(row["heard"]))
    lane = (fingerprint ^ sequence ^ (sequence >> 7) ^ np.int64(segment["payload"])) & LANE
    lanes = np.int64(row["lanes"])
    unlike = lanes ^ (lane * LANES)
    if (
        elapsed <= 1
        and ((unlike - LANES) & ~unlike & LANE_TOPS) != 0
        and _is_logged(log, row, number, end, segment)
    ):
        return True
    place = _free_entry(log, state, clock_ns)
    state[LOG_NEXT] = place + 1
    seen = log[place]
    seen["time_ns"] = segment["time_ns"]
    seen["clock_ns"] = clock_ns
    seen["fingerprint"] = fingerprint
    seen["number"] = number
    seen["sequence"] = sequence
    seen["acknowledgment"] = segment["acknowledgment"]
    seen["payload"] = segment["payload"]
    seen["ip_id"] = segment["ip_id"]
    seen["path"] = segment["path"]
    seen["before"] = row["latest"]
    seen["flags"] = segment["flags"]
    seen["ttl"] = segment["ttl"]
    seen["end"] = end
    row["latest"] = place
    row["heard"] = (clock_ns >> HEARD_BITS) & MODULUS_MASK
    row["lanes"] = (lanes << LANE_BITS & ALL_LANES) | lane
    return False


@inlined
def _free_entry(log: NDArray[np.void], state: NDArray[np.int64], clock_ns: Integer) -> Integer:
    """The entry to write next; one that still counts only where the log is full of them."""
    place = state[LOG_NEXT]
    if place == len(log) or _is_old(log[0], clock_ns):
        # Once more from the beginning; what lies behind `place` is older than the first entry.
        state[LOG_END] = place
        return 0
    if place < state[LOG_END] < len(log) and not _is_old(log[place], clock_ns):
        place = state[LOG_END]
    return place


@inlined
def _is_old(entry: Row, clock_ns: Integer) -> Truth:
    """Whether an entry counts no more; halves, as two times may be 2^64 apart."""
    return (clock_ns >> 1) - (np.int64(entry["clock_ns"]) >> 1) > KEPT_NS >> 1


@kernel
def _is_logged(
    log: NDArray[np.void], row: Row, number: Integer, end: Integer, segment: Row
) -> Truth:
    """Compare the segment with the end's latest ones."""
    time_ns = np.int64(segment["time_ns"])
    entry = np.int64(row["latest"])
    for _ in range(DEPTH):
        if entry < 0:
            return False
        seen = log[entry]
        # The entry was written over, and is somebody else's by now. (One of this end that
        # was overwritten is newer than where we came from, so still among its latest.)
        if np.int64(seen["number"]) != number or np.int64(seen["end"]) != end:
            return False
        elapsed = abs(time_ns - np.int64(seen["time_ns"]))
        if (
            elapsed <= NEAR_NS
            and np.int64(seen["fingerprint"]) == np.int64(segment["fingerprint"])
            and np.int64(seen["sequence"]) == np.int64(segment["sequence"])
            and np.int64(seen["acknowledgment"]) == np.int64(segment["acknowledgment"])
            and np.int64(seen["payload"]) == np.int64(segment["payload"])
            and np.int64(seen["flags"]) == np.int64(segment["flags"])
            and np.int64(segment["ttl"]) <= np.int64(seen["ttl"])
            and _same_frame(seen, np.int64(segment["ip_id"]), np.int64(segment["path"]), elapsed)
        ):
            return True
        entry = np.int64(seen["before"])
    return False


@kernel
def _same_frame(seen: Row, ip_id: Integer, path: Integer, elapsed: Integer) -> Truth:
    """Rules (c), (a) and (b): what tells a copy from a retransmission."""
    if np.int64(seen["path"]) != path:
        return True
    if np.int64(seen["ip_id"]) != ip_id:
        return False
    return ip_id != 0 or elapsed <= NEARER_NS
