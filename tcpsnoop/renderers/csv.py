r"""CSV (RFC 4180), lines ending in a single line feed: the names of the columns, then a row a line.

Unknown is an empty field; an empty text is `""`. Values of kind OBJECT are compact JSON in one
field. Control characters are written as escapes (`\x0a`): a record is always one line, and nothing
reaches a terminal raw. Fields that look like formulas are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpsnoop.formatting import Field, RowProgram, Style, csv_text, json_value
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.report import Column, Report, Schema, Table

_STYLE = Style(unknown="", mark="", text=csv_text, value=lambda value: csv_text(json_value(value)))
# A line of one empty field would be a blank line, which readers skip.
_STYLE_OF_ONE = Style(unknown='""', mark="", text=csv_text, value=_STYLE.value)


class Csv:
    """Renders for spreadsheets and programs that read CSV. The header is printed once."""

    def __init__(self, options: RenderOptions) -> None:
        self._header = options.header
        self._columns: tuple[Column, ...] | None = None
        self._program = RowProgram((), _STYLE)

    def begin(self, schema: Schema) -> bytes:
        """The names of the columns, the first time."""
        if not self._header:
            return b""
        self._header = False
        return (",".join(csv_text(column.name) for column in schema.columns) + "\n").encode()

    def rows(self, table: Table) -> Iterator[bytes]:
        """A line a row."""
        columns = table.schema.columns
        if columns != self._columns:
            self._columns, self._program = columns, _program(columns)
        yield from self._program.write(table.values, len(table))

    def report(self, report: Report) -> Iterator[bytes]:
        """A line a row; the interval is a column."""
        header = self.begin(report.table.schema)
        if header:
            yield header
        yield from self.rows(report.table)


def _program(columns: tuple[Column, ...]) -> RowProgram:
    parts: list[str | Field] = []
    for number, column in enumerate(columns):
        parts += ["," if number else "", Field(column.name, column.kind)]
    return RowProgram((*parts, "\n"), _STYLE if len(columns) > 1 else _STYLE_OF_ONE)
