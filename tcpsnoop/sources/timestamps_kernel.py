"""Times of pcapng in nanoseconds: any resolution, exactly (draft-ietf-opsawg-pcapng 4.2, 4.3).

A time is 64 bits, unsigned, in units of a power of 10 or of 2 of a second. In int64 arithmetic that
needs care: products are split so that none passes 2^63.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, inlined
from tcpsnoop.sources.hopping import LATEST

InterfaceTable = NDArray[np.int64]

# Columns of the table of a section's interfaces. Which of the operands are used depends on METHOD.
INTERFACE = 0  # index among the source's interfaces
SNAPLEN = 1  # 0: no limit
METHOD = 2
OPERAND = 3
SECOND_OPERAND = 4
OFFSET_NS = 5  # to be added: if_tsoffset
COLUMNS = 6

MULTIPLY = 0  # by OPERAND; more than SECOND_OPERAND is out of range
DIVIDE = 1  # by OPERAND, then by SECOND_OPERAND
SHIFT = 2  # right by OPERAND, from seconds

SECOND_NS = 1_000_000_000
LATEST_SECOND = LATEST // SECOND_NS
LOW_WORD = 0xFFFF_FFFF

DEFAULT_RESOLUTION = 6  # microseconds
_POWER_OF_TWO = 0x80


def time_columns(resolution: int, offset_seconds: int) -> tuple[int, int, int, int]:
    """METHOD to OFFSET_NS for the values of if_tsresol and if_tsoffset."""
    offset = offset_seconds * SECOND_NS
    if abs(offset) > LATEST:
        return MULTIPLY, 1, -1, 0  # no time is in range
    exponent = resolution & ~_POWER_OF_TWO
    if resolution & _POWER_OF_TWO:
        return SHIFT, exponent, 0, offset
    if exponent <= 9:
        scale: int = 10 ** (9 - exponent)
        return MULTIPLY, scale, LATEST // scale, offset
    # Above 10^27 units a second every time is 0 ns: a second divisor of 10^18 gives that already.
    first = min(exponent - 9, 9)
    second = min(exponent - 9 - first, 18)
    return DIVIDE, 10**first, 10**second, offset


def decimal_digits(resolution: int) -> int:
    """Decimal digits of a second that times of this if_tsresol have, at most 9."""
    exponent = resolution & ~_POWER_OF_TWO
    if resolution & _POWER_OF_TWO:
        exponent = math.ceil(exponent * math.log10(2))
    return min(exponent, 9)


@inlined
def nanoseconds(table: InterfaceTable, row: Integer, high: Integer, low: Integer) -> Integer:
    """The time of two 32-bit words; beyond what int64 holds (see hopping): LATEST + 1."""
    method = table[row, METHOD]
    operand = table[row, OPERAND]
    second_operand = table[row, SECOND_OPERAND]
    beyond = np.int64(LATEST + 1)
    if method == MULTIPLY:
        ticks = (high << 32) | low
        if ticks < 0 or ticks > second_operand:
            return beyond
        time = ticks * operand
    elif method == DIVIDE:
        rest = ((high % operand) << 32) | low
        time = (((high // operand) << 32) + rest // operand) // second_operand
    else:
        seconds, time = _split_binary(high, low, operand)
        if seconds >= LATEST_SECOND:
            return beyond
        time += seconds * SECOND_NS
    time += table[row, OFFSET_NS]
    return time if -LATEST <= time <= LATEST else beyond


@inlined
def _split_binary(high: Integer, low: Integer, exponent: Integer) -> Integer:
    """Whole seconds, and the nanoseconds of the rest, of a time in 2^-exponent s."""
    if exponent < 32:
        if high >> (exponent + 1) > 0:  # 2^33 seconds or more
            return np.int64(LATEST_SECOND), np.int64(0)
        seconds = (high << (32 - exponent)) + (low >> exponent)
        fraction = low & ((np.int64(1) << exponent) - 1)
        return seconds, (fraction * SECOND_NS) >> exponent
    # The fraction's two words times 10^9, shifted right by 32 and then by the rest. A shift by 63
    # gives 0 as any longer one would.
    upper = min(exponent - 32, np.int64(63))
    seconds = high >> upper
    fraction = high & ((np.int64(1) << upper) - 1) if upper < 32 else high
    carried = fraction * SECOND_NS + ((low * SECOND_NS) >> 32)
    return seconds, carried >> upper
