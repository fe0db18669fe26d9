"""Whose socket is it: what every method of attribution offers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import OwnerColumns, Process
from tcpsnoop.batches.probe_batch import ProbeBatch


class OwnerLookup(Protocol):
    """Finds the owner of the local end of each probe row.

    Where a lookup is `late`, it knows more of a packet some moments after it: rows are shown to it
    by `see` as they come and labelled later.
    """

    @property
    def late(self) -> bool:
        """What is known of a packet comes after it."""

    @property
    def addresses(self) -> Collection[tuple[int, int]]:
        """Local addresses, as halves, that are known from where owners are."""

    @property
    def damage(self) -> str | None:
        """What is missing from what owners are told by, once that is known."""

    def see(self, batch: ProbeBatch) -> None:
        """Note what packets tell of their connections, before they are labelled."""

    def label(self, batch: ProbeBatch) -> OwnerColumns:
        """An owner for each row of the batch, by the end at the left; never raises.

        The rows were given to `see`.
        """

    def poll(self) -> None:
        """Called between batches and at least every 0.1 s: time to refresh what is known."""

    def caught_up(self, time_ns: int) -> None:
        """Every packet captured before that was given to `see`."""

    def finish(self) -> None:
        """No more packets will come: take in what is still to be told of those that came."""

    def descends(self, process: Process, ancestor: int) -> bool:
        """Whether a process was begun by the one of that PID, or by one that it began."""

    def follows(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """For each row of a write as packets show it, whether `take_writes` has its end's instead.

        An end has one of both for good: what is asked here is decided then.
        """

    def take_writes(self, until_ns: int, *, last: bool = False) -> ProbeBatch:
        """The probe `application-write`, of send calls that returned before that; each once.

        `last`: no packets will come any more.
        """

    def summary(self) -> Sequence[str]:
        """Lines for the notes: the method, what it could not see, shares by quality."""

    def close(self) -> None:
        """Give back what is held; may be called twice."""
