"""Values by key: counts, sums, extremes, histograms; exactly mergeable, under a cap of keys too.

Rows are kept as columns sorted by a hash of the key, which costs the bytes of the columns, in the
smallest integers that hold them, and eight more a row; the latest wait in a table (`recent`).

When there are more keys than `max_keys`, those with the smallest hashes are kept: a key among the
smallest of all was among the smallest in every part of the stream that had it, so nothing of it is
ever lost, whatever the order and the parts, and what is kept is a fair sample. All other keys are
one, the other. Rows can be capped in the same way: the keys kept are the longest sequence in the
order of hashes whose rows are not more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate.places import (
    BUCKET_BITS,
    HASH_BITS,
    PLACE_BITS,
    find_buckets,
    find_places,
)
from tcpsnoop.accumulate.recent import Recent
from tcpsnoop.accumulate.runs import Column, Run, combined, joined, merged, narrowed, sames
from tcpsnoop.accumulate.totals import Totals

# The bits of a hash that count.
_HASH_MASK = (1 << HASH_BITS) - 1

# The recent rows have so many lines, or that share of the run: some MB, and few passes over a
# million keys.
_RECENT_BITS = 16
_RECENT_SHARE_BITS = 2


class Keyed:
    """Columns of values for each key; a new one has none.

    `keys` is the number of the key's columns, `values` has for each column of values the ufunc that
    combines two of them, one of recent.OPERATIONS. All are integers of at most 64 bits. Two can be
    merged when they were made alike.
    """

    def __init__(
        self,
        keys: int,
        values: Sequence[np.ufunc],
        max_keys: int,
        *,
        bucket_bits: int = BUCKET_BITS,
        share_bits: int | None = None,
        max_rows: int | None = None,
    ) -> None:
        """`bucket_bits` is from 6 to MOST_BUCKET_BITS; `share_bits` as in places.bucket_of.

        Without these buckets are given. `max_rows` caps the buckets of all keys together.
        """
        self._keys = keys
        self._ufuncs = tuple(values)
        self._max_keys = max_keys
        self._max_rows = np.iinfo(np.int64).max if max_rows is None else max_rows
        self._bits, self._share_bits = bucket_bits, share_bits
        self._other = (1 << PLACE_BITS - bucket_bits) - 1
        # Keys from this hash on are the other for good: they once were too many rows, and as some
        # of theirs are gone, what is left must not count as few.
        self._cut = self._other
        self._run: Run = [np.empty(0, np.int64) for _ in range(1 + keys + len(values))]
        self._recent = Recent(keys, values)

    def observe(
        self,
        keys: Sequence[Column],
        values: Sequence[Column | int],
        buckets: Column | int = 0,
        first_buckets: Column | None = None,
    ) -> None:
        """Take rows in: a key and its values each, a number standing for a column of it.

        `buckets` are those of the values, or with `share_bits` what decides them; they count from
        `first_buckets`.
        """
        count = len(keys[0])
        rows = np.empty((len(self._run), count), np.int64)
        for row, column in zip(rows, (buckets, *keys, *values), strict=True):
            row[:] = column
        if self._share_bits is not None:
            find_buckets(rows[0], self._share_bits)
        if first_buckets is not None:
            rows[0] += first_buckets
        self.observe_rows(rows)

    def observe_rows(self, rows: NDArray[np.int64]) -> None:
        """Take rows in that lie as they are kept: in a row for each column, contiguous.

        The first has the buckets, those behind it the key, the others the values. They may be
        changed.
        """
        taken, count = 0, rows.shape[1]
        while (taken := self._recent.take(rows, taken)) < count:
            if not self._recent.is_full:
                self._settle(rows[:, taken:])
                return
            self._settle()

    def merge(self, other: Keyed) -> None:
        """Take in what another one has; it stays as it is."""
        other._settle()
        self._settle()
        self._cut = min(self._cut, other._cut)
        self._run = self._capped(merged(self._run, other._run, self._keys, self._ufuncs))

    def mapped(self, value: int, function: Callable[[Column], Column]) -> Keyed:
        """The same with one column of values replaced by a function of it."""
        self._settle()
        number = 1 + self._keys + value
        result = Keyed(
            self._keys,
            self._ufuncs,
            self._max_keys,
            bucket_bits=self._bits,
            share_bits=self._share_bits,
            max_rows=self._max_rows,
        )
        result._cut = self._cut
        result._run = list(self._run)
        result._run[number] = narrowed(function(self._run[number].astype(np.int64)))
        return result

    def totals(self) -> Totals:
        """All that is known; the order of the keys means nothing."""
        self._settle()
        self._recent.take_out(0)
        run = self._run
        hashes = run[0] >> self._bits
        same, hashes_met = sames(hashes, run[1 : 1 + self._keys])
        if hashes_met:
            # The buckets of two keys of one hash are mixed.
            order = np.lexsort((run[0], *run[self._keys : 0 : -1], hashes))
            run, hashes = [column[order] for column in run], hashes[order]
            same, _ = sames(hashes, run[1 : 1 + self._keys])
        return Totals(
            tuple(run[1 : 1 + self._keys]),
            tuple(run[1 + self._keys :]),
            self._ufuncs,
            run[0],
            np.flatnonzero(np.concatenate(([True], ~same))) if same.any() else None,
            bool(len(hashes)) and bool(hashes[-1] == self._other),
            (1 << self._bits) - 1,
        )

    def _settle(self, more: NDArray[np.int64] | None = None) -> None:
        """Sort what is recent into the run, and `more` rows."""
        lines = 1 << max(_RECENT_BITS, len(self._run[0]).bit_length() - _RECENT_SHARE_BITS)
        rows = self._recent.take_out(lines)
        if more is not None:
            rows = np.concatenate((rows, more), axis=1)
        find_places(rows, self._keys, self._bits, _HASH_MASK)
        new = combined(list(rows), self._keys, self._ufuncs)
        del rows
        self._run = self._capped(merged(self._run, new, self._keys, self._ufuncs))

    def _capped(self, run: Run) -> Run:
        """The run with the keys beyond the caps as the other."""
        end = int(np.searchsorted(run[0], self._other << self._bits))
        cut = self._first_beyond(run[0][:end])
        if cut == end:
            return run
        place = self._other << self._bits | run[0][cut:] & (1 << self._bits) - 1
        keys = [np.zeros_like(column[cut:]) for column in run[1 : 1 + self._keys]]
        values = [column[cut:] for column in run[1 + self._keys :]]
        other = combined([place, *keys, *values], self._keys, self._ufuncs)
        return joined([[column[:cut] for column in run], other])

    def _first_beyond(self, places: Column) -> int:
        """The first row that is of a key beyond the caps; as many as there are when none is."""
        rows = len(places)
        cut = int(np.searchsorted(places, self._cut << self._bits))
        many = rows > self._max_rows
        if rows <= self._max_keys and not many:
            return cut
        hashes = places >> self._bits
        starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1])))
        if many:
            ends = np.append(starts[1:], rows)
            first = starts[np.searchsorted(ends, self._max_rows, side="right")]
            self._cut = min(self._cut, int(hashes[first]))
            cut = min(cut, int(first))
        if len(starts) > self._max_keys:
            cut = min(cut, int(starts[self._max_keys]))
        return cut
