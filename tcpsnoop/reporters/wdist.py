"""Sizes of application writes: a distribution for each process.

Live and permitted, writes are the send calls of processes, as the kernel tells them (method
`exact`). Else a write is estimated from packets: new bytes in order up to PUSH, FIN or data the
other way (method `psh`). So writes that TCP sent together are one, a write larger than the
socket's buffer can be several, and one with a hole in the capture is none. Bytes sent again do not
count. Writes of unknown processes are told apart by address, server port and the side that wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import POWERS_OF_TWO, Keyed, Totals, lower_bounds
from tcpsnoop.batches.addresses import text_of, text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import APPLICATION_WRITE, ORIGINATOR, RESPONDER
from tcpsnoop.interfaces.owner_keys import OwnerKeys
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note
from tcpsnoop.report import (
    Align,
    Cell,
    Column,
    Kind,
    LazyPool,
    Quantize,
    Report,
    Schema,
    Table,
    Values,
)

SCHEMA = Schema(
    columns=(
        *PROCESS,
        Column("command_line", Kind.TEXT, "its argument list, [command] when that was not read"),
        Column("laddr", Kind.ADDRESS, "of an unknown process: address that wrote"),
        Column("port", Kind.INTEGER, "of an unknown process: the responder's port"),
        Column("role", Kind.TEXT, "of an unknown process: originator or responder wrote"),
        Column("count", Kind.INTEGER, "writes"),
        Column("sum", Kind.INTEGER, "bytes written"),
        Column("min", Kind.INTEGER, "bytes of the smallest write"),
        Column("max", Kind.INTEGER, "bytes of the largest write"),
        Column("buckets", Kind.OBJECT, "[lower bound, writes] of each power of two that has any"),
        Column("method", Kind.TEXT, "psh: estimated from packets; exact: the kernel's record"),
        *ATTRIBUTION,
    ),
    layout=Quantize(
        # For people alone: `writer` stands for the command line of an unknown process, `mark` says
        # what must be told of the method.
        head=(
            " PID: ",
            Cell("pid", 6, Align.LEFT),
            " CMD: ",
            Cell("command_line", otherwise="writer"),
            Cell("mark"),
        ),
        buckets="buckets",
    ),
)

# Keys are (owner, high, low, side). Of an unknown process `owner` is 0, high and low are the
# address and side is a role above a port; otherwise these are 0. Either way side has _EXACT when
# the writes are calls that the kernel told.
_ROLES = ("originator", "responder")  # by ORIGINATOR and RESPONDER
_ROLE_SHIFT = 16
_PORT = (1 << _ROLE_SHIFT) - 1
_EXACT = 1 << 17
_METHODS = ("psh", "exact")
_EVIDENCE = 4  # of the values

# What people are told of the methods that a report has.
_ESTIMATED = "method psh: writes are estimated from packets"
_TOLD = "method exact: writes are send calls, by the kernel's record"
_BOTH = f"{_TOLD}; those marked psh are estimated from packets"
_MARK = " (psh)"


@dataclass
class Wdist:
    """Power-of-two histograms of writes by process: of its calls where the kernel tells them."""

    probes: ClassVar[tuple[str, ...]] = ("write", "application-write")

    max_keys: int = option(DEFAULT_MAX_KEYS, "processes or ends told apart; the rest together")

    def __post_init__(self) -> None:
        # Writes, their bytes, the least and the most of one; what attribution rests on.
        values = (np.add, np.add, np.minimum, np.maximum, np.bitwise_or)
        self._writes = Keyed(4, values, self.max_keys, share_bits=POWERS_OF_TWO)
        self._owners = OwnerKeys()

    @property
    def schema(self) -> Schema:
        """The columns, and the histograms of tcpwdist."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Put the writes of a batch into their buckets."""
        rows = batch.rows
        owner, evidence = self._owners.of(batch.owners, len(rows))
        owner = np.maximum(owner, 0)
        unknown = owner == 0
        responder = rows["end"] == RESPONDER
        port = np.where(responder, rows["lport"], rows["rport"])
        side = np.where(unknown, responder.astype(np.int64) << _ROLE_SHIFT | port, 0)
        key = (
            owner,
            rows["laddr_high"] * unknown,
            rows["laddr_low"] * unknown,
            side | np.where(rows["probe"] == APPLICATION_WRITE, _EXACT, 0),
        )
        size = rows["bytes"]
        self._writes.observe(key, (1, size, size, size, evidence), size)

    def merge(self, other: Wdist) -> None:
        """Add the histograms of another."""
        writes = other._writes.mapped(
            _EVIDENCE, lambda evidence: self._owners.translated(evidence, other._owners)
        )
        self._writes.merge(writes)
        self._owners.merge(other._owners)

    def report(self) -> Report:
        """Ascending by the sum of bucket times writes; ties by process, address, port, role."""
        totals = self._writes.totals()
        process = self._owners.values(totals.key(0), totals.value(_EVIDENCE))
        order = _order(totals, process["pid"].data)
        process = {name: values.take(order) for name, values in process.items()}
        owner, high, low, side = (totals.key(number)[order] for number in range(4))
        exact, side = (side & _EXACT) != 0, side & ~_EXACT
        other = order == len(totals) - totals.has_other
        unknown = (owner == 0) & ~other
        mixed = bool(exact.any() and not (exact | other).all())
        holders = process["who"]

        def writer(row: int) -> str:
            """Who wrote, when there is no command line."""
            if other[row]:
                return OTHER
            if unknown[row]:
                return _end(int(high[row]), int(low[row]), int(side[row]))
            return str(holders.pool[int(holders.data[row])])

        values = process | {
            "laddr": Values(np.stack((high, low), axis=1), known=unknown),
            "port": Values(np.where(unknown, side & _PORT, -1)),
            "role": Values(np.where(unknown, side >> _ROLE_SHIFT, -1), _ROLES),
            "buckets": Values(order, LazyPool(len(totals), _histograms(totals))),
            "method": Values(_methods(exact, other), _METHODS),
            "writer": Values(np.arange(len(order)), LazyPool(len(order), writer)),
            "mark": Values((mixed & ~exact & ~other).astype(np.int32), ("", _MARK)),
        }
        for number, name in enumerate(("count", "sum", "min", "max")):
            values[name] = Values(totals.value(number)[order])
        notes = [_BOTH if mixed else _TOLD if exact.any() else _ESTIMATED] if len(order) else []
        notes += [other_note(self.max_keys)] if totals.has_other else []
        return Report(Table(SCHEMA, values), tuple(notes))


