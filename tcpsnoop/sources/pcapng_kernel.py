"""Hopping over the blocks of a pcapng section (draft-ietf-opsawg-pcapng sections 3 and 4)."""

from __future__ import annotations

import sys

import numpy as np

from tcpsnoop.batches.packets import (
    DIRECTION_INBOUND,
    DIRECTION_OUTBOUND,
    DIRECTION_UNKNOWN,
    PacketBatch,
)
from tcpsnoop.kernel import Integer, Truth, inlined, kernel, number_reader
from tcpsnoop.sources.hopping import (
    BAD_LENGTH,
    CLOCK,
    COUNT,
    DESCRIPTION,
    FULL,
    JUMPS,
    LARGEST_RECORD,
    LATEST,
    LENGTH,
    MORE,
    NO_TIME,
    OUT_OF_RANGE,
    OVERRUN,
    PACKETS,
    POSITION,
    RAISED,
    TOO_LONG,
    UNEQUAL_LENGTHS,
    UNKNOWN_INTERFACE,
    Bytes,
    Progress,
    reversed_bytes,
    starts_clock,
)
from tcpsnoop.sources.timestamps_kernel import INTERFACE, SNAPLEN, InterfaceTable, nanoseconds

# Block types (section 11.1 of the draft).
SECTION_HEADER = 0x0A0D0D0A  # the same in both byte orders
INTERFACE_DESCRIPTION = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
NAME_RESOLUTION = 4
ENHANCED_PACKET = 6

# Every block: type, length, content, length again.
BLOCK_LENGTH = 4
BLOCK_HEADER = 8
BLOCK_TRAILER = 4
SMALLEST_BLOCK = BLOCK_HEADER + BLOCK_TRAILER

# Enhanced Packet Block. In the old Packet Block the interface is the first half of its word, the
# other half counts drops.
PACKET_INTERFACE = 8
TIME_HIGH = 12
TIME_LOW = 16
CAPTURED = 20
ORIGINAL = 24
PACKET_DATA = 28

# Simple Packet Block.
SIMPLE_ORIGINAL = 8
SIMPLE_DATA = 12

# The option epb_flags, and pack_flags of the old block; its lowest bits are the direction.
FLAGS_OPTION = 2
FLAGS_LENGTH = 4
FLAGS_INBOUND = 1
FLAGS_OUTBOUND = 2
END_OF_OPTIONS = 0

LITTLE_ENDIAN = sys.byteorder == "little"

read_word = number_reader(4, sys.byteorder)


@kernel
def hop_pcapng(
    end: Integer,
    columns: PacketBatch,
    progress: Progress,
    table: InterfaceTable,
    interfaces: Integer,
    swapped: Truth,
) -> Integer:
    """Fill the columns from the blocks before `end`; why it stopped (see hopping).

    The first `interfaces` rows of the table are the section's. Blocks of other types are passed
    over; at one that describes the section, an interface or names the kernel stops.
    """
    data, room = columns.data, columns.packet.size
    at, count, number = progress[POSITION], progress[COUNT], progress[PACKETS]
    clock = progress[CLOCK]
    outcome = FULL
    while count < room:
        kind, length, outcome = block_at(data, at, end, swapped)
        if outcome != FULL:
            progress[LENGTH] = length
            break
        following = at + length
        if kind != ENHANCED_PACKET and kind != SIMPLE_PACKET and kind != OLD_PACKET:
            at = following
            continue
        row, begin, captured, original, outcome = packet_at(
            data, at, kind, length, table, interfaces, swapped
        )
        if outcome != FULL:
            break
        direction = DIRECTION_UNKNOWN
        if kind == SIMPLE_PACKET:
            time = clock if clock != NO_TIME else np.int64(0)
        else:
            high, low = word(data, at + TIME_HIGH, swapped), word(data, at + TIME_LOW, swapped)
            time = nanoseconds(table, row, high, low)
            if time > LATEST:
                time = np.int64(LATEST)
                progress[OUT_OF_RANGE] += 1
            if starts_clock(clock, time):
                progress[JUMPS] += 1
                clock = time
            clock = max(clock, time)
            options = begin + captured + (-captured & 3)
            if options < following - BLOCK_TRAILER:
                direction = direction_in(data, options, following - BLOCK_TRAILER, swapped)
        if original < captured:
            original = captured
            progress[RAISED] += 1
        number += 1
        columns.packet[count] = number
        columns.time_ns[count] = time
        columns.offset[count] = begin
        columns.captured[count] = captured
        columns.original[count] = original
        columns.interface[count] = table[row, INTERFACE]
        columns.direction[count] = direction
        count += 1
        at = following
    progress[POSITION], progress[COUNT], progress[PACKETS] = at, count, number
    progress[CLOCK] = clock
    return outcome


