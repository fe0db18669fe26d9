"""Connections accepted here, a line each: which process, which port, from where.

A line comes at the segment that completes a handshake, as accept counts them. The process is the
one that took the connection from the listening socket, or, until somebody has used it, the one that
listens. Refused and half-open connections have no line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.ends import ADDRESSES, Ends, end_values
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, UID, owner_values
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Schema, Table, Values

SCHEMA = Schema(
    columns=(
        Column("time", Kind.TIME, "time of the segment that completes the handshake"),
        *PROCESS,
        UID,
        *ADDRESSES,
        *ATTRIBUTION,
    ),
    layout=Line(
        header="  UID   PID CMD          TYPE  PORT IP_SOURCE",
        parts=(
            Cell("uid", 5),
            " ",
            Cell("pid", 5),
            " ",
            Cell("command", 12, Align.LEFT),
            "  tcp ",
            Cell("lport", 5),
            " ",
            Cell("raddr"),
        ),
    ),
)


@dataclass
class Connections(Ends):
    """A log of accepted connections; keeps nothing."""

    probes: ClassVar[tuple[str, ...]] = ("accept-established",)

    @property
    def schema(self) -> Schema:
        """The columns, and the line of the Toolkit's connections."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each connection."""
        origin = np.flatnonzero(self.chosen(batch.rows))
        batch = batch.take(origin)
        values = {"time": Values(batch.rows["time_ns"], digits=batch.rows["digits"])}
        values |= end_values(batch) | owner_values(batch.owners, len(batch))
        return Table(SCHEMA, values, origin)
