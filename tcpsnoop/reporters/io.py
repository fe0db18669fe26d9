"""Every TCP segment as it comes: who, to whom, how many bytes, which flags.

One line for each segment, written from the local side: `->` was sent by the address at the left,
`<-` received by it. BYTES is the payload of that segment alone, so bytes sent again are counted
again. Where both ends are local a segment is one line, its sender at the left. It cannot see inside
connections that are encrypted, nor segments that the capture missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, owner_values
from tcpsnoop.interfaces.reporter import option
from tcpsnoop.interfaces.segments import BYTES, ENDS, FLAGS, PACKET, once, segment_values
from tcpsnoop.report import Align, Cell, Line, Schema, Table

SCHEMA = Schema(
    columns=(*PACKET, *ENDS, BYTES, FLAGS, *PROCESS, *ATTRIBUTION),
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
        origin, batch = once(batch)
        owners = owner_values(batch.owners, len(batch))
        return Table(SCHEMA, segment_values(batch) | owners, origin)
