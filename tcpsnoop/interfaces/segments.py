"""Rows about segments: the columns that name one, and its values; each segment once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import SEND
from tcpsnoop.report import Column, Kind, Values

PACKET = (
    Column("packet", Kind.INTEGER, "number of the packet in its input, from 1"),
    Column("time", Kind.TIME, "time of the packet"),
)
ENDS = (
    Column("laddr", Kind.ADDRESS, "local address"),
    Column("lport", Kind.INTEGER, "local port"),
    Column("direction", Kind.DIRECTION, "-> sent by the local end, <- received by it"),
    Column("raddr", Kind.ADDRESS, "remote address"),
    Column("rport", Kind.INTEGER, "remote port"),
)
BYTES = Column("bytes", Kind.INTEGER, "TCP payload of the segment")
FLAGS = Column("flags", Kind.FLAGS, "TCP flags")


def once(batch: ProbeBatch) -> tuple[NDArray[np.int64], ProbeBatch]:
    """Which rows of `send` and `receive` show each segment once, and these rows.

    Where both ends are local, both probes fire for it: its sender stands at the left.
    """
    rows = batch.rows
    origin = np.flatnonzero((rows["probe"] == SEND) | (rows["remote_local"] == 0))
    return origin, batch.take(origin) if len(origin) < len(batch) else batch


def segment_values(batch: ProbeBatch) -> dict[str, Values]:
    """The values of PACKET, ENDS, BYTES and FLAGS."""
    rows = batch.rows
    return {
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
