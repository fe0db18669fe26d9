"""Round-trip times: distributions by method, of all or by host or subnet.

Each is from a segment to its answer as the capture saw both: from the capture to the far end and
back, without what lies on the near side. Methods are never mixed: `syn` is SYN to SYN|ACK, `synack`
SYN|ACK to ACK, `irtt` their sum, which is the whole path wherever the capture is; `ack` is from
data sent once to its acknowledgment, which the receiver may delay; `timestamp` from a TSval to its
first echo.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Distributions, Quantiles
from tcpsnoop.batches.addresses import MAPPED, text_of, text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import RTT_METHODS
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.distributions import (
    DURATIONS,
    duration_values,
    durations_layout,
    histogram_option,
)
from tcpsnoop.interfaces.ends import Ends
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note
from tcpsnoop.report import Align, Cell, Column, Kind, LazyPool, Report, Schema, Table, Values

ALL, REMOTE, LOCAL, SUBNET = GROUPS = ("all", "remote", "local", "subnet")

COLUMNS = (
    Column("method", Kind.TEXT, f"how it was measured: {', '.join(RTT_METHODS)}"),
    Column("address", Kind.ADDRESS, "the host or network of --by"),
    Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "address")),
    Column("prefix", Kind.INTEGER, "length of the network's prefix, with --by subnet"),
    *DURATIONS,
)

# IPv4 addresses stand in the last 32 of 128 bits.
_MAPPED_BITS = 96


@lru_cache(maxsize=8)
def _schema(by: str, histogram: bool) -> Schema:
    method = Cell("method", 9, Align.LEFT)
    host = Cell("hostname", 15, Align.LEFT, otherwise="address")
    if by == SUBNET:
        host = Cell("network", 18, Align.LEFT)
    subnet = f" {'SUBNET':<18}"
    title = {SUBNET: subnet, ALL: "", REMOTE: f" {'REMOTE':<15}", LOCAL: f" {'LOCAL':<15}"}
    return Schema(
        COLUMNS,
        durations_layout(
            f"{'METHOD':<9}{title[by]}",
            (method,) if by == ALL else (method, " ", host),
            ("  ", Cell("method")) if by == ALL else ("  ", Cell("method"), " ", host),
            histogram=histogram,
        ),
    )


@dataclass
class Rtt(Ends):
    """Quantiles of `rtt-sample`, for each method apart."""

    probes: ClassVar[tuple[str, ...]] = ("rtt-sample",)

    by: str = option(ALL, "a row for each of these, or one for all", "-b", choices=GROUPS)
    method: str = option("", "this method alone", choices=RTT_METHODS)
    prefix: int = option(24, "length of an IPv4 subnet's prefix")
    prefix6: int = option(64, "length of an IPv6 subnet's prefix")
    histogram: bool = histogram_option()
    max_keys: int = option(DEFAULT_MAX_KEYS, "hosts or networks told apart; the rest together")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, longest in (("prefix", 32), ("prefix6", 128)):
            if not 0 < getattr(self, name) <= longest:
                raise UsageError(f"--{name} is a number from 1 to {longest}")
        self._times = Quantiles(2, self.max_keys, len(RTT_METHODS))

    @property
    def schema(self) -> Schema:
        """The columns, and percentiles or histograms."""
        return _schema(self.by, self.histogram)

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Take the samples of a batch in."""
        batch = self.let_through(batch)
        method, elapsed_ns = batch.detail_columns("kind", "elapsed_ns")
        key = self._key(batch)
        if self.method:
            mine = np.flatnonzero(method == RTT_METHODS.index(self.method))
            key = key[0][mine], key[1][mine]
            method, elapsed_ns = method[mine], elapsed_ns[mine]
        self._times.observe(key, elapsed_ns, method)

    def merge(self, other: Rtt) -> None:
        """Add the samples of another."""
        self._times.merge(other._times)

    def report(self) -> Report:
        """By method; ascending by the median, then by count and address."""
        found = self._times.distributions()
        orders = [_order(each) for each in found]
        blocks = list(zip(found, orders, strict=True))
        high, low = (
            np.concatenate([each.totals.key(number)[order] for each, order in blocks])
            for number in range(2)
        )
        known = np.concatenate(
            [order < len(each) - each.totals.has_other for each, order in blocks]
        )
        method = np.repeat(np.arange(len(blocks)), [len(order) for order in orders])
        named = known & (self.by != ALL)
        values = {
            "method": Values(method, RTT_METHODS),
            "address": Values(np.stack((high, low), axis=1), known=named),
            "prefix": Values(np.where(named, self._prefixes(high, low), -1)),
            **duration_values(blocks),
        }
        if self.by == SUBNET:

            def network(row: int) -> str:
                """What text says instead of an address."""
                if not known[row]:
                    return OTHER
                return f"{text_of(high[row], low[row])}/{values['prefix'].data[row]}"

            values["network"] = Values(np.arange(len(known)), LazyPool(len(known), network))
        if known.all():
            return Report(Table(self.schema, values))
        if self.by != SUBNET:
            values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
        return Report(Table(self.schema, values), (other_note(self.max_keys),))

    def _key(self, batch: ProbeBatch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if self.by == ALL:
            nowhere = np.zeros(len(batch), np.int64)
            return nowhere, nowhere
        side = "l" if self.by == LOCAL else "r"
        high, low = batch.columns(f"{side}addr_high", f"{side}addr_low")
        if self.by != SUBNET:
            return high, low
        bits = np.where(
            _over_ipv4(high, low), _MAPPED_BITS + self._prefixes(high, low), self.prefix6
        )
        return high & _mask(bits), low & _mask(bits - 64)

    def _prefixes(self, high: NDArray[np.int64], low: NDArray[np.int64]) -> NDArray[np.int64]:
        """The length of each network's prefix; -1 where rows are no networks."""
        if self.by != SUBNET:
            return np.full(len(high), -1)
        return np.where(_over_ipv4(high, low), self.prefix, self.prefix6)


def _order(found: Distributions) -> NDArray[np.int64]:
    high, low = (found.totals.key(number) for number in range(2))
    order: NDArray[np.int64] = found.totals.order(
        found.quantile(50), found.count, *text_words(high, low)
    )
    return order


def _over_ipv4(high: NDArray[np.int64], low: NDArray[np.int64]) -> NDArray[np.bool_]:
    ipv4: NDArray[np.bool_] = (high == 0) & (low >> 32 == MAPPED >> 32)
    return ipv4


def _mask(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """So many leading ones in each of 64 bits."""
    kept = np.clip(bits, 0, 64)
    return np.where(kept == 0, 0, np.int64(-1) << (64 - np.maximum(kept, 1)))
