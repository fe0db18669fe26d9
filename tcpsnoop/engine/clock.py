"""Capture time: the largest timestamp seen so far, started anew after a jump (SEMANTICS 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.kernel import kernel

JUMP_NS = 86_400_000_000_000  # a day

# Places in the clock's state.
_NOW = 0
_FIRST = 1
_RUNS = 2  # 0 before the first packet
_JUMPS = 3


class CaptureClock:
    """Runs along with the packets of one input."""

    def __init__(self) -> None:
        self._state = np.zeros(4, np.int64)

    @property
    def first_ns(self) -> int | None:
        """Time of the first packet; None before it."""
        return int(self._state[_FIRST]) if self._state[_RUNS] else None

    @property
    def now_ns(self) -> int:
        """Capture time at the latest packet."""
        return int(self._state[_NOW])

    @property
    def jumps(self) -> int:
        """How often the clock was started anew."""
        return int(self._state[_JUMPS])

    def stamp(self, batch: PacketBatch) -> None:
        """Write the capture time of each packet."""
        _run(batch.time_ns, batch.clock_ns, self._state)


@kernel
def _run(times: NDArray[np.int64], clock: NDArray[np.int64], state: NDArray[np.int64]) -> None:
    now = state[_NOW]
    for i in range(len(times)):
        time = times[i]
        if state[_RUNS] == 0:
            state[_RUNS] = 1
            state[_FIRST] = now = time
        elif abs(time - now) > JUMP_NS:
            state[_JUMPS] += 1
            now = time
        elif time > now:
            now = time
        clock[i] = now
    state[_NOW] = now
