"""All ways to know an owner as one: the kernel's record first, then what /proc shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import OwnerColumns, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import PROBE_ROW
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.shares import Shares
from tcpsnoop.owners.tracing.traced import Traced


class Sockets(Protocol):
    """What is asked where tracing does not know: sockets, and who holds them."""

    @property
    def method(self) -> str:
        """Its name in the notes."""

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row of the batch, by the end at the left; never raises."""

    def poll(self) -> None:
        """Time to refresh what is known."""

    def descends(self, process: Process, ancestor: int) -> bool:
        """Whether a process was begun by the one of that PID, or by one that it began."""

    def remarks(self) -> Sequence[str]:
        """Lines for the notes: what could not be seen."""

    def close(self) -> None:
        """Give back what is held; may be called twice."""


class Merged:
    """An OwnerLookup; `why_not` says why there is no `traced`."""

    addresses: Collection[tuple[int, int]] = ()
    damage: str | None = None

    def __init__(
        self, pool: OwnerPool, sockets: Sockets, traced: Traced | None, why_not: str = ""
    ) -> None:
        self._pool = pool
        self._sockets = sockets
        self._traced = traced
        self._why_not = why_not
        self._shares = Shares(pool)
        self._writes_taken = False  # somebody has asked for send calls

    @property
    def late(self) -> bool:
        """What is known of a packet comes after it."""
        return self._traced is not None

    def see(self, batch: ProbeBatch) -> None:
        """Note what packets tell of their connections."""
        if self._traced is not None:
            self._traced.see(batch.rows)

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row of the batch, by the end at the left; never raises."""
        codes = np.zeros(len(batch), np.int32)
        if self._traced is None:
            codes = self._sockets.label(batch).indices(len(batch))
        else:
            known = self._traced.label(batch.rows, codes)
            if not known.all():
                others = np.flatnonzero(~known)
                codes[others] = self._sockets.label(batch.take(others)).index
        self._shares.count(batch.rows, codes)
        return OwnerColumns(codes, self._pool.owners)

    def leave(self, batch: ProbeBatch) -> None:
        """Count rows of which nobody is asked for the owners."""
        self._shares.count(batch.rows, np.zeros(len(batch), np.int32))

    def poll(self) -> None:
        """Take in what the kernel tells; refresh what /proc shows."""
        if self._traced is not None:
            self._traced.poll()
        self._sockets.poll()

    def caught_up(self, time_ns: int) -> None:
        """Every packet before that was given to `see`."""
        if self._traced is not None:
            self._traced.caught_up(time_ns)

    def descends(self, process: Process, ancestor: int) -> bool:
        """Whether a process was begun by the one of that PID, or by one that it began."""
        told = None if self._traced is None else self._traced.descends(process, ancestor)
        return self._sockets.descends(process, ancestor) if told is None else told

    def follows(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """For each row of `write`, whether `take_writes` has the calls of its end instead."""
        if self._traced is None:
            return np.zeros(len(rows), np.bool_)
        return self._traced.follows(rows)

    def take_writes(self, until_ns: int, *, last: bool = False) -> ProbeBatch:
        """The probe `application-write`, of send calls that returned before that; each once."""
        self._writes_taken = True
        if self._traced is None:
            return ProbeBatch(np.empty(0, PROBE_ROW))
        rows, codes = self._traced.take_writes(until_ns, last=last)
        return ProbeBatch(rows, owners=OwnerColumns(codes, self._pool.owners))

    def finish(self) -> None:
        """No more packets will come: take in what the kernel still has to tell."""
        if self._traced is not None:
            self._traced.finish()

    def summary(self) -> Sequence[str]:
        """Lines for the notes: the method, what it could not see, shares by quality."""
        method = self._sockets.method
        if self._traced is not None:
            method = f"{self._traced.method}, then {method}"
        lines = [f"owners: {method}, {line}" for line in self._shares.lines()]
        if self._traced is None and self._why_not:
            lines.append(f"owners: no kernel tracing: {self._why_not}")
        elif self._traced is not None:
            lost = self._traced.lost
            lines.append(
                f"owners: {lost:,} events lost: connections of then may be unknown"
                if lost
                else "owners: no event lost"
            )
            if self._traced.unseen_writes and self._writes_taken:
                lines.append(
                    f"owners: {self._traced.unseen_writes:,} send calls on connections of which "
                    "no packet was captured: not counted"
                )
        return [*lines, *self._sockets.remarks()]

    def close(self) -> None:
        """Give back what is held; may be called twice."""
        if self._traced is not None:
            self._traced.close()
        self._sockets.close()
