"""What is known of each key, worked out column by column as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tcpsnoop.accumulate.runs import Column


@dataclass(frozen=True)
class Totals:
    """A row for each key: the columns of the key, and its values over all buckets.

    `by_bucket` are the values by key and bucket: those of key i stand from `starts[i]` to
    `starts[i + 1]`, in ascending order of their `buckets`. With `has_other` the last row is of all
    keys beyond the cap together; its key is zeros.
    """

    _keys: tuple[Column, ...]  # by key and bucket, as `by_bucket`
    by_bucket: tuple[Column, ...]  # integers of any size
    _ufuncs: tuple[np.ufunc, ...]
    _places: Column  # their lowest bits are a bucket
    _firsts: Column | None  # where each key begins; None: every row is a key of its own
    has_other: bool
    _buckets: int  # the bits of a place that are a bucket

    def __len__(self) -> int:
        return len(self._places if self._firsts is None else self._firsts)

    @property
    def columns(self) -> int:
        """How many columns the key has."""
        return len(self._keys)

    def key(self, number: int) -> Column:
        """A column of the key."""
        column = self._keys[number]
        return (column if self._firsts is None else column[self._firsts]).astype(np.int64)

    def value(self, number: int) -> Column:
        """A column of values, those of each key's buckets combined."""
        column = self.by_bucket[number]
        if self._firsts is None:
            return column.astype(np.int64)
        return self._ufuncs[number].reduceat(column, self._firsts, dtype=np.int64)

    @property
    def starts(self) -> Column:
        """Where each key begins in `by_bucket`, and the end of the last."""
        firsts = np.arange(len(self)) if self._firsts is None else self._firsts
        return np.append(firsts, len(self._places))

    @property
    def buckets(self) -> Column:
        """The bucket of each row of `by_bucket`."""
        return self._places & self._buckets

    def of_buckets(self, first: int, count: int) -> Totals:
        """What is known of the `count` buckets from `first` on, as if there were no others.

        `count` is a power of two, and `first` a multiple of it. Buckets count from 0 then, and keys
        that have none of these are not there.
        """
        rows = np.flatnonzero(self.buckets // count == first // count)
        firsts, has_other = self._firsts, self.has_other
        if firsts is None:
            has_other = has_other and bool(len(rows)) and int(rows[-1]) == len(self) - 1
        else:
            key = np.searchsorted(firsts, rows, side="right") - 1
            has_other = has_other and bool(len(key)) and int(key[-1]) == len(self) - 1
            firsts = np.flatnonzero(np.diff(key, prepend=-1))
        return Totals(
            tuple(column[rows] for column in self._keys),
            tuple(column[rows] for column in self.by_bucket),
            self._ufuncs,
            self._places[rows],
            firsts,
            has_other,
            count - 1,
        )

    def order(self, *columns: Column) -> Column:
        """The keys' rows in ascending order of columns, the first before the next; other last."""
        kept = len(self) - self.has_other
        order = np.lexsort([column[:kept] for column in reversed(columns)])
        return np.append(order, kept) if self.has_other else order
