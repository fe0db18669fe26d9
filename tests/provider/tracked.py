"""Segments through a Tracker, and what it fired in words that can be compared."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import tcpsnoop
from tcpsnoop.batches.addresses import text_of
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import (
    CLOSED,
    CLOSED_ROW,
    CONN_STATES,
    DETAIL,
    END_REASONS,
    PROBES,
    RETRANSMISSIONS,
    RTT_METHODS,
    STATES,
    Field,
)
from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.provider import intervals, sides, states, timings, tracker
from tcpsnoop.provider.tracker import Tracker
from tests.provider.talk import Sent, rows

# Every probe that packets fire; the others come from the kernel's record.
EVERY = tuple(name for name in PROBES if not name.startswith("application-"))
# What the oracle knows; the others are compared with vectors and with other programs.
ALL = (
    "send",
    "receive",
    "connect-request",
    "connect-established",
    "connect-refused",
    "accept-established",
    "accept-refused",
    "write",
    "closed",
    "duplicate-frame",
)
NAMES = {probe.number: name for name, probe in PROBES.items()}
# What numbers stand for in the fields of probes whose type is text.
WORDS = {
    ("closed", "conn_state"): CONN_STATES,
    ("closed", "end_reason"): END_REASONS,
    ("retransmit", "kind"): RETRANSMISSIONS,
    ("retransmit", "new"): STATES,
    ("repeat", "kind"): RETRANSMISSIONS,
    ("rtt-sample", "kind"): RTT_METHODS,
    ("state-change", "old"): STATES,
    ("state-change", "new"): STATES,
    ("reset", "new"): STATES,
}
SERVICES = frozenset({3306, 5432, 6667, 8080})  # registered ports above the well-known ones


class Counts(NamedTuple):
    """What one end sent, as `closed` tells it."""

    segments: int
    payload: int
    retransmitted: int = 0
    probe: int = 0


class Totals(NamedTuple):
    """What `closed` adds: `tx` is the end at the left."""

    start_ns: int
    end_reason: str
    midstream: bool
    tx: Counts
    rx: Counts


class Fired(NamedTuple):
    """A row of a probe; `left` and `right` are `ADDRESS PORT`."""

    probe: str
    packet: int
    time_ns: int
    connection: int
    end: str
    left: str
    direction: str
    right: str
    bytes: int | None
    flags: int
    duplicate: bool
    remote_local: bool
    totals: Totals | None
    adds: tuple[tuple[str, int | str], ...] = ()  # the fields that the probe adds, in words

    @property
    def added(self) -> dict[str, int | str]:
        """The fields that the probe adds, by their names."""
        return dict(self.adds)


class Provider(NamedTuple):
    """The modules of the provider that tests need."""

    tracker: ModuleType
    sides: ModuleType
    intervals: ModuleType
    timings: ModuleType
    states: ModuleType


COMPILED = Provider(tracker, sides, intervals, timings, states)


@cache
def interpreted() -> Provider:
    """The provider once more, its kernels left as plain functions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TCPSNOOP_INTERPRET", "1")
        patch.setattr(tcpsnoop, "provider", tcpsnoop.provider)
        for name in [name for name in sys.modules if name.startswith("tcpsnoop.provider")]:
            patch.delitem(sys.modules, name)
        names = [f"tcpsnoop.provider.{name}" for name in Provider._fields]
        return Provider(*map(importlib.import_module, names))


def services(ports: Iterable[int] = SERVICES) -> NDArray[np.bool_]:
    """The ports of registered services, as a Tracker takes them."""
    marked = np.zeros(1 << 16, np.bool_)
    marked[list(ports)] = True
    return marked


def make_tracker(
    wanted: Iterable[str] = ALL,
    *,
    local: Sequence[str] = (),
    known: Iterable[tuple[int, int]] = (),
    max_connections: int = 256,
    decided: bool = False,
    provider: Provider = COMPILED,
) -> Tracker:
    """A Tracker; `local` and `known` are the prefixes and addresses of rules 1 and 2.

    `decided` leaves rules 3 and 4 out, so that no segment waits for them.
    """
    window = provider.sides.Window(tuple(local), known, decided=decided, waits=False)
    made: Tracker = provider.tracker.Tracker(wanted, services(), window, max_connections)
    return made


def feed(
    tracker: Tracker, sent: Sequence[Sent], sizes: Sequence[int] = (), first: int = 1
) -> list[Fired]:
    """What these segments fire, in batches of these sizes and the rest in one."""
    return list(feed_rows(tracker, rows(sent, first), sizes))


def feed_rows(
    tracker: Tracker, segments: SegmentBatch, sizes: Sequence[int] = ()
) -> Iterable[Fired]:
    """The same for segments that are a batch already."""
    start = 0
    for size in (*sizes, len(segments)):
        for batch in tracker.feed(segments[start : start + size].copy(), 0.0):
            yield from told(batch)
        start += size


def finish(tracker: Tracker) -> list[Fired]:
    """What the end of the input fires."""
    return [fired for batch in tracker.finish() for fired in told(batch)]


def track(sent: Sequence[Sent], *wanted: str, sizes: Sequence[int] = (), **how: Any) -> list[Fired]:
    """All that a capture of these segments fires, of the wanted probes or of all."""
    tracker = make_tracker(wanted or ALL, **how)
    return [*feed(tracker, sent, sizes), *finish(tracker)]


def told(batch: ProbeBatch) -> Iterable[Fired]:
    """The rows of a batch in words."""
    assert batch.numbers is not None
    assert batch.numbers.tolist() == batch.rows["probe"].tolist()
    for row in batch.rows:
        left = f"{text_of(row['laddr_high'], row['laddr_low'])} {row['lport']}"
        right = f"{text_of(row['raddr_high'], row['raddr_low'])} {row['rport']}"
        name = NAMES[int(row["probe"])]
        yield Fired(
            name,
            int(row["packet"]),
            int(row["time_ns"]),
            int(row["connection"]),
            ("originator", "responder")[row["end"]],
            left,
            ("<-", "->")[row["outgoing"]],
            right,
            None if row["bytes"] < 0 else int(row["bytes"]),
            int(row["flags"]),
            bool(row["duplicate"]),
            bool(row["remote_local"]),
            _totals(batch.closed[row["detail"]]) if row["probe"] == CLOSED else None,
            _added(name, batch, int(row["detail"])),
        )


def _added(name: str, batch: ProbeBatch, detail: int) -> tuple[tuple[str, int | str], ...]:
    fields = PROBES[name].fields
    if not fields:
        assert detail < 0, f"{name} adds nothing"
        return ()
    rows_, dtype = (batch.closed, CLOSED_ROW) if name == "closed" else (batch.details, DETAIL)
    row = rows_[detail]
    assert 0 <= detail < len(rows_)
    assert rows_.dtype == dtype
    return tuple((each.name, _word(name, each, row)) for each in fields)


def _word(probe: str, field: Field, row: np.void) -> int | str:
    if field.type == "address":
        return text_of(row[f"{field.name}_high"], row[f"{field.name}_low"])
    value = int(row[field.name])
    return WORDS[probe, field.name][value] if field.type == "text" else value


def _totals(row: np.void) -> Totals:
    tx, rx = (
        Counts(*(int(row[f"{way}_{name}"]) for name in Counts._fields)) for way in ("tx", "rx")
    )
    reason = END_REASONS[row["end_reason"]]
    return Totals(int(row["start_ns"]), reason, bool(row["midstream"]), tx, rx)


def numbers(fired: list[Fired]) -> list[int]:
    """The connection of each segment, in order."""
    return [each.connection for each in fired if each.probe in ("send", "receive")]
