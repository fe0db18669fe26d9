"""Processes in a run: labels on probes, and the filter by process."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tcpsnoop.batches.owners import Process
from tcpsnoop.batches.probes import RECEIVE, SEND, WRITE, ProbeBatch
from tcpsnoop.engine.settings import Settings
from tcpsnoop.interfaces.owner_lookup import OwnerLookup
from tcpsnoop.owners import Choice, matching, open_lookup

# A call returns, and is read, a moment after the packets that it made.
_SLACK_SECONDS = 0.005


def names_processes(settings: Settings) -> bool:
    """Whether anything in the output depends on processes that can be known."""
    columns = {column.name for _, own in settings.reports for column in own.schema.columns}
    return settings.live and ("pid" in columns or settings.chooses_processes)


def open_attribution(settings: Settings) -> Attribution:
    """What labels the probes of a live run."""
    given = None if settings.tracepoints is None else Path(settings.tracepoints)
    lookup = open_lookup(time.time_ns, tracing=settings.tracing, tracepoints=given)

    def begun_by_us(process: Process) -> bool:
        return lookup.descends(process, os.getpid())

    choice = Choice(
        settings.pids,
        settings.commands,
        settings.uids,
        settings.cgroups,
        begun_by_us if settings.run else None,
    )
    calls = any("application-write" in own.probes for _, own in settings.reports)
    return Attribution(lookup, choice, settings.hold, calls=calls)


class Attribution:
    """Labels the probes with their owners and lets only the chosen processes' through.

    Where the lookup is late, probes are held for `hold` seconds before they are labelled. `calls`:
    the send calls that the kernel tells are probes, too, and take the place of writes as packets
    show them.
    """

    def __init__(
        self, lookup: OwnerLookup, choice: Choice, hold: float = 0.0, *, calls: bool = False
    ) -> None:
        self.lookup = lookup
        self._choice = choice
        self._matches = np.empty(0, np.bool_)  # of the owners in the pool so far
        self._hold = hold if lookup.late else 0.0
        self._held: deque[tuple[float, ProbeBatch]] = deque()  # when they are due
        self._calls = calls and lookup.late

    def take(self, batch: ProbeBatch, now: float) -> Iterator[ProbeBatch]:
        """Probes at monotonic time `now`; the batch may be overwritten after that."""
        if not self._hold:
            yield self.label(batch)
            return
        self.lookup.see(batch)
        kept = replace(
            batch,
            rows=batch.rows.copy(),
            closed=batch.closed.copy(),
            details=batch.details.copy(),
        )
        self._held.append((now + self._hold, kept))

    def due(self, now: float) -> Iterator[ProbeBatch]:
        """Probes that were held long enough, labelled."""
        while self._held and self._held[0][0] <= now:
            yield self.label(self._held.popleft()[1])
        if self._calls:
            until_ns = time.time_ns() - round((self._hold + _SLACK_SECONDS) * 1e9)
            yield self._chosen(self.lookup.take_writes(until_ns))

    def rest(self) -> Iterator[ProbeBatch]:
        """All probes that are held, labelled with what is known by now."""
        until_ns = time.time_ns()
        self.lookup.finish()
        while self._held:
            yield self.label(self._held.popleft()[1])
        if self._calls:
            yield self._chosen(self.lookup.take_writes(until_ns, last=True))

    @property
    def oldest_packet(self) -> int | None:
        """The number of the first packet whose probes are held."""
        return int(self._held[0][1].rows["packet"].min()) if self._held else None

    def label(self, batch: ProbeBatch) -> ProbeBatch:
        """The batch with owners, without the rows of other processes."""
        batch = replace(batch, owners=self.lookup.label(batch))
        writes = np.flatnonzero(batch.rows["probe"] == WRITE) if self._calls else ()
        if len(writes):
            known = np.ones(len(batch), np.bool_)
            known[writes] = ~self.lookup.follows(batch.rows[writes])
            batch = batch.take(known)
        return self._chosen(batch)

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
