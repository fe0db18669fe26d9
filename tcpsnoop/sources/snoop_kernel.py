"""Hopping over the records of a Sun snoop file (RFC 1761)."""

from __future__ import annotations

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.kernel import Integer, kernel, number_reader
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

number = number_reader(4, "big")


@kernel
def hop_snoop(end: Integer, columns: PacketBatch, progress: Progress) -> Integer:
    """Fill the columns from the records before `end`; why it stopped (see hopping)."""
    data, room = columns.data, columns.packet.size
    at, count, packets = progress[POSITION], progress[COUNT], progress[PACKETS]
    clock = progress[CLOCK]
    outcome = MORE
    while count < room and at + RECORD_HEADER <= end:
        included = number(data, at, INCLUDED)
        length = number(data, at, RECORD_LENGTH)
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
        original = number(data, at, ORIGINAL)
        if original < included:
            original = included
            progress[RAISED] += 1
        progress[DROPPED] = number(data, at, CUMULATIVE_DROPS)
        time = number(data, at, SECONDS) * SECOND_NS
        time += number(data, at, MICROSECONDS) * MICROSECOND_NS
        if starts_clock(clock, time):
            progress[JUMPS] += 1
            clock = time
        clock = max(clock, time)
        packets += 1
        columns.packet[count] = packets
        columns.time_ns[count] = time
        columns.offset[count] = at + RECORD_HEADER
        columns.captured[count] = included
        columns.original[count] = original
        count += 1
        at = following
    progress[POSITION], progress[COUNT], progress[PACKETS] = at, count, packets
    progress[CLOCK] = clock
    return FULL if count == room else outcome
