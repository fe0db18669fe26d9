r"""Text for people: lines, tables and histograms, as a schema's layout says.

Unknown is `-`. What is not printable is shown as an escape (`\x1b`), so nothing that comes from
packets, process names or host names reaches a terminal raw.

A log may begin with a column of times: `relative` is seconds since the start with six digits,
`clock` the local time of day. A report of an interval begins with the interval's start as machine
formats write it (RFC 3339, UTC), so that blocks of both can be told to belong together, followed by
`partial` if it was cut short; a blank line stands between blocks. What a report has `above` its
rows stands in that line, after the load of the host, and a blank line follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from tcpsnoop.formatting import Field, RowProgram, Style, TimeForm, json_value, rfc3339
from tcpsnoop.formatting import terminal_text as safe
from tcpsnoop.formatting.quantize import histogram
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.report import (
    Align,
    Cell,
    Grid,
    Kind,
    Layout,
    Line,
    Quantize,
    Report,
    Schema,
    Table,
)

_STYLE = Style(unknown="-", mark="", text=safe, value=lambda value: safe(json_value(value)))

_TIME_COLUMN = "time"
# Title and field of the first column of a log; the width holds a day and microseconds.
_FIRST_COLUMNS = {
    "relative": (
        f"{'TIME(s)':>12} ",
        Field(_TIME_COLUMN, Kind.TIME, 12, time_form=TimeForm.RELATIVE),
    ),
    "clock": (
        f"{'TIME':<15} ",
        Field(_TIME_COLUMN, Kind.TIME, 15, left=True, time_form=TimeForm.CLOCK),
    ),
}

# Safe texts never hold it, so it parts the cells of a table on their way to tabulate.
_BETWEEN_CELLS = "\x1f"


class Text:
    """Renders for people.

    Columns that a layout names and the schema lacks are of kind TEXT: made for the layout alone.
    """

    def __init__(self, options: RenderOptions) -> None:
        self._options = options
        self._start_ns = options.start_ns
        self._blocks = 0
        self._programs = lru_cache(maxsize=8)(_program)

    def begin(self, schema: Schema) -> bytes:
        """The header line of a log."""
        if not self._options.header or not isinstance(schema.layout, Line):
            return b""
        title, _ = self._first_column(schema)
        return f"{title}{schema.layout.header}\n".encode()

    def rows(self, table: Table) -> Iterator[bytes]:
        """Lines of a log, in pieces; a log of another layout is a block for each table."""
        layout = table.schema.layout
        if not isinstance(layout, Line):
            yield from self._body(table, layout)
            return
        _, first = self._first_column(table.schema)
        if first and self._start_ns is None and len(table):
            self._start_ns = int(table.values[_TIME_COLUMN].data[0])
        program = self._programs(table.schema, (*first, *layout.parts, "\n"))
        pieces = program.write(table.values, len(table), self._start_ns or 0)
        yield from pieces if table.below is None else _with_below(pieces, table.below)

    def report(self, report: Report) -> Iterator[bytes]:
        """A report: start of the interval and what stands above if it has them, header, rows."""
        if report.interval is not None or report.above is not None:
            yield self._block_start(report)
        layout = report.table.schema.layout
        if isinstance(layout, Line) and self._options.header:
            yield f"{layout.header}\n".encode()
        yield from self._body(report.table, layout)

    def _body(self, table: Table, layout: Layout) -> Iterator[bytes]:
        if isinstance(layout, Line):
            program = self._programs(table.schema, (*layout.parts, "\n"))
            yield from program.write(table.values, len(table))
        elif isinstance(layout, Quantize):
            yield from self._histograms(table, layout)
        else:
            yield self._grid(table, layout)

    def _first_column(self, schema: Schema) -> tuple[str, tuple[Field | str, ...]]:
        """Title and parts of the column of times, when it is asked for and there are times."""
        if not self._options.time or not any(
            column.name == _TIME_COLUMN and column.kind is Kind.TIME for column in schema.columns
        ):
            return "", ()
        title, field = _FIRST_COLUMNS[self._options.time]
        return title, (field, " ")

    def _block_start(self, report: Report) -> bytes:
        interval, above = report.interval, report.above
        self._blocks += 1
        parts = []
        if interval is not None:
            mark = " partial" if interval.partial else ""
            parts.append(f"{rfc3339(interval.start_ns, interval.digits)}{mark}")
        if above is not None:
            if interval is not None and interval.load is not None:
                parts.append(f"load: {interval.load:.2f}")
            parts.append(b"".join(self._body(above, above.schema.layout)).decode())
        blank = "\n" if self._blocks > 1 else ""
        return f"{blank}{',  '.join(parts)}\n".encode()

    def _histograms(self, table: Table, layout: Quantize) -> Iterator[bytes]:
        """A head, a blank line and a histogram for each row, a blank line between two."""
        program = self._programs(table.schema, (*layout.head, "\n"))
        buckets = table.values[layout.buckets]
        index: Any = buckets.data  # no list: of a million rows it would be the largest thing here
        row = 0
        for piece in program.write(table.values, len(table)):
            heads = piece.decode().split("\n")[:-1]
            blocks = []
            for head in heads:
                given: Any = buckets.pool[index[row]] if index[row] >= 0 else ()
                pairs = tuple((int(lower), int(count)) for lower, count in given)
                blank = "\n" if row else ""
                blocks.append(f"{blank}{head}\n\n{histogram(pairs)}")
                row += 1
            yield "".join(blocks).encode()

    def _grid(self, table: Table, layout: Grid) -> bytes:
        """A table in one piece: tabulate needs all rows to know the widths."""
        from tabulate import tabulate  # only when used: it is not needed by most reports

        kinds = _kinds(table.schema)
        parts: list[str | Cell] = []
        for name in layout.columns:
            parts += [Cell(name), _BETWEEN_CELLS]
        program = self._programs(table.schema, (*parts[:-1], "\n"))
        text = b"".join(program.write(table.values, len(table))).decode()
        drawn = tabulate(
            [line.split(_BETWEEN_CELLS) for line in text.split("\n")[:-1]],
            headers=layout.titles if self._options.header else (),
            tablefmt="plain",
            disable_numparse=True,  # texts that look like numbers stay as they are
            colalign=["right" if _is_number(kinds(name)) else "left" for name in layout.columns],
        )
        return f"{drawn}\n".encode() if drawn else b""


def _with_below(pieces: Iterable[bytes], below: Sequence[str]) -> Iterator[bytes]:
    """The lines, each with the text that stands under it."""
    texts = iter(below)
    for piece in pieces:
        for line in piece.splitlines(keepends=True):
            under = next(texts).splitlines()
            yield line + "".join(f"{safe(one)}\n" for one in under).encode()


def _program(schema: Schema, parts: tuple[str | Cell | Field, ...]) -> RowProgram:
    kinds = _kinds(schema)
    return RowProgram(
        [_field(part, kinds) if isinstance(part, Cell) else part for part in parts], _STYLE
    )


def _kinds(schema: Schema) -> Callable[[str], Kind]:
    kinds = {column.name: column.kind for column in schema.columns}
    return lambda name: kinds.get(name, Kind.TEXT)


def _is_number(kind: Kind) -> bool:
    return kind in (Kind.INTEGER, Kind.SECONDS)


def _field(cell: Cell, kinds: Callable[[str], Kind]) -> Field:
    otherwise = None
    if cell.otherwise:
        otherwise = _field(Cell(cell.otherwise, cell.width, cell.align, cell.endpoint), kinds)
    return Field(
        cell.column,
        kinds(cell.column),
        cell.width,
        cell.align is Align.LEFT,
        cell.endpoint,
        otherwise,
        unit=cell.unit,
        decimals=cell.decimals,
    )
