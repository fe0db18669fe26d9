"""Segments sent again, a line each: what kind, which bytes, in which state.

Kinds: fast (after duplicate ACKs), timeout (by the timer), spurious (the other end had it already),
unseen (lost before the capture, seen once and late), handshake (SYN or FIN again, no bytes).
--count-by counts instead, for each flow, remote host, port of the service or state. What the remote
end sent again is shown where it is local too, or no end is known to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Keyed
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import RESPONDER, RETRANSMISSIONS, STATES
from tcpsnoop.batches.rows import chosen
from tcpsnoop.interfaces.ends import ADDRESSES, Ends, end_values
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, owner_values
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, option, other_note
from tcpsnoop.report import Align, Cell, Column, Grid, Kind, Line, Report, Schema, Table, Values

LOG_SCHEMA = Schema(
    columns=(
        Column("packet", Kind.INTEGER, "number of the packet in its input, from 1"),
        Column("time", Kind.TIME, "time of the packet"),
        *PROCESS,
        *ADDRESSES,
        Column("state", Kind.TEXT, f"state of the end that sent it: {', '.join(STATES)}"),
        Column("kind", Kind.TEXT, f"one of {', '.join(RETRANSMISSIONS)}"),
        Column("sequence", Kind.INTEGER, "sequence number, as sent"),
        Column("bytes", Kind.INTEGER, "TCP payload of the segment"),
        Column("retransmitted_bytes", Kind.INTEGER, "bytes of it that had been seen before"),
        *ATTRIBUTION,
    ),
    layout=Line(
        header=f"{'PID':<7} {'COMM':<12} IP {'LADDR':>15}:{'LPORT':<5} T> "
        f"{'RADDR':>15}:{'RPORT':<5} {'STATE':<12} {'KIND':<9} {'SEQ':<10} BYTES",
        parts=(
            Cell("pid", 7, Align.LEFT),
            " ",
            Cell("command", 12, Align.LEFT),
            " ",
            Cell("ip", 2, Align.LEFT),
            " ",
            Cell("laddr", 15, endpoint=True),
            ":",
            Cell("lport", 5, Align.LEFT),
            " R> ",
            Cell("raddr", 15, endpoint=True),
            ":",
            Cell("rport", 5, Align.LEFT),
            " ",
            Cell("state", 12, Align.LEFT),
            " ",
            Cell("kind", 9, Align.LEFT),
            " ",
            Cell("sequence", 10, Align.LEFT),
            " ",
            Cell("bytes", 5),
        ),
    ),
)

# What is counted by, and the columns that name it.
KEYS = {
    "flow": ADDRESSES,
    "host": (Column("raddr", Kind.ADDRESS, "remote address"),),
    "port": (Column("port", Kind.INTEGER, "the responder's port"),),
    "state": (Column("state", Kind.TEXT, "state of the end that sent it"),),
}
_COUNTS = (
    Column("retransmits", Kind.INTEGER, "segments sent again"),
    Column("retransmitted_bytes", Kind.INTEGER, "bytes of them that had been seen before"),
    *(Column(kind, Kind.INTEGER, f"segments of kind {kind}") for kind in RETRANSMISSIONS),
)


def _count_schema(key: str) -> Schema:
    columns = (*KEYS[key], *_COUNTS)
    titles = {"retransmitted_bytes": "BYTES"}
    names = tuple(column.name for column in columns)
    return Schema(columns, Grid(names, tuple(titles.get(name, name.upper()) for name in names)))


_PORT_BITS = 16
_PORT = (1 << _PORT_BITS) - 1

COUNT_SCHEMAS = {key: _count_schema(key) for key in KEYS}


@dataclass
class Retrans(Ends):
    """A log of retransmissions, or with `count_by` a summary of them.

    Making one gives the kind that the options ask for, as a `pathlib.Path` is of its system.
    """

    probes: ClassVar[tuple[str, ...]] = ("retransmit",)

    count_by: str = option("", "count by this instead of a line for each", choices=tuple(KEYS))
    max_keys: int = option(DEFAULT_MAX_KEYS, "keys counted apart; the rest together")

    def __new__(cls, *_: Any, count_by: str = "", **__: Any) -> Retrans:
        """A log or a summary."""
        kind = (_Summary if count_by else _Log) if cls is Retrans else cls
        return super().__new__(kind)

    @property
    def schema(self) -> Schema:
        """The line of tcpretrans, or a table of counts."""
        return COUNT_SCHEMAS[self.count_by] if self.count_by else LOG_SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False


class _Log(Retrans):
    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each segment sent again."""
        origin = np.flatnonzero(self.chosen(batch.rows))
        batch = batch.take(origin)
        rows = batch.rows
        again = chosen(batch.details, rows["detail"])
        values = {
            "packet": Values(rows["packet"]),
            "time": Values(rows["time_ns"], digits=rows["digits"]),
            "state": Values(again["new"], STATES),
            "kind": Values(again["kind"], RETRANSMISSIONS),
            "sequence": Values(again["sequence"].astype(np.int64)),
            "bytes": Values(rows["bytes"]),
            "retransmitted_bytes": Values(again["overlap"]),
        }
        values |= end_values(batch) | owner_values(batch.owners, len(rows))
        return Table(self.schema, values, origin)


