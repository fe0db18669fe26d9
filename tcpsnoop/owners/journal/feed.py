"""Hands the records of a journal out as time goes on, by the time of packets.

What was seen of sockets may be used for packets of a moment before, so it is handed out ahead of
what the kernel told, which counts until a moment after each packet, as it does live.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tcpsnoop.owners.journal.records import (
    CgroupNumber,
    Clocks,
    End,
    Events,
    Holders,
    LocalNetworks,
    ProcessRead,
    Record,
    Sockets,
)

ALWAYS, NEVER = -(1 << 62), 1 << 62


class _Group(NamedTuple):
    """A record that has a time, with those without one before it."""

    seen_ns: int  # when it is handed out to `seen`
    told_ns: int  # likewise to `told`
    records: list[Record]


class Feed:
    """Records in their order: all but events to `seen`, events and processes to `told`.

    A journal that is cut off ends where it does, as if it said so.
    """

    def __init__(
        self,
        records: Iterable[Record],
        seen: Callable[[Record], None],
        told: Callable[[Record], None],
    ) -> None:
        self._groups = _groups(records)
        self._seen, self._told = seen, told
        self._ahead: deque[_Group] = deque()  # for `told`
        self._next = next(self._groups, None)
        self.over_ns = NEVER
        """Until when all is told, once that is known."""

    def advance(self, told_until_ns: int, seen_until_ns: int) -> None:
        """Hand out what is of these times or before."""
        while self._next is not None and self._next.seen_ns <= seen_until_ns:
            for record in self._next.records:
                if isinstance(record, End):
                    self.over_ns = record.time_ns
                if not isinstance(record, Events):
                    self._seen(record)
            self._ahead.append(self._next)
            self._next = next(self._groups, None)
        while self._ahead and self._ahead[0].told_ns <= told_until_ns:
            for record in self._ahead.popleft().records:
                if isinstance(record, Events | ProcessRead | CgroupNumber | End):
                    self._told(record)

    @property
    def next_told_ns(self) -> int:
        """Asked for times before that, `advance` hands out nothing to `told`."""
        return self._ahead[0].told_ns if self._ahead else self.next_seen_ns

    @property
    def next_seen_ns(self) -> int:
        """Likewise to `seen`."""
        return self._next.seen_ns if self._next is not None else NEVER


def _groups(records: Iterable[Record]) -> Iterator[_Group]:
    """All records, but for what is behind the end.

    Times of events do not go back, nor do those of the others, whatever was done to the clock: what
    comes later was later. But a look at sockets may take so long that events come from before it.
    """
    told_ns = seen_ns = latest_ns = ALWAYS
    waiting: list[Record] = []
    for record in records:
        waiting.append(record)
        first_ns, last_ns = _times(record)
        latest_ns = max(latest_ns, last_ns)
        if isinstance(record, Events):
            told_ns = max(told_ns, first_ns)
            yield _Group(told_ns, told_ns, waiting)
            waiting = []
        elif isinstance(record, End):
            yield _Group(max(seen_ns, first_ns), max(told_ns, first_ns), waiting)
            return
        elif first_ns != ALWAYS:
            seen_ns = max(seen_ns, first_ns)
            yield _Group(seen_ns, told_ns, waiting)
            waiting = []
    yield _Group(latest_ns, latest_ns, [*waiting, End(latest_ns, 0)])


def _times(record: Record) -> tuple[int, int]:
    """When the first and the last was that a record tells; ALWAYS: it is of no time."""
    match record:
        case Events(rows):
            return int(rows["time_ns"][0]), int(rows["time_ns"].max())
        case LocalNetworks(time_ns) | Clocks(time_ns) | Holders(time_ns) | End(time_ns):
            return time_ns, time_ns
        case Sockets(read_ns):
            return read_ns[1], read_ns[1]
        case _:
            return ALWAYS, ALWAYS
