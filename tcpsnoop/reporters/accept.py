"""Connections that clients opened to here: how many from each host to each local port.

A connection counts at the segment that completes its handshake: the client's first ACK that answers
the SYN|ACK. So refused and half-open connections do not count, nor those whose SYN|ACK was not
captured. The kernel may still drop a connection counted here, when its accept queue is full.
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
        Column("raddr", Kind.ADDRESS, "address of the client"),
        Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "raddr")),
        Column("lport", Kind.INTEGER, "local port"),
        Column("service", Kind.TEXT, "name of the service on it", names=("service", "lport")),
        Column("count", Kind.INTEGER, "connections accepted"),
    ),
    layout=Line(
        header=f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}",
        parts=(
            "   ",
            Cell("hostname", 26, Align.LEFT, otherwise="raddr"),
            " ",
            Cell("service", 8, Align.LEFT, otherwise="lport"),
            " ",
            Cell("count", 8),
        ),
    ),
)


@dataclass
class Accept:
    """Counts by remote address and local port."""

    probes: ClassVar[tuple[str, ...]] = ("accept-established",)

    max_keys: int = option(DEFAULT_MAX_KEYS, "clients and ports counted apart; the rest together")

    def __post_init__(self) -> None:
        self._accepts = Keyed(3, [np.add], self.max_keys)

    @property
    def schema(self) -> Schema:
        """The columns, and the line of tcpaccept."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Count the connections of a batch."""
        rows = batch.rows
        self._accepts.observe((rows["raddr_high"], rows["raddr_low"], rows["lport"]), (1,))

    def merge(self, other: Accept) -> None:
        """Add the counts of another."""
        self._accepts.merge(other._accepts)

    def report(self) -> Report:
        """Ascending by count, then by address as text, then by port."""
        totals = self._accepts.totals()
        high, low, port = (totals.key(number) for number in range(3))
        count = totals.value(0)
        order = totals.order(count, *text_words(high, low), port)
        known = order < len(totals) - totals.has_other
        values = {
            "raddr": Values(np.stack((high[order], low[order]), axis=1), known=known),
            "lport": Values(np.where(known, port[order], -1)),
            "count": Values(count[order]),
        }
        if not totals.has_other:
            return Report(Table(SCHEMA, values))
        values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
        return Report(Table(SCHEMA, values), (other_note(self.max_keys),))
