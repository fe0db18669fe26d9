"""Fired probes on their way to reports: rows that belong together, some of them or all."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.columns import columns_of, find_wanted
from tcpsnoop.batches.owners import NOBODY_KNOWN, OwnerColumns
from tcpsnoop.batches.probes import CLOSED_ROW, DETAIL
from tcpsnoop.batches.row_counts import count_rows
from tcpsnoop.batches.rows import chosen


@dataclass(frozen=True)
class ProbeBatch:
    """Fired probes in the order they fired; valid until the next batch, and not to be changed.

    They are those of `every` (dtype PROBE_ROW) at `index`, or all. The field `detail` points into
    `closed` (dtype CLOSED_ROW) for probe `closed`, into `details` (dtype DETAIL) for the others.
    `owners` has a row for each of `rows`. `numbers` has the number of the probe of each of `every`;
    it is found when it is asked for, if it is not given.
    """

    every: NDArray[np.void]
    closed: NDArray[np.void] = field(default_factory=lambda: np.empty(0, CLOSED_ROW))
    owners: OwnerColumns = NOBODY_KNOWN
    details: NDArray[np.void] = field(default_factory=lambda: np.empty(0, DETAIL))
    index: NDArray[np.int64] | None = None
    numbers: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.every if self.index is None else self.index)

    @cached_property
    def rows(self) -> NDArray[np.void]:
        """The rows, dtype PROBE_ROW: a copy where they are not all."""
        return self.every if self.index is None else chosen(self.every, self.index)

    def columns(self, *names: str) -> NDArray[np.int64]:
        """Fields of PROBE_ROW, shape (names, rows): no row is copied, and sums of them are fast."""
        return columns_of(self.every, names, self.index)

    def detail_columns(self, *names: str) -> NDArray[np.int64]:
        """Fields of DETAIL, shape (names, rows); each row must be of a probe that adds some."""
        (detail,) = self.columns("detail")
        return columns_of(self.details, names, detail)

    def counts(self) -> NDArray[np.int64]:
        """How many rows there are by probe and direction, and their bytes: see count_rows."""
        return count_rows(self.every, self.index)

    @cached_property
    def _fired(self) -> NDArray[np.uint8]:
        """The number of the probe of each row, side by side: every report asks for them."""
        if self.numbers is None:
            return np.ascontiguousarray(self.rows["probe"])
        return self.numbers if self.index is None else self.numbers[self.index]

    def attached(self, wanted: NDArray[np.bool_]) -> ProbeBatch:
        """The rows of the probes that are wanted: `wanted` has a truth for each number, 256.

        They are valid as long as this batch, of which they may be a part.
        """
        index = np.empty(len(self), np.int64)
        index = index[: find_wanted(self._fired, wanted, index)]
        if len(index) == len(self):
            return self
        owners = self.owners.take(index)
        if self.index is not None:
            index = self.index[index]
        return ProbeBatch(self.every, self.closed, owners, self.details, index, self.numbers)

    def take(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> ProbeBatch:
        """A copy of the chosen rows, with what belongs to them."""
        owners = self.owners.take(index)
        return ProbeBatch(chosen(self.rows, index), self.closed, owners, self.details)

    @property
    def laddr(self) -> NDArray[np.int64]:
        """Addresses of the end at the left, shape (n, 2)."""
        return np.stack((self.rows["laddr_high"], self.rows["laddr_low"]), axis=1)

    @property
    def raddr(self) -> NDArray[np.int64]:
        """Addresses of the end at the right, shape (n, 2)."""
        return np.stack((self.rows["raddr_high"], self.rows["raddr_low"]), axis=1)
