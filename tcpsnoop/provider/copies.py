"""A frame captured twice: a bridge, or the device `any`, shows one packet at two places.

Every segment has a number, each end knows that of its latest one, and a ring the number of the one
before it of the same end: so no connection pays for segments of its own. What is compared is the
segments themselves. Of a batch that is over the latest are kept, as a copy comes within a
millisecond: these are few, unless a capture is very fast.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel
from tcpsnoop.provider.memory import KEPT_FROM, SERIAL
from tcpsnoop.provider.sequence import MODULUS_MASK, distance

# A millisecond at 16 million segments a second. A power of two.
REMEMBERED = 1 << 14
_RING = REMEMBERED - 1
# How many earlier segments of the end are compared, and how long they count (SEMANTICS 7).
DEPTH = 8
NEAR_NS = 1_000_000
NEARER_NS = 50_000
# END["heard"] counts so many nanoseconds, as a power of two: a bit more than NEAR_NS.
HEARD_BITS = 20
# Segments are remembered longer than that in capture time, as times may go back.
KEPT_NS = 16 * NEAR_NS

# END["lanes"]: seven bits of each of the latest DEPTH segments, side by side in an int64.
LANE_BITS = 7
LANE = (1 << LANE_BITS) - 1
ALL_LANES = (1 << LANE_BITS * DEPTH) - 1
LANES = ALL_LANES // LANE  # the lowest bit of every lane
LANE_TOPS = LANES << LANE_BITS - 1  # the highest


class Copies(NamedTuple):
    """What is remembered of segments; the place of number n is n modulo REMEMBERED."""

    kept: SegmentBatch  # those of batches that are over, from number state[KEPT_FROM] on
    before: NDArray[np.uint32]  # the number of its end's segment before each, modulo 2^32; 0: none


def make_copies() -> Copies:
    """Nothing is remembered."""
    return Copies(np.empty(REMEMBERED, SEGMENT), np.zeros(REMEMBERED, np.uint32))


@inlined
def is_copy(
    copies: Copies,
    ends: NDArray[np.void],
    state: NDArray[np.int64],
    index: Integer,
    segments: SegmentBatch,
    i: Integer,
) -> Truth:
    """Whether segment i of a batch is a copy of one of the latest of the end in row `index`.

    If it is none, it is remembered.
    """
    row, segment = ends[index], segments[i]
    # Most comparisons end here: the latest segment was captured too long ago, and so were all
    # before it, as none has a time after its capture time since that was started anew. Or none has
    # the same seven bits, which lie side by side in one word.
    elapsed = distance(np.int64(segment["time_ns"]) >> HEARD_BITS, np.int64(row["heard"]))
    sequence = np.int64(segment["sequence"])
    lane = sequence ^ (sequence >> LANE_BITS) ^ np.int64(segment["payload"])
    lane = (lane ^ np.int64(segment["fingerprint"])) & LANE
    lanes = np.int64(row["lanes"])
    unlike = lanes ^ (lane * LANES)
    if (
        elapsed <= 1
        and ((unlike - LANES) & ~unlike & LANE_TOPS) != 0
        and _is_remembered(copies, row, state, segments, i)
    ):
        return True
    serial = state[SERIAL] + i
    copies.before[serial & _RING] = row["latest"]
    row["latest"] = serial & MODULUS_MASK
    row["heard"] = (np.int64(segment["clock_ns"]) >> HEARD_BITS) & MODULUS_MASK
    row["lanes"] = (lanes << LANE_BITS & ALL_LANES) | lane
    return False


@kernel
def keep_latest(segments: SegmentBatch, copies: Copies, state: NDArray[np.int64]) -> None:
    """A batch is over, and its memory will be used again: keep what may have copies in the next."""
    count, serial = len(segments), state[SERIAL]
    if count == 0:
        return
    clock_ns, most = np.int64(segments[count - 1]["clock_ns"]), min(count, REMEMBERED)
    first = count
    while count - first < most and not _is_old(segments[first - 1], clock_ns):
        first -= 1
    for i in range(first, count):
        copies.kept[serial + i & _RING] = segments[i]
    if first > 0:
        state[KEPT_FROM] = serial + first
    state[SERIAL] = serial + count


@inlined
def _is_old(seen: Row, clock_ns: Integer) -> Truth:
    """Whether a segment counts no more; halves, as two times may be 2^64 apart."""
    return (clock_ns >> 1) - (np.int64(seen["clock_ns"]) >> 1) > KEPT_NS >> 1


@kernel
def _is_remembered(
    copies: Copies,
    row: Row,
    state: NDArray[np.int64],
    segments: SegmentBatch,
    i: Integer,
) -> Truth:
    """Compare segment i with the end's latest ones."""
    segment, serial = segments[i], state[SERIAL] + i
    number = np.int64(row["latest"])
    for _ in range(DEPTH):
        age = (serial - number) & MODULUS_MASK
        if number == 0 or age > REMEMBERED or serial - age < state[KEPT_FROM]:
            return False
        place = serial - age & _RING
        # Whether it was kept already depends on batches, so what is asked of both is the same.
        seen = segments[i - age] if age <= i else copies.kept[place]
        if _is_old(seen, np.int64(segment["clock_ns"])):
            return False
        if _is_same(seen, segment):
            return True
        number = np.int64(copies.before[place])
    return False


@inlined
def _is_same(seen: Row, segment: Row) -> Truth:
    """Whether the segment is a copy of one of the same end that was seen before."""
    elapsed = abs(np.int64(segment["time_ns"]) - np.int64(seen["time_ns"]))
    return (
        elapsed <= NEAR_NS
        and np.int64(seen["fingerprint"]) == np.int64(segment["fingerprint"])
        and np.int64(seen["sequence"]) == np.int64(segment["sequence"])
        and np.int64(seen["acknowledgment"]) == np.int64(segment["acknowledgment"])
        and np.int64(seen["payload"]) == np.int64(segment["payload"])
        and np.int64(seen["flags"]) == np.int64(segment["flags"])
        and np.int64(segment["ttl"]) <= np.int64(seen["ttl"])
        and _same_frame(seen, np.int64(segment["ip_id"]), np.int64(segment["path"]), elapsed)
    )


@kernel
def _same_frame(seen: Row, ip_id: Integer, path: Integer, elapsed: Integer) -> Truth:
    """Rules (c), (a) and (b): what tells a copy from a retransmission."""
    if np.int64(seen["path"]) != path:
        return True
    if np.int64(seen["ip_id"]) != ip_id:
        return False
    return ip_id != 0 or elapsed <= NEARER_NS
