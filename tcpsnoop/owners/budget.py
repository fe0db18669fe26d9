"""How much time looking for owners may take, so that it never starves the capture."""

from __future__ import annotations

from collections.abc import Callable


class TimeBudget:
    """A share of the time that passes, saved up to `burst` seconds.

    Work may begin while `least` is left and should end at the deadline; what it overruns is
    paid back before more may begin, so the share holds on average whatever one step costs.
    """

    def __init__(
        self, share: float, burst: float, least: float, clock: Callable[[], float]
    ) -> None:
        self._share = share
        self._burst = burst
        self._least = least
        self._clock = clock
        self._left = burst
        self._counted_to = clock()
        self._begun: float | None = None

    def begin(self) -> float | None:
        """The deadline for work that begins now, or None when too little is left."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._counted_to) * self._share)
        self._counted_to = now
        if self._left < self._least:
            return None
        self._begun = now
        return now + self._left

    def end(self) -> None:
        """Pay for the work begun last."""
        if self._begun is not None:
            self._left -= self._clock() - self._begun
            self._begun = None
