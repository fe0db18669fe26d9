"""Changes of TCP state, a line each, with the time spent in the state before.

States are those of RFC 9293 as far as packets show them: an end is taken to be in a state once the
segment that leads there is seen, so both ends look a little late or early by the time on the way.
Each line is of one end: CONN is the same number for all lines of a connection. MS is the time in
the old state, unknown for the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import STATES
from tcpsnoop.batches.rows import chosen
from tcpsnoop.interfaces.ends import ADDRESSES, ROLE, Ends, end_values
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, owner_values
from tcpsnoop.interfaces.reporter import option
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Schema, Table, Values

COLUMNS = (
    Column("time", Kind.TIME, "time of the segment that changed the state"),
    Column("connection", Kind.INTEGER, "number of the connection, unique in a run"),
    *PROCESS,
    *ADDRESSES,
    ROLE,
    Column("old_state", Kind.TEXT, f"one of {', '.join(STATES)}"),
    Column("new_state", Kind.TEXT, "likewise"),
    Column("old_state_seconds", Kind.SECONDS, "time spent in the old state"),
    *ATTRIBUTION,
)


def _layout(wide: bool) -> Line:
    """The line of tcpstates; `wide` is that of its option -w."""
    command, address = (16, 39) if wide else (10, 15)
    version: tuple[str | Cell, ...] = (Cell("ip", 2, Align.LEFT), " ") if wide else ()
    return Line(
        f"{'CONN':<7} {'PID':<5} {'COMM':<{command}} {'IP ' if wide else ''}"
        f"{'LADDR':<{address}} {'LPORT':<5} {'RADDR':<{address}} {'RPORT':<5} "
        f"{'OLDSTATE':<12} -> {'NEWSTATE':<12} MS",
        (
            Cell("connection", 7, Align.LEFT),
            " ",
            Cell("pid", 5, Align.LEFT),
            " ",
            Cell("command", command, Align.LEFT),
            " ",
            *version,
            Cell("laddr", address, Align.LEFT),
            " ",
            Cell("lport", 5, Align.LEFT),
            " ",
            Cell("raddr", address, Align.LEFT),
            " ",
            Cell("rport", 5, Align.LEFT),
            " ",
            Cell("old_state", 12, Align.LEFT),
            " -> ",
            Cell("new_state", 12, Align.LEFT),
            " ",
            Cell("old_state_seconds", unit=1_000_000, decimals=3),
        ),
    )


SCHEMA, WIDE_SCHEMA = (Schema(COLUMNS, _layout(wide)) for wide in (False, True))


@dataclass
class States(Ends):
    """A log of state changes; keeps nothing."""

    probes: ClassVar[tuple[str, ...]] = ("state-change",)

    wide: bool = option(False, "wide columns, which fit IPv6, and the version of IP", "-w")

    @property
    def schema(self) -> Schema:
        """The columns, and the line of tcpstates."""
        return WIDE_SCHEMA if self.wide else SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each change of an end's state."""
        origin = np.flatnonzero(self.chosen(batch.rows))
        batch = batch.take(origin)
        rows = batch.rows
        change = chosen(batch.details, rows["detail"])
        values = {
            "time": Values(rows["time_ns"], digits=rows["digits"]),
            "connection": Values(rows["connection"]),
            "old_state": Values(change["old"], STATES),
            "new_state": Values(change["new"], STATES),
            "old_state_seconds": Values(change["elapsed_ns"]),
        }
        values |= end_values(batch) | owner_values(batch.owners, len(rows))
        return Table(self.schema, values, origin)
