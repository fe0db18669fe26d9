"""Bytes by remote host and local port: how much went each way, and together.

Counted is the TCP payload of every segment, so bytes sent again count again, as they load the
network; headers do not count. Where both ends are local the bytes stand in two rows, one for each
end. Which of them a connection delivered for the first time, the report life tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.accumulate import Keyed
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.columns import let_through
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note, unknown_note
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Report, Schema, Table, Values

SCHEMA = Schema(
    columns=(
        Column("raddr", Kind.ADDRESS, "remote address"),
        Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "raddr")),
        Column("lport", Kind.INTEGER, "local port; unknown with --remote-only"),
        Column("service", Kind.TEXT, "name of the service on it", names=("service", "lport")),
        Column("tx_payload", Kind.INTEGER, "payload bytes sent, those sent again too"),
        Column("rx_payload", Kind.INTEGER, "payload bytes received, likewise"),
        Column("bytes", Kind.INTEGER, "both together"),
    ),
    layout=Line(
        header=f"  {'REMOTE':<32} {'LPORT':<6} {'SENT':>10} {'RECEIVED':>10} {'BYTES':>16}",
        parts=(
            "  ",
            Cell("hostname", 32, Align.LEFT, otherwise="raddr"),
            " ",
            Cell("service", 6, Align.LEFT, otherwise="lport"),
            " ",
            Cell("tx_payload", 10),
            " ",
            Cell("rx_payload", 10),
            " ",
            Cell("bytes", 16),
        ),
    ),
)

# What is read of rows, where their sums want it: a bucket, the key, values.
_READ = ("duplicate", "raddr_high", "raddr_low", "lport", "bytes", "bytes", "outgoing")


@dataclass
class Bytes:
    """Sums of payload by remote address and local port."""

    probes: ClassVar[tuple[str, ...]] = ("send", "receive")

    remote_only: bool = option(False, "a row for each remote address, whatever the port", "-R")
    max_keys: int = option(DEFAULT_MAX_KEYS, "hosts and ports counted apart; the rest together")

    def __post_init__(self) -> None:
        # Bytes sent, bytes received, segments of unknown length.
        self._sums = Keyed(3, (np.add, np.add, np.add), self.max_keys)

    @property
    def schema(self) -> Schema:
        """The columns, and the line of tcpbytes with both directions before the sum."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Add the segments of a batch, no copies."""
        rows = batch.columns(*_READ)
        # Of no copies the first is the bucket: there is but one, 0.
        rows = np.ascontiguousarray(let_through(rows, rows[0] == 0))
        port, sent, received, outgoing = rows[3:]
        if self.remote_only:
            port[:] = -1
        missing = np.flatnonzero(sent < 0)
        sent[missing] = received[missing] = 0
        sent *= outgoing
        received -= sent
        # The last is that of unknown lengths from here on.
        rows[-1] = 0
        rows[-1, missing] = 1
        self._sums.observe_rows(rows)

    def merge(self, other: Bytes) -> None:
        """Add the sums of another."""
        self._sums.merge(other._sums)

    def report(self) -> Report:
        """Ascending by bytes, then by address as text, then by port."""
        totals = self._sums.totals()
        high, low, port = (totals.key(number) for number in range(3))
        sent, received, unknown = (totals.value(number) for number in range(3))
        order = totals.order(sent + received, *text_words(high, low), port)
        known = order < len(totals) - totals.has_other
        values = {
            "raddr": Values(np.stack((high[order], low[order]), axis=1), known=known),
            "lport": Values(np.where(known, port[order], -1)),
            "tx_payload": Values(sent[order]),
            "rx_payload": Values(received[order]),
            "bytes": Values((sent + received)[order]),
        }
        notes = unknown_note(int(unknown.sum()))
        if totals.has_other:
            values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
            notes += (other_note(self.max_keys),)
        return Report(Table(SCHEMA, values), notes)
