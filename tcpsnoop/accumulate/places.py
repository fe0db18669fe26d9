"""Places of rows: a hash of the key above a bucket, computed by a kernel.

A place is a hash of 57 bits and a bucket of 6, so the buckets of a key are neighbours; of buckets
of more bits the hash has fewer. It is always the same for a key, wherever it is computed: what is
kept under a cap of keys hangs on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, inlined, kernel

PLACE_BITS = 63
BUCKET_BITS = 6  # enough for the powers of two
MOST_BUCKET_BITS = 24
HASH_BITS = PLACE_BITS - BUCKET_BITS

_LOW = (1 << 32) - 1
# Odd numbers without a pattern, of 31 bits: times 32 bits they are below 2^63.
_FIRST, _SECOND, _THIRD, _FOURTH = 0x6C8E9CF5, 0x5851F42D, 0x7FEB352D, 0x46E2A0B5
_START = 0x1E3779B97F4A7C15


@kernel
def find_buckets(values: NDArray[np.int64], share_bits: Integer) -> None:
    """Put the bucket of each value in its place."""
    for i in range(len(values)):
        # None is negative; if one is, as an input may lie, its row is not to be lost.
        values[i] = bucket_of(max(values[i], 0), share_bits)


@kernel
def find_places(
    rows: NDArray[np.int64], keys: Integer, bucket_bits: Integer, mask: Integer
) -> None:
    """Put the place of each row where its bucket is.

    `rows` has a row for each column: the bucket, the columns of the key, others. `mask` has the
    bits of the hash that count. No key has the greatest hash.
    """
    last = (1 << PLACE_BITS - bucket_bits) - 2
    for i in range(rows.shape[1]):
        state: Integer = _START
        for column in range(1, 1 + keys):
            state = _mixed(state, rows[column, i])
        hashed: Integer = min((state & mask) >> bucket_bits - BUCKET_BITS, last)
        rows[0, i] |= hashed << bucket_bits


@inlined
def bucket_of(value: Integer, share_bits: Integer) -> Integer:
    """The number of a value's bucket; the value is not negative.

    Every power of two is cut into 2^share_bits buckets of the same width, but none is narrower than
    1: so the smallest numbers have one each.
    """
    bits, rest, step = 0, value, 32
    while step > 0:
        if rest >> step > 0:
            bits += step
            rest >>= step
        step >>= 1
    shift: Integer = max(bits - share_bits, 0)
    return (shift << share_bits) + (value >> shift)


@inlined
def _mixed(state: Integer, key: Integer) -> Integer:
    """63 bits that hang on every bit of both."""
    state ^= (key & _LOW) * _FIRST
    state = (state & _LOW) * _THIRD ^ (state >> 32) * _FOURTH
    state ^= state >> 29
    state ^= (key >> 32 & _LOW) * _SECOND
    state = (state & _LOW) * _FOURTH ^ (state >> 32) * _THIRD
    return state ^ state >> 31
