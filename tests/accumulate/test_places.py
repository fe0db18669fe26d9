"""Places: hashes spread well whatever the keys look like, buckets at their edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tcpsnoop.accumulate.places import (
    HASH_BITS,
    MOST_BUCKET_BITS,
    bucket_of,
    find_buckets,
    find_places,
)
from tcpsnoop.accumulate.quantize import buckets_of

LARGEST = 2**63 - 1
numbers = np.arange(1 << 16)


def places(*keys: NDArray[np.int64], buckets: int = 0, bits: int = 6) -> NDArray[np.int64]:
    rows = np.stack([np.full_like(keys[0], buckets), *keys])
    find_places(rows, len(keys), bits, (1 << HASH_BITS) - 1)
    found: NDArray[np.int64] = rows[0]
    return found


@pytest.mark.parametrize(
    "keys",
    [
        (numbers, numbers * 0),
        (numbers * 0, numbers),
        (numbers << 48, numbers),
        (numbers, numbers),
        (numbers * 0, numbers << 32),
        (numbers * 0, 0xFFFF_0000_0000 | numbers << 8),
        (-numbers,),
        (numbers >> 8, numbers & 0xFF, numbers * 0 + 443),
    ],
)
@pytest.mark.parametrize("bits", [6, 12])
def test_hashes_are_spread(keys: tuple[NDArray[np.int64], ...], bits: int) -> None:
    hashes = places(*keys, bits=bits) >> bits
    assert len(np.unique(hashes)) == len(numbers)
    assert hashes.min() >= 0
    for part in (hashes >> 61 - bits, hashes & 3, hashes >> 20 & 3):
        quarters = np.bincount(part, minlength=4)
        # Of 65536 fair draws a quarter is off by 5 standard deviations, 554, hardly ever.
        assert np.abs(quarters - len(numbers) / 4).max() < 554


@given(st.lists(st.integers(-(2**63), LARGEST), min_size=1, max_size=4), st.integers(0, 63))
def test_the_bucket_is_below_the_hash_which_is_never_the_greatest(
    key: list[int], bucket: int
) -> None:
    keys = [np.array([column], np.int64) for column in key]
    for bits in (6, 12, MOST_BUCKET_BITS):
        (place,) = places(*keys, buckets=bucket, bits=bits).tolist()
        assert place & (1 << bits) - 1 == bucket
        assert 0 <= place >> bits < (1 << 63 - bits) - 1
        assert place == places(*keys, bits=bits)[0] | bucket


def test_buckets_take_the_place_of_values_and_what_cannot_be_counts_as_0() -> None:
    values = np.array([1000, 5, -1, -(2**63)])
    find_buckets(values, 6)
    assert values.tolist() == [3 * 64 + 1000 // 8, 5, 0, 0]


def test_every_number_below_128_has_its_own_bucket() -> None:
    assert [bucket_of(number, 6) for number in range(128)] == list(range(128))


def test_the_largest_number_has_the_last_bucket_of_twelve_bits() -> None:
    # 128 for the numbers below 2^7, then 64 for each of the 56 powers of two up to 2^62.
    assert bucket_of(LARGEST, 6) == 128 + 64 * 56 - 1


@given(st.integers(0, LARGEST))
def test_without_shares_they_are_those_of_quantize(number: int) -> None:
    assert bucket_of(number, 0) == number.bit_length() == buckets_of(np.array([number]))[0]
