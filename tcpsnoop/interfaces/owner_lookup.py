"""Whose socket is it: what every method of attribution offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tcpsnoop.batches.owners import OwnerColumns
from tcpsnoop.batches.probes import ProbeBatch


class OwnerLookup(Protocol):
    """Finds the owner of the local end of each probe row."""

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row of the batch, by the end at the left; never raises."""

    def poll(self) -> None:
        """Called between batches and at least every 0.1 s: time to refresh what is known."""

    def summary(self) -> Sequence[str]:
        """Lines for the notes: the method, what it could not see, shares by quality."""

    def close(self) -> None:
        """Give back what is held; may be called twice."""
