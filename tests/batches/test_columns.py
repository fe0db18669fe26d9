"""Columns are what NumPy reads from the same fields, whatever their kind and the rows asked for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.batches.columns import columns_of, find_wanted, let_through
from tcpsnoop.batches.probes import CLOSED_ROW, DETAIL, PROBE_ROW

DTYPES = [PROBE_ROW, DETAIL, CLOSED_ROW]


def rows_of(dtype: np.dtype[np.void], count: int) -> NDArray[np.void]:
    """Rows with every bit drawn: so signs and all widths matter."""
    drawn = np.random.default_rng(count).integers(0, 256, count * dtype.itemsize, np.uint8)
    return drawn.view(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 300])
def test_all_fields_of_all_rows(dtype: np.dtype[np.void], count: int) -> None:
    rows, names = rows_of(dtype, count), dtype.names or ()
    columns = columns_of(rows, names)
    assert columns.dtype == np.int64
    assert columns.shape == (len(names), count)
    for name, column in zip(names, columns, strict=True):
        assert np.array_equal(column, rows[name].astype(np.int64)), name


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_in_any_order_and_several_times(dtype: np.dtype[np.void]) -> None:
    rows, names = rows_of(dtype, 50), (dtype.names or ())[::-2]
    index = np.array([49, 3, 3, 0, 17])
    expected = [rows[name][index].astype(np.int64).tolist() for name in names]
    assert columns_of(rows, names, index).tolist() == expected
    assert columns_of(rows, names, index[:0]).shape == (len(names), 0)


@pytest.mark.parametrize("index", [50, -1])
def test_a_row_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(IndexError):
        columns_of(rows_of(PROBE_ROW, 50), ("bytes",), np.array([0, index]))


def test_a_part_of_the_rows() -> None:
    rows = rows_of(PROBE_ROW, 50)
    assert columns_of(rows[7:9], ("time_ns",))[0].tolist() == rows["time_ns"][7:9].tolist()


@pytest.mark.parametrize("wanted", [[], [3], [0, 255], list(range(256))])
def test_places_of_what_is_wanted(wanted: list[int]) -> None:
    numbers = np.random.default_rng(1).integers(0, 256, 1000).astype(np.uint8)
    mask = np.zeros(256, np.bool_)
    mask[wanted] = True
    index = np.empty(1000, np.int64)
    found = find_wanted(numbers, mask, index)
    assert index[:found].tolist() == np.flatnonzero(mask[numbers]).tolist()


def test_a_mask_lets_columns_through() -> None:
    columns = np.arange(6).reshape(2, 3)
    assert let_through(columns, np.array([True, False, True])).tolist() == [[0, 2], [3, 5]]
    assert let_through(columns, np.array([True, True, True])) is columns
