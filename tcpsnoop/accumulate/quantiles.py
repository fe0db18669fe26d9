"""Quantiles by key, exactly mergeable: fixed log-linear buckets, each within 1 % of its values.

Every power of two is cut into 64 buckets of the same width, so the middle of a bucket is at most
1/128 away from any value in it, and numbers below 128 have a bucket of their own. The bounds are
the same for everything that is ever counted: so counts of two parts add up to those of the whole,
and a quantile of a merged block is that of the stream observed at once. Least and most are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate.keyed import Keyed
from tcpsnoop.accumulate.quantize import buckets_of, lower_bounds
from tcpsnoop.accumulate.runs import Column
from tcpsnoop.accumulate.totals import Totals

_SHARE_BITS = 6  # 64 buckets for each power of two
_BUCKET_BITS = 12  # 63 bits of values have 3,712 buckets
_BUCKETS = 1 << _BUCKET_BITS
# Buckets of all keys together: some 200 MB.
MAX_BUCKETS = 1 << 22

_COUNT, _SUM, _LEAST, _MOST = range(4)


def log_linear_bounds(buckets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The smallest and the largest value of each bucket, by its number."""
    shift = np.maximum((buckets >> _SHARE_BITS) - 1, 0)
    least = (buckets - (shift << _SHARE_BITS)) << shift
    return least, least + ((np.int64(1) << shift) - 1)


class Quantiles:
    """Distributions of non-negative integers by key, of each group apart; a new one has none.

    At most `max_keys` keys and MAX_BUCKETS buckets are kept apart, as in Keyed; the rest is one.
    Groups are few, and one is never mixed with another.
    """

    def __init__(self, keys: int, max_keys: int, groups: int = 1) -> None:
        """`groups` are at most 2^12."""
        self._groups = groups
        self._keyed = Keyed(
            keys,
            (np.add, np.add, np.minimum, np.maximum),
            max_keys,
            bucket_bits=_BUCKET_BITS + (groups - 1).bit_length(),
            share_bits=_SHARE_BITS,
            max_rows=MAX_BUCKETS,
        )

    def observe(
        self,
        keys: Sequence[Column],
        values: NDArray[np.int64],
        group: NDArray[np.int64] | None = None,
    ) -> None:
        """Take rows in: a key and its value each, and its group, from 0."""
        first_buckets = None if group is None else group << _BUCKET_BITS
        self._keyed.observe(keys, (1, values, values, values), values, first_buckets)

    def merge(self, other: Quantiles) -> None:
        """Take in what another one has; it stays as it is."""
        self._keyed.merge(other._keyed)

    def distributions(self) -> list[Distributions]:
        """All that is known, by group; the order of the keys means nothing."""
        totals = self._keyed.totals()
        if self._groups == 1:
            return [Distributions(totals)]
        firsts = range(0, self._groups << _BUCKET_BITS, _BUCKETS)
        return [Distributions(totals.of_buckets(first, _BUCKETS)) for first in firsts]


@dataclass(frozen=True)
class Distributions:
    """A distribution for each key: columns of a row for each, as those of `totals`."""

    totals: Totals

    def __len__(self) -> int:
        return len(self.totals)

    @property
    def count(self) -> Column:
        """How many values."""
        return self.totals.value(_COUNT)

    @property
    def sum(self) -> Column:
        """Their sum."""
        return self.totals.value(_SUM)

    @property
    def least(self) -> Column:
        """The smallest, exactly."""
        return self.totals.value(_LEAST)

    @property
    def most(self) -> Column:
        """The largest, exactly."""
        return self.totals.value(_MOST)

    def quantile(self, percent: int) -> Column:
        """The smallest value that so many percent are not above (nearest rank), within 1 %."""
        before = np.concatenate(([0], np.cumsum(self.totals.by_bucket[_COUNT], dtype=np.int64)))
        rank = np.maximum(-(-self.count * percent // 100), 1)
        reached = before[self.totals.starts[:-1]] + rank
        least, most = log_linear_bounds(self.totals.buckets[np.searchsorted(before, reached) - 1])
        # Half the width first: the sum of two large bounds is beyond 63 bits.
        return np.clip(least + (most - least) // 2, self.least, self.most)

    def histograms(self) -> Callable[[int], list[list[int]]]:
        """By a key's row: [lower bound, values] of each power of two that has any."""
        bounds = lower_bounds(buckets_of(log_linear_bounds(self.totals.buckets)[0]))
        counts, starts = self.totals.by_bucket[_COUNT], self.totals.starts

        def histogram(row: int) -> list[list[int]]:
            own = slice(starts[row], starts[row + 1])
            powers, firsts = np.unique(bounds[own], return_index=True)
            sums = np.add.reduceat(counts[own], firsts, dtype=np.int64)
            return [list(pair) for pair in zip(powers.tolist(), sums.tolist(), strict=True)]

        return histogram
