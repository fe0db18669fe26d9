"""Eight bytes at a time: a view of bytes as words at every offset, and the digits as words.

A word is the int64 whose memory is eight bytes of text. Copying a text by words costs a fifth of
copying it by bytes, since each access is checked. The last word reaches up to seven bytes beyond
the text: they are written over by what follows, and a buffer has SLACK bytes more than its text.
Words are never computed with, so the byte order of the machine does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, kernel

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]

SLACK = 8


def words_of(text: Bytes) -> Words:
    """A view of `text`: element i is the word of the bytes i to i + 7.

    Nine bytes at least: Numba takes a view of one word for another type, and compiles anew.
    """
    return as_strided(text[:SLACK].view(np.int64), (len(text) - SLACK + 1,), (1,))


def bytes_with_slack(text: bytes) -> Bytes:
    """An array of the text's bytes and SLACK more at least."""
    return np.frombuffer(text + bytes(SLACK + 1), np.uint8).copy()


def _table(texts: Sequence[str]) -> Words:
    return np.frombuffer(b"".join(t.encode().ljust(SLACK) for t in texts), np.int64).copy()


BLANKS = int(_table([""])[0])
_LEADING = _table([str(value) for value in range(1000)])
_THREE = _table([f"{value:03}" for value in range(1000)])
_POINTED = _table([f".{value:03}" for value in range(1000)])
_OCTET = _table([f"{value}." for value in range(256)])
_LENGTH = np.array([len(str(value)) for value in range(1000)], np.int64)


@kernel
def copy(out: Words, at: Integer, source: Words, first: Integer, count: Integer) -> Integer:
    """Copy `count` bytes; the place after them."""
    for done in range(0, count, 8):
        out[at + done] = source[first + done]
    return at + count


@kernel
def write_number(out: Words, at: Integer, value: Integer) -> Integer:
    """A number that is not negative; the place after it."""
    if value < 1_000:
        out[at] = _LEADING[value]
        return at + _LENGTH[value]
    thousands = value // 1_000
    if thousands < 1_000:
        out[at] = _LEADING[thousands]
        at += _LENGTH[thousands]
        out[at] = _THREE[value - thousands * 1_000]
        return at + 3
    return _write_large(out, at, value)


@kernel
def write_ipv4(out: Words, at: Integer, address: Integer) -> Integer:
    """An IPv4 address given as its 32 bits; the place after it."""
    for shift in range(24, -8, -8):
        octet = (address >> shift) & 0xFF
        out[at] = _OCTET[octet]
        at += _LENGTH[octet] + 1
    return at - 1


@kernel
def write_fraction(out: Words, at: Integer, nanoseconds: Integer, digits: Integer) -> Integer:
    """A point and the first `digits` (9 at most) decimals; nothing for none."""
    thousandth = nanoseconds // 1_000_000
    millionth = nanoseconds // 1_000
    out[at] = _POINTED[thousandth]
    out[at + 4] = _THREE[millionth - thousandth * 1_000]
    out[at + 7] = _THREE[nanoseconds - millionth * 1_000]
    return at + digits + 1 if digits > 0 else at


@kernel
def indent(out: Words, first: Integer, end: Integer, blanks: Integer) -> Integer:
    """Move what stands from `first` to `end` behind so many blanks, 1 at least; the place after it.

    Needs SLACK bytes after that.
    """
    head = out[first]
    # From the last word down: each moves onto bytes that were moved before it.
    for done in range((end - first - 1) // 8 * 8, 0, -8):
        out[first + blanks + done] = out[first + done]
    for done in range(0, blanks, 8):
        out[first + done] = BLANKS
    out[first + blanks] = head
    return end + blanks


@kernel
def _write_large(out: Words, at: Integer, value: Integer) -> Integer:
    """A number from 10^6 on: leading group of three digits, then groups with their zeros."""
    unit = 1_000_000
    while value // unit >= 1_000:
        unit *= 1_000
    group = value // unit
    out[at] = _LEADING[group]
    at += _LENGTH[group]
    while unit > 1:
        value -= group * unit
        unit //= 1_000
        group = value // unit
        out[at] = _THREE[group]
        at += 3
    return at
