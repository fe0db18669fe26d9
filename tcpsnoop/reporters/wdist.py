"""Sizes of application writes: a distribution for each process.

Live and permitted, writes are the send calls of processes, as the kernel tells them (method
`exact`). Else a write is estimated from packets: new bytes in order up to PUSH, FIN or data the
other way (method `psh`). So writes that TCP sent together are one, a write larger than the
socket's buffer can be several, and one with a hole in the capture is none. Bytes sent again do not
count. Writes of unknown processes are told apart by address, server port and the side that wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Keyed, Labels, Totals, buckets_of, lower_bounds
from tcpsnoop.batches.addresses import text_of, text_words
from tcpsnoop.batches.owners import UNKNOWN, Owner
from tcpsnoop.batches.probes import APPLICATION_WRITE, ORIGINATOR, RESPONDER, ProbeBatch
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, holders_of, identity_of, together
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
    object_values,
    text_values,
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
        # `writer` is for people alone: what stands for the command line of an unknown process.
        head=(
            " PID: ",
            Cell("pid", 6, Align.LEFT),
            " CMD: ",
            Cell("command_line", otherwise="writer"),
        ),
        buckets="buckets",
    ),
)

# Keys are (high, low, side). Of an unknown process they are an address, and a role above a port.
# Otherwise `side` is _PROCESS or _HOLDERS, and high and low are the owner's `identity_of`.
_ROLES = ("originator", "responder")  # by ORIGINATOR and RESPONDER
_ROLE_SHIFT = 16
_PORT = (1 << _ROLE_SHIFT) - 1
_PROCESS = 1 << 17
_HOLDERS = 2 << 17
# The writes of a key are calls that the kernel told.
_EXACT = 1 << 19
_METHODS = ("psh", "exact")


@dataclass
class Wdist:
    """Power-of-two histograms of writes by process: of its calls where the kernel tells them."""

    probes: ClassVar[tuple[str, ...]] = ("write", "application-write")

    max_keys: int = option(DEFAULT_MAX_KEYS, "processes or ends told apart; the rest together")

    def __post_init__(self) -> None:
        # Writes, their bytes, the least and the most of one; what attribution rests on.
        values = (np.add, np.add, np.minimum, np.maximum, np.bitwise_or)
        self._writes = Keyed(3, values, self.max_keys)
        self._evidence = Labels((UNKNOWN, "other reasons"))
        self._owners: dict[tuple[int, int, int], Owner] = {}

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
        used, place = np.unique(batch.owners.indices(len(rows)), return_inverse=True)
        answers = [self._identified(batch.owners.pool[code]) for code in used.tolist()]
        high, low, side, evidence = np.array(answers, np.int64)[place].T
        responder = rows["end"] == RESPONDER
        port = np.where(responder, rows["lport"], rows["rport"])
        unknown = side == 0
        key = (
            np.where(unknown, rows["laddr_high"], high),
            np.where(unknown, rows["laddr_low"], low),
            np.where(unknown, responder.astype(np.int64) << _ROLE_SHIFT | port, side)
            | np.where(rows["probe"] == APPLICATION_WRITE, _EXACT, 0),
        )
        size = rows["bytes"]
        self._writes.observe(key, (1, size, size, size, evidence), buckets_of(size))

    def merge(self, other: Wdist) -> None:
        """Add the histograms of another."""

        def translated(evidence: NDArray[np.int64]) -> NDArray[np.int64]:
            return self._evidence.translated(evidence, other._evidence)

        self._writes.merge(other._writes.mapped(4, translated))
        self._owners |= other._owners

    def report(self) -> Report:
        """Ascending by the sum of bucket times writes; ties by process, address, port, role."""
        totals = self._writes.totals()
        order = _order(totals)
        laddr = np.stack([totals.key(number)[order] for number in range(2)], axis=1)
        (high, low), side = laddr.T, totals.key(2)[order]
        exact, side = (side & _EXACT) != 0, side & ~_EXACT
        other = order == len(totals) - totals.has_other
        found = side >= _PROCESS
        unknown = ~(found | other)
        keys = zip(*(column[found].tolist() for column in (high, low, side)), strict=True)
        owners = [self._owners[key] for key in keys]
        owner = np.where(found, np.cumsum(found, dtype=np.int32) - 1, -1)

        def writer(row: int) -> str:
            """Who wrote, when there is no command line."""
            if other[row]:
                return OTHER
            if found[row]:
                return ", ".join(
                    f"{name} ({pid})" for pid, name in holders_of(owners[owner[row]]) or ()
                )
            return _end(int(high[row]), int(low[row]), int(side[row]))

        values = {
            "pid": Values(np.where(side == _PROCESS, high, -1)),
            "laddr": Values(laddr, known=unknown),
            "port": Values(np.where(unknown, side & _PORT, -1)),
            "role": Values(np.where(unknown, side >> _ROLE_SHIFT, -1), _ROLES),
            "buckets": Values(order, LazyPool(len(totals), _histograms(totals))),
            "method": Values(_methods(exact, other), _METHODS),
            "writer": Values(np.arange(len(order)), LazyPool(len(order), writer)),
        }
        for number, name in enumerate(("count", "sum", "min", "max")):
            values[name] = Values(totals.value(number)[order])
        values |= _process_values(owners, owner) | self._attribution(totals.value(4)[order])
        notes = (other_note(self.max_keys),) if totals.has_other else ()
        return Report(Table(SCHEMA, values), notes)

    def _identified(self, owner: Owner) -> tuple[int, int, int, int]:
        """High, low and side of the owner's key, all 0 when nobody is known, and its evidence."""
        evidence = self._evidence.bit((owner.quality, owner.reason))
        if not owner.processes:
            return 0, 0, 0, evidence
        key = (*identity_of(owner), _PROCESS if owner.process else _HOLDERS)
        self._owners[key] = owner
        return *key, evidence

    def _attribution(self, evidence: NDArray[np.int64]) -> dict[str, Values]:
        different, place = np.unique(evidence, return_inverse=True)
        grounds = [together(self._evidence.of(bits)) for bits in different.tolist()]
        return {
            "attribution": text_values([quality for quality, _ in grounds]).take(place),
            "reason": text_values([reason for _, reason in grounds]).take(place),
        }


