"""JSON lines: one object a row, fields in the order of the schema, unknown is null.

UTF-8 (RFC 8259), compact; strings have control characters, lone surrogates and what some readers
take for a line's end escaped. A table without rows is no output at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpsnoop.formatting import Field, RowProgram, Style, json_text, json_value
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.report import Column, Report, Schema, Table

_STYLE = Style(unknown="null", mark='"', text=json_text, value=json_value)


class Jsonl:
    """Renders for programs that read JSON."""

    def __init__(self, options: RenderOptions) -> None:
        self._columns: tuple[Column, ...] | None = None
        self._program = RowProgram((), _STYLE)

    def begin(self, schema: Schema) -> bytes:
        """Nothing: every row names its fields."""
        return b""

    def rows(self, table: Table) -> Iterator[bytes]:
        """An object a row."""
        columns = table.schema.columns
        if columns != self._columns:
            self._columns, self._program = columns, _program(columns)
        yield from self._program.write(table.values, len(table))

    def report(self, report: Report) -> Iterator[bytes]:
        """An object a row; the interval is a column."""
        yield from self.rows(report.table)


def _program(columns: tuple[Column, ...]) -> RowProgram:
    parts: list[str | Field] = []
    for number, column in enumerate(columns):
        parts += [f"{',' if number else '{'}{json_text(column.name)}:"]
        parts += [Field(column.name, column.kind)]
    return RowProgram((*parts, "}\n"), _STYLE)
