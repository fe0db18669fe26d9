"""TCP options: timestamps and SACK, read where a probe needs them (RFC 9293 3.1, 7323, 2018)."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.segments import ACK, OPTION_SACK, OPTION_TIMESTAMPS
from tcpsnoop.dissect.fields import (
    TCP_OFFSET_AND_FLAGS,
    TCP_SIZE,
    Bytes,
    holds,
    u8,
    u32,
)
from tcpsnoop.kernel import Integer, Row, Truth, kernel

# Kinds of options (IANA).
_END = 0
_NO_OPERATION = 1
_SACK = 5
_TIMESTAMPS = 8
_TIMESTAMPS_LENGTH = 10


@kernel
def read_options(frame: Bytes, segment: Row) -> None:
    """Write what the options of the segment in `frame` say, as far as they were captured.

    A malformed option ends the list.
    """
    header = np.int64(segment["header"])
    if not holds(frame, header, TCP_SIZE):
        return
    end = min(header + (u8(frame, header, TCP_OFFSET_AND_FLAGS) >> 4 << 2), frame.size)
    at = header + TCP_SIZE
    known = 0
    while at + 1 < end:
        kind = u8(frame, at, 0)
        if kind == _END:
            break
        if kind == _NO_OPERATION:
            at += 1
            continue
        length = u8(frame, at, 1)
        if length < 2 or at + length > end:
            break
        if kind == _TIMESTAMPS and length == _TIMESTAMPS_LENGTH:
            segment["tsval"] = u32(frame, at, 2)
            segment["tsecr"] = u32(frame, at, 6)
            known |= OPTION_TIMESTAMPS
        elif kind == _SACK and _is_sack(frame, at, length, segment):
            known |= OPTION_SACK
        at += length
    segment["options"] = known


@kernel
def _is_sack(frame: Bytes, at: Integer, length: Integer, segment: Row) -> Truth:
    """Whether a block is above the acknowledgment; the first one may be a duplicate (RFC 2883)."""
    if np.int64(segment["flags"]) & ACK == 0:
        return False
    for block in range(at + 2, at + length - 7, 8):
        ahead = (u32(frame, block, 0) - np.int64(segment["acknowledgment"])) & 0xFFFF_FFFF
        if 0 < ahead < 0x8000_0000:
            return True
    return False
