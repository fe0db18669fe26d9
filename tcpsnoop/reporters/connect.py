"""Connections that were opened from here: how many to each host and remote port.

A connection counts at the SYN|ACK that answers its SYN (at the end of a simultaneous open), so
refused and unanswered ones do not count, nor those whose beginning was not captured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.accumulate import Keyed
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.probes import ProbeBatch
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Report, Schema, Table, Values

SCHEMA = Schema(
    columns=(
        Column("raddr", Kind.ADDRESS, "address of the server"),
        Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "raddr")),
        Column("rport", Kind.INTEGER, "remote port"),
        Column("service", Kind.TEXT, "name of the service on it", names=("service", "rport")),
        Column("count", Kind.INTEGER, "connections opened"),
    ),
    layout=Line(
        header=f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}",
        parts=(
            "   ",
            Cell("hostname", 26, Align.LEFT, otherwise="raddr"),
            " ",
            Cell("service", 8, Align.LEFT, otherwise="rport"),
            " ",
            Cell("count", 8),
        ),
    ),
)


@dataclass
class Connect:
    """Counts by remote address and port."""

    probes: ClassVar[tuple[str, ...]] = ("connect-established",)

    max_keys: int = option(DEFAULT_MAX_KEYS, "servers and ports counted apart; the rest together")

    def __post_init__(self) -> None:
        self._connects = Keyed(3, [np.add], self.max_keys)

    @property
    def schema(self) -> Schema:
        """The columns, and the line of tcpconnect."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Count the connections of a batch."""
        rows = batch.rows
        self._connects.observe((rows["raddr_high"], rows["raddr_low"], rows["rport"]), (1,))

    def merge(self, other: Connect) -> None:
        """Add the counts of another."""
        self._connects.merge(other._connects)

    def report(self) -> Report:
        """Ascending by count, then by address as text, then by port."""
        totals = self._connects.totals()
        high, low, port = (totals.key(number) for number in range(3))
        count = totals.value(0)
        order = totals.order(count, *text_words(high, low), port)
        known = order < len(totals) - totals.has_other
        values = {
            "raddr": Values(np.stack((high[order], low[order]), axis=1), known=known),
            "rport": Values(np.where(known, port[order], -1)),
            "count": Values(count[order]),
        }
        if not totals.has_other:
            return Report(Table(SCHEMA, values))
        values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
        return Report(Table(SCHEMA, values), (other_note(self.max_keys),))
