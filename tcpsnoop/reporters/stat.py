"""TCP counters: segments and bytes each way, repeats, connections come and gone.

A line for the whole capture, or one for each --interval. RETR are segments that local ends sent
again; DUP those they received again, UNORD those that filled a young hole; both are part of what
came in. OPEN and ACCPT are handshakes made from here and to here, REFUS and DENY attempts refused
there and here, RESET connections ended by RST. Where both ends are local both count; where none is
known to be, segments are seen from the responder, and handshakes from either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Keyed, Totals
from tcpsnoop.batches import probes
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import RESPONDER, RETRANSMISSIONS
from tcpsnoop.batches.row_counts import ROWS
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note, unknown_note
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Report, Schema, Table, Values

_COUNTERS = (
    ("out_segments", "segments sent by local ends"),
    ("out_bytes", "payload bytes of them"),
    ("in_segments", "segments they received"),
    ("in_bytes", "payload bytes of them"),
    ("retransmitted_segments", "segments that local ends sent again, SYN and FIN too"),
    ("retransmitted_bytes", "their bytes that had been sent before"),
    ("duplicate_segments", "segments received again, SYN and FIN too"),
    ("duplicate_bytes", "their bytes that had been received before"),
    ("out_of_order_segments", "segments received that fill a young hole"),
    ("out_of_order_bytes", "payload bytes of them"),
    ("opened", "connections established from here"),
    ("accepted", "connections accepted here"),
    ("refused", "attempts from here that the other side refused"),
    ("denied", "attempts from elsewhere that were refused here"),
    ("reset", "connections ended by RST"),
)
_SHOWN = (
    ("out_segments", "OUT_SEG", 7),
    ("out_bytes", "OUT_BYTES", 10),
    ("in_segments", "IN_SEG", 7),
    ("in_bytes", "IN_BYTES", 10),
    ("retransmitted_segments", "RETR", 5),
    ("duplicate_segments", "DUP", 5),
    ("out_of_order_segments", "UNORD", 5),
    ("opened", "OPEN", 5),
    ("accepted", "ACCPT", 5),
    ("refused", "REFUS", 5),
    ("denied", "DENY", 5),
    ("reset", "RESET", 5),
)
# What rows of probes are counted as: segments, each kind with its bytes, then connections.
_OUT, _IN, _RETRANSMITTED, _DUPLICATE, _OUT_OF_ORDER = range(5)
_CONNECTIONS = 5
_NOTHING = 63

_BY_DIRECTION = np.full((256, 2), _NOTHING, np.uint8)  # whether the local end sent it
_BY_DIRECTION[probes.SEND] = _OUT
_BY_DIRECTION[probes.RECEIVE] = _IN
_BY_DIRECTION[probes.REPEAT] = _DUPLICATE, _RETRANSMITTED
_BY_DIRECTION[probes.OUT_OF_ORDER, 0] = _OUT_OF_ORDER
for _number, _probe in enumerate(
    (
        probes.CONNECT_ESTABLISHED,
        probes.ACCEPT_ESTABLISHED,
        probes.CONNECT_REFUSED,
        probes.ACCEPT_REFUSED,
        probes.RESET,
    )
):
    _BY_DIRECTION[_probe] = _CONNECTIONS + _number
# At 2 * probe + outgoing: so it is looked up in a quarter of the time.
_COUNTED = _BY_DIRECTION.ravel()

_UNSEEN = RETRANSMISSIONS.index("unseen")
_REPEATS = np.arange(256) == probes.REPEAT


def _schema(by_port: bool) -> Schema:
    port = Cell("service", 8, Align.LEFT, otherwise="port")
    parts: list[str | Cell] = [port] if by_port else []
    for name, _, width in _SHOWN:
        parts += [" ", Cell(name, width)] if parts else [Cell(name, width)]
    titles = [f"{'PORT':<8}"] if by_port else []
    titles += [f"{title:>{width}}" for _, title, width in _SHOWN]
    columns = (
        Column("port", Kind.INTEGER, "the responder's port, with --by-port"),
        Column("service", Kind.TEXT, "name of the service on it", names=("service", "port")),
        *(Column(name, Kind.INTEGER, meaning) for name, meaning in _COUNTERS),
    )
    return Schema(columns, Line(" ".join(titles), tuple(parts)))


SCHEMA, PORT_SCHEMA = _schema(False), _schema(True)


@dataclass
class Stat:
    """Sums over all connections, or by port."""

    probes: ClassVar[tuple[str, ...]] = (
        "send",
        "receive",
        "repeat",
        "out-of-order",
        "connect-established",
        "accept-established",
        "connect-refused",
        "accept-refused",
        "reset",
    )

    by_port: bool = option(False, "a row for each port of a responder", "-P")
    max_keys: int = option(DEFAULT_MAX_KEYS, "ports counted apart; the rest together")

    def __post_init__(self) -> None:
        # By what is counted, as a bucket: how many, bytes, segments of unknown length.
        self._sums = Keyed(1, [np.add] * 3, self.max_keys)

    @property
    def schema(self) -> Schema:
        """The columns, and a line that begins with the port if there is one."""
        return PORT_SCHEMA if self.by_port else SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Add the probes of a batch, no copies."""
        if self.by_port:
            self._observe_rows(batch)
            return
        counts = batch.counts()
        if counts[probes.REPEAT].any():
            self._observe_rows(batch.attached(_REPEATS))
            counts[probes.REPEAT] = 0
        met = np.flatnonzero(counts[..., ROWS])
        counter = _COUNTED[met]
        segments, their_bytes, unknown = counts.reshape(-1, 3)[met].T
        unknown = np.where(counter <= _IN, unknown, 0)
        self._sums.observe((np.full(len(met), -1),), (segments, their_bytes, unknown), counter)

    def _observe_rows(self, batch: ProbeBatch) -> None:
        """Add each row by what it says itself."""
        first = batch.columns("duplicate", "probe", "outgoing", "bytes")
        if first[0].any():
            batch = batch.take(first[0] == 0)
            first = batch.columns("duplicate", "probe", "outgoing", "bytes")
        _, probe, outgoing, size = first
        counted = _COUNTED.take(2 * probe + outgoing)
        repeats = np.flatnonzero(probe == probes.REPEAT)
        if len(repeats):
            kind, overlap = batch.take(repeats).detail_columns("kind", "overlap")
            size[repeats] = overlap
            # What fills a hole late is new to whoever receives it.
            new = (kind == _UNSEEN) & (counted[repeats] == _DUPLICATE)
            counted[repeats[new]] = _NOTHING
        unknown = size < 0
        size[unknown] = 0
        unknown &= counted <= _IN
        port = np.full(len(size), -1)
        if self.by_port:
            end, lport, rport = batch.columns("end", "lport", "rport")
            port = np.where(end == RESPONDER, lport, rport)
        self._sums.observe((port,), (1, size, unknown), counted)

    def merge(self, other: Stat) -> None:
        """Add the sums of another."""
        self._sums.merge(other._sums)

    def report(self) -> Report:
        """Ascending by segments, then by port."""
        totals = self._sums.totals()
        port, sums = totals.key(0), _by_counter(totals)
        order = totals.order(sums[0] + sums[2], port)
        known = order < len(totals) - totals.has_other
        values = {"port": Values(np.where(known, port[order], -1))}
        for number, (name, _) in enumerate(_COUNTERS):
            values[name] = Values(sums[number][order])
        notes = unknown_note(int(totals.value(2).sum()))
        if totals.has_other:
            values["service"] = Values(np.where(known, -1, 0), (OTHER,))
            notes += (other_note(self.max_keys),)
        return Report(Table(self.schema, values), notes)


def _by_counter(totals: Totals) -> NDArray[np.int64]:
    """The sums of each key, shape (counters, keys)."""
    sums = np.zeros((len(_COUNTERS), len(totals)), np.int64)
    key = np.repeat(np.arange(len(totals)), np.diff(totals.starts))
    how_many, their_bytes, counted = *totals.by_bucket[:2], totals.buckets
    segments = counted < _CONNECTIONS
    connections = ~segments & (counted != _NOTHING)
    sums[2 * counted[segments], key[segments]] = how_many[segments]
    sums[2 * counted[segments] + 1, key[segments]] = their_bytes[segments]
    # Connections have no bytes, and stand behind.
    sums[counted[connections] + _CONNECTIONS, key[connections]] = how_many[connections]
    return sums
