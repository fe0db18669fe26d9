"""Reporters that each break one law, to see that the tests of the laws notice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.report import Column, Grid, Kind, Report, Schema, Table, Values

SCHEMA = Schema((Column("count", Kind.INTEGER, "a number"),), Grid(("count",), ("COUNT",)))


def numbers(*values: int) -> Table:
    return Table(SCHEMA, {"count": Values(np.array(values, np.int64))}, np.arange(len(values)))


@dataclass
class Counting:
    """Counts writes, and keeps every law."""

    probes: ClassVar[tuple[str, ...]] = ("write",)
    breaks: ClassVar[str] = ""
    schema: ClassVar[Schema] = SCHEMA
    needs_frames: ClassVar[bool] = False

    max_keys: int = 10
    count: int = 0
    seen: list[Any] = field(default_factory=list)

    def observe(self, batch: ProbeBatch) -> None:
        """Count."""
        self.count += len(batch)

    def merge(self, other: Self) -> None:
        """Add."""
        self.count += other.count

    def report(self) -> Report:
        """The count."""
        return Report(numbers(self.count))


class StartsAtOne(Counting):
    """A new one is not empty."""

    breaks = "a_new_one_is_the_identity"

    def __init__(self) -> None:
        super().__init__(count=1)


class Subtracts(Counting):
    """Has another answer for another grouping."""

    breaks = "merging_is_associative"

    def merge(self, other: Self) -> None:
        """Subtract."""
        self.count -= other.count


class CountsBatches(Counting):
    """Sees where the stream was cut."""

    breaks = "a_stream_is_any_split_of_it"

    def observe(self, batch: ProbeBatch) -> None:
        """Count the batch."""
        self.count += 1


class Forgets(Counting):
    """Loses what it knows on the way to another process."""

    breaks = "pickling_changes_nothing"

    def __getstate__(self) -> dict[str, Any]:
        return {"count": 0}


class CountsReports(Counting):
    """Is another one after it was asked."""

    breaks = "reporting_changes_nothing"

    def report(self) -> Report:
        """The count, one more each time."""
        self.count += 1
        return super().report()


class KeepsTheBatch(Counting):
    """Looks at rows that are others by then."""

    breaks = "a_batch_may_be_overwritten"

    def observe(self, batch: ProbeBatch) -> None:
        """Keep the rows."""
        self.seen.append(batch.rows)

    def report(self) -> Report:
        """The bytes in the rows."""
        return Report(numbers(sum(int(rows["bytes"].sum()) for rows in self.seen)))


class Numbering:
    """A log that remembers."""

    probes: ClassVar[tuple[str, ...]] = ("write",)
    breaks: ClassVar[str] = "rows_of_the_parts_are_those_of_the_whole"
    schema: ClassVar[Schema] = SCHEMA
    needs_frames: ClassVar[bool] = False

    def rows(self, batch: ProbeBatch) -> Table:
        """Each row its number in the batch."""
        return numbers(*range(len(batch)))


class Misplacing(Numbering):
    """A log that takes one row's values for another's."""

    breaks: ClassVar[str] = "rows_say_which_probe_they_are_of"

    def rows(self, batch: ProbeBatch) -> Table:
        """The sizes backwards."""
        return numbers(*batch.rows["bytes"][::-1].tolist())


BREAKING = (
    StartsAtOne,
    Subtracts,
    CountsBatches,
    Forgets,
    CountsReports,
    KeepsTheBatch,
    Numbering,
    Misplacing,
)
