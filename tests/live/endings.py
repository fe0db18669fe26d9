"""A reporter for tests alone: what each connection came to, with the bytes that were sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.report import Cell, Column, Kind, Line, Schema, Table, Values

_TOTALS = ("tx_payload", "rx_payload", "tx_retransmitted", "rx_retransmitted")

SCHEMA = Schema(
    columns=(
        Column("laddr", Kind.ADDRESS, "address of the end at the left"),
        Column("lport", Kind.INTEGER, "its port"),
        Column("raddr", Kind.ADDRESS, "address of the other end"),
        Column("rport", Kind.INTEGER, "its port"),
        *(Column(name, Kind.INTEGER, "as in the probe closed") for name in _TOTALS),
    ),
    layout=Line(header="", parts=(Cell("laddr"), " ", Cell("raddr"))),
)


@dataclass
class Endings:
    """A row for each `closed`."""

    probes: ClassVar[tuple[str, ...]] = ("closed",)

    @property
    def schema(self) -> Schema:
        """Ends and totals."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each."""
        rows, closed = batch.rows, batch.closed[batch.rows["detail"]]
        values = {
            "laddr": Values(batch.laddr),
            "lport": Values(rows["lport"].astype(np.int64)),
            "raddr": Values(batch.raddr),
            "rport": Values(rows["rport"].astype(np.int64)),
        }
        values |= {name: Values(closed[name].astype(np.int64)) for name in _TOTALS}
        return Table(SCHEMA, values)
