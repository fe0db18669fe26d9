"""Connections that ended, a line each: who, how much, how long, and how it ended.

Bytes are unique payload: those sent again count once. MS is the time from the first segment to the
last. STATE is Zeek's conn_state and why the connection is over: SF/fin ended well, RSTO and RSTR
were reset by the originator and by the responder, S0 and REJ never opened. Those still open when
the input ends come last, as S1/end_of_input. A connection between two local ends has two lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CONN_STATES, END_REASONS
from tcpsnoop.batches.rows import chosen
from tcpsnoop.interfaces.ends import ADDRESSES, ROLE, Ends, end_values
from tcpsnoop.interfaces.ownership import (
    ATTRIBUTION,
    CONTEXT,
    PROCESS,
    UID,
    context_values,
    owner_values,
)
from tcpsnoop.interfaces.reporter import option
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Schema, Table, Values

COLUMNS = (
    Column("time", Kind.TIME, "time of the first segment"),
    *PROCESS,
    UID,
    *ADDRESSES,
    ROLE,
    Column("tx_bytes", Kind.INTEGER, "payload bytes that the local end sent, each once"),
    Column("rx_bytes", Kind.INTEGER, "payload bytes that it received, each once"),
    Column("tx_segments", Kind.INTEGER, "segments that it sent"),
    Column("rx_segments", Kind.INTEGER, "segments that it received"),
    Column("retransmitted_bytes", Kind.INTEGER, "payload bytes that it sent again"),
    Column("duration_seconds", Kind.SECONDS, "from the first segment to the last"),
    Column("state", Kind.TEXT, "how it went, as Zeek's conn_state"),
    Column("end_reason", Kind.TEXT, "why it is over, end_of_input for one that was still open"),
)


def _layout(wide: bool) -> Line:
    """The line of tcplife with the state behind it; `wide` is that of its option -w."""
    command, address, size = (16, 39, 6) if wide else (10, 15, 5)
    version: tuple[str | Cell, ...] = (Cell("ip", 2, Align.LEFT), " ") if wide else ()
    return Line(
        f"{'PID':<5} {'COMM':<{command}} {'IP ' if wide else ''}"
        f"{'LADDR':<{address}} {'LPORT':<5} {'RADDR':<{address}} {'RPORT':<5} "
        f"{'TX_KB':>{size}} {'RX_KB':>{size}} {'MS':<9} STATE",
        (
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
            Cell("tx_bytes", size, unit=1024),
            " ",
            Cell("rx_bytes", size, unit=1024),
            " ",
            Cell("duration_seconds", 9, Align.LEFT, unit=1_000_000, decimals=2),
            " ",
            Cell("state"),
            "/",
            Cell("end_reason"),
        ),
    )


# By the options wide and context.
SCHEMAS = {
    (wide, context): Schema((*COLUMNS, *(CONTEXT if context else ()), *ATTRIBUTION), _layout(wide))
    for wide in (False, True)
    for context in (False, True)
}


@dataclass
class Life(Ends):
    """A log of ended connections; keeps nothing."""

    probes: ClassVar[tuple[str, ...]] = ("closed",)

    wide: bool = option(False, "wide columns, which fit IPv6, and the version of IP", "-w")
    context: bool = option(
        False, "for machines, also what the process is: user, parent, unit, container and more"
    )

    @property
    def schema(self) -> Schema:
        """The columns of conn.log that packets tell, and the line of tcplife."""
        return SCHEMAS[self.wide, self.context]

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each end of a connection that is over."""
        origin = np.flatnonzero(self.chosen(batch.rows))
        batch = batch.take(origin)
        rows = batch.rows
        totals = chosen(batch.closed, rows["detail"])
        values = {
            "time": Values(totals["start_ns"], digits=rows["digits"]),
            "tx_segments": Values(totals["tx_segments"]),
            "rx_segments": Values(totals["rx_segments"]),
            "retransmitted_bytes": Values(totals["tx_retransmitted"]),
            "duration_seconds": Values(totals["last_ns"] - totals["start_ns"]),
            "state": Values(totals["conn_state"], CONN_STATES),
            "end_reason": Values(totals["end_reason"], END_REASONS),
        }
        for side in ("tx", "rx"):
            again = totals[f"{side}_retransmitted"] + totals[f"{side}_probe"]
            values[f"{side}_bytes"] = Values(totals[f"{side}_payload"] - again)
        values |= end_values(batch)
        values |= owner_values(batch.owners, len(rows))
        if self.context:
            values |= context_values(batch.owners, len(rows))
        return Table(self.schema, values, origin)
