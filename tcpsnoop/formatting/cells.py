"""Inner kernels: one value as text at a place of the output. The caller has made sure of the room.

They return the place after the last byte written. `out` and `words` are the same memory.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.addresses import write_address
from tcpsnoop.formatting.operations import SHORTEST
from tcpsnoop.formatting.words import Bytes, Words, write_fraction, write_ipv4, write_number
from tcpsnoop.kernel import Integer, kernel

_SECOND = 1_000_000_000
_DAY = 86_400
_POWERS = np.array([10**power for power in range(10)], np.int64)

_MINUS = 45
_ZERO = 48
_COLON = 58
_T = 84
_Z = 90
_OPEN = 91
_CLOSE = 93


@kernel
def write_endpoint(
    out: Bytes,
    words: Words,
    at: Integer,
    high: Integer,
    low: Integer,
    brackets: Integer,
    quote: Integer,
) -> Integer:
    """An address; `brackets` around IPv6, `quote` around all unless it is 0."""
    if quote > 0:
        out[at] = quote
        at += 1
    if high == 0 and (low >> 32) == 0xFFFF:
        at = write_ipv4(words, at, low)
    else:
        if brackets > 0:
            out[at] = _OPEN
            at += 1
        at = write_address(out, at, high, low)
        if brackets > 0:
            out[at] = _CLOSE
            at += 1
    if quote > 0:
        out[at] = quote
        at += 1
    return at


@kernel
def write_time(
    out: Bytes,
    words: Words,
    at: Integer,
    time_ns: Integer,
    digits: Integer,
    quote: Integer,
    last: Words,
) -> Integer:
    """A time in UTC as RFC 3339 writes it, with `digits` (9 at most) decimals of a second.

    `last` holds the latest second written and its text in three words: rows that follow each other
    mostly share it.
    """
    if quote > 0:
        out[at] = quote
        at += 1
    seconds = time_ns // _SECOND
    if seconds == last[0]:
        words[at] = last[1]
        words[at + 8] = last[2]
        words[at + 16] = last[3]
    else:
        _write_second(out, at, seconds)
        last[0] = seconds
        last[1] = words[at]
        last[2] = words[at + 8]
        last[3] = words[at + 16]
    at = write_fraction(words, at + 19, time_ns % _SECOND, digits)
    out[at] = _Z
    at += 1
    if quote > 0:
        out[at] = quote
        at += 1
    return at


@kernel
def write_clock(out: Bytes, words: Words, at: Integer, day_ns: Integer, digits: Integer) -> Integer:
    """A time of day, given in nanoseconds since midnight."""
    seconds = day_ns // _SECOND
    _write_day_time(out, at, seconds)
    return write_fraction(words, at + 8, day_ns % _SECOND, digits)


@kernel
def write_seconds(
    out: Bytes, words: Words, at: Integer, value_ns: Integer, digits: Integer
) -> Integer:
    """A duration in seconds with `digits` decimals, the rest cut off, or SHORTEST."""
    seconds = value_ns // _SECOND
    fraction = value_ns % _SECOND
    if value_ns < 0:
        out[at] = _MINUS
        at += 1
        if fraction > 0:
            seconds += 1
            fraction = _SECOND - fraction
        seconds = -seconds
    at = write_number(words, at, seconds)
    if digits == SHORTEST:
        digits = 9
        while digits > 1 and fraction % _POWERS[10 - digits] == 0:
            digits -= 1
    return write_fraction(words, at, fraction, digits)


@kernel
def write_decimal(words: Words, at: Integer, value: Integer, digits: Integer) -> Integer:
    """A number, not negative, given without its point; `digits` (9 at most) stand behind it."""
    one = _POWERS[digits]
    at = write_number(words, at, value // one)
    return write_fraction(words, at, value % one * _POWERS[9 - digits], digits)


@kernel
def _write_second(out: Bytes, at: Integer, seconds: Integer) -> None:
    """Date and time of day, 19 bytes.

    Days become a date by counting years from 1 March, so that the leap day ends a year.
    """
    day = seconds // _DAY
    from_zero = day + 719_468  # days since 1 March of the year 0
    era = from_zero // 146_097  # 400 years
    era_day = from_zero - era * 146_097
    era_year = (era_day - era_day // 1_460 + era_day // 36_524 - era_day // 146_096) // 365
    year_day = era_day - (365 * era_year + era_year // 4 - era_year // 100)
    month = (5 * year_day + 2) // 153  # 0 is March
    day_of_month = year_day - (153 * month + 2) // 5 + 1
    year = era * 400 + era_year + (1 if month >= 10 else 0)
    _write_two(out, at, year // 100)
    _write_two(out, at + 2, year % 100)
    out[at + 4] = _MINUS
    _write_two(out, at + 5, month - 9 if month >= 10 else month + 3)
    out[at + 7] = _MINUS
    _write_two(out, at + 8, day_of_month)
    out[at + 10] = _T
    _write_day_time(out, at + 11, seconds - day * _DAY)


@kernel
def _write_day_time(out: Bytes, at: Integer, seconds: Integer) -> None:
    """Hours, minutes and seconds, 8 bytes."""
    minutes = seconds // 60
    hours = minutes // 60
    _write_two(out, at, hours)
    out[at + 2] = _COLON
    _write_two(out, at + 3, minutes - hours * 60)
    out[at + 5] = _COLON
    _write_two(out, at + 6, seconds - minutes * 60)


@kernel
def _write_two(out: Bytes, at: Integer, value: Integer) -> None:
    out[at] = _ZERO + value // 10
    out[at + 1] = _ZERO + value % 10