class _Summary(Retrans):
    def __post_init__(self) -> None:
        super().__post_init__()
        # Bytes sent again, then segments of each kind; the key is that of `_key`.
        self._counts = Keyed(5, [np.add] * (1 + len(RETRANSMISSIONS)), self.max_keys)

    def observe(self, batch: ProbeBatch) -> None:
        """Count the retransmissions of a batch."""
        rows = chosen(batch.rows, self.chosen(batch.rows))
        again = chosen(batch.details, rows["detail"])
        kinds = [again["kind"] == kind for kind in range(len(RETRANSMISSIONS))]
        self._counts.observe(self._key(rows, again), (again["overlap"], *kinds))

    def merge(self, other: _Summary) -> None:
        """Add the counts of another."""
        self._counts.merge(other._counts)

    def report(self) -> Report:
        """Ascending by retransmissions; ties by key."""
        totals = self._counts.totals()
        *ends, number = (totals.key(column) for column in range(5))
        kinds = [totals.value(1 + kind) for kind in range(len(RETRANSMISSIONS))]
        count = sum(kinds[1:], start=kinds[0])
        words = (*text_words(*ends[2:]), *text_words(*ends[:2]))
        order = totals.order(count, *words, number)
        known = order < len(totals) - totals.has_other
        local, remote, number = (
            np.stack(ends[:2], axis=1)[order],
            np.stack(ends[2:], axis=1)[order],
            np.where(known, number[order], -1),
        )
        values = {
            "laddr": Values(local, known=known),
            "lport": Values(number >> _PORT_BITS),
            "raddr": Values(remote, known=known),
            "rport": Values(np.where(known, number & _PORT, -1)),
            "port": Values(number),
            "state": Values(number, STATES),
            "retransmits": Values(count[order]),
            "retransmitted_bytes": Values(totals.value(0)[order]),
        }
        for name, column in zip(RETRANSMISSIONS, kinds, strict=True):
            values[name] = Values(column[order])
        columns = {column.name for column in self.schema.columns}
        shown = {name: column for name, column in values.items() if name in columns}
        notes = (other_note(self.max_keys),) if totals.has_other else ()
        return Report(Table(self.schema, shown), notes)

    def _key(self, rows: NDArray[np.void], again: NDArray[np.void]) -> list[NDArray[Any]]:
        """Address at the left, at the right, and a number; 0 where `count_by` leaves them out."""
        nothing = np.zeros(len(rows), np.int64)
        local = remote = [nothing, nothing]
        if self.count_by in ("flow", "host"):
            remote = [rows["raddr_high"], rows["raddr_low"]]
        lport, rport = rows["lport"].astype(np.int64), rows["rport"].astype(np.int64)
        number = nothing
        if self.count_by == "flow":
            local = [rows["laddr_high"], rows["laddr_low"]]
            number = lport << _PORT_BITS | rport
        elif self.count_by == "port":
            number = np.where(rows["end"] == RESPONDER, lport, rport)
        elif self.count_by == "state":
            number = again["new"].astype(np.int64)
        return [*local, *remote, number]
