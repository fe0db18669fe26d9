"""Connections counted by remote host and by a port, and by process when asked: a whole report.

A reporter that inherits `HostCounts` says which probe it counts, which port, and what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Keyed
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.owner_keys import OwnerKeys
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Report, Schema, Table, Values

_EVIDENCE = 1  # of the values: the first is the count


def host_count_schemas(port: str, host: str, counted: str) -> tuple[Schema, Schema]:
    """The schemas without and with processes; `host` is "client" or "server", `port` a column."""
    columns = (
        Column("raddr", Kind.ADDRESS, f"address of the {host}"),
        Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "raddr")),
        Column(port, Kind.INTEGER, "local port" if port == "lport" else "remote port"),
        Column("service", Kind.TEXT, "name of the service on it", names=("service", port)),
        Column("count", Kind.INTEGER, f"connections {counted}"),
    )
    header = f"{'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}"
    parts = (
        Cell("hostname", 26, Align.LEFT, otherwise="raddr"),
        " ",
        Cell("service", 8, Align.LEFT, otherwise=port),
        " ",
        Cell("count", 8),
    )
    command = Cell("command", 16, Align.LEFT, otherwise="who")
    process = (Cell("pid", 6, Align.LEFT), " ", command, " ")
    return (
        Schema(columns, Line(f"   {header}", ("   ", *parts))),
        Schema(
            (*PROCESS, *columns, *ATTRIBUTION),
            Line(f"   {'PID':<6} {'COMM':<16} {header}", ("   ", *process, *parts)),
        ),
    )


@dataclass
class HostCounts:
    """Counts by remote address and port, and with `by_process` by process.

    Those whose process is not known are then told apart by the reason.
    """

    port: ClassVar[str]  # "lport" or "rport"
    schemas: ClassVar[tuple[Schema, Schema]]  # those of `host_count_schemas`

    max_keys: int = option(DEFAULT_MAX_KEYS, "hosts and ports counted apart; the rest together")
    by_process: bool = option(False, "count the connections of each process apart")

    def __post_init__(self) -> None:
        columns, values = (4, (np.add, np.bitwise_or)) if self.by_process else (3, (np.add,))
        self._counts = Keyed(columns, values, self.max_keys)
        self._owners = OwnerKeys()

    @property
    def schema(self) -> Schema:
        """The columns, and the line of 2006; processes stand before it."""
        return self.schemas[self.by_process]

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Count the connections of a batch."""
        rows = batch.rows
        end = (rows["raddr_high"], rows["raddr_low"], rows[self.port])
        if not self.by_process:
            self._counts.observe(end, (1,))
            return
        owner, evidence = self._owners.of(batch.owners, len(rows))
        self._counts.observe((*end, owner), (1, evidence))

    def merge(self, other: Self) -> None:
        """Add the counts of another."""
        counts = other._counts
        if self.by_process:
            counts = counts.mapped(
                _EVIDENCE, lambda evidence: self._owners.translated(evidence, other._owners)
            )
            self._owners.merge(other._owners)
        self._counts.merge(counts)

    def report(self) -> Report:
        """Ascending by count, then by address as text, port and process."""
        totals = self._counts.totals()
        high, low, port = (totals.key(number) for number in range(3))
        count = totals.value(0)
        process, ties = {}, list[NDArray[np.int64]]()
        if self.by_process:
            process = self._owners.values(totals.key(3), totals.value(_EVIDENCE))
            ties = [process["pid"].data.astype(np.int64), totals.key(3)]
        order = totals.order(count, *text_words(high, low), port, *ties)
        known = order < len(totals) - totals.has_other
        values = {name: column.take(order) for name, column in process.items()} | {
            "raddr": Values(np.stack((high[order], low[order]), axis=1), known=known),
            self.port: Values(np.where(known, port[order], -1)),
            "count": Values(count[order]),
        }
        if not totals.has_other:
            return Report(Table(self.schema, values))
        values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
        return Report(Table(self.schema, values), (other_note(self.max_keys),))
