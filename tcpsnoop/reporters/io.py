"""Every TCP segment as it comes: who, to whom, how many bytes, which flags.

One line for each segment, written from the local side: `->` was sent by the address at the left,
`<-` received by it. BYTES is the payload of that segment alone, so bytes sent again are counted
again. Where both ends are local a segment is one line, its sender at the left. It cannot see inside
connections that are encrypted, nor segments that the capture missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.batches.probes import SEND, ProbeBatch
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, owner_values
from tcpsnoop.interfaces.reporter import option
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Schema, Table, Values

SCHEMA = Schema(
    columns=(
        Column("packet", Kind.INTEGER, "number of the packet in its input, from 1"),
        Column("time", Kind.TIME, "time of the packet"),
        Column("laddr", Kind.ADDRESS, "local address"),
        Column("lport", Kind.INTEGER, "local port"),
        Column("direction", Kind.DIRECTION, "-> sent by the local end, <- received by it"),
        Column("raddr", Kind.ADDRESS, "remote address"),
        Column("rport", Kind.INTEGER, "remote port"),
        Column("bytes", Kind.INTEGER, "TCP payload of the segment"),
        Column("flags", Kind.FLAGS, "TCP flags"),
        *PROCESS,
        *ATTRIBUTION,
    ),
    layout=Line(
        header=f"{'LADDR':>16}:{'PORT':<6}    {'RADDR':>16}:{'PORT':<5} {'BYTES':>6} FLAGS",
        parts=(
            Cell("laddr", 16, endpoint=True),
            ":",
            Cell("lport", 6, Align.LEFT),
            " ",
            Cell("direction", 2),
            " ",
            Cell("raddr", 16, endpoint=True),
            ":",
            Cell("rport", 5, Align.LEFT),
            " ",
            Cell("bytes", 6),
            " (",
            Cell("flags"),
            ")",
        ),
    ),
)


@dataclass
class Io:
    """A log of all segments; keeps nothing."""

    probes: ClassVar[tuple[str, ...]] = ("send", "receive")

    verbose: bool = option(False, "under each line all layers of its packet, as scapy says", "-v")

    @property
    def schema(self) -> Schema:
        """The columns, and the line of tcpio."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Only what is decoded needs the bytes."""
        return self.verbose

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each segment."""
        # Both ends local: `send` and `receive` fired for the same segment.
        once = (batch.rows["probe"] == SEND) | (batch.rows["remote_local"] == 0)
        origin = np.flatnonzero(once)
        if len(origin) < len(batch):
            batch = batch.take(origin)
        rows = batch.rows
        values = {
            "packet": Values(rows["packet"]),
            "time": Values(rows["time_ns"], digits=rows["digits"]),
            "laddr": Values(batch.laddr),
            "lport": Values(rows["lport"].astype(np.int64)),
            "direction": Values(rows["outgoing"]),
            "raddr": Values(batch.raddr),
            "rport": Values(rows["rport"].astype(np.int64)),
            "bytes": Values(rows["bytes"]),
            "flags": Values(rows["flags"]),
        }
        return Table(SCHEMA, values | owner_values(batch.owners, len(rows)), origin)
