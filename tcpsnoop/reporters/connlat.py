"""Connect latency, a line each: how long until an answer, a refusal or a timeout.

From the first SYN to the SYN|ACK, as the capture saw both; so SYNs that were lost count, and are
told as RETRIES. RESULT is ok, refused (a RST answered) or timeout (nothing did). --by makes it a
table of percentiles for each result, --histogram power-of-two histograms by remote host.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Quantiles
from tcpsnoop.batches.addresses import text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CONNECT_ESTABLISHED, CONNECT_REFUSED
from tcpsnoop.batches.rows import chosen
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.distributions import (
    DURATIONS,
    duration_values,
    durations_layout,
    histogram_option,
)
from tcpsnoop.interfaces.ends import ADDRESSES, Ends, end_values
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, owner_values
from tcpsnoop.interfaces.reporter import DEFAULT_MAX_KEYS, OTHER, option, other_note
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Report, Schema, Table, Values

RESULTS = ("ok", "refused", "timeout")
ALL, REMOTE = GROUPS = ("all", "remote")

_MS = 1_000_000
_RESULT = Column("result", Kind.TEXT, f"one of {', '.join(RESULTS)}")
_RESULT_OF = np.full(256, RESULTS.index("timeout"), np.int64)
_RESULT_OF[CONNECT_ESTABLISHED] = RESULTS.index("ok")
_RESULT_OF[CONNECT_REFUSED] = RESULTS.index("refused")

LOG_SCHEMA = Schema(
    columns=(
        Column("time", Kind.TIME, "time of the answer, or of giving up"),
        *PROCESS,
        *ADDRESSES,
        _RESULT,
        Column("latency_seconds", Kind.SECONDS, "since the first SYN"),
        Column("retries", Kind.INTEGER, "times the SYN was sent again"),
        *ATTRIBUTION,
    ),
    layout=Line(
        f"{'PID':<7} {'COMM':<12} IP {'SADDR':<16} {'LPORT':<6} {'DADDR':<16} {'DPORT':<5} "
        f"{'LAT(ms)':<9} {'RESULT':<7} RETRIES",
        (
            Cell("pid", 7, Align.LEFT),
            " ",
            Cell("command", 12, Align.LEFT),
            " ",
            Cell("ip", 2, Align.LEFT),
            " ",
            Cell("laddr", 16, Align.LEFT),
            " ",
            Cell("lport", 6, Align.LEFT),
            " ",
            Cell("raddr", 16, Align.LEFT),
            " ",
            Cell("rport", 5, Align.LEFT),
            " ",
            Cell("latency_seconds", 9, Align.LEFT, unit=_MS, decimals=2),
            " ",
            Cell("result", 7, Align.LEFT),
            " ",
            Cell("retries"),
        ),
    ),
)


@lru_cache(maxsize=4)
def _summary_schema(by: str, histogram: bool) -> Schema:
    result = Cell("result", 7, Align.LEFT)
    host = Cell("hostname", 15, Align.LEFT, otherwise="address")
    by_host = by == REMOTE
    return Schema(
        (
            _RESULT,
            Column("address", Kind.ADDRESS, "the remote host, with --by remote"),
            Column("hostname", Kind.TEXT, "its name, when it is known", names=("host", "address")),
            *DURATIONS,
        ),
        durations_layout(
            f"{'RESULT':<7} {'REMOTE':<15}" if by_host else f"{'RESULT':<7}",
            (result, " ", host) if by_host else (result,),
            ("  ", Cell("result"), " ", host) if by_host else ("  ", Cell("result")),
            histogram=histogram,
        ),
    )


@dataclass
class Connlat(Ends):
    """A log of connects, or a summary of their latencies.

    Making one gives the kind that the options ask for, as a `pathlib.Path` is of its system.
    """

    probes: ClassVar[tuple[str, ...]] = (
        "connect-established",
        "connect-refused",
        "connect-timeout",
    )

    min_ms: float = option(0.0, "only what took so many milliseconds or more")
    by: str = option(
        "", "a row for each of these and result, not a line each", "-b", choices=GROUPS
    )
    histogram: bool = histogram_option()
    max_keys: int = option(DEFAULT_MAX_KEYS, "hosts told apart; the rest together")

    def __new__(cls, *_: Any, by: str = "", histogram: bool = False, **__: Any) -> Connlat:
        """A log or a summary."""
        kind = (_Summary if by or histogram else _Log) if cls is Connlat else cls
        return super().__new__(kind)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.min_ms) and self.min_ms >= 0):
            raise UsageError("--min-ms is a number of milliseconds, 0 or more")

    @property
    def schema(self) -> Schema:
        """The line of tcpconnlat, or distributions."""
        return LOG_SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def slow(self, batch: ProbeBatch) -> NDArray[np.bool_]:
        """Which rows the options let through; one whose time is not known took 0 ms or more."""
        wanted = self.chosen(batch.rows)
        if self.min_ms > 0:
            wanted &= batch.details["elapsed_ns"][batch.rows["detail"]] >= self.min_ms * _MS
        return wanted


class _Log(Connlat):
    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each attempt that came to an end."""
        origin = np.flatnonzero(self.slow(batch))
        batch = batch.take(origin)
        rows = batch.rows
        attempt = chosen(batch.details, rows["detail"])
        values = {
            "time": Values(rows["time_ns"], digits=rows["digits"]),
            "result": Values(_RESULT_OF[rows["probe"]], RESULTS),
            "latency_seconds": Values(attempt["elapsed_ns"]),
            "retries": Values(attempt["count"]),
        }
        values |= end_values(batch) | owner_values(batch.owners, len(rows))
        return Table(self.schema, values, origin)


class _Summary(Connlat):
    def __post_init__(self) -> None:
        super().__post_init__()
        self._times = Quantiles(3, self.max_keys)

    @property
    def schema(self) -> Schema:
        """Percentiles or histograms."""
        return _summary_schema(self.by or REMOTE, self.histogram)

    def observe(self, batch: ProbeBatch) -> None:
        """Take the latencies of a batch in."""
        elapsed_ns = batch.details["elapsed_ns"][batch.rows["detail"]]
        wanted = self.slow(batch) & (elapsed_ns >= 0)
        rows = chosen(batch.rows, wanted)
        high, low = rows["raddr_high"], rows["raddr_low"]
        if self.by == ALL:
            high, low = np.zeros_like(high), np.zeros_like(low)
        self._times.observe((_RESULT_OF[rows["probe"]], high, low), elapsed_ns[wanted])

    def merge(self, other: _Summary) -> None:
        """Add the latencies of another."""
        self._times.merge(other._times)

    def report(self) -> Report:
        """By result; ascending by the median, then by count and address."""
        (found,) = self._times.distributions()
        result, high, low = (found.totals.key(number) for number in range(3))
        order = found.totals.order(result, found.quantile(50), found.count, *text_words(high, low))
        known = order < len(found) - found.totals.has_other
        values = {
            "result": Values(np.where(known, result[order], -1), RESULTS),
            "address": Values(np.stack((high, low), axis=1)[order], known=known & (self.by != ALL)),
            **duration_values([(found, order)]),
        }
        if known.all():
            return Report(Table(self.schema, values))
        values["hostname"] = Values(np.where(known, -1, 0), (OTHER,))
        return Report(Table(self.schema, values), (other_note(self.max_keys),))
