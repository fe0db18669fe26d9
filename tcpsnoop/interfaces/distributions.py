"""Rows that show a distribution of durations: the columns, and both ways to print them.

A report puts DURATIONS behind the columns that say what was measured, and draws them as percentiles
in milliseconds or as power-of-two histograms in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.interfaces.reporter import option
from tcpsnoop.report import Cell, Column, Kind, Layout, LazyPool, Line, Quantize, Values

DURATIONS = (
    Column("count", Kind.INTEGER, "how many were measured"),
    Column("min_ns", Kind.INTEGER, "the shortest, nanoseconds"),
    Column("median_ns", Kind.INTEGER, "half of them are not above this, within 1 %"),
    Column("p95_ns", Kind.INTEGER, "95 % of them are not above this, within 1 %"),
    Column("p99_ns", Kind.INTEGER, "99 % of them are not above this, within 1 %"),
    Column("max_ns", Kind.INTEGER, "the longest"),
    Column("buckets", Kind.OBJECT, "[lower bound, count] of each power of two that has any"),
)
_PERCENTS = {"median_ns": 50, "p95_ns": 95, "p99_ns": 99}
_TITLES = ("MIN", "MEDIAN", "P95", "P99", "MAX")
_MILLISECOND = 1_000_000


class Measured(Protocol):
    """Distributions of nanoseconds, a row for each key: those of accumulate.Quantiles."""

    @property
    def count(self) -> NDArray[Any]:
        """How many values."""

    @property
    def least(self) -> NDArray[Any]:
        """The smallest."""

    @property
    def most(self) -> NDArray[Any]:
        """The largest."""

    def quantile(self, percent: int) -> NDArray[Any]:
        """The value that so many percent are not above."""

    def histograms(self) -> Callable[[int], list[list[int]]]:
        """[lower bound, count] of powers of two, by row."""


def histogram_option() -> Any:
    """The option that chooses the second way."""
    return option(False, "power-of-two histograms instead of percentiles", "-Q")


def durations_layout(
    header: str, head: Sequence[str | Cell], title: Sequence[str | Cell], *, histogram: bool
) -> Layout:
    """`header` and `head` stand before the percentiles, `title` above a histogram."""
    if histogram:
        return Quantize((*title, " (ns)"), "buckets")
    columns = " ".join(f"{title:>8}" for title in _TITLES)
    parts: list[str | Cell] = [*head, " ", Cell("count", 7)]
    for name in ("min_ns", *_PERCENTS, "max_ns"):
        parts += [" ", Cell(name, 8, unit=_MILLISECOND, decimals=3)]
    return Line(f"{header} {'COUNT':>7} {columns} (ms)", tuple(parts))


def duration_values(blocks: Sequence[tuple[Measured, NDArray[np.int64]]]) -> dict[str, Values]:
    """The values of DURATIONS for the rows of several blocks, each in its order."""

    def column(of: Callable[[Measured], NDArray[Any]]) -> Values:
        return Values(np.concatenate([of(measured)[order] for measured, order in blocks]))

    values = {
        "count": column(lambda measured: measured.count),
        "min_ns": column(lambda measured: measured.least),
        "max_ns": column(lambda measured: measured.most),
    }
    for name, percent in _PERCENTS.items():
        values[name] = column(methodcaller("quantile", percent))
    return values | {"buckets": _buckets(blocks)}


def _buckets(blocks: Sequence[tuple[Measured, NDArray[np.int64]]]) -> Values:
    histograms = [measured.histograms() for measured, _ in blocks]
    ends = np.cumsum([len(order) for _, order in blocks])

    def histogram(row: int) -> list[list[int]]:
        block = int(np.searchsorted(ends, row, side="right"))
        order = blocks[block][1]
        return histograms[block](int(order[row - (ends[block] - len(order))]))

    rows = int(ends[-1])
    return Values(np.arange(rows), LazyPool(rows, histogram))
