"""One direction's bytes, as a set: what is new, repeated, a probe, a write (SEMANTICS 7 and 9).

Nothing of tcpsnoop but the names of flags. Its readings where SEMANTICS leaves a choice:

- What lies before the first byte of a stream whose SYN number is known was never data; what lies
  before the first byte captured of one met midstream may come late, and is new then.
- The byte of a zero-window probe is data once it is acknowledged: the peer has taken it.
- "Data the other way" is new data. It ends the write before its own PUSH ends another.
- A PUSH that ends below the next byte expected comes too late to end a write; one that ends at it,
  with nothing new, still does.
- After a segment of unknown length the stream begins anew at the next one.
"""

from __future__ import annotations

from tcpsnoop.batches.segments import FIN, PUSH, SYN
from tests.provider.talk import MODULUS, Sent

FAR = MODULUS


class Ranges:
    """A set of integers, kept as disjoint ranges in order."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []

    def add(self, start: int, stop: int) -> int:
        """Put [start, stop) in; how many were not there."""
        if start >= stop:
            return 0
        meeting = [each for each in self.ranges if each[0] <= stop and each[1] >= start]
        known = sum(max(0, min(stop, high) - max(start, low)) for low, high in meeting)
        low = min([start, *(each[0] for each in meeting)])
        high = max([stop, *(each[1] for each in meeting)])
        self.ranges = sorted([*(each for each in self.ranges if each not in meeting), (low, high)])
        return stop - start - known

    def end_of_run(self, number: int) -> int:
        """The first number from `number` on that is not in the set."""
        return next((high for low, high in self.ranges if low <= number < high), number)

    def first_from(self, number: int, limit: int) -> int:
        """The first number from `number` on that is in the set, or the limit."""
        return min([limit, *(max(low, number) for low, high in self.ranges if high > number)])


class Direction:
    """What one end sends; `writes` grows as they end."""

    def __init__(self) -> None:
        self.segments = self.payload = self.retransmitted = self.probe = self.unique = 0
        self.window: int | None = None
        self.fin: int | None = None  # the number behind it, unwrapped
        self.acknowledged: int | None = None
        self.writing = 0
        self.void = False
        self.next: int | None = None
        self._first: int | None = None  # number of the first byte, when a SYN told it
        self._captured = Ranges()
        self._boundaries: set[int] = set()
        self._fins: set[int] = set()
        self._probed: int | None = None

    def count(self, segment: Sent) -> None:
        """Any segment, RST too."""
        self.segments += 1
        self.payload += segment.payload or 0

    def known_from(self, first: int) -> None:
        """A SYN, or the SYN|ACK that answers it, says where the stream begins."""
        self._first = first % MODULUS

    def acknowledge(self, number: int) -> list[int]:
        """The other end has everything before `number`; the writes that this ends."""
        if self.next is None:
            return []
        reached, writes = self._unwrapped(number), []
        if self._probed == self.next and reached > self.next:
            self.probe -= 1
            self.unique += self._captured.add(self.next, self.next + 1)
            writes += self._advance()
        while reached > self.next:
            self.void = True
            self.next = self._captured.first_from(self.next, reached)
            writes += self._advance()
        if self.acknowledged is None or reached > self.acknowledged:
            self.acknowledged = reached
        return writes

    def take(self, segment: Sent, peer: Direction) -> tuple[list[int], list[int]]:
        """Data or not; the writes of the peer and of this end that it ends."""
        self.window = segment.window
        if segment.payload is None:
            self._forget()
            return [], []
        start = segment.sequence + bool(segment.flags & SYN)
        if self.next is None:
            self._begin(start)
        assert self.next is not None
        start = self._unwrapped(start)
        stop = start + segment.payload
        if self._is_probe(segment, start, peer):
            self.probe += segment.payload
            return [], []
        new = self._captured.add(start, stop)
        self.unique += new
        self.retransmitted += segment.payload - new
        before = peer.end_write() if new else []
        return before, self._mark(segment, start, stop)

    def end_write(self) -> list[int]:
        """A boundary: the write so far, if there is one and no hole in it."""
        size, void = self.writing, self.void
        self.writing, self.void = 0, False
        return [size] if size and not void else []

    def _begin(self, start: int) -> None:
        told = self._first is not None
        self.next = self._first if told and self.segments == 1 else start % MODULUS
        assert self.next is not None
        if told:
            self._captured.add(self.next - FAR, self.next)

    def _forget(self) -> None:
        self.next = self.acknowledged = self._probed = None
        self._captured, self._boundaries, self._fins = Ranges(), set(), set()
        self.void = True

    def _unwrapped(self, number: int) -> int:
        assert self.next is not None
        ahead = (number - self.next) % MODULUS
        return self.next + (ahead if ahead < MODULUS // 2 else ahead - MODULUS)

    def _is_probe(self, segment: Sent, start: int, peer: Direction) -> bool:
        assert self.next is not None
        if segment.flags & (SYN | FIN) or segment.payload not in (0, 1):
            return False
        if start == self.next - 1:
            return self.acknowledged is not None and self.acknowledged >= self.next
        if start == self.next and segment.payload == 1 and peer.window == 0:
            self._probed = self.next
            return True
        return False

    def _mark(self, segment: Sent, start: int, stop: int) -> list[int]:
        """Note what ends behind the segment, and take what is in order now."""
        assert self.next is not None
        writes = []
        if segment.flags & FIN:
            if self.fin is None:
                self.fin = stop + 1
            if stop >= self.next:
                self._captured.add(stop, stop + 1)
                self._fins.add(stop)
                self._boundaries.add(stop + 1)
        elif segment.flags & PUSH and stop > self.next and stop > start:
            self._boundaries.add(stop)
        elif segment.flags & PUSH and stop == self.next:
            writes = self.end_write()
        return writes + self._advance()

    def _advance(self) -> list[int]:
        """Take all that is in order; the writes that end."""
        assert self.next is not None
        writes: list[int] = []
        until = self._captured.end_of_run(self.next)
        for mark in [
            *sorted(each for each in self._boundaries if self.next < each <= until),
            until,
        ]:
            fins = sum(self.next <= each < mark for each in self._fins)
            self.writing += mark - self.next - fins
            self.next = mark
            if mark in self._boundaries:
                self._boundaries.discard(mark)
                writes += self.end_write()
        return writes
