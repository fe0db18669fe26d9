"""Connections come and go: a line for each connect (C), accept (A) and close (X).

C is a handshake that the remote end answered, A one that the local end did, X the end of a
connection that was established: FIN both ways, RST, or its ports used again. Connections that
failed have no line, nor have those still open when the input ends. Where both ends are local, or
none is known to be, a handshake has a line of each kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import (
    ACCEPT_ESTABLISHED,
    CLOSED,
    CONN_STATES,
    CONNECT_ESTABLISHED,
    END_REASONS,
)
from tcpsnoop.batches.rows import chosen
from tcpsnoop.interfaces.ends import ADDRESSES, Ends, end_values
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, owner_values
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Schema, Table, Values

EVENTS = ("connect", "accept", "close")
LETTERS = ("C", "A", "X")

SCHEMA = Schema(
    columns=(
        Column("time", Kind.TIME, "time of the packet that shows it"),
        Column("event", Kind.TEXT, f"one of {', '.join(EVENTS)}"),
        *PROCESS,
        *ADDRESSES,
        Column("end_reason", Kind.TEXT, "of a close: why the connection is over"),
        *ATTRIBUTION,
    ),
    layout=Line(
        header="T  PID    COMM             IP SADDR            DADDR            SPORT  DPORT",
        parts=(
            Cell("letter", 2, Align.LEFT),
            " ",
            Cell("pid", 6, Align.LEFT),
            " ",
            Cell("command", 16, Align.LEFT),
            " ",
            Cell("ip", 2, Align.LEFT),
            " ",
            Cell("laddr", 16, Align.LEFT, endpoint=True),
            " ",
            Cell("raddr", 16, Align.LEFT, endpoint=True),
            " ",
            Cell("lport", 6, Align.LEFT),
            " ",
            Cell("rport"),
        ),
    ),
)

_EVENT_OF = np.full(256, EVENTS.index("close"), np.int32)
_EVENT_OF[CONNECT_ESTABLISHED] = EVENTS.index("connect")
_EVENT_OF[ACCEPT_ESTABLISHED] = EVENTS.index("accept")

# Of the others nobody knows that they ended.
_ENDINGS = [END_REASONS.index(r) for r in ("fin", "rst_originator", "rst_responder", "reused")]
# One first seen in the middle was established, as far as anybody can tell.
_ESTABLISHED = [CONN_STATES.index(s) for s in ("S1", "SF", "S2", "S3", "RSTO", "RSTR", "OTH")]


@dataclass
class Watch(Ends):
    """A log of what tcptracer traces; keeps nothing."""

    probes: ClassVar[tuple[str, ...]] = ("connect-established", "accept-established", "closed")

    @property
    def schema(self) -> Schema:
        """The columns, and the line of tcptracer."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each event."""
        origin = np.flatnonzero(self.chosen(batch.rows) & _happened(batch))
        batch = batch.take(origin)
        rows = batch.rows
        event = _EVENT_OF[rows["probe"]]
        closes = np.flatnonzero(rows["probe"] == CLOSED)
        reason = np.full(len(rows), -1, np.int32)
        reason[closes] = batch.closed["end_reason"][rows["detail"][closes]]
        values = {
            "time": Values(rows["time_ns"], digits=rows["digits"]),
            "event": Values(event, EVENTS),
            "letter": Values(event, LETTERS),
            "end_reason": Values(reason, END_REASONS),
        }
        values |= end_values(batch) | owner_values(batch.owners, len(rows))
        return Table(SCHEMA, values, origin)


def _happened(batch: ProbeBatch) -> NDArray[np.bool_]:
    """Which rows are events: not every end of a connection is the close of an established one."""
    wanted: NDArray[np.bool_] = batch.rows["probe"] != CLOSED
    closes = np.flatnonzero(~wanted)
    totals = chosen(batch.closed, batch.rows["detail"][closes])
    wanted[closes] = np.isin(totals["end_reason"], _ENDINGS)
    wanted[closes] &= np.isin(totals["conn_state"], _ESTABLISHED)
    return wanted
