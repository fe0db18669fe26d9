"""Columns of structured arrays, side by side: what arithmetic on whole columns wants.

A field of rows that are a hundred bytes apart costs a line of the cache for each value, and again
for each operation on it. Here a kernel reads the rows that are wanted once, all fields of some of
them while they are near, and no row is copied whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, kernel

# Rows whose fields are read together: a share of the first cache.
_BLOCK = 128
_LOW_HALF = 0xFFFFFFFF
_WORD, _HALF, _UNSIGNED_HALF, _QUARTER, _OCTET = range(5)
_KINDS = {"i8": _WORD, "i4": _HALF, "u4": _UNSIGNED_HALF, "u2": _QUARTER, "u1": _OCTET}


def columns_of(
    rows: NDArray[np.void], names: Sequence[str], index: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The fields `names` of the rows at `index`, or of all; shape (names, rows).

    `rows` is contiguous; its fields are integers of kinds i8, i4, u4, u2 or u1, aligned, a row a
    multiple of 8 bytes. IndexError when a row is not there.
    """
    if index is None:
        index = np.arange(len(rows))
    size = rows.dtype.itemsize
    columns = np.empty((len(names), len(index)), np.int64)
    read_columns(
        rows.view(np.int64).reshape(len(rows), size // 8),
        rows.view(np.int32).reshape(len(rows), size // 4),
        rows.view(np.uint16).reshape(len(rows), size // 2),
        rows.view(np.uint8).reshape(len(rows), size),
        index,
        _fields(rows.dtype, tuple(names)),
        columns,
    )
    return columns


@lru_cache(maxsize=64)
def _fields(dtype: np.dtype[np.void], names: tuple[str, ...]) -> NDArray[np.int64]:
    """The kind and the place of each field, shape (names, 2); the place counts in its own size."""
    offsets = {name: offset for name, (_, offset, *_) in (dtype.fields or {}).items()}
    fields = [
        (_KINDS[dtype[name].str[1:]], offsets[name] // dtype[name].itemsize) for name in names
    ]
    return np.array(fields, np.int64).reshape(len(names), 2)


@kernel
def read_columns(
    words: NDArray[np.int64],
    halves: NDArray[np.int32],
    quarters: NDArray[np.uint16],
    octets: NDArray[np.uint8],
    index: NDArray[np.int64],
    fields: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> None:
    """Write the column of each field; the views are all of the same rows."""
    count = len(index)
    for first in range(0, count, _BLOCK):
        end = min(first + _BLOCK, count)
        for number in range(len(fields)):
            kind, place = fields[number, 0], fields[number, 1]
            if kind == _WORD:
                for i in range(first, end):
                    columns[number, i] = words[index[i], place]
            elif kind == _QUARTER:
                for i in range(first, end):
                    columns[number, i] = quarters[index[i], place]
            elif kind == _OCTET:
                for i in range(first, end):
                    columns[number, i] = octets[index[i], place]
            else:
                mask = _LOW_HALF if kind == _UNSIGNED_HALF else -1
                for i in range(first, end):
                    columns[number, i] = np.int64(halves[index[i], place]) & mask


@kernel
def find_wanted(
    numbers: NDArray[np.uint8], wanted: NDArray[np.bool_], index: NDArray[np.int64]
) -> Integer:
    """Write the places of the numbers that are wanted to `index`; how many there are."""
    found = 0
    for i in range(len(numbers)):
        index[found] = i
        if wanted[numbers[i]]:
            found += 1
    return found


def let_through(columns: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rows of `columns`, shape (columns, rows), that a mask chooses."""
    return columns if mask.all() else columns[:, mask]
