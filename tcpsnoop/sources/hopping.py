"""What the kernels that hop over records share: how far they came, and why they stopped.

A kernel reads the buffer that the columns are about; it writes a row for each packet into them and
its progress into an array.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Truth, inlined

Bytes = NDArray[np.uint8]
Progress = NDArray[np.int64]

# The largest record that is read: libpcap's and Wireshark's limit for a block of pcapng, and 30
# times the largest packet of Linux (BIG TCP, 512 KiB). A larger one is damage, not a packet.
LARGEST_RECORD = 16 * 1024 * 1024

# Indices of the progress array.
POSITION = 0  # in the buffer: of the next record, or of the one that could not be read
COUNT = 1  # rows of the columns that are filled
PACKETS = 2  # of the input so far
CLOCK = 3  # capture time (SEMANTICS 1): the largest time since its last start
JUMPS = 4  # times the clock started anew
RAISED = 5  # packets with more bytes captured than on the wire
OUT_OF_RANGE = 6  # times that int64 nanoseconds cannot hold
LENGTH = 7  # of the record that could not be read
DROPPED = 8  # packets that the capturing program says it lost
_SLOTS = 9

# Times stay between these, so that the difference of any two fits an int64: 1823 to 2116.
LATEST = (1 << 62) - 1
NO_TIME = -(1 << 62)
DAY = 86_400_000_000_000

# Why a kernel stopped.
MORE = 0  # the next record goes on beyond the buffer
FULL = 1  # no room in the columns
DESCRIPTION = 2  # a block that describes packets, whole in the buffer: for Python
TOO_LONG = 3
BAD_LENGTH = 4
UNEQUAL_LENGTHS = 5
OVERRUN = 6
UNKNOWN_INTERFACE = 7
BAD_SECTION = 8
TOO_MANY_INTERFACES = 9

REASONS = {
    TOO_LONG: f"its length, {{length}}, is above the limit of {LARGEST_RECORD}",
    BAD_LENGTH: "its length, {length}, cannot be",
    UNEQUAL_LENGTHS: "its length, {length}, is not repeated at its end",
    OVERRUN: "its packet is longer than the whole of it",
    UNKNOWN_INTERFACE: "its packet belongs to an interface that no block describes",
    BAD_SECTION: "it begins a section in a byte order or version that pcapng does not have",
    TOO_MANY_INTERFACES: "it describes more interfaces than are kept",
}
"""What is wrong with a record, by outcome; MORE, FULL and DESCRIPTION are no damage."""


def new_progress() -> Progress:
    """Nothing read yet, no time known."""
    progress = np.zeros(_SLOTS, np.int64)
    progress[CLOCK] = NO_TIME
    return progress


@inlined
def reversed_bytes(word: Integer) -> Integer:
    """A 32-bit word of the other byte order."""
    return (word >> 24) | ((word >> 8) & 0xFF00) | ((word & 0xFF00) << 8) | ((word & 0xFF) << 24)


@inlined
def starts_clock(clock: Integer, time: Integer) -> Truth:
    """Whether a time is more than a day away from the clock (SEMANTICS 1)."""
    away = time - clock
    return (away > DAY or away < -DAY) and clock != NO_TIME
