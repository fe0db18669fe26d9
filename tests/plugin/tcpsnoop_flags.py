"""Combinations of TCP flags: how many segments have each.

A healthy server shows about as many SYN as SYN|ACK and few RST. Many bare SYN are a scan or a
server that does not answer; RST|ACK on a port are connections it refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.accumulate import Keyed
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import RESPONDER, SEND
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, option, other_note
from tcpsnoop.report import Column, Grid, Kind, Report, Schema, Table, Values

SCHEMA = Schema(
    (
        Column("flags", Kind.FLAGS, "TCP flags"),
        Column("port", Kind.INTEGER, "the responder's port, with --by-port"),
        Column("segments", Kind.INTEGER, "segments that have these flags and no other"),
    ),
    Grid(("flags", "port", "segments"), ("FLAGS", "PORT", "SEGMENTS")),
)


@dataclass
class Flags:
    """Counts by flags and port."""

    probes: ClassVar[tuple[str, ...]] = ("send", "receive")
    schema: ClassVar[Schema] = SCHEMA
    needs_frames: ClassVar[bool] = False

    by_port: bool = option(False, "count each port of a responder apart", "-P")
    max_keys: int = option(DEFAULT_MAX_KEYS, "flags and ports counted apart; the rest together")

    def __post_init__(self) -> None:
        self._segments = Keyed(2, [np.add], self.max_keys)

    def observe(self, batch: ProbeBatch) -> None:
        """Count segments, once where both ends are local, and no copies."""
        once = (batch.rows["probe"] == SEND) | (batch.rows["remote_local"] == 0)
        rows = batch.rows[once & (batch.rows["duplicate"] == 0)]
        port = np.where(rows["end"] == RESPONDER, rows["lport"].astype(int), rows["rport"])
        self._segments.observe((rows["flags"], port if self.by_port else port * 0 - 1), (1,))

    def merge(self, other: Flags) -> None:
        """Add what another has counted."""
        self._segments.merge(other._segments)

    def report(self) -> Report:
        """Ascending by count; ties by flags, then port."""
        totals = self._segments.totals()
        flags, port, count = totals.key(0), totals.key(1), totals.value(0)
        order = totals.order(count, flags, port)
        known = order < len(totals) - totals.has_other
        values = {
            "flags": Values(flags[order], known=known),
            "port": Values(np.where(known, port[order], -1)),
            "segments": Values(count[order]),
        }
        notes = (other_note(self.max_keys),) if totals.has_other else ()
        return Report(Table(SCHEMA, values), notes)
