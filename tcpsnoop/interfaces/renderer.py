"""How a report looks: one renderer for each format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tcpsnoop.report import Report, Schema, Table


@dataclass(frozen=True)
class RenderOptions:
    """What the user chose about the form of the output."""

    header: bool = True  # header lines in text and CSV
    time: str = ""  # first column of a log in text: "" none, "relative", "clock"
    start_ns: int | None = None  # zero of relative times; None: the first row's own time


class Renderer(Protocol):
    """Bytes for a log as it goes, and for a whole report. Made with RenderOptions."""

    def begin(self, schema: Schema) -> bytes:
        """What stands before the first row of a log."""

    def rows(self, table: Table) -> Iterator[bytes]:
        """Rows of a log, in pieces of bounded size."""

    def report(self, report: Report) -> Iterator[bytes]:
        """A whole report, in pieces of bounded size."""
