"""How much time looking for owners may take, so that it never starves the capture."""

from __future__ import annotations

from collections.abc import Callable

# Of the time in which the processor did others' work instead, what counts as ours: the capture
# waits in it, too, but would have waited anyway.
OTHERS_SHARE = 0.25


class TimeBudget:
    """A share of the time that passes, saved up to `burst` seconds.

    Work may begin while `least` is left and should end at the deadline; what it overruns is
    paid back before more may begin, so the share holds on average whatever one step costs.
    `worked` tells the processor time of who works; without it all time that passes is.
    """

    def __init__(
        self,
        share: float,
        burst: float,
        least: float,
        clock: Callable[[], float],
        worked: Callable[[], float] | None = None,
    ) -> None:
        self._share = share
        self._burst = burst
        self._least = least
        self._clock = clock
        self._worked = clock if worked is None else worked
        self._left = burst
        self._counted_to = clock()
        self._begun: tuple[float, float] | None = None

    def begin(self) -> float | None:
        """The deadline for work that begins now, or None when too little is left."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._counted_to) * self._share)
        self._counted_to = now
        if self._left < self._least:
            return None
        self._begun = now, self._worked()
        return now + self._left

    def end(self) -> None:
        """Pay for the work begun last."""
        if self._begun is not None:
            began, had_worked = self._begun
            worked = self._worked() - had_worked
            self._left -= max(worked, OTHERS_SHARE * (self._clock() - began))
            self._begun = None
