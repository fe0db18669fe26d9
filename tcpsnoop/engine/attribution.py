"""Processes in a run: labels on probes, and the filter by process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tcpsnoop.batches.probes import RECEIVE, SEND, ProbeBatch
from tcpsnoop.engine.settings import Settings
from tcpsnoop.interfaces.owner_lookup import OwnerLookup
from tcpsnoop.owners import open_lookup
from tcpsnoop.owners.selection import matching


def names_processes(settings: Settings) -> bool:
    """Whether anything in the output depends on processes that can be known."""
    columns = {column.name for _, own in settings.reports for column in own.schema.columns}
    return settings.live and ("pid" in columns or bool(settings.pids or settings.commands))


def open_attribution(settings: Settings) -> Attribution:
    """What labels the probes of a live run."""
    given = None if settings.tracepoints is None else Path(settings.tracepoints)
    lookup = open_lookup(time.time_ns, tracing=settings.tracing, tracepoints=given)
    return Attribution(lookup, settings.pids, settings.commands, settings.hold)


class Attribution:
    """Labels the probes with their owners and lets only the chosen processes' through.

    Where the lookup is late, probes are held for `hold` seconds before they are labelled.
    """

    def __init__(
        self,
        lookup: OwnerLookup,
        pids: Sequence[int] = (),
        commands: Sequence[str] = (),
        hold: float = 0.0,
    ) -> None:
        self.lookup = lookup
        self._pids, self._commands = frozenset(pids), frozenset(commands)
        self._matches = np.empty(0, np.bool_)  # of the owners in the pool so far
        self._hold = hold if lookup.late else 0.0
        self._held: deque[tuple[float, ProbeBatch]] = deque()  # when they are due

    def take(self, batch: ProbeBatch, now: float) -> Iterator[ProbeBatch]:
        """Probes at monotonic time `now`; the batch may be overwritten after that."""
        if not self._hold:
            yield self.label(batch)
            return
        self.lookup.see(batch)
        kept = replace(batch, rows=batch.rows.copy(), closed=batch.closed.copy())
        self._held.append((now + self._hold, kept))

    def due(self, now: float) -> Iterator[ProbeBatch]:
        """Probes that were held long enough, labelled."""
        while self._held and self._held[0][0] <= now:
            yield self.label(self._held.popleft()[1])

    def rest(self) -> Iterator[ProbeBatch]:
        """All probes that are held, labelled with what is known by now."""
        self.lookup.finish()
        while self._held:
            yield self.label(self._held.popleft()[1])

    @property
    def oldest_packet(self) -> int | None:
        """The number of the first packet whose probes are held."""
        return int(self._held[0][1].rows["packet"].min()) if self._held else None

    def label(self, batch: ProbeBatch) -> ProbeBatch:
        """The batch with owners, without the rows of other processes."""
        batch = replace(batch, owners=self.lookup.label(batch))
        if not self._pids and not self._commands:
            return batch
        owners = batch.owners
        known = len(self._matches)
        if known < len(owners.pool):
            more = matching(owners.pool, self._pids, self._commands, start=known)
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
