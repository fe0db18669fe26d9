"""Hopping over the records of a classic pcap file."""

from __future__ import annotations

import sys

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.kernel import Integer, Truth, kernel, number_reader
from tcpsnoop.sources.hopping import (
    CLOCK,
    COUNT,
    FULL,
    JUMPS,
    LARGEST_RECORD,
    LENGTH,
    MORE,
    PACKETS,
    POSITION,
    RAISED,
    TOO_LONG,
    Progress,
    reversed_bytes,
    starts_clock,
)

# Fields of a record header (draft-ietf-opsawg-pcap section 5). Two old versions have the lengths
# the other way round.
SECONDS = 0
FRACTION = 4
FIRST_LENGTH = 8
SECOND_LENGTH = 12
SHORTEST = 16  # two old versions have more behind it

# Which of the lengths is the captured one.
FIRST = 0
SECOND = 1
SMALLER = 2

SECOND_NS = 1_000_000_000

word = number_reader(4, sys.byteorder)


@kernel
def hop_pcap(
    end: Integer,
    columns: PacketBatch,
    progress: Progress,
    swapped: Truth,
    unit_ns: Integer,
    header_bytes: Integer,
    captured_length: Integer,
) -> Integer:
    """Fill the columns from the records before `end`; why it stopped (see hopping)."""
    packets, times, offsets = columns.packet, columns.time_ns, columns.offset
    captureds, originals = columns.captured, columns.original
    data, room = columns.data[: max(end, 0)], packets.size
    at, count, number = progress[POSITION], progress[COUNT], progress[PACKETS]
    clock, jumps, raised = progress[CLOCK], progress[JUMPS], progress[RAISED]
    outcome = MORE
    while count < room and 0 <= at <= data.size - SHORTEST:
        seconds, fraction = word(data, at, SECONDS), word(data, at, FRACTION)
        captured, original = word(data, at, FIRST_LENGTH), word(data, at, SECOND_LENGTH)
        if captured_length == SECOND:
            captured, original = original, captured
        if swapped:
            seconds, fraction = reversed_bytes(seconds), reversed_bytes(fraction)
            captured, original = reversed_bytes(captured), reversed_bytes(original)
        if original < captured and captured_length == SMALLER:
            captured, original = original, captured
        if captured > LARGEST_RECORD:
            progress[LENGTH] = captured
            outcome = TOO_LONG
            break
        following = at + header_bytes + captured
        if following > data.size:
            break
        if original < captured:
            original = captured
            raised += 1
        time = seconds * SECOND_NS + fraction * unit_ns
        if starts_clock(clock, time):
            jumps += 1
            clock = time
        clock = max(clock, time)
        number += 1
        packets[count] = number
        times[count] = time
        offsets[count] = at + header_bytes
        captureds[count] = captured
        originals[count] = original
        count += 1
        at = following
    progress[POSITION], progress[COUNT], progress[PACKETS] = at, count, number
    progress[CLOCK], progress[JUMPS], progress[RAISED] = clock, jumps, raised
    return FULL if count == room else outcome
