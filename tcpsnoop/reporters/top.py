"""Who moves most bytes now: connections or processes, the largest first.

Live on a terminal it is a screen in place, which q or Ctrl-C ends, anew every second; elsewhere,
with -C, and for files it is blocks. RX_KB and TX_KB are the TCP payload that the local end received
and sent, bytes sent again counted again; SIZE is the bytes of whole frames. Above stand the load of
the host and the sums of all rows. A connection between two local ends has a row for each. Where no
process is known the reason stands in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Keyed, Totals
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.ends import ADDRESSES, Ends
from tcpsnoop.interfaces.owner_keys import OwnerKeys
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, UID
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note, unknown_note
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Report, Schema, Table, Values

Numbers = NDArray[np.int64]

_COUNTERS = (
    Column("tx_payload", Kind.INTEGER, "payload bytes sent, those sent again too"),
    Column("rx_payload", Kind.INTEGER, "payload bytes received, likewise"),
    Column("bytes", Kind.INTEGER, "both together"),
    Column("frame_bytes", Kind.INTEGER, "bytes of the frames, both ways; unknown if any one's are"),
)
_NAME = Cell("command", otherwise="who")


def _kilobytes(column: str, width: int) -> Cell:
    return Cell(column, width, unit=1024, decimals=1)


CONNECTION_SCHEMA = Schema(
    (*PROCESS, UID, *ADDRESSES, *_COUNTERS, *ATTRIBUTION),
    Line(
        f"{'PID':>6} {'LADDR':<15} {'LPORT':>5} {'RADDR':<15} {'RPORT':>5} "
        f"{'RX_KB':>8} {'TX_KB':>8} NAME",
        (
            Cell("pid", 6),
            " ",
            Cell("laddr", 15, Align.LEFT),
            " ",
            Cell("lport", 5),
            " ",
            Cell("raddr", 15, Align.LEFT),
            " ",
            Cell("rport", 5),
            " ",
            _kilobytes("rx_payload", 8),
            " ",
            _kilobytes("tx_payload", 8),
            " ",
            _NAME,
        ),
    ),
)
PROCESS_SCHEMA = Schema(
    (*PROCESS, UID, *_COUNTERS, *ATTRIBUTION),
    Line(
        f"{'UID':>5} {'PID':>6} {'RX_KB':>10} {'TX_KB':>10} {'SIZE':>12} NAME",
        (
            Cell("uid", 5),
            " ",
            Cell("pid", 6),
            " ",
            _kilobytes("rx_payload", 10),
            " ",
            _kilobytes("tx_payload", 10),
            " ",
            Cell("frame_bytes", 12),
            " ",
            _NAME,
        ),
    ),
)
_SUMS = Schema(
    _COUNTERS[:2],
    Line(
        "",
        (
            "TCPin: ",
            _kilobytes("rx_payload", 6),
            " KB,  TCPout: ",
            _kilobytes("tx_payload", 6),
            " KB",
        ),
    ),
)

# The values of a key. Of segments and frames whose length nobody knows there is the number.
_VALUES = (np.add, np.add, np.add, np.add, np.add, np.minimum, np.bitwise_or)
_SENT, _RECEIVED, _FRAMES, _UNKNOWN, _UNKNOWN_FRAMES, _FIRST, _EVIDENCE = range(len(_VALUES))
_ENDS = 5  # columns of a key before the owner: two addresses, and both ports as one
_PORT_BITS = 16
_PORT = (1 << _PORT_BITS) - 1


@dataclass
class Top(Ends):
    """Sums by connection and process, or by process."""

    probes: ClassVar[tuple[str, ...]] = ("send", "receive")
    interval_seconds: ClassVar[float] = 1.0

    by_process: bool = option(False, "a row for each process, not for each connection")
    no_clear: bool = option(False, "blocks one below the other instead of a screen in place", "-C")
    no_summary: bool = option(False, "no line with load and sums above the rows", "-S")
    max_keys: int = option(DEFAULT_MAX_KEYS, "connections or processes apart; the rest together")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._sums = Keyed(1 if self.by_process else 1 + _ENDS, _VALUES, self.max_keys)
        self._owners = OwnerKeys()

    @property
    def schema(self) -> Schema:
        """The columns, and a line after tcptop."""
        return PROCESS_SCHEMA if self.by_process else CONNECTION_SCHEMA

    @property
    def needs_frames(self) -> bool:
        """The length of a frame comes with its segment."""
        return False

    @property
    def in_place(self) -> bool:
        """Each report takes the place of the one before."""
        return not self.no_clear

    def observe(self, batch: ProbeBatch) -> None:
        """Add the segments of a batch, no copies."""
        batch = batch.take(self.chosen(batch.rows) & (batch.rows["duplicate"] == 0))
        rows = batch.rows
        owner, evidence = self._owners.of(batch.owners, len(rows))
        key = [owner]
        if not self.by_process:
            names = ("laddr_high", "laddr_low", "raddr_high", "raddr_low")
            ports = rows["lport"].astype(np.int64) << _PORT_BITS | rows["rport"]
            key = [*(rows[name] for name in names), ports, owner]
        size, frame = np.maximum(rows["bytes"], 0), np.maximum(rows["frame_bytes"], 0)
        sent = rows["outgoing"] == 1
        unknown = [(rows[name] < 0).astype(np.int64) for name in ("bytes", "frame_bytes")]
        values = (size * sent, size * ~sent, frame, *unknown, rows["time_ns"], evidence)
        self._sums.observe(key, values)

    def merge(self, other: Top) -> None:
        """Add the sums of another."""
        sums = other._sums.mapped(
            _EVIDENCE, lambda evidence: self._owners.translated(evidence, other._owners)
        )
        self._sums.merge(sums)
        self._owners.merge(other._owners)

    def report(self) -> Report:
        """Descending by payload, then by frames; ties by process, addresses and ports."""
        totals = self._sums.totals()
        rows, counters = _grouped(totals)
        keys = [totals.key(number)[rows] for number in range(totals.columns)]
        process = self._owners.values(keys[-1], totals.value(_EVIDENCE)[rows])
        sent, received, frames, unknown, unknown_frames = counters
        words = [*text_words(*keys[:2]), *text_words(*keys[2:4])] if len(keys) > _ENDS else []
        ties = (process["pid"].data, *words, *keys[-2:])
        order = np.lexsort((*reversed(ties), -frames, -(sent + received)))
        known = np.ones(len(order), np.bool_)
        if totals.has_other:
            # The last row of all, wherever its bytes would put it.
            order, known[-1] = np.append(order[order < len(order) - 1], len(order) - 1), False
        counted = {
            "tx_payload": sent,
            "rx_payload": received,
            "bytes": sent + received,
            "frame_bytes": np.where(unknown_frames > 0, -1, frames),
        }
        values = {name: column.take(order) for name, column in process.items()}
        values |= {name: Values(column[order]) for name, column in counted.items()}
        if len(keys) > _ENDS:
            values |= _ends([column[order] for column in keys], known)
        notes = unknown_note(int(unknown.sum()))
        if totals.has_other:
            pool = [*values["who"].pool, OTHER]
            values["who"] = Values(np.where(known, values["who"].data, len(pool) - 1), pool)
            notes += (other_note(self.max_keys),)
        above = None if self.no_summary else _sums_of(sent, received)
        table = Table(self.schema, values)
        return Report(table, notes, above=above, largest_first=True)


def _grouped(totals: Totals) -> tuple[Numbers, Sequence[Numbers]]:
    """For each connection, or process, a row of `totals`, and the sums of all its rows.

    A connection's process is the one that moved most of its bytes, ties to the first; any before
    none. The row of all others is the last.
    """
    counters = np.stack([totals.value(number) for number in range(_FIRST)])
    kept = len(totals) - totals.has_other
    keys = [totals.key(number)[:kept] for number in range(totals.columns)]
    moved = (counters[_SENT] + counters[_RECEIVED])[:kept]
    group = keys[:_ENDS] if len(keys) > _ENDS else keys
    order = np.lexsort((totals.value(_FIRST)[:kept], -moved, keys[-1] < 0, *group))
    changes = np.zeros(max(0, kept - 1), np.bool_)
    for column in group:
        changes |= np.diff(column[order]) != 0
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, kept), np.bool_), changes)))
    if totals.has_other:
        order, starts = np.append(order, kept), np.append(starts, kept)
    rows: Numbers = order[starts]
    return rows, list(np.add.reduceat(counters[:, order], starts, axis=1))


def _ends(keys: Sequence[Numbers], known: NDArray[np.bool_]) -> dict[str, Values]:
    ports = keys[4]
    return {
        "laddr": Values(np.stack(keys[:2], axis=1), known=known),
        "lport": Values(np.where(known, ports >> _PORT_BITS, -1)),
        "raddr": Values(np.stack(keys[2:4], axis=1), known=known),
        "rport": Values(np.where(known, ports & _PORT, -1)),
    }


def _sums_of(sent: Numbers, received: Numbers) -> Table:
    sums = {"tx_payload": sent, "rx_payload": received}
    return Table(_SUMS, {name: Values(column.sum(keepdims=True)) for name, column in sums.items()})
