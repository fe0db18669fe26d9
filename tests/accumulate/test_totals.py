"""Totals: over all buckets or by bucket, and in order."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.accumulate.keyed import Keyed


def test_values_are_combined_over_the_buckets_of_a_key() -> None:
    block = Keyed(1, [np.add, np.minimum], 10)
    keys, sizes, buckets = np.array([7, 7, 7, 8]), np.array([5, 3, 4, 9]), np.array([3, 2, 3, 4])
    block.observe((keys,), (1, sizes), buckets)
    totals = block.totals()
    seven = totals.key(0).tolist().index(7)
    assert (len(totals), totals.columns) == (2, 1)
    assert [int(totals.value(number)[seven]) for number in range(2)] == [3, 3]
    own = slice(*totals.starts[seven : seven + 2])
    assert totals.buckets[own].tolist() == [2, 3]
    assert [column[own].tolist() for column in totals.by_bucket] == [[1, 2], [3, 4]]


def test_without_buckets_every_row_is_a_key() -> None:
    block = Keyed(1, [np.add], 10)
    block.observe((np.array([7, 8, 7]),), (1,))
    totals = block.totals()
    assert totals.starts.tolist() == [0, 1, 2]
    assert sorted(zip(totals.key(0).tolist(), totals.value(0).tolist(), strict=True)) == [
        (7, 2),
        (8, 1),
    ]


def test_nothing_has_no_rows() -> None:
    totals = Keyed(1, [np.add], 10).totals()
    assert (len(totals), totals.has_other) == (0, False)
    assert totals.starts.tolist() == [0]
    assert totals.order(totals.value(0), totals.key(0)).tolist() == []


def test_order_goes_by_the_first_column_then_the_next_and_ends_with_the_other() -> None:
    block = Keyed(1, [np.add], 3)
    block.observe((np.arange(5),), (np.array([2, 1, 2, 1, 2]),))
    totals = block.totals()
    key, value = totals.key(0), totals.value(0)
    rows = [(int(value[at]), int(key[at])) for at in totals.order(value, key)]
    assert totals.has_other
    assert len(rows) == 4
    assert rows[:-1] == sorted(rows[:-1])
    assert rows[-1] == (8 - sum(count for count, _ in rows[:-1]), 0)


def test_some_of_the_buckets() -> None:
    """Of two keys one has none of them."""
    block = Keyed(1, [np.add], 10)
    keys, buckets = np.array([7, 7, 7, 8, 8]), np.array([3, 4, 6, 5, 9])
    block.observe((keys,), (np.arange(1, 6),), buckets)
    some = block.totals().of_buckets(4, 4)
    counted = dict(zip(some.key(0).tolist(), some.value(0).tolist(), strict=True))
    assert counted == {7: 5, 8: 4}
    assert sorted(some.buckets.tolist()) == [0, 1, 2]
    beyond = block.totals().of_buckets(8, 4)
    assert (beyond.key(0).tolist(), beyond.value(0).tolist()) == ([8], [5])
    assert (beyond.buckets.tolist(), beyond.starts.tolist()) == ([1], [0, 1])
    assert len(block.totals().of_buckets(12, 4)) == 0


@pytest.mark.parametrize("buckets", [0, 1])
def test_the_other_is_there_for_its_own_buckets_alone(buckets: int) -> None:
    block = Keyed(1, [np.add], 0)
    block.observe((np.arange(5),), (1,), np.array([0, 0, 0, 0, buckets]))
    assert [
        (block.totals().of_buckets(first, 1).has_other, len(block.totals().of_buckets(first, 1)))
        for first in range(3)
    ] == [(True, 1), (bool(buckets), buckets), (False, 0)]
