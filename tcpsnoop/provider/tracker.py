"""Segments in, probes out: what the engine holds of the provider.

Memory is bounded: when the table is full the least recently active connections are evicted, some at
a time. The loop over segments is in `tracking.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches import probes
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import PROBES
from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.provider.analysis import ANALYSIS_BITS, CONNECT_TIMEOUT, NEED_OPTIONS, UNREACHABLE
from tcpsnoop.provider.copies import keep_latest, make_copies
from tcpsnoop.provider.firing import make_output
from tcpsnoop.provider.handshake import (
    CLOSED_FIRES,
)
from tcpsnoop.provider.intervals import make_intervals
from tcpsnoop.provider.memory import (
    CLOCK,
    CLOSED_ROWS,
    DETAIL_ROWS,
    DUPLICATES,
    NUMBER,
    ROWS,
    make_table,
)
from tcpsnoop.provider.sequence import MODULUS_MASK
from tcpsnoop.provider.sides import RULES, Window
from tcpsnoop.provider.timings import make_timings
from tcpsnoop.provider.tracking import (
    ROWS_OF_ONE,
    STREAM_BITS,
    WRITE_BIT,
    Memory,
    drop,
    give_up_all,
    track,
)

DEFAULT_MAX_CONNECTIONS = 1 << 20

# Rows of probes that are handed on together: 1.5 MB, which stays in the processor's cache.
ROOM = 1 << 14
# Share of the table that is evicted at once: the search for the oldest is one pass over all.
_EVICTED_AT_ONCE = 16

_EVICTED = probes.END_REASONS.index("evicted")
_END_OF_INPUT = probes.END_REASONS.index("end_of_input")


class Tracker:
    """Segments in, probes out; holds all that is known of connections.

    `wanted` names the probes somebody attached to; only these are made. `services` marks the ports
    of registered services, shape (65536,). Rows wait up to `patience` seconds for others, so that
    few are not handed on alone, which costs as much as many. A batch is overwritten by the one
    that comes `outputs` later.
    """

    def __init__(
        self,
        wanted: Iterable[str],
        services: NDArray[np.bool_],
        window: Window,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        patience: float = 0.0,
        outputs: int = 1,
    ) -> None:
        self.evicted = 0
        self.window = window
        self._patience = patience
        self._flushed = 0.0  # when rows were last handed on, or nothing waited
        self._wanted = sum(1 << PROBES[name].number for name in set(wanted))
        self._table = make_table(
            max_connections,
            follows=self._wanted & STREAM_BITS != 0,
            counts=self._wanted & CLOSED_FIRES != 0,
            analyses=self._wanted & ANALYSIS_BITS != 0,
            writes=self._wanted & WRITE_BIT != 0,
        )
        self._memory = Memory(
            make_intervals(), make_timings(), make_copies(), np.ascontiguousarray(services)
        )
        self._outputs = deque(make_output(ROOM) for _ in range(outputs))
        self._output = self._outputs[0]
        self._latest = np.zeros(1, SEGMENT)  # when connections end that nothing closes

    @property
    def needs_options(self) -> bool:
        """Segments should come with what their TCP options say."""
        return self._wanted & NEED_OPTIONS != 0

    @property
    def needs_quotes(self) -> bool:
        """Segments that ICMP errors quote should come among the others."""
        return self._wanted & UNREACHABLE != 0

    @property
    def duplicates(self) -> int:
        """Frames that were copies of others."""
        return int(self._table.state[DUPLICATES])

    @property
    def connections(self) -> int:
        """Connections met so far."""
        return int(self._table.state[NUMBER])

    @property
    def rules(self) -> list[int]:
        """Connections whose side was decided by rule 0 to 5."""
        return [int(self.window.sides.counts[rule]) for rule in range(RULES)]

    def feed(self, segments: SegmentBatch, now: float) -> Iterator[ProbeBatch]:
        """Probes of these segments, or of those they let go; `now` is monotonic, in seconds."""
        for part in self.window.feed(segments, now):
            yield from self._track(part)
        yield from self._flush_in_time(now)

    def tick(self, now: float) -> Iterator[ProbeBatch]:
        """Probes that became possible because time has passed."""
        if self.window.expired(now):
            for part in self.window.release():
                yield from self._track(part)
        yield from self._flush_in_time(now)

    def finish(self) -> Iterator[ProbeBatch]:
        """The input has ended: what was held back, and the end of every open connection."""
        for part in self.window.release():
            yield from self._track(part)
        yield from self._flush()
        if self._wanted & CONNECT_TIMEOUT:
            while not give_up_all(self._table, self._output, self._latest):
                yield from self._flush()
            yield from self._flush()
        if self._wanted & CLOSED_FIRES:
            used = self._table.connections["number"]
            slots = np.flatnonzero(used)
            yield from self._drop(slots[np.argsort(used[slots])], _END_OF_INPUT)

    def end_none(self) -> None:
        """Call the kernels that end connections, for none: so that they are compiled."""
        table, output, none = self._table, self._output, np.empty(0, np.int64)
        give_up_all(table, output, self._latest)
        drop(none, 0, table, self._memory, output, _EVICTED, self._wanted, self._latest)

    def _track(self, segments: SegmentBatch) -> Iterator[ProbeBatch]:
        start, count = 0, len(segments)
        while start < count:
            start = track(
                segments,
                start,
                self._table,
                self._memory,
                self.window.sides,
                self._output,
                self._wanted,
            )
            if start > 0:
                self._latest[0] = segments[start - 1]
            if start == count:
                break
            # If there was room for probes, it was the table that stopped it.
            full = self._table.state[ROWS] + ROWS_OF_ONE <= ROOM
            yield from self._flush()
            if full:
                yield from self._evict()
        keep_latest(segments, self._memory.copies, self._table.state)

    def _evict(self) -> Iterator[ProbeBatch]:
        """Make room: the least recently active connections go first."""
        clock = np.uint32(int(self._table.state[CLOCK]) & MODULUS_MASK)
        idle = clock - self._table.connections["active"]  # modulo 2^32, as both are
        count = max(1, len(idle) // _EVICTED_AT_ONCE)
        least = np.partition(idle, len(idle) - count)[len(idle) - count]
        slots = np.flatnonzero(idle >= least)
        self.evicted += len(slots)
        yield from self._drop(slots[np.argsort(idle[slots], kind="stable")[::-1]], _EVICTED)

    def _drop(self, slots: NDArray[np.int64], reason: int) -> Iterator[ProbeBatch]:
        start = 0
        while start < len(slots):
            start = drop(
                slots,
                start,
                self._table,
                self._memory,
                self._output,
                reason,
                self._wanted,
                self._latest,
            )
            yield from self._flush()

    def _flush_in_time(self, now: float) -> Iterator[ProbeBatch]:
        """Hand rows on that have waited long enough."""
        if self._table.state[ROWS] == 0:
            self._flushed = now
        elif now - self._flushed >= self._patience:
            self._flushed = now
            yield from self._flush()

    def _flush(self) -> Iterator[ProbeBatch]:
        state = self._table.state
        rows, closed, details = (int(state[place]) for place in (ROWS, CLOSED_ROWS, DETAIL_ROWS))
        state[ROWS] = state[CLOSED_ROWS] = state[DETAIL_ROWS] = 0
        if rows > 0:
            output = self._output
            self._outputs.rotate()
            self._output = self._outputs[0]
            yield ProbeBatch(
                output.rows[:rows],
                output.closed[:closed],
                details=output.details[:details],
                numbers=output.fired[:rows],
            )
