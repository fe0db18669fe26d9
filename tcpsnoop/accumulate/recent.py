"""Rows that are not sorted yet, each key and bucket once: a hash table, filled by a kernel.

Most rows of a stream are of keys that were there just before. Here each costs a look at one line of
a table, where sorting costs ten times as much; what is sorted then is each key once. The hash of
the table is its own: cheaper than that of a place, and nobody outside of the process knows it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Truth, inlined, kernel, prefetcher

# The ufuncs that values are combined by, at the numbers that the kernel knows.
OPERATIONS = (np.add, np.minimum, np.maximum, np.bitwise_or)
_ADD, _MINIMUM, _MAXIMUM = range(3)

_CACHE_LINE = 8  # words
_FREE = -1  # in place of a bucket
_LEAST_LINES = 1 << 8
# So many lines are looked at for a row. The longest row of lines in use is half as long in the
# largest table: if there is a longer one once, what comes then is sorted at once.
_PATIENCE = 256
# Lines are brought near so many rows ahead of their use: a large table is not in the cache.
_AHEAD = 16
# Multipliers of the hash have 27 bits: so many products with 32 bits stay below 2^63, added.
_MULTIPLIER = (1 << 27) - 1
MOST_KEYS = 7
_LOW = (1 << 32) - 1
# Sums of small numbers are small. Times these, odd and without a pattern, of 31 bits, they are not,
# but the lowest bits still hang on the lowest bits alone.
_FIRST, _SECOND = 0x6C8E9CF5, 0x5851F42D
_LOWEST_BITS = 26

prefetch = prefetcher()


class Recent:
    """A table of rows: bucket, columns of the key, values; in any order.

    `keys` is the number of the key's columns, at most MOST_KEYS; the ufuncs are some of OPERATIONS.
    The hash is multilinear with secret multipliers (Carter and Wegman 1979), so nobody can send
    keys that meet.
    """

    def __init__(self, keys: int, ufuncs: Sequence[np.ufunc]) -> None:
        self._keys = keys
        self._operations = np.array([OPERATIONS.index(ufunc) for ufunc in ufuncs], np.int64)
        self._multipliers = np.frombuffer(os.urandom(8 * (1 + 2 * keys)), np.int64) & _MULTIPLIER
        self._used = np.zeros(1, np.int64)
        self._width = 1 + keys + len(ufuncs)
        self._bits = (self._width - 1).bit_length()
        self._words = _words(0, self._bits)

    def __len__(self) -> int:
        return int(self._used[0])

    @property
    def lines(self) -> int:
        """The lines of the table, a power of 2, or 0."""
        return len(self._words) >> self._bits

    @property
    def is_full(self) -> bool:
        """There is no room for another key: `take_out` makes some."""
        return len(self) >= int(_room(self.lines))

    def take(self, rows: NDArray[np.int64], start: int) -> int:
        """Take rows from `start` on; the first that was not taken.

        `rows` has a row for each column, contiguous. When it ends early the table is full, or too
        many keys meet.
        """
        hashes = np.empty(rows.shape[1], np.int64)
        find_hashes(rows, start, self._multipliers, hashes)
        return int(
            _gather(
                rows,
                start,
                hashes,
                self._words,
                self._bits,
                self._keys,
                self._operations,
                self._used,
            )
        )

    def take_out(self, most_lines: int) -> NDArray[np.int64]:
        """All rows, which are gone then: a row of the result for each column, contiguous.

        If it was full, it has four times the room after that, but at most so many lines, a power of
        2, or 0.
        """
        columns = np.empty((self._width, len(self)), np.int64)
        _take_out(self._words, self._bits, columns)
        lines = self.lines
        if self.is_full:
            lines = max(4 * lines, _LEAST_LINES)
        lines = min(lines, most_lines)
        if lines != self.lines:
            self._words = _words(lines, self._bits)
        self._used[0] = 0
        return columns


def _words(lines: int, bits: int) -> NDArray[np.int64]:
    """So many free lines of 2^bits words, the first at the beginning of a line of the cache.

    So a line of eight words is one of the cache, where it would else lie in two.
    """
    words = np.empty((lines << bits) + _CACHE_LINE, np.int64)
    start = -words.ctypes.data % (_CACHE_LINE * words.itemsize) // words.itemsize
    words = words[start : start + (lines << bits)]
    words[:: 1 << bits] = _FREE
    return words


@kernel
def find_hashes(
    rows: NDArray[np.int64],
    start: Integer,
    multipliers: NDArray[np.int64],
    hashes: NDArray[np.int64],
) -> None:
    """Write the hash of bucket and key of each row from `start` on.

    There are a multiplier for the bucket and two for each column of the key.
    """
    count = rows.shape[1]
    for i in range(start, count):
        hashes[i] = rows[0, i] * multipliers[0]
    # Column by column, so that several rows go at once.
    for column in range(1, (len(multipliers) + 1) // 2):
        low, high = multipliers[2 * column - 1], multipliers[2 * column]
        for i in range(start, count):
            key = rows[column, i]
            hashes[i] += (key & _LOW) * low + (key >> 32 & _LOW) * high
    for i in range(start, count):
        spread = (hashes[i] & _LOW) * _FIRST ^ (hashes[i] >> 32) * _SECOND
        hashes[i] = spread >> _LOWEST_BITS


@kernel
def _gather(
    rows: NDArray[np.int64],
    start: Integer,
    hashes: NDArray[np.int64],
    words: NDArray[np.int64],
    bits: Integer,
    keys: Integer,
    operations: NDArray[np.int64],
    used: NDArray[np.int64],
) -> Integer:
    """Combine each row with its key's line; the first row for which there is none and no room.

    A line is 2^bits words, of which the first are its bucket, its key and its values.
    """
    width, count = rows.shape
    lines = len(words) >> bits
    last, room = lines - 1, _room(lines)
    if lines == 0:
        return start
    for i in range(start, count):
        prefetch(words, (hashes[min(i + _AHEAD, count - 1)] & last) << bits)
        line = hashes[i] & last
        at = line << bits
        looked = 0
        while looked < _PATIENCE and words[at] != _FREE and not _is(words, at, rows, i, keys):
            line = (line + 1) & last
            at = line << bits
            looked += 1
        if looked == _PATIENCE:
            return i
        if words[at] != _FREE:
            _combine(words, at, rows, i, keys, operations)
            continue
        if used[0] >= room:
            return i
        used[0] += 1
        for column in range(width):
            words[at + column] = rows[column, i]
    return count


@kernel
def _take_out(words: NDArray[np.int64], bits: Integer, columns: NDArray[np.int64]) -> None:
    """Copy every line in use into a column, from its bucket on, and free it."""
    found = 0
    for line in range(len(words) >> bits):
        at = line << bits
        if words[at] != _FREE:
            for number in range(len(columns)):
                columns[number, found] = words[at + number]
            words[at] = _FREE
            found += 1


@inlined
def _is(
    words: NDArray[np.int64], at: Integer, rows: NDArray[np.int64], i: Integer, keys: Integer
) -> Truth:
    """The line that begins at word `at` has the bucket and the key of the row."""
    column = 0
    while column <= keys and words[at + column] == rows[column, i]:
        column += 1
    return column > keys


@inlined
def _combine(
    words: NDArray[np.int64],
    at: Integer,
    rows: NDArray[np.int64],
    i: Integer,
    keys: Integer,
    operations: NDArray[np.int64],
) -> None:
    """Take the values of the row into the line that begins at word `at`."""
    for number in range(len(operations)):
        operation, column = operations[number], 1 + keys + number
        new = rows[column, i]
        if operation == _ADD:
            words[at + column] += new
        elif operation == _MINIMUM:
            words[at + column] = min(words[at + column], new)
        elif operation == _MAXIMUM:
            words[at + column] = max(words[at + column], new)
        else:
            words[at + column] |= new


@kernel
def _room(lines: Integer) -> Integer:
    """How many of them may be used, five of eight: beyond, looking takes longer and longer."""
    return lines - (3 * lines >> 3)
