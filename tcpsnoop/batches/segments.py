"""TCP segments: what dissecting leaves of a packet, in columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Flag bits of the TCP header (RFC 9293 section 3.1; AE: RFC 9768), in the order they are written.
FIN = 0x001
SYN = 0x002
RST = 0x004
PUSH = 0x008
ACK = 0x010
URG = 0x020
ECE = 0x040
CWR = 0x080
AE = 0x100
FLAG_NAMES = ("FIN", "SYN", "RST", "PUSH", "ACK", "URG", "ECE", "CWR", "AE")

# What the frame itself says of the side it was captured on (SEMANTICS 4, rules 0 and 3).
SIDE_UNKNOWN = 0
SIDE_INBOUND = 1  # the destination is here
SIDE_OUTBOUND = 2  # the source is here
SIDE_LOOPBACK = 3  # both are


class SegmentBatch(NamedTuple):
    """n segments, columns of shape (n,), of the innermost IP layer; overwritten by a later batch.

    A NamedTuple of arrays, so that a kernel takes it whole.
    """

    packet: NDArray[np.int64]  # as in PacketBatch
    time_ns: NDArray[np.int64]  # as in PacketBatch
    source_high: NDArray[np.int64]  # addresses as in batches.addresses
    source_low: NDArray[np.int64]
    destination_high: NDArray[np.int64]
    destination_low: NDArray[np.int64]
    fingerprint: NDArray[np.int64]  # hash of window, checksum and options, to know a copy by
    sequence: NDArray[np.uint32]
    acknowledgment: NDArray[np.uint32]
    payload: NDArray[np.int32]  # bytes of data by the declared lengths; -1 unknown
    frame_bytes: NDArray[np.int32]  # original length of the frame; -1 unknown
    ip_id: NDArray[np.int32]  # IPv4 identification; 0 for IPv6
    path: NDArray[np.int32]  # the way the frame came: interface, cooked packet type, tunnel
    interface: NDArray[np.int32]  # as in PacketBatch
    frame: NDArray[np.int32]  # index of the packet in its PacketBatch
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]
    flags: NDArray[np.uint16]  # bits of this module
    window: NDArray[np.uint16]  # as sent, unscaled
    ttl: NDArray[np.uint8]  # TTL or hop limit
    side: NDArray[np.uint8]  # SIDE_ of this module
    digits: NDArray[np.uint8]  # decimal digits of a second in time_ns


def empty_segments(count: int) -> SegmentBatch:
    """Room for `count` segments; the values are not initialised."""
    types = (
        *(np.int64,) * 7,
        *(np.uint32,) * 2,
        *(np.int32,) * 6,
        *(np.uint16,) * 4,
        *(np.uint8,) * 3,
    )
    return SegmentBatch(*(np.empty(count, kind) for kind in types))


def slice_segments(batch: SegmentBatch, start: int, stop: int) -> SegmentBatch:
    """The segments `start` to `stop` of a batch, as views."""
    return SegmentBatch(*(column[start:stop] for column in batch))


def copy_segments(batch: SegmentBatch) -> SegmentBatch:
    """A batch of its own, for whoever keeps segments longer than the next batch."""
    return SegmentBatch(*(column.copy() for column in batch))


def flags_text(flags: int) -> str:
    """The flags' names joined by `|`, `null` for none (SEMANTICS 3)."""
    return "|".join(name for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1) or "null"
