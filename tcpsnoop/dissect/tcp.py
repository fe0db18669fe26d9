"""The TCP header: a segment's own columns, its payload, and a fingerprint to know a copy by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.verdicts import BAD_LENGTH, CUT_SHORT, TCP
from tcpsnoop.dissect.fields import (
    TCP_ACKNOWLEDGMENT,
    TCP_CHECKSUM,
    TCP_DESTINATION_PORT,
    TCP_OFFSET_AND_FLAGS,
    TCP_SEQUENCE,
    TCP_SIZE,
    TCP_SOURCE_PORT,
    TCP_WINDOW,
    Bytes,
    holds,
    u8,
    u16,
    u32,
)
from tcpsnoop.dissect.ip import UNKNOWN_END
from tcpsnoop.kernel import Integer, Row, inlined

FLAGS_MASK = 0x1FF  # FIN to AE; three reserved bits and the data offset are above

LARGEST_PAYLOAD = 2**31 - 1  # what the columns hold
LARGEST_OFFSET = 2**16 - 1

# What is counted besides verdicts: indices of Counters, shape (COUNTERS,).
CLIPPED = 0  # segments whose IP header declares more than their frame had on the wire
COUNTERS = 1
Counters = NDArray[np.int64]

# A window that was not captured: not 0, which would read as a closed one.
UNKNOWN_WINDOW = 0xFFFF

# Primes of 27 bits: for the window, for each word of the longest header behind it, for three bytes
# of one that was cut off. So many products with 32 bits, added, stay below 2^63.
MULTIPLIERS = np.array(
    [
        *(100373227, 112451947, 97639567, 127784653, 129871207, 115077803, 107638127, 83340077),
        *(75504323, 106629203, 92260957, 95092147, 130258013, 73546481, 127206683),
    ],
    np.int64,
)


@inlined
def write_segment(
    frame: Bytes, at: Integer, end: Integer, limit: Integer, segment: Row, counters: Counters
) -> Integer:
    """Write what a TCP header at `at` says to `segment`; the verdict.

    `end` is where the IP packet ends by its own length, `limit` where its frame does (UNKNOWN_END:
    not known). What is behind the flags may be cut off.
    """
    if not holds(frame, at, TCP_WINDOW):
        return CUT_SHORT
    offset_and_flags = u16(frame, at, TCP_OFFSET_AND_FLAGS)
    header_length = offset_and_flags >> 12 << 2
    payload = end - at - header_length
    if header_length < TCP_SIZE or (payload < 0 and end != UNKNOWN_END):
        return BAD_LENGTH
    if end == UNKNOWN_END:
        payload = -1
    elif 0 <= limit < end:
        payload = max(limit - at - header_length, 0)
        counters[CLIPPED] += 1
    segment["source_port"] = u16(frame, at, TCP_SOURCE_PORT)
    segment["destination_port"] = u16(frame, at, TCP_DESTINATION_PORT)
    segment["sequence"] = u32(frame, at, TCP_SEQUENCE)
    segment["acknowledgment"] = u32(frame, at, TCP_ACKNOWLEDGMENT)
    segment["flags"] = offset_and_flags & FLAGS_MASK
    segment["payload"] = min(payload, LARGEST_PAYLOAD)
    window = UNKNOWN_WINDOW
    if holds(frame, at, TCP_CHECKSUM):
        window = u16(frame, at, TCP_WINDOW)
    segment["window"] = window
    segment["header"] = min(at, LARGEST_OFFSET)
    segment["options"] = 0
    segment["tsval"] = 0
    segment["tsecr"] = 0
    rest, behind = min(at + TCP_CHECKSUM, frame.size), min(at + header_length, frame.size)
    segment["fingerprint"] = _fingerprint(window, frame, rest, behind)
    return TCP


@inlined
def _fingerprint(window: Integer, frame: Bytes, at: Integer, end: Integer) -> Integer:
    """63 bits of the window and of the header's rest: checksum, urgent pointer, options; its size.

    A sum of products, none of which waits for another.
    """
    value = window * MULTIPLIERS[0] + end - at
    term = 1
    while at + 4 <= end:
        value += u32(frame, at, 0) * MULTIPLIERS[term]
        at += 4
        term += 1
    while at < end:  # cut off within a word
        value += u8(frame, at, 0) * MULTIPLIERS[term]
        at += 1
        term += 1
    return value
