"""Rows are counted as by looking at each: by probe and direction, and no copies."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.batches.probes import PROBE_ROW, RECEIVE, SEND
from tcpsnoop.batches.row_counts import BYTES, ROWS, UNKNOWN, count_rows

DRAWN = np.random.default_rng(3)


@pytest.fixture
def rows() -> np.ndarray:
    """Of every probe number there is room for, a tenth of them copies, a tenth of unknown size."""
    made = np.zeros(3000, PROBE_ROW)
    made["probe"] = DRAWN.integers(0, 256, 3000)
    made["outgoing"] = DRAWN.integers(0, 2, 3000)
    made["duplicate"] = DRAWN.integers(0, 10, 3000) == 0
    made["bytes"] = np.where(DRAWN.integers(0, 10, 3000) == 0, -1, DRAWN.integers(0, 2**40, 3000))
    return made


@pytest.mark.parametrize("index", [None, np.arange(0), np.array([2999, 0, 7, 7])])
def test_as_by_looking_at_each(rows: np.ndarray, index: np.ndarray | None) -> None:
    expected = np.zeros((256, 2, 3), np.int64)
    for row in rows if index is None else rows[index]:
        if not row["duplicate"]:
            own = expected[row["probe"], row["outgoing"]]
            own += (1, max(row["bytes"], 0), row["bytes"] < 0)
    assert np.array_equal(count_rows(rows, index), expected)


def test_by_direction() -> None:
    rows = np.zeros(3, PROBE_ROW)
    rows["probe"] = SEND, RECEIVE, SEND
    rows["outgoing"] = 1, 0, 1
    rows["bytes"] = 100, -1, 20
    counts = count_rows(rows)
    assert counts[SEND, 1, [ROWS, BYTES, UNKNOWN]].tolist() == [2, 120, 0]
    assert counts[RECEIVE, 0, [ROWS, BYTES, UNKNOWN]].tolist() == [1, 0, 1]
    assert counts.sum() == 2 + 120 + 2


@pytest.mark.parametrize("index", [3, -1])
def test_a_row_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(IndexError):
        count_rows(np.zeros(3, PROBE_ROW), np.array([index]))
