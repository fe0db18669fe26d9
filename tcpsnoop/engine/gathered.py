"""Rows that wait for others: a batch costs a report the same whether it has ten rows or thousands.

The tracker hands its rows on when they are many, for all reports together; of which one of these
may want but few.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CLOSED, CLOSED_ROW, DETAIL, PROBE_ROW
from tcpsnoop.batches.rows import chosen

# So many rows are worth a batch. Those of a report are handed on at the latest when they are twice
# as many.
ENOUGH = 1 << 11


class Gathered:
    """Rows of few probes, copied from their batches; without owners."""

    def __init__(self) -> None:
        self._rows = np.empty(2 * ENOUGH, PROBE_ROW)
        self._closed, self._details = np.empty(0, CLOSED_ROW), np.empty(0, DETAIL)
        self._count = self._closed_count = self._detail_count = 0

    def pass_on(self, batch: ProbeBatch) -> Iterator[ProbeBatch]:
        """The batch and what waited before it, or nothing yet; valid until the next call."""
        if len(batch) >= ENOUGH:
            yield from self.rest()
            yield batch
            return
        self._add(batch)
        if self._count >= ENOUGH:
            yield from self.rest()

    def rest(self) -> Iterator[ProbeBatch]:
        """What waits."""
        count, closed, details = self._count, self._closed_count, self._detail_count
        self._count = self._closed_count = self._detail_count = 0
        if count:
            yield ProbeBatch(
                self._rows[:count], self._closed[:closed], details=self._details[:details]
            )

    def _add(self, batch: ProbeBatch) -> None:
        rows = self._rows[self._count : self._count + len(batch)]
        _copy(batch.rows, rows)
        self._count += len(rows)
        adds, closes = rows["detail"] >= 0, rows["probe"] == CLOSED
        ended, others = np.flatnonzero(adds & closes), np.flatnonzero(adds & ~closes)
        if len(ended):
            if len(self._closed) == 0:
                self._closed = np.empty(len(self._rows), CLOSED_ROW)
            self._closed_count = _move(rows, ended, batch.closed, self._closed, self._closed_count)
        if len(others):
            if len(self._details) == 0:
                self._details = np.empty(len(self._rows), DETAIL)
            self._detail_count = _move(
                rows, others, batch.details, self._details, self._detail_count
            )


def _move(
    rows: NDArray[np.void],
    which: NDArray[np.int64],
    from_: NDArray[np.void],
    to: NDArray[np.void],
    used: int,
) -> int:
    """Copy what those rows point to behind the first `used` of `to`; how many are used then."""
    end = used + len(which)
    _copy(chosen(from_, rows["detail"][which]), to[used:end])
    rows["detail"][which] = np.arange(used, end)
    return end


def _copy(from_: NDArray[np.void], to: NDArray[np.void]) -> None:
    """As bytes: field by field it takes ten times as long."""
    to.view(np.uint8)[:] = from_.view(np.uint8)
