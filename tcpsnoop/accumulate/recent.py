"""Rows that are not sorted yet, each key once: a hash table, filled by a kernel.

Most rows of a stream are of keys that were there just before. Here each costs a look at one line of
a table, where sorting costs ten times as much; what is sorted then is each key once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate.places import MOST_BUCKET_BITS
from tcpsnoop.accumulate.runs import Run
from tcpsnoop.kernel import Integer, Truth, inlined, kernel, prefetcher

# The ufuncs that values are combined by, at the numbers that the kernel knows.
OPERATIONS = (np.add, np.minimum, np.maximum, np.bitwise_or)
_ADD, _MINIMUM, _MAXIMUM = range(3)

_CACHE_LINE = 8  # words
_FREE = -1  # in place of a place
_LEAST_LINES = 1 << 8
# So many lines are looked at for a row. Hashes are known to all, so somebody may send keys that
# meet: these are sorted, which takes no longer than sorting others.
_PATIENCE = 64
# Lines are brought near so many rows ahead of their use: a large table is not in the cache.
_AHEAD = 16
_FACTOR = 0x9E3779B1  # odd and without a pattern, of 32 bits
_BUCKETS = (1 << MOST_BUCKET_BITS) - 1

prefetch = prefetcher()


class Recent:
    """A table of rows: place, columns of the key, values, as those of a run; in any order.

    `keys` is the number of the key's columns; the ufuncs are some of OPERATIONS.
    """

    def __init__(self, keys: int, ufuncs: Sequence[np.ufunc]) -> None:
        self._keys = keys
        self._operations = np.array([OPERATIONS.index(ufunc) for ufunc in ufuncs], np.int64)
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
        """There is no room for another key: `clear` makes some."""
        return len(self) >= int(_room(self.lines))

    def take(self, rows: NDArray[np.int64], start: int) -> int:
        """Take rows from `start` on; the first that was not taken.

        `rows` has a row for each column. When it ends early the table is full, or too many keys
        meet.
        """
        return int(
            _gather(rows, start, self._words, self._bits, self._keys, self._operations, self._used)
        )

    def run(self) -> Run:
        """The columns of all rows."""
        lines = self._words.reshape(-1, 1 << self._bits)
        used = lines[lines[:, 0] != _FREE]
        return list(np.ascontiguousarray(used[:, : self._width].T))

    def clear(self, most_lines: int) -> None:
        """Forget all rows; if it is full, have four times the room, but at most so many lines.

        `most_lines` is a power of 2, or 0.
        """
        lines = self.lines
        if self.is_full:
            lines = max(4 * lines, _LEAST_LINES)
        lines = min(lines, most_lines)
        if lines != self.lines:
            self._words = _words(lines, self._bits)
        self._words[:: 1 << self._bits] = _FREE
        self._used[0] = 0


def _words(lines: int, bits: int) -> NDArray[np.int64]:
    """Room for so many lines of 2^bits words, the first at the beginning of a line of the cache.

    So a line of eight words is one of the cache, where it would else lie in two.
    """
    words = np.empty((lines << bits) + _CACHE_LINE, np.int64)
    start = -words.ctypes.data % (_CACHE_LINE * words.itemsize) // words.itemsize
    return words[start : start + (lines << bits)]


@kernel
def _gather(
    rows: NDArray[np.int64],
    start: Integer,
    words: NDArray[np.int64],
    bits: Integer,
    keys: Integer,
    operations: NDArray[np.int64],
    used: NDArray[np.int64],
) -> Integer:
    """Combine each row with its key's line; the first row for which there is none and no room.

    A line is 2^bits words, of which the first are its place, its key and its values.
    """
    width, count = rows.shape
    lines = len(words) >> bits
    last, room = lines - 1, _room(lines)
    if lines == 0:
        return start
    for i in range(start, count):
        prefetch(words, (_line_of(rows[0, min(i + _AHEAD, count - 1)]) & last) << bits)
        place = rows[0, i]
        line = _line_of(place) & last
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


@inlined
def _line_of(place: Integer) -> Integer:
    """Where to look first; the caller takes as many of its lowest bits as the table has."""
    # A key's buckets are neighbours, their lines must not be: long rows of lines in use take long.
    return place >> MOST_BUCKET_BITS ^ (place & _BUCKETS) * _FACTOR >> MOST_BUCKET_BITS


@inlined
def _is(
    words: NDArray[np.int64], at: Integer, rows: NDArray[np.int64], i: Integer, keys: Integer
) -> Truth:
    """The line that begins at word `at` has the place and the key of the row."""
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
    """How many of them may be used: beyond, looking takes longer and longer."""
    return lines - (lines >> 2)
