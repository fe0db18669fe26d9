"""One report on its way out: its reporter, its renderer, and where the bytes go."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import PROBES
from tcpsnoop.batches.rows import chosen
from tcpsnoop.engine.frames import Frames
from tcpsnoop.engine.gathered import Gathered
from tcpsnoop.engine.output import Sink
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.renderer import Renderer
from tcpsnoop.interfaces.reporter import LogReporter, Reporter, SummaryReporter
from tcpsnoop.report import Column, Interval, Kind, Report, Schema, Table, Values

REPORT_COLUMN = Column("report", Kind.TEXT, "name of the report, when there are several")
INTERVAL_COLUMN = Column("interval", Kind.TIME, "start of the interval")
FILE_COLUMN = Column("file", Kind.TEXT, "file the packet is from, when there are several")

_NUMBERS = (Kind.INTEGER, Kind.SECONDS, Kind.TIME, Kind.FLAGS, Kind.DIRECTION)


class Outlet:
    """Feeds a reporter and writes what it has to say.

    `leading` names the leading machine fields this run has; `name_columns` fills host and service
    names; `top` and `sort` are the options of that name. With `gathers` few rows wait for others
    until `pass_on`; whatever packets they show are not there any more.
    """

    def __init__(
        self,
        name: str,
        reporter: Reporter,
        sink: Sink,
        name_columns: Callable[[Report], Report],
        *,
        leading: Sequence[str] = (),
        files: Sequence[str] = (),
        top: int | None = None,
        sort: str | None = None,
        gathers: bool = False,
    ) -> None:
        self.name = name
        self.probes = reporter.probes
        self.notes: list[str] = []
        self._blank = reporter
        self._is_log = isinstance(reporter, LogReporter)  # a protocol: costly to ask each time
        self._reporter = _fresh(reporter)
        self._sink = sink
        self._name_columns = name_columns
        self._leading = frozenset(leading)
        self._files = files
        self._top, self._sort = top, sort
        self._renderer: Renderer | None = None
        self._gathered = Gathered() if gathers else None
        self._interfaces: Sequence[CaptureInterface] = ()
        self._probes = np.zeros(256, np.bool_)
        self._probes[[PROBES[probe].number for probe in reporter.probes]] = True
        if sort is not None:
            _check_sort(name, reporter, sort)

    @property
    def is_log(self) -> bool:
        """Rows are written as they come."""
        return self._is_log

    def begin(self, renderer: Renderer) -> None:
        """Write what stands before the first row of a log."""
        self._renderer = renderer
        if self.is_log:
            self._sink.write([renderer.begin(self._extended(self._reporter.schema))])

    def observe(
        self, batch: ProbeBatch, interfaces: Sequence[CaptureInterface], frames: Frames | None
    ) -> None:
        """Give the reporter the probes it attached to; write a log's rows."""
        batch = batch.attached(self._probes)
        if len(batch) == 0:
            return
        if self._gathered is None:
            self._take(batch, interfaces, frames)
            return
        self._interfaces = interfaces
        for many in self._gathered.pass_on(batch):
            self._take(many, interfaces, frames)

    def pass_on(self) -> None:
        """Give the reporter what waited for more."""
        if self._gathered is not None:
            for few in self._gathered.rest():
                self._take(few, self._interfaces, None)

    def _take(
        self, batch: ProbeBatch, interfaces: Sequence[CaptureInterface], frames: Frames | None
    ) -> None:
        reporter = self._reporter
        if not self._is_log:
            cast(SummaryReporter, reporter).observe(batch)
        elif self._renderer is not None:
            table = cast(LogReporter, reporter).rows(batch)
            if frames is not None and reporter.needs_frames and table.origin is not None:
                table = replace(table, below=frames.decoded(chosen(batch.rows, table.origin)))
            self._sink.write(self._renderer.rows(self._lead(table, batch, interfaces)))

    def report(self, interval: Interval | None = None, *, skip_empty: bool = False) -> None:
        """Write a summary's report of what it has observed, and begin anew."""
        self.closing(interval, skip_empty=skip_empty)()

    def closing(
        self, interval: Interval | None = None, *, skip_empty: bool = False
    ) -> Callable[[], None]:
        """Begin anew; what is returned writes the report, and may be called by another thread."""
        self.pass_on()
        closed, self._reporter = self._reporter, _fresh(self._blank)
        return partial(self._write, closed, interval, skip_empty)

    def _write(self, closed: Reporter, interval: Interval | None, skip_empty: bool) -> None:
        if not isinstance(closed, SummaryReporter) or self._renderer is None:
            return
        report = closed.report()
        if skip_empty and len(report.table) == 0:
            return
        self.notes += [note for note in report.notes if note not in self.notes]
        if self._sort in {column.name for column in report.table.schema.columns if column.names}:
            report = self._name_columns(report)
        # Names are looked up for what will be printed alone.
        report = replace(report, table=self._chosen(report), interval=interval)
        report = self._name_columns(report)
        if self._leading:
            report = replace(report, table=self._lead_report(report.table, interval))
        self._sink.write(self._renderer.report(report))

    def _chosen(self, report: Report) -> Table:
        """`--sort`: by that column, ascending as reports are, or not; `--top`: the N largest."""
        table, descending = report.table, report.largest_first
        if self._sort is not None:
            keys = _sort_keys(table.values[self._sort])
            order = np.argsort(keys[::-1] if descending else keys, kind="stable")
            table = table.take((len(keys) - 1 - order)[::-1] if descending else order)
        if self._top is not None:
            start = 0 if descending else max(0, len(table) - self._top)
            table = table.take(slice(start, start + self._top))
        return table

    def _extended(self, schema: Schema) -> Schema:
        """The schema with the leading fields of this run."""
        columns = (REPORT_COLUMN, INTERVAL_COLUMN, FILE_COLUMN)
        leading = tuple(column for column in columns if column.name in self._leading)
        return replace(schema, columns=leading + schema.columns)

    def _lead(
        self, table: Table, batch: ProbeBatch, interfaces: Sequence[CaptureInterface]
    ) -> Table:
        """A log's rows with their leading fields."""
        if not self._leading:
            return table
        values = dict(table.values) | self._report_name(len(table))
        if "file" in self._leading and table.origin is not None:
            file_of = np.array([interface.file for interface in interfaces] or [0], np.int32)
            files = file_of[batch.rows["interface"][table.origin]]
            values["file"] = Values(files, self._files)
        return replace(table, schema=self._extended(table.schema), values=values)

    def _lead_report(self, table: Table, interval: Interval | None) -> Table:
        values = dict(table.values) | self._report_name(len(table))
        if interval is not None:
            starts = np.full(len(table), interval.start_ns, np.int64)
            digits = np.full(len(table), interval.digits, np.uint8)
            values["interval"] = Values(starts, digits=digits)
        return replace(table, schema=self._extended(table.schema), values=values)

    def _report_name(self, count: int) -> dict[str, Values]:
        if "report" not in self._leading:
            return {}
        return {"report": Values(np.zeros(count, np.int32), (self.name,))}


def _fresh(reporter: Reporter) -> Reporter:
    """A reporter of the same options that has observed nothing."""
    return copy.deepcopy(reporter)


def _check_sort(name: str, reporter: Reporter, sort: str) -> None:
    kinds = {column.name: column.kind for column in reporter.schema.columns}
    sortable = [key for key, kind in kinds.items() if kind in (*_NUMBERS, Kind.TEXT)]
    if sort not in sortable:
        raise UsageError(f"--sort {sort}: {name} can be sorted by {', '.join(sortable)}")


def _sort_keys(values: Values) -> NDArray[np.generic]:
    if values.pool:
        texts = np.array([str(text) for text in values.pool] + [""])
        return texts[values.data.astype(np.int64)]  # -1, unknown, is the last: the empty text
    return values.data
