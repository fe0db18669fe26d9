"""How far the system's clock, by which packets are stamped, is ahead of the monotonic one.

Both run at the same rate, so the difference changes only when the system's clock is set.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Looks for the difference when beginning; the one that took least time is the best.
FIRST_LOOKS = 50


def monotonic_ns() -> int:
    """The clock of events."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class ClockDifference:
    """The difference to the clock `now_ns`, known within the time that the best look took."""

    def __init__(
        self, now_ns: Callable[[], int], other_ns: Callable[[], int] = monotonic_ns
    ) -> None:
        self._now_ns = now_ns
        self._other_ns = other_ns
        self._known, self._within = min(
            (self._look() for _ in range(FIRST_LOOKS)), key=lambda look: look[1]
        )

    def __call__(self) -> int:
        """The difference now."""
        found, within = self._look()
        # Whoever looks may be interrupted between two clocks; only what that cannot explain counts.
        if within < self._within or abs(found - self._known) > within + self._within:
            self._known, self._within = found, within
        return self._known

    def _look(self) -> tuple[int, int]:
        before = self._other_ns()
        now = self._now_ns()
        after = self._other_ns()
        return now - (before + after) // 2, (after - before + 1) // 2
