"""Values by key: counts, sums, extremes, histograms; exactly mergeable, under a cap of keys too.

Rows are kept as columns sorted by a hash of the key, which costs the bytes of the columns, in the
smallest integers that hold them, and eight more a row. When there are more keys than `max_keys`,
those with the smallest hashes are kept: a key among the smallest of all was among the smallest in
every part of the stream that had it, so nothing of it is ever lost, whatever the order and the
parts, and what is kept is a fair sample. All other keys are one, the other. Rows can be capped in
the same way: the keys kept are the longest sequence in the order of hashes whose rows are not more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tcpsnoop.accumulate.runs import Column, Run, combined, joined, merged, narrowed, sames
from tcpsnoop.accumulate.totals import Totals

BUCKET_BITS = 6  # enough for the powers of two
# A place is a hash of 57 bits and a bucket of 6, so the buckets of a key are neighbours; of buckets
# of more bits the hash has fewer.
_PLACE_BITS = 63
_HASH_BITS = _PLACE_BITS - BUCKET_BITS
# No key has the greatest hash: it is that of the other, which so stands last.
_GREATEST = (1 << _HASH_BITS) - 1

# So many rows wait to be merged into the run: some MB, and few passes over a million keys. So many
# batches: live ones may be of one row.
_PENDING_ROWS = 1 << 16
_PENDING_SHARE = 16
_PENDING_BATCHES = 64

# Odd constants without a pattern (those of splitmix64).
_FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
_START = np.uint64(0x9E3779B97F4A7C15)


class Keyed:
    """Columns of values for each key; a new one has none.

    `keys` is the number of the key's columns, `values` has for each column of values the ufunc that
    combines two of them, associative and commutative: np.add, np.minimum, np.maximum,
    np.bitwise_or. All are integers of at most 64 bits. Two can be merged when they were made alike.
    """

    def __init__(
        self,
        keys: int,
        values: Sequence[np.ufunc],
        max_keys: int,
        *,
        bucket_bits: int = BUCKET_BITS,
        max_rows: int | None = None,
    ) -> None:
        """`bucket_bits` is from 6 to 24; `max_rows` caps the buckets of all keys together."""
        self._keys = keys
        self._ufuncs = tuple(values)
        self._max_keys = max_keys
        self._max_rows = np.iinfo(np.int64).max if max_rows is None else max_rows
        self._bits = bucket_bits
        self._other = (1 << _PLACE_BITS - bucket_bits) - 1
        # Keys from this hash on are the other for good: they once were too many rows, and as some
        # of theirs are gone, what is left must not count as few.
        self._cut = self._other
        self._run: Run = [np.empty(0, np.int64) for _ in range(1 + keys + len(values))]
        self._pending: list[Run] = []
        self._pending_rows = 0

    def observe(
        self,
        keys: Sequence[Column],
        values: Sequence[Column | int],
        buckets: Column | int = 0,
    ) -> None:
        """Take rows in: a key and its values each, a number standing for a column of it."""
        rows = len(keys[0])
        if rows == 0:
            return
        columns = [np.broadcast_to(column, rows).astype(np.int64) for column in (*keys, *values)]
        hashes = _hashes(columns[: self._keys]) >> self._bits - BUCKET_BITS
        place = np.minimum(hashes, self._other - 1) << self._bits | buckets
        run = [place, *columns]
        self._pending.append(combined(run, self._keys, self._ufuncs))
        self._pending_rows += len(self._pending[-1][0])
        enough = max(_PENDING_ROWS, len(self._run[0]) // _PENDING_SHARE)
        if self._pending_rows >= enough or len(self._pending) >= _PENDING_BATCHES:
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
            max_rows=self._max_rows,
        )
        result._cut = self._cut
        result._run = list(self._run)
        result._run[number] = narrowed(function(self._run[number].astype(np.int64)))
        return result

    def totals(self) -> Totals:
        """All that is known; the order of the keys means nothing."""
        self._settle()
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

    def _settle(self) -> None:
        """Sort what is pending into the run."""
        if self._pending:
            rows = joined(self._pending)
            self._pending, self._pending_rows = [], 0
            new = combined(rows, self._keys, self._ufuncs)
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


def _hashes(keys: Sequence[Column]) -> Column:
    """57 bits of hash for each row, never the greatest.

    Always the same for a key, wherever it is computed: what is kept under the cap hangs on it.
    """
    state = np.full(len(keys[0]), _START, np.uint64)
    for key in keys:
        state ^= key.view(np.uint64)
        state *= _FIRST_FACTOR
        state ^= state >> np.uint64(32)
        state *= _SECOND_FACTOR
        state ^= state >> np.uint64(29)
    state >>= np.uint64(64 - _HASH_BITS)
    return np.minimum(state.view(np.int64), _GREATEST - 1)
