"""The buckets of DTrace's quantize: 0 is its own, v ≥ 1 lies in [2^k, 2^(k+1))."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POWERS_OF_TWO = 0  # as `share_bits`: Keyed finds these buckets
_HALF = 31  # numbers of so many bits are exact as floats


def buckets_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each value's bucket: 0 for 0, k + 1 for [2^k, 2^(k+1)); none is negative."""
    high = values >> _HALF
    exponents = np.frexp(np.where(high > 0, high, values).astype(np.float64))[1]
    return exponents.astype(np.int64) + np.where(high > 0, _HALF, 0)


def lower_bounds(buckets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The smallest value of each bucket, by its number."""
    return np.where(buckets > 0, np.int64(1) << np.maximum(buckets - 1, 0), 0)
