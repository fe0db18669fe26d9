"""Buckets against the definition, where floats would round too."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.accumulate.quantize import buckets_of, lower_bounds


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1))
def test_a_value_lies_between_its_buckets_bound_and_the_next(values: list[int]) -> None:
    buckets = buckets_of(np.array(values, np.int64))
    bounds = lower_bounds(buckets)
    for value, bucket, bound in zip(values, buckets.tolist(), bounds.tolist(), strict=True):
        assert bucket == value.bit_length()
        assert bound <= value
        assert value < 2 * bound or value == bound == 0


def test_powers_of_two_and_their_neighbours() -> None:
    edges = [(2**power + step, power) for power in range(2, 63) for step in (-1, 0)]
    found = buckets_of(np.array([value for value, _ in edges]))
    assert found.tolist() == [power + (1 if value == 2**power else 0) for value, power in edges]


def test_zero_is_a_bucket_of_its_own() -> None:
    assert buckets_of(np.array([0, 1, 2, 3, 4])).tolist() == [0, 1, 2, 2, 3]
    assert lower_bounds(np.arange(4)).tolist() == [0, 1, 2, 4]
