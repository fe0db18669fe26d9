"""What a renderer can see: columns, a layout for text, values, notes.

A table is columns by name, never rows of objects: logs have millions of rows. Unknown is a value of
its own: a negative integer, an index of -1, or False in `known`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Kind(Enum):
    """What the values of a column are, and so how `Values.data` is read."""

    INTEGER = "integer"  # int64, negative is unknown
    ADDRESS = "address"  # int64 of shape (n, 2), as in batches.addresses
    TIME = "time"  # int64 nanoseconds since the epoch, with `digits`
    SECONDS = "seconds"  # int64 nanoseconds of a duration, written in seconds; negative is unknown
    FLAGS = "flags"  # TCP flag bits
    DIRECTION = "direction"  # 1 `->`, 0 `<-`
    TEXT = "text"  # int32 index into `pool` of str, -1 is unknown
    OBJECT = "object"  # int32 index into `pool` of what JSON can say, -1 is unknown


class Align(Enum):
    """Where a value stands in its width."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Column:
    """A column of the machine formats: its name is a promise to users.

    `names` says that the engine fills it with host or service names of another column when the
    report is printed ("host of raddr", "service of lport"); the reporter leaves it out, or says
    what shall stand in some rows ("(other)").
    """

    name: str
    kind: Kind
    meaning: str
    names: tuple[str, str] | None = None  # ("host" | "service", column)


@dataclass(frozen=True)
class Values:
    """The values of one column, n rows."""

    data: NDArray[np.generic]
    pool: Sequence[object] = ()
    digits: NDArray[np.uint8] | None = None  # TIME: decimal digits of a second
    known: NDArray[np.bool_] | None = None  # None: all are, but for what the kind says

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Values:
        """The chosen rows."""
        return Values(
            self.data[index],
            self.pool,
            None if self.digits is None else self.digits[index],
            None if self.known is None else self.known[index],
        )


def text_values(texts: Sequence[str | None]) -> Values:
    """Values of kind TEXT from Python strings; None is unknown."""
    pool = sorted({text for text in texts if text is not None})
    place = {text: index for index, text in enumerate(pool)}
    return Values(np.array([-1 if t is None else place[t] for t in texts], np.int32), pool)


def object_values(objects: Sequence[object]) -> Values:
    """Values of kind OBJECT (or TEXT that does not repeat); None is unknown."""
    index = [-1 if value is None else number for number, value in enumerate(objects)]
    return Values(np.array(index, np.int32), objects)


@dataclass(frozen=True)
class LazyPool(Sequence[object]):
    """A pool whose entries are made when they are asked for: a million objects are too many."""

    length: int
    entry: Callable[[int], object]

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> object: ...
    @overload
    def __getitem__(self, index: slice) -> list[object]: ...
    def __getitem__(self, index: int | slice) -> object:
        if isinstance(index, slice):
            return [self.entry(at) for at in range(*index.indices(self.length))]
        return self.entry(range(self.length)[index])


@dataclass(frozen=True)
class Cell:
    """A value within a line of text: width as in printf, wider values widen the field.

    `endpoint` writes an IPv6 address in brackets; `otherwise` names the column to write when the
    value is unknown (a host name, else its address), without it `-` is written. An INTEGER or
    SECONDS column can be written in a `unit` (1024 for KB of bytes, 1_000_000 for ms of
    nanoseconds) with `decimals`: cut off when there are none, else rounded.
    """

    column: str
    width: int = 0
    align: Align = Align.RIGHT
    endpoint: bool = False
    otherwise: str = ""
    unit: int = 1
    decimals: int = 0


@dataclass(frozen=True)
class Line:
    """A line for each row: literal text and cells. `header` is one line, without its end."""

    header: str
    parts: tuple[str | Cell, ...]


@dataclass(frozen=True)
class Grid:
    """A table drawn by tabulate: the columns shown, and their titles."""

    columns: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True)
class Quantize:
    """A head line and a power-of-two histogram for each row (SEMANTICS 13).

    `head` is a line like those of `Line`; `buckets` names an OBJECT column of [lower bound, count]
    pairs in ascending order.
    """

    head: tuple[str | Cell, ...]
    buckets: str


Layout = Line | Grid | Quantize


def columns_of(layout: Layout) -> set[str]:
    """The columns that a layout shows."""
    if isinstance(layout, Grid):
        return set(layout.columns)
    parts = layout.parts if isinstance(layout, Line) else layout.head
    cells = [part for part in parts if isinstance(part, Cell)]
    buckets = {layout.buckets} if isinstance(layout, Quantize) else set()
    return buckets | {name for cell in cells for name in (cell.column, cell.otherwise) if name}


@dataclass(frozen=True)
class Schema:
    """The columns of the machine formats, in order, and the layout of the text."""

    columns: tuple[Column, ...]
    layout: Layout


@dataclass(frozen=True)
class Table:
    """Rows of a schema: every column's values, all of the same number of rows.

    `origin` says for each row of a log which row of its ProbeBatch it is of: so the engine can add
    what it knows (the file, the decoded packet). `below` is text that stands under each line of a
    `Line` layout, in the text format alone.
    """

    schema: Schema
    values: Mapping[str, Values]
    origin: NDArray[np.int64] | None = None
    below: Sequence[str] | None = None

    def __len__(self) -> int:
        for values in self.values.values():
            return len(values.data)
        return 0

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Table:
        """The chosen rows."""
        taken = {name: values.take(index) for name, values in self.values.items()}
        origin = None if self.origin is None else self.origin[index]
        below = None if self.below is None else np.array(self.below, object)[index].tolist()
        return Table(self.schema, taken, origin, below)


@dataclass(frozen=True)
class Interval:
    """The interval a report is of: its start, and whether it was cut short."""

    start_ns: int
    digits: int
    partial: bool = False


@dataclass(frozen=True)
class Report:
    """What a reporter has to say: a table and remarks about it."""

    table: Table
    notes: tuple[str, ...] = ()
    interval: Interval | None = None
