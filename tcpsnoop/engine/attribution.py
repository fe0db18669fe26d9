"""Processes in a run: labels on probes, and the filter by process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tcpsnoop.batches.probes import RECEIVE, SEND, ProbeBatch
from tcpsnoop.interfaces.owner_lookup import OwnerLookup
from tcpsnoop.owners.selection import matching


class Attribution:
    """Labels the probes with their owners and lets only the chosen processes' through."""

    def __init__(
        self, lookup: OwnerLookup, pids: Sequence[int] = (), commands: Sequence[str] = ()
    ) -> None:
        self.lookup = lookup
        self._pids, self._commands = frozenset(pids), frozenset(commands)
        self._matches = np.empty(0, np.bool_)  # of the owners in the pool so far

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
