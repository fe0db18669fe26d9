"""Rows are copied as NumPy's own indexing copies them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.batches.probes import PROBE_ROW
from tcpsnoop.batches.rows import chosen, copied


@pytest.fixture
def rows() -> NDArray[np.void]:
    """Rows that all differ, in every byte that a field has."""
    bytes_ = np.random.default_rng(1).integers(0, 256, 50 * PROBE_ROW.itemsize, np.uint8)
    return bytes_.view(PROBE_ROW)


@pytest.mark.parametrize(
    "which",
    [
        np.arange(50) % 3 == 1,
        np.zeros(50, np.bool_),
        np.array([4, 4, 0, 49, -1]),
        np.array([], np.int64),
        np.array([7, 3], np.uint32),
    ],
)
def test_chosen_as_by_indexing(rows: NDArray[np.void], which: NDArray[np.integer]) -> None:
    assert chosen(rows, which).dtype == PROBE_ROW
    assert np.array_equal(chosen(rows, which), rows[which])
    assert not np.shares_memory(chosen(rows, which), rows)


def test_an_index_that_is_not_there_is_refused(rows: NDArray[np.void]) -> None:
    with pytest.raises(IndexError):
        chosen(rows, np.array([50]))


def test_copied_as_by_copying(rows: NDArray[np.void]) -> None:
    for part in (rows, rows[3:9], rows[::2], rows[:0]):
        assert np.array_equal(copied(part), part)
        assert not np.shares_memory(copied(part), part)
