"""All ways to know an owner as one: the kernel's record first, then what /proc shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tcpsnoop.batches.owners import OwnerColumns
from tcpsnoop.batches.probes import ProbeBatch
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.procfs import Procfs
from tcpsnoop.owners.shares import Shares
from tcpsnoop.owners.tracing.traced import Traced, Writes


class Merged:
    """An OwnerLookup; `why_not` says why there is no `traced`."""

    def __init__(
        self, pool: OwnerPool, procfs: Procfs, traced: Traced | None, why_not: str = ""
    ) -> None:
        self._pool = pool
        self._procfs = procfs
        self._traced = traced
        self._why_not = why_not
        self._shares = Shares(pool)

    @property
    def late(self) -> bool:
        """What is known of a packet comes after it."""
        return self._traced is not None

    def see(self, batch: ProbeBatch) -> None:
        """Note what packets tell of their connections, before they are labelled."""
        if self._traced is not None:
            self._traced.see(batch.rows)

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row of the batch, by the end at the left; never raises."""
        codes = np.zeros(len(batch), np.int32)
        if self._traced is None:
            codes = self._procfs.label(batch).indices(len(batch))
        else:
            self._traced.poll()
            self._traced.see(batch.rows)
            known = self._traced.label(batch.rows, codes)
            if not known.all():
                others = np.flatnonzero(~known)
                codes[others] = self._procfs.label(batch.take(others)).index
        self._shares.count(batch.rows, codes)
        return OwnerColumns(codes, self._pool.owners)

    def poll(self) -> None:
        """Take in what the kernel tells; refresh what /proc shows."""
        if self._traced is not None:
            self._traced.poll()
        self._procfs.poll()

    def caught_up(self, time_ns: int) -> None:
        """Every packet before that was given to `see`."""
        if self._traced is not None:
            self._traced.caught_up(time_ns)

    def take_writes(self, until_ns: int) -> Iterator[Writes]:
        """The send calls that returned before that; each once."""
        if self._traced is not None:
            yield from self._traced.take_writes(until_ns)

    def finish(self) -> None:
        """No more packets will come: take in what the kernel still has to tell."""
        if self._traced is not None:
            self._traced.finish()

    def summary(self) -> Sequence[str]:
        """Lines for the notes: the method, what it could not see, shares by quality."""
        method = "procfs" if self._traced is None else f"{self._traced.method}, then procfs"
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
        return [*lines, *self._procfs.remarks()]

    def close(self) -> None:
        """Give back what is held; may be called twice."""
        if self._traced is not None:
            self._traced.close()
        self._procfs.close()
