"""When a report is printed and begun anew: `--interval`, by capture time or by the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.report import Interval

NANOSECONDS = 1_000_000_000


class FileIntervals:
    """Cuts probes of a file by capture time, aligned to its first packet."""

    def __init__(self, seconds: float) -> None:
        self._length_ns = max(1, round(seconds * NANOSECONDS))
        self._start_ns: int | None = None
        self._digits = 6
        self.ended_ns = 0
        """The last nanosecond of the interval that has ended."""

    def cut(self, batch: ProbeBatch, first_ns: int) -> Iterator[tuple[Interval | None, ProbeBatch]]:
        """Parts of the batch; an Interval before a part is one that has ended, to be reported."""
        if self._start_ns is None:
            self._start_ns = first_ns
            self._digits = int(batch.rows["digits"][0])
        clock = batch.rows["clock_ns"]
        at = 0
        while at < len(clock):
            now = int(clock[at])
            ended = None
            if not self._start_ns <= now < self._start_ns + self._length_ns:
                ended = Interval(self._start_ns, self._digits)
                self.ended_ns = self._start_ns + self._length_ns - 1
                # Behind the start, the clock was started anew: so are the intervals.
                behind = now < self._start_ns
                past = (now - self._start_ns) // self._length_ns
                self._start_ns = now if behind else self._start_ns + past * self._length_ns
            rest = clock[at:]
            outside = (rest < self._start_ns) | (rest >= self._start_ns + self._length_ns)
            stop = at + (int(np.argmax(outside)) if outside.any() else len(rest))
            yield ended, batch.take(np.arange(at, stop))
            at = stop

    def last(self, end_ns: int | None = None) -> Interval | None:
        """The latest interval with probes, cut short if the input ends in it, at `end_ns`."""
        if self._start_ns is None:
            return None
        over = end_ns is not None and end_ns >= self._start_ns + self._length_ns
        return Interval(self._start_ns, self._digits, partial=not over)


class LiveIntervals:
    """Ticks by the clock, aligned to the start; times in seconds, of `time.monotonic`.

    After `count` of them no other begins. `load` tells the host's.
    """

    def __init__(
        self,
        seconds: float,
        start_ns: int,
        now: float,
        count: int | None = None,
        load: Callable[[], float] | None = None,
    ) -> None:
        self._seconds = seconds
        self._begun_ns, self._begun = start_ns, now
        self._number = 0
        self._count = count
        self._load = load

    @property
    def ends(self) -> float:
        """When the present interval ends."""
        return self._begun + (self._number + 1) * self._seconds

    @property
    def over(self) -> bool:
        """The last one has ended."""
        return self._number == self._count

    def ended(self, now: float) -> Iterator[Interval]:
        """The intervals that have ended by now."""
        while now >= self.ends and not self.over:
            yield self._interval(partial=False)
            self._number += 1

    def last(self) -> Interval | None:
        """The interval that the end of the capture cuts short."""
        return None if self.over else self._interval(partial=True)

    def _interval(self, *, partial: bool) -> Interval:
        start = self._begun_ns + round(self._number * self._seconds * NANOSECONDS)
        return Interval(start, 6, partial, None if self._load is None else self._load())
