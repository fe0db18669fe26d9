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
from tcpsnoop.kernel import kernel

# So many rows are worth a batch. Those of a report are handed on at the latest when they are twice
# as many.
ENOUGH = 1 << 11

# What is counted of those that wait: rows, and what they point to.
_ROWS, _CLOSED_ROWS, _DETAIL_ROWS = range(3)


class Gathered:
    """Rows of few probes, copied from their batches; without owners."""

    def __init__(self) -> None:
        # Memory is there as it is used: hardly any report wants both kinds of what rows point to.
        self._rows = np.empty(2 * ENOUGH, PROBE_ROW)
        self._closed = np.empty(2 * ENOUGH, CLOSED_ROW)
        self._details = np.empty(2 * ENOUGH, DETAIL)
        self._used = np.zeros(3, np.int64)

    def pass_on(self, batch: ProbeBatch) -> Iterator[ProbeBatch]:
        """The batch and what waited before it, or nothing yet; valid until the next call."""
        if len(batch) >= ENOUGH:
            yield from self.rest()
            yield batch
            return
        self.add(batch)
        if self._used[_ROWS] >= ENOUGH:
            yield from self.rest()

    def add(self, batch: ProbeBatch) -> None:
        """Let the rows wait, which are fewer than ENOUGH."""
        index = np.arange(len(batch)) if batch.index is None else batch.index
        every = batch.every, batch.closed, batch.details
        _gather(index, *every, self._rows, self._closed, self._details, self._used)

    def rest(self) -> Iterator[ProbeBatch]:
        """What waits."""
        rows, closed, details = self._used.tolist()
        self._used[:] = 0
        if rows:
            yield ProbeBatch(
                self._rows[:rows], self._closed[:closed], details=self._details[:details]
            )


@kernel
def _gather(
    index: NDArray[np.int64],
    every: NDArray[np.void],
    every_closed: NDArray[np.void],
    every_detail: NDArray[np.void],
    rows: NDArray[np.void],
    closed: NDArray[np.void],
    details: NDArray[np.void],
    used: NDArray[np.int64],
) -> None:
    """Copy the rows at `index`, and what they point to, behind those in use."""
    for i in range(len(index)):
        rows[used[_ROWS]] = every[index[i]]
        row = rows[used[_ROWS]]
        used[_ROWS] += 1
        place = np.int64(row["detail"])
        if place < 0:
            continue
        if np.int64(row["probe"]) == CLOSED:
            closed[used[_CLOSED_ROWS]] = every_closed[place]
            row["detail"] = used[_CLOSED_ROWS]
            used[_CLOSED_ROWS] += 1
        else:
            details[used[_DETAIL_ROWS]] = every_detail[place]
            row["detail"] = used[_DETAIL_ROWS]
            used[_DETAIL_ROWS] += 1