@inlined
def block_at(data: Bytes, at: Integer, end: Integer, swapped: Truth) -> Integer:
    """Type and length of a block, and FULL when it is whole and for the kernel."""
    if at + SMALLEST_BLOCK > end:
        return np.int64(0), np.int64(0), MORE
    kind = word(data, at, swapped)
    if kind == SECTION_HEADER:  # its length is in a byte order not known yet
        return kind, np.int64(0), DESCRIPTION
    length = word(data, at + BLOCK_LENGTH, swapped)
    if length > LARGEST_RECORD:
        return kind, length, TOO_LONG
    if length < SMALLEST_BLOCK or length % 4 != 0:
        return kind, length, BAD_LENGTH
    if at + length > end:
        return kind, length, MORE
    if word(data, at + length - BLOCK_TRAILER, swapped) != length:
        return kind, length, UNEQUAL_LENGTHS
    described = kind == INTERFACE_DESCRIPTION or kind == NAME_RESOLUTION
    return kind, length, DESCRIPTION if described else FULL


@inlined
def packet_at(
    data: Bytes,
    at: Integer,
    kind: Integer,
    length: Integer,
    table: InterfaceTable,
    interfaces: Integer,
    swapped: Truth,
) -> Integer:
    """Row of the interface, first byte, both lengths of a packet; FULL when it can be so."""
    simple = kind == SIMPLE_PACKET
    row, begin = np.int64(0), at + (SIMPLE_DATA if simple else PACKET_DATA)
    room = at + length - BLOCK_TRAILER - begin
    if room < 0:
        return row, begin, row, row, OVERRUN
    if not simple:
        row = word(data, at + PACKET_INTERFACE, swapped)
        if kind == OLD_PACKET:
            row = first_half(row, swapped)
    if row >= interfaces:
        return row, begin, row, row, UNKNOWN_INTERFACE
    original = word(data, at + (SIMPLE_ORIGINAL if simple else ORIGINAL), swapped)
    if not simple:
        captured = word(data, at + CAPTURED, swapped)
        return row, begin, captured, original, OVERRUN if captured > room else FULL
    # A simple packet has no captured length: the snap length tells (section 4.4), and the block.
    captured = min(original, room)
    if table[0, SNAPLEN] > 0:
        captured = min(captured, table[0, SNAPLEN])
    return row, begin, captured, original, FULL


@inlined
def word(data: Bytes, at: Integer, swapped: Truth) -> Integer:
    """The 32-bit number at a byte of the buffer."""
    value = read_word(data, at, 0)
    return reversed_bytes(value) if swapped else value


@inlined
def first_half(value: Integer, swapped: Truth) -> Integer:
    """The 16-bit number that comes first in the file, of a 32-bit number of the same order."""
    return value & 0xFFFF if swapped != LITTLE_ENDIAN else value >> 16


@inlined
def direction_in(data: Bytes, at: Integer, end: Integer, swapped: Truth) -> Integer:
    """The direction that a packet's options tell, from `at` to `end`."""
    while at + 8 <= end:
        head = word(data, at, swapped)
        code = first_half(head, swapped)
        length = head >> 16 if swapped != LITTLE_ENDIAN else head & 0xFFFF
        if code == END_OF_OPTIONS:
            break
        if code == FLAGS_OPTION and length == FLAGS_LENGTH:
            way = word(data, at + 4, swapped) & 3
            if way == FLAGS_INBOUND:
                return DIRECTION_INBOUND
            if way == FLAGS_OUTBOUND:
                return DIRECTION_OUTBOUND
            break
        at += 4 + length + (-length & 3)
    return DIRECTION_UNKNOWN