def _methods(exact: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Index of each row's method; what several keys have together may have both."""
    together = -1 if exact.any() else 0
    return np.where(other, together, exact).astype(np.int8)


def _order(totals: Totals, pid: NDArray[np.generic]) -> NDArray[np.int64]:
    owner, high, low, side = (totals.key(number) for number in range(4))
    weights = lower_bounds(totals.buckets) * totals.by_bucket[0]
    weight = np.add.reduceat(weights, totals.starts[:-1])
    words = text_words(high, low)
    return totals.order(weight, pid, *words, side & _PORT, side, owner)


def _histograms(totals: Totals) -> Callable[[int], list[list[int]]]:
    """[lower bound, writes] of each bucket of a key, by the key's row."""
    buckets, counts, starts = totals.buckets.astype(np.int8), totals.by_bucket[0], totals.starts

    def histogram(row: int) -> list[list[int]]:
        own = slice(starts[row], starts[row + 1])
        bounds = lower_bounds(buckets[own].astype(np.int64))
        pairs = zip(bounds.tolist(), counts[own].tolist(), strict=True)
        return [[bound, count] for bound, count in pairs]

    return histogram


def _end(high: int, low: int, side: int) -> str:
    """The end that wrote: `LADDR:PORT` is a server, `LADDR -> *:PORT` its client."""
    address, port = text_of(high, low), side & _PORT
    if side >> _ROLE_SHIFT == ORIGINATOR:
        return f"{address} -> *:{port}"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
