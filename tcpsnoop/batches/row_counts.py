"""Rows of probes counted by what they are: for reports that ask no more than how many, and bytes.

A kernel adds the rows up as it reads them: to read their columns and to add these up takes twice as
long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import kernel

ROWS, BYTES, UNKNOWN = range(3)


def count_rows(rows: NDArray[np.void], index: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """How many rows there are of each kind, their bytes, and how many have unknown bytes.

    Of those of `rows` (dtype PROBE_ROW) at `index`, or all, that are no copies; shape (256, 2, 3):
    by `probe` and `outgoing`. IndexError when a row is not there.
    """
    counts = np.zeros((256, 2, 3), np.int64)
    _count(rows, np.arange(len(rows)) if index is None else index, counts)
    return counts


@kernel
def _count(rows: NDArray[np.void], index: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    for i in range(len(index)):
        row = rows[index[i]]
        if np.int64(row["duplicate"]) != 0:
            continue
        probe, outgoing = np.int64(row["probe"]), np.int64(row["outgoing"])
        size = np.int64(row["bytes"])
        counts[probe, outgoing, ROWS] += 1
        counts[probe, outgoing, BYTES] += max(size, 0)
        counts[probe, outgoing, UNKNOWN] += 1 if size < 0 else 0