def _methods(exact: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Index of each row's method; what several keys have together may have both."""
    together = -1 if exact.any() else 0
    return np.where(other, together, exact).astype(np.int8)


def _order(totals: Totals) -> NDArray[np.int64]:
    high, low, exact = (totals.key(number) for number in range(3))
    side = exact & ~_EXACT
    weights = lower_bounds(totals.buckets) * totals.by_bucket[0]
    weight = np.add.reduceat(weights, totals.starts[:-1])
    pid = np.where(side == _PROCESS, high, -1)
    unknown = side < _PROCESS
    words = text_words(high * unknown, low * unknown)
    return totals.order(weight, pid, *words, side & _PORT, exact, high, low)


def _histograms(totals: Totals) -> Callable[[int], list[list[int]]]:
    """[lower bound, writes] of each bucket of a key, by the key's row."""
    buckets, counts, starts = totals.buckets.astype(np.int8), totals.by_bucket[0], totals.starts

    def histogram(row: int) -> list[list[int]]:
        own = slice(starts[row], starts[row + 1])
        bounds = lower_bounds(buckets[own].astype(np.int64))
        pairs = zip(bounds.tolist(), counts[own].tolist(), strict=True)
        return [[bound, count] for bound, count in pairs]

    return histogram


def _process_values(owners: Sequence[Owner], owner: NDArray[np.int64]) -> dict[str, Values]:
    """What is known of the processes; `owner` is the index of each row's, -1 none."""
    processes = [each.process for each in owners]
    pools: dict[str, list[object]] = {
        "command": [each.command if each else None for each in processes],
        "command_line": [
            (each.command_line or f"[{each.command}]") if each else None for each in processes
        ],
        "holders": [holders_of(each) for each in owners],
    }
    # The entry that -1 takes.
    return {name: object_values([*pool, None]).take(owner) for name, pool in pools.items()}


def _end(high: int, low: int, side: int) -> str:
    """The end that wrote: `LADDR:PORT` is a server, `LADDR -> *:PORT` its client."""
    address, port = text_of(high, low), side & _PORT
    if side >> _ROLE_SHIFT == ORIGINATOR:
        return f"{address} -> *:{port}"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
