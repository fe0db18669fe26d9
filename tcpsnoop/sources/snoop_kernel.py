"""Hopping over the records of a Sun snoop file (RFC 1761)."""

from __future__ import annotations

import sys

import numpy as np

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.kernel import Integer, inlined, kernel
from tcpsnoop.sources.hopping import (
    CLOCK,
    COUNT,
    DROPPED,
    FULL,
    JUMPS,
    LARGEST_RECORD,
    LENGTH,
    MORE,
    OVERRUN,
    PACKETS,
    POSITION,
    RAISED,
    TOO_LONG,
    Progress,
    Words,
    reversed_bytes,
    starts_clock,
)

# Fields of a record header; all are big-endian.
ORIGINAL = 0
INCLUDED = 4
RECORD_LENGTH = 8  # with this header and with padding
CUMULATIVE_DROPS = 12
SECONDS = 16
MICROSECONDS = 20
RECORD_HEADER = 24

SECOND_NS = 1_000_000_000
MICROSECOND_NS = 1000

SWAPPED = sys.byteorder == "little"


@kernel
def hop_snoop(words: Words, end: Integer, columns: PacketBatch, progress: Progress) -> Integer:
    """Fill the columns from the records before `end`; why it stopped (see hopping)."""
    room = columns.packet.size
    at, count, number = progress[POSITION], progress[COUNT], progress[PACKETS]
    clock = progress[CLOCK]
    outcome = MORE
    while count < room and at + RECORD_HEADER <= end:
        included = big_endian(words, at + INCLUDED)
        length = big_endian(words, at + RECORD_LENGTH)
        progress[LENGTH] = length
        if length > LARGEST_RECORD:
            outcome = TOO_LONG
            break
        if length < RECORD_HEADER + included:
            outcome = OVERRUN
            break
        following = at + length
        if following > end:
            break
        original = big_endian(words, at + ORIGINAL)
        if original < included:
            original = included
            progress[RAISED] += 1
        progress[DROPPED] = big_endian(words, at + CUMULATIVE_DROPS)
        time = big_endian(words, at + SECONDS) * SECOND_NS
        time += big_endian(words, at + MICROSECONDS) * MICROSECOND_NS
        if starts_clock(clock, time):
            progress[JUMPS] += 1
            clock = time
        clock = max(clock, time)
        number += 1
        columns.packet[count] = number
        columns.time_ns[count] = time
        columns.offset[count] = at + RECORD_HEADER
        columns.captured[count] = included
        columns.original[count] = original
        count += 1
        at = following
    progress[POSITION], progress[COUNT], progress[PACKETS] = at, count, number
    progress[CLOCK] = clock
    return FULL if count == room else outcome


@inlined
def big_endian(words: Words, at: Integer) -> Integer:
    """The 32-bit number at a byte of the buffer."""
    value = np.int64(words[at])
    return reversed_bytes(value) if SWAPPED else value
