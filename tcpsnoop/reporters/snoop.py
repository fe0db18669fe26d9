"""Every packet with its size on the wire, and the user and the process whose it is.

One line for each TCP segment, written from the local side as in the report io. SIZE is that of the
whole frame, with the headers of the link, IP and TCP, as it was on the wire: what it costs the
network, where BYTES of io is what it carries. PID and CMD are the process that used the socket
last, in both directions. On a capture that was cut short live (-s) SIZE is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, UID, owner_values
from tcpsnoop.interfaces.segments import BYTES, ENDS, FLAGS, PACKET, once, segment_values
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Schema, Table, Values

_PID, _COMMAND = PROCESS

SCHEMA = Schema(
    columns=(
        *PACKET,
        UID,
        _PID,
        *ENDS,
        BYTES,
        Column("frame_bytes", Kind.INTEGER, "length of the frame on the wire"),
        FLAGS,
        _COMMAND,
        *ATTRIBUTION,
    ),
    layout=Line(
        header="  UID    PID LADDR           LPORT DR RADDR           RPORT  SIZE CMD",
        parts=(
            Cell("uid", 5),
            " ",
            Cell("pid", 6),
            " ",
            Cell("laddr", 15, Align.LEFT),
            " ",
            Cell("lport", 5),
            " ",
            Cell("direction", 2),
            " ",
            Cell("raddr", 15, Align.LEFT),
            " ",
            Cell("rport", 5),
            " ",
            Cell("frame_bytes", 5),
            " ",
            Cell("command"),
        ),
    ),
)


@dataclass
class Snoop:
    """A log of all packets of TCP; keeps nothing."""

    probes: ClassVar[tuple[str, ...]] = ("send", "receive")

    @property
    def schema(self) -> Schema:
        """The columns, and the line of the Toolkit's tcpsnoop."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """The length of a frame comes with its segment."""
        return False

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each segment."""
        origin, batch = once(batch)
        values = segment_values(batch) | owner_values(batch.owners, len(batch))
        values["frame_bytes"] = Values(batch.rows["frame_bytes"].astype(np.int64))
        return Table(SCHEMA, values, origin)
