"""Columns and layouts of durations, on distributions whose numbers are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.interfaces.distributions import DURATIONS, duration_values, durations_layout
from tcpsnoop.report import Cell, Column, Kind, Report, Schema, Table, text_values
from tests.reporters.rendering import dictionaries, text


@dataclass
class Ramp:
    """Row n has n + 1 values; percent p of it is p microseconds more than a thousand times n."""

    rows: int

    @property
    def count(self) -> NDArray[Any]:
        return np.arange(self.rows) + 1

    @property
    def least(self) -> NDArray[Any]:
        return self.quantile(0)

    @property
    def most(self) -> NDArray[Any]:
        return self.quantile(100)

    def quantile(self, percent: int) -> NDArray[Any]:
        return np.arange(self.rows) * 1_000_000 + percent * 1_000

    def histograms(self) -> Callable[[int], list[list[int]]]:
        return lambda row: [[1 << row, row + 1]]


def table(*orders: list[int], histogram: bool = False) -> Table:
    """A table of blocks of three rows each, in these orders."""
    blocks = [(Ramp(3), np.array(order, np.int64)) for order in orders]
    names = [f"{block}.{row}" for block, order in enumerate(orders) for row in order]
    head = (Cell("name", 5),)
    layout = durations_layout(f"{'NAME':>5}", head, ("of ", *head), histogram=histogram)
    schema = Schema((Column("name", Kind.TEXT, "which"), *DURATIONS), layout)
    return Table(schema, {"name": text_values(names), **duration_values(blocks)})


def test_each_block_has_its_rows_in_its_order() -> None:
    found = dictionaries(table([2, 0], [], [1]))
    assert [each["name"] for each in found] == ["0.2", "0.0", "2.1"]
    assert found[0] == {
        "name": "0.2",
        "count": 3,
        "min_ns": 2_000_000,
        "median_ns": 2_050_000,
        "p95_ns": 2_095_000,
        "p99_ns": 2_099_000,
        "max_ns": 2_100_000,
        "buckets": [[4, 3]],
    }
    assert [each["buckets"] for each in found[1:]] == [[[1, 1]], [[2, 2]]]


def test_percentiles_are_in_milliseconds() -> None:
    assert text(Report(table([1]))) == (
        " NAME   COUNT      MIN   MEDIAN      P95      P99      MAX (ms)\n"
        "  0.1       2    1.000    1.050    1.095    1.099    1.100\n"
    )


def test_histograms_say_that_they_are_in_nanoseconds() -> None:
    lines = text(Report(table([0], histogram=True))).splitlines()
    assert lines[0] == "of   0.0 (ns)"
    assert lines[4].split() == ["1", "|" + "@" * 40, "1"]


def test_nothing_is_a_header_alone() -> None:
    assert text(Report(table([], []))).count("\n") == 1
