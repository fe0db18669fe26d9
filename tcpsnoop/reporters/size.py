"""Sizes of segments: a distribution of payload for each remote host and local port.

Many small segments cost processor time at both ends and headers on the wire; full ones are bulk
transfers. 0 is an acknowledgment, or a SYN, FIN or RST without data. On a host that leaves
segmentation to its network card, what it sends is captured before that, in sizes up to 64 KiB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tcpsnoop.accumulate import POWERS_OF_TWO, Keyed, Totals, lower_bounds
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.columns import let_through
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note, unknown_note
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
        Column("raddr", Kind.ADDRESS, "remote address"),
        Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "raddr")),
        Column("lport", Kind.INTEGER, "local port"),
        Column("service", Kind.TEXT, "name of the service on it", names=("service", "lport")),
        Column("count", Kind.INTEGER, "segments, both directions"),
        Column("sum", Kind.INTEGER, "payload bytes of all of them"),
        Column("min", Kind.INTEGER, "payload bytes of the smallest"),
        Column("max", Kind.INTEGER, "payload bytes of the largest"),
        Column("buckets", Kind.OBJECT, "[lower bound, segments] of each power of two that has any"),
    ),
    # As printa writes a string and a port that are the key of an aggregation.
    layout=Quantize(
        head=(
            "  ",
            Cell("hostname", 50, Align.LEFT, otherwise="raddr"),
            " ",
            Cell("service", 6, otherwise="lport"),
        ),
        buckets="buckets",
    ),
)


@dataclass
class Size:
    """Power-of-two histograms of payload by remote address and local port."""

    probes: ClassVar[tuple[str, ...]] = ("send", "receive")

    max_keys: int = option(DEFAULT_MAX_KEYS, "hosts and ports told apart; the rest together")

    def __post_init__(self) -> None:
        # Segments, their bytes, the least and the most of one.
        values = (np.add, np.add, np.minimum, np.maximum)
        self._sizes = Keyed(3, values, self.max_keys, share_bits=POWERS_OF_TWO)
        self._unknown = 0

    @property
    def schema(self) -> Schema:
        """The columns, and the histograms of tcpsize."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Put the segments of a batch into their buckets, no copies."""
        columns = batch.columns("duplicate", "bytes", "raddr_high", "raddr_low", "lport")
        columns = let_through(columns, columns[0] == 0)
        known = columns[1] >= 0
        self._unknown += int(np.count_nonzero(~known))
        _, size, *key = let_through(columns, known)
        self._sizes.observe(key, (1, size, size, size), size)

    def merge(self, other: Size) -> None:
        """Add the histograms of another."""
        self._sizes.merge(other._sizes)
        self._unknown += other._unknown

    def report(self) -> Report:
        """Ascending by the sum of bucket times segments; ties by those of 0, address and port."""
        totals = self._sizes.totals()
        high, low, port = (totals.key(number) for number in range(3))
        bounds, counts = lower_bounds(totals.buckets), totals.by_bucket[0].astype(np.int64)
        weight = np.add.reduceat(bounds * counts, totals.starts[:-1])
        empty = np.add.reduceat((bounds == 0) * counts, totals.starts[:-1])
        order = totals.order(weight, empty, *text_words(high, low), port)
        known = order < len(totals) - totals.has_other
        values = {
            "raddr": Values(np.stack((high[order], low[order]), axis=1), known=known),
            "lport": Values(np.where(known, port[order], -1)),
            "buckets": Values(order, LazyPool(len(totals), _histograms(totals))),
        }
        for number, name in enumerate(("count", "sum", "min", "max")):
            values[name] = Values(totals.value(number)[order])
        notes = unknown_note(self._unknown)
        if totals.has_other:
            values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
            notes += (other_note(self.max_keys),)
        return Report(Table(SCHEMA, values), notes)


def _histograms(totals: Totals) -> Callable[[int], list[list[int]]]:
    """[lower bound, segments] of each bucket of a key, by the key's row."""
    buckets, counts, starts = totals.buckets, totals.by_bucket[0], totals.starts

    def histogram(row: int) -> list[list[int]]:
        own = slice(starts[row], starts[row + 1])
        bounds = lower_bounds(buckets[own]).tolist()
        return [list(pair) for pair in zip(bounds, counts[own].tolist(), strict=True)]

    return histogram
