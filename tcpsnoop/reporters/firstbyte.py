"""First bytes: how long servers took from the end of a request to their answer.

Each turn of a connection counts, by server and port. `first_byte` is the time from the last new
byte of the request to the first new one of the response, as captured: at the server what the server
took, at the client the network's round trip too. `app_latency` is the same less SYN to SYN|ACK, so
about what the server took wherever the capture is. A server that speaks first is measured since the
handshake, and has rows of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Distributions, Quantiles
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.interfaces.distributions import (
    DURATIONS,
    duration_values,
    durations_layout,
    histogram_option,
)
from tcpsnoop.interfaces.ends import Ends
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note
from tcpsnoop.report import Align, Cell, Column, Kind, Report, Schema, Table, Values

MEASURES = ("app_latency", "first_byte")
_COLUMNS_OF_DETAIL = ("latency_ns", "elapsed_ns")  # in the order of MEASURES
_ENDS = ("laddr_high", "raddr_high", "laddr_low", "raddr_low", "lport", "rport")
SINCE = ("request", "handshake")  # by the `kind` of the probe
# What text calls them, by measure and since.
_WHAT = ("application", "greeting app", "first byte", "greeting")

COLUMNS = (
    Column("measure", Kind.TEXT, "first_byte, or app_latency: less the network's round trip"),
    Column("since", Kind.TEXT, "request; handshake where the server spoke first"),
    Column("address", Kind.ADDRESS, "address of the server"),
    Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "address")),
    Column("port", Kind.INTEGER, "its port"),
    Column("service", Kind.TEXT, "name of the service on it", names=("service", "port")),
    *DURATIONS,
)


@lru_cache(maxsize=2)
def _schema(histogram: bool) -> Schema:
    server = Cell("hostname", 15, Align.LEFT, otherwise="address")
    port = Cell("service", 6, Align.LEFT, otherwise="port")
    return Schema(
        COLUMNS,
        durations_layout(
            f"{'WHAT':<12} {'SERVER':<15} {'PORT':<6}",
            (Cell("what", 12, Align.LEFT), " ", server, " ", port),
            ("  ", Cell("what"), " ", Cell("hostname", otherwise="address"), " ", port),
            histogram=histogram,
        ),
    )


@dataclass
class Firstbyte(Ends):
    """Quantiles of `first-byte`, by server."""

    probes: ClassVar[tuple[str, ...]] = ("first-byte",)

    measure: str = option("", "this one alone", choices=MEASURES)
    histogram: bool = histogram_option()
    max_keys: int = option(DEFAULT_MAX_KEYS, "servers and ports told apart; the rest together")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._times = [Quantiles(3, self.max_keys, len(SINCE)) for _ in MEASURES]

    @property
    def schema(self) -> Schema:
        """The columns, and percentiles or histograms."""
        return _schema(self.histogram)

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def observe(self, batch: ProbeBatch) -> None:
        """Take the turns of a batch in, once where both ends are local."""
        batch = self.let_through(batch)
        outgoing, remote_local, *ends = batch.columns("outgoing", "remote_local", *_ENDS)
        serves = outgoing == 1
        key = [np.where(serves, *sides) for sides in zip(ends[::2], ends[1::2], strict=True)]
        since, *measured = batch.detail_columns("kind", *_COLUMNS_OF_DETAIL)
        once = serves | (remote_local == 0)
        for measure, times, elapsed_ns in zip(MEASURES, self._times, measured, strict=True):
            wanted = once & (elapsed_ns >= 0)
            if self.measure in ("", measure) and wanted.any():
                mine = slice(None) if wanted.all() else np.flatnonzero(wanted)
                times.observe([column[mine] for column in key], elapsed_ns[mine], since[mine])

    def merge(self, other: Firstbyte) -> None:
        """Add the turns of another."""
        for mine, others in zip(self._times, other._times, strict=True):
            mine.merge(others)

    def report(self) -> Report:
        """By what was measured; ascending by the median, then by count, address and port."""
        found = [each for times in self._times for each in times.distributions()]
        orders = [_order(each) for each in found]
        blocks = list(zip(found, orders, strict=True))
        high, low, port = (
            np.concatenate([each.totals.key(number)[order] for each, order in blocks])
            for number in range(3)
        )
        known = np.concatenate(
            [order < len(each) - each.totals.has_other for each, order in blocks]
        )
        what = np.repeat(np.arange(len(blocks)), [len(order) for order in orders])
        values = {
            "measure": Values(what // len(SINCE), MEASURES),
            "since": Values(what % len(SINCE), SINCE),
            "what": Values(what, _WHAT),
            "address": Values(np.stack((high, low), axis=1), known=known),
            "port": Values(np.where(known, port, -1)),
            **duration_values(blocks),
        }
        if known.all():
            return Report(Table(self.schema, values))
        values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
        return Report(Table(self.schema, values), (other_note(self.max_keys),))


def _order(found: Distributions) -> NDArray[np.int64]:
    high, low, port = (found.totals.key(number) for number in range(3))
    order: NDArray[np.int64] = found.totals.order(
        found.quantile(50), found.count, *text_words(high, low), port
    )
    return order
