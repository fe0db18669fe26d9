"""Capture time: the largest timestamp seen so far, started anew after a jump (SEMANTICS 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JUMP_NS = 86_400_000_000_000  # a day


class CaptureClock:
    """Runs along with the packets of one input; `jumps` counts the times it was started anew."""

    def __init__(self) -> None:
        self.jumps = 0
        self.first_ns: int | None = None
        self._now: int | None = None

    def advance(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The clock at each of the packets' times, shape (n,), n > 0."""
        if self._now is None:
            self.first_ns = self._now = int(times[0])
        clock = np.maximum.accumulate(times)
        np.maximum(clock, self._now, out=clock)
        # Against the clock, not the neighbour: forwards a day at once, or a day behind it.
        before = np.concatenate(([self._now], clock[:-1]))
        if np.all(np.abs(times - before) <= JUMP_NS):
            self._now = int(clock[-1])
            return clock
        return self._advance_slowly(times)

    def _advance_slowly(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        clock = np.empty_like(times)
        now = self._now or 0
        for index, time in enumerate(times.tolist()):
            if abs(time - now) > JUMP_NS:
                self.jumps += 1
                now = time
            now = max(now, time)
            clock[index] = now
        self._now = now
        return clock
