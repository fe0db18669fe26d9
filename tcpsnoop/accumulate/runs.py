"""Runs: rows of a place, a key and values, as columns sorted by place and key, each key once.

A run is a list of arrays of one length: the place (int64), the columns of the key, the columns of
values, these in the smallest integers that hold them. Equal keys have equal places; different keys
mostly have different ones. No array that is given is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Run = list[Column]


def narrowed(column: Column) -> Column:
    """The column in the smallest signed integers that hold it: counts are mostly small."""
    if len(column) == 0:
        return column.astype(np.int8)
    least, most = int(column.min()), int(column.max())
    for kind in (np.int8, np.int16, np.int32):
        limits = np.iinfo(kind)
        if limits.min <= least and most <= limits.max:
            return column.astype(kind)
    return column.astype(np.int64, copy=False)


def joined(runs: Sequence[Run]) -> Run:
    """The rows of several runs, one after the other."""
    return [np.concatenate(columns) for columns in zip(*runs, strict=True)]


def sames(place: Column, keys: Sequence[Column]) -> tuple[NDArray[np.bool_], bool]:
    """Which rows have the place and key of the row before; whether only places agree somewhere."""
    places = place[1:] == place[:-1]
    same = places.copy()
    for key in keys:
        same &= key[1:] == key[:-1]
    return same, bool((places != same).any())


def combined(rows: Run, keys: int, ufuncs: Sequence[np.ufunc]) -> Run:
    """A run of any rows: the values of equal keys are combined, each column by its ufunc.

    `keys` is the number of the key's columns. The ufuncs must be associative and commutative.
    """
    if len(rows[0]) == 0:
        return rows
    order = np.argsort(rows[0])
    sorted_keys = [column[order] for column in rows[: 1 + keys]]
    same, places_met = sames(sorted_keys[0], sorted_keys[1:])
    if places_met:
        order = np.lexsort((*rows[keys:0:-1], rows[0]))
        sorted_keys = [column[order] for column in rows[: 1 + keys]]
        same, _ = sames(sorted_keys[0], sorted_keys[1:])
    if not same.any():  # nearly always: keys come from a table that has each once
        values = [column[order] for column in rows[1 + keys :]]
        return [sorted_keys[0], *map(narrowed, sorted_keys[1:] + values)]
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    values = [
        ufunc.reduceat(column[order], starts, dtype=np.int64)
        for ufunc, column in zip(ufuncs, rows[1 + keys :], strict=True)
    ]
    place, *kept = (column[starts] for column in sorted_keys)
    return [place, *map(narrowed, kept + values)]


def merged(first: Run, second: Run, keys: int, ufuncs: Sequence[np.ufunc]) -> Run:
    """The run of both runs' rows.

    `first` is emptied on the way: besides the result only one of its columns is there at a time.
    """
    if len(second[0]) == 0 or len(first[0]) == 0:
        return list(first if len(second[0]) == 0 else second)
    at = np.searchsorted(first[0], second[0])
    here = np.minimum(at, len(first[0]) - 1)
    met = first[0][here] == second[0]
    found = met.copy()
    for column, other in zip(first[1 : 1 + keys], second[1 : 1 + keys], strict=True):
        found &= column[here] == other
    if (met != found).any():
        # Two keys of one place: where each belongs must be found by sorting.
        return combined(joined([first, second]), keys, ufuncs)
    new, here = ~found, here[found]
    # Where rows of the second run go that are none of the first, and where these go.
    at = at[new]
    at += np.arange(len(at))
    old = np.ones(len(first[0]) + len(at), np.bool_)
    old[at] = False
    result = []
    first.reverse()
    for number, other in enumerate(second):
        column = first.pop()
        if number > keys:
            met_here, met_there = column[here].astype(np.int64), other[found].astype(np.int64)
            values = narrowed(ufuncs[number - 1 - keys](met_here, met_there))
            column = column.astype(np.promote_types(column.dtype, values.dtype))
            column[here] = values
        if len(at):
            both = np.empty(len(old), np.promote_types(column.dtype, other.dtype))
            both[old] = column
            both[at] = other[new]
            column = both
        result.append(column)
    return result
