"""Processes in a run: labels on probes, and the filter by process."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tcpsnoop.batches.owners import Context, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import RECEIVE, SEND, WRITE
from tcpsnoop.batches.rows import chosen, copied
from tcpsnoop.engine.settings import Settings
from tcpsnoop.interfaces.owner_lookup import OwnerLookup
from tcpsnoop.owners import (
    HOLD_SECONDS,
    Choice,
    Replayed,
    Wanted,
    matching,
    open_journal,
    open_lookup,
)
from tcpsnoop.report import columns_of

# A call returns, and is read, a moment after the packets that it made.
_SLACK_NS = 5_000_000


def wanted_of(settings: Settings) -> Wanted:
    """What the output depends on of processes besides PID and name."""
    shown: set[str] = set()
    for _, own in settings.reports:
        schema = own.schema
        every = {column.name for column in schema.columns}
        shown |= every if settings.machine else columns_of(schema.layout)
    return Wanted(
        user="uid" in shown or bool(settings.uids),
        command_line="command_line" in shown,
        cgroup=bool(shown & {"unit", "container"} or settings.cgroups),
        context=bool(shown & set(Context._fields)),
    )


def open_attribution(settings: Settings) -> Attribution:
    """What labels the probes of a run; UsageError when there is no such journal."""
    calls = any("application-write" in own.probes for _, own in settings.reports)
    lookup: OwnerLookup
    if settings.owners is None:
        given = None if settings.tracepoints is None else Path(settings.tracepoints)
        lookup = open_lookup(
            time.time_ns,
            wanted_of(settings),
            tracing=settings.tracing,
            tracepoints=given,
            calls=calls,
        )
    else:
        lookup = Replayed(open_journal(settings.owners), settings.hold, calls=calls)

    def begun_by_us(process: Process) -> bool:
        return lookup.descends(process, os.getpid())

    choice = Choice(
        settings.pids,
        settings.commands,
        settings.uids,
        settings.cgroups,
        begun_by_us if settings.run else None,
    )
    if settings.owners is None:
        return Attribution(lookup, choice, settings.hold, calls=calls)
    return Attribution(lookup, choice, HOLD_SECONDS, calls=calls, by_packets=True)


class Attribution:
    """Labels the probes with their owners and lets only the chosen processes' through.

    Where the lookup is late, probes are held for `hold` seconds before they are labelled. `calls`:
    the send calls that the kernel tells are probes, too, and take the place of writes as packets
    show them. `by_packets`: they are of a file, and time goes on as its packets tell.
    """

    def __init__(
        self,
        lookup: OwnerLookup,
        choice: Choice,
        hold: float = 0.0,
        *,
        calls: bool = False,
        by_packets: bool = False,
    ) -> None:
        self.lookup = lookup
        self._by_packets = by_packets
        self._seen_ns = self._labelled_ns = 0  # times of packets, the latest
        self._choice = choice
        self._matches = np.empty(0, np.bool_)  # of the owners in the pool so far
        self._hold = hold if lookup.late else 0.0
        self._held: deque[tuple[float, ProbeBatch]] = deque()  # when they are due
        self._calls = calls and lookup.late
        self._until_ns = 0

    def take(self, batch: ProbeBatch, now: float) -> Iterator[ProbeBatch]:
        """Probes at monotonic time `now`; the batch may be overwritten after that."""
        self.lookup.see(batch)
        if not self._hold:
            if self.lookup.late:
                self.lookup.poll()
            yield self.label(batch)
            return
        if len(batch):
            self._seen_ns = max(self._seen_ns, int(batch.rows["clock_ns"].max()))
        now = self._now(now)
        kept = replace(
            batch,
            every=copied(batch.rows),
            index=None,
            numbers=None,
            closed=copied(batch.closed),
            details=copied(batch.details),
        )
        self._held.append((now + self._hold, kept))

    def due(self, now: float) -> Iterator[ProbeBatch]:
        """Probes of packets that were held long enough, labelled; the lookup was polled before."""
        now = self._now(now)
        while self._held and self._held[0][0] <= now:
            yield self.label(self._held.popleft()[1])

    def rest(self) -> Iterator[ProbeBatch]:
        """All probes that are held, labelled with what is known by now."""
        self._until_ns = self._seen_ns + _SLACK_NS if self._by_packets else time.time_ns()
        self.lookup.finish()
        while self._held:
            yield self.label(self._held.popleft()[1])

    def calls(self, until_ns: int | None = None) -> Iterator[ProbeBatch]:
        """Send calls: until that time, else those that no packet can come before any more."""
        if not self._calls:
            return
        if until_ns is None and self._by_packets:
            until_ns = self._labelled_ns
        elif until_ns is None:
            until_ns = time.time_ns() - round(self._hold * 1e9) - _SLACK_NS
        yield self._chosen(self.lookup.take_writes(until_ns))

    def rest_of_calls(self) -> Iterator[ProbeBatch]:
        """The send calls that are left once `rest` was."""
        if self._calls:
            yield self._chosen(self.lookup.take_writes(self._until_ns, last=True))

    @property
    def busy(self) -> bool:
        """Something is held, or may be looked for."""
        return bool(self._held) or not self.lookup.late

    @property
    def oldest_packet(self) -> int | None:
        """The number of the first packet whose probes are held."""
        return int(self._held[0][1].rows["packet"].min()) if self._held else None

    def label(self, batch: ProbeBatch) -> ProbeBatch:
        """The batch with owners, without the rows of other processes."""
        batch = replace(batch, owners=self.lookup.label(batch))
        if len(batch):
            self._labelled_ns = max(self._labelled_ns, int(batch.rows["clock_ns"].max()))
        writes = np.flatnonzero((batch.rows["probe"] == WRITE) & self._calls)
        if len(writes):
            known = np.ones(len(batch), np.bool_)
            known[writes] = ~self.lookup.follows(chosen(batch.rows, writes))
            batch = batch.take(known)
        return self._chosen(batch)

    def _now(self, monotonic: float) -> float:
        return self._seen_ns / 1e9 if self._by_packets else monotonic

    def _chosen(self, batch: ProbeBatch) -> ProbeBatch:
        if not self._choice:
            return batch
        owners = batch.owners
        known = len(self._matches)
        if known < len(owners.pool):
            more = matching(owners.pool, self._choice, start=known)
            self._matches = np.concatenate((self._matches, more))
        return _seen_alone(batch.take(self._matches[owners.indices(len(batch))]))


def _seen_alone(batch: ProbeBatch) -> ProbeBatch:
    """Chosen rows: who received from an end that was not chosen has no local end opposite.

    Otherwise a log, which shows a segment between two local ends once, from its sender, would leave
    out what a chosen process received on loopback. All rows of a segment are in the same batch.
    """
    rows = batch.rows
    sent = rows["packet"][rows["probe"] == SEND]
    alone = (rows["probe"] == RECEIVE) & ~np.isin(rows["packet"], sent)
    rows["remote_local"][alone] = 0
    return batch
