"""Runs against a dictionary, and with keys whose places meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.accumulate.runs import Run, combined, joined, merged, narrowed, sames

UFUNCS = (np.add, np.minimum, np.bitwise_or)

# Place, two columns of a key, three values. Few places, so that keys meet in them.
Row = tuple[int, int, int, int, int, int]
numbers = st.integers(0, 3)
rows = st.lists(st.tuples(numbers, numbers, numbers, numbers, numbers, numbers))


def run_of(given_rows: Sequence[Row]) -> Run:
    table = np.array(given_rows, np.int64).reshape(-1, 6)
    return [column.copy() for column in table.T]


def expected(given_rows: Sequence[Row]) -> list[Row]:
    found: dict[tuple[int, int, int], tuple[int, int, int]] = {}
    for place, first, second, count, least, bits in given_rows:
        key = place, first, second
        if key in found:
            old = found[key]
            found[key] = old[0] + count, min(old[1], least), old[2] | bits
        else:
            found[key] = count, least, bits
    return [(*key, *values) for key, values in sorted(found.items())]


def as_rows(run: Run) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in run), strict=True))


@given(rows)
def test_combined_is_a_dictionary_in_order(given_rows: list[Row]) -> None:
    assert as_rows(combined(run_of(given_rows), 2, UFUNCS)) == expected(given_rows)


@given(rows, rows)
def test_merged_is_what_the_rows_of_both_give(first: list[Row], second: list[Row]) -> None:
    left, right = (combined(run_of(part), 2, UFUNCS) for part in (first, second))
    before = as_rows(left), as_rows(right)
    columns = list(left)
    assert as_rows(merged(left, right, 2, UFUNCS)) == expected(first + second)
    assert (as_rows(columns), as_rows(right)) == before, "arrays were changed"


def test_joined_is_one_after_the_other() -> None:
    assert as_rows(joined([run_of([(1, 2, 3, 4, 5, 6)]), run_of([(0, 0, 0, 0, 0, 0)])])) == [
        (1, 2, 3, 4, 5, 6),
        (0, 0, 0, 0, 0, 0),
    ]


def test_sames_tells_equal_keys_from_places_that_meet() -> None:
    place, key = np.array([1, 1, 1, 2]), np.array([5, 5, 6, 6])
    same, met = sames(place, [key])
    assert same.tolist() == [True, False, False]
    assert met
    assert not sames(place[[0, 1, 3]], [key[[0, 1, 3]]])[1]


def test_columns_are_as_narrow_as_their_values() -> None:
    edges = {np.int8: 2**7, np.int16: 2**15, np.int32: 2**31}
    for kind, edge in edges.items():
        for values in ([edge - 1], [-edge], [0, edge - 1]):
            assert narrowed(np.array(values)).dtype == kind
            assert narrowed(np.array(values)).tolist() == values
        assert narrowed(np.array([edge])).dtype != kind
        assert narrowed(np.array([-edge - 1])).dtype != kind
    assert narrowed(np.array([2**63 - 1, -(2**63)])).tolist() == [2**63 - 1, -(2**63)]
    assert narrowed(np.empty(0, np.int64)).dtype == np.int8


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**40)), min_size=1))
def test_sums_grow_beyond_the_type_they_began_in(pairs: list[tuple[int, int]]) -> None:
    run: Run = [np.empty(0, np.int64) for _ in range(3)]
    totals: dict[int, int] = {}
    for key, size in pairs:
        totals[key] = totals.get(key, 0) + size
        one = combined([np.array([key]), np.array([key]), np.array([size])], 1, (np.add,))
        run = merged(run, one, 1, (np.add,))
    assert as_rows(run) == [(key, key, total) for key, total in sorted(totals.items())]
