"""What the packets before a segment say about it, by the plainest arithmetic there is.

The predicates of the rules stand on these facts, not on what the provider says: every sequence
number a direction has sent is kept, and every question walks over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tests.agreement.observed import End, Segment

_MODULUS = 1 << 32
# SEMANTICS 7: how young a hole is where the initial RTT is not known.
YOUNG_NS = 3_000_000
# So many duplicate ACKs are evidence of loss.
LOST_DUPLICATES = 3


@dataclass(frozen=True)
class Facts:
    """Of one segment; sequence numbers are unwrapped."""

    start: int
    stop: int  # behind its last byte
    overlap: int  # its bytes captured before
    highest: int | None  # behind all that its sender sent before, SYN and FIN included
    acknowledged: int | None  # the other end's highest acknowledgment
    latest: int | None  # its latest one
    hole_ns: int | None  # how long ago anything behind its last byte was sent or acknowledged
    initial_ns: int | None  # the handshake, where it was captured whole and nothing in it twice
    data_beyond: bool  # data behind its last byte were captured before
    before: Segment | None  # the latest segment of the other end, no copy
    acknowledgment: Segment | None  # its latest one with ACK, no SYN and no RST
    asked: int  # times the other end repeated that acknowledgment
    repeats: bool  # its SYN or its FIN was sent before
    quiet_ns: int  # since the connection's segment before
    anew: bool  # its connection began with a SYN under the key of an earlier one

    @property
    def fills(self) -> bool:
        """It has data below the highest number sent, and none of them were captured before."""
        below = self.highest is not None and self.stop <= self.highest
        beyond = self.acknowledged is not None and self.stop <= self.acknowledged
        return self.stop > self.start and self.overlap == 0 and (below or beyond)

    @property
    def is_young(self) -> bool:
        """The hole it fills is out of order by its age, and nobody asked for it (SEMANTICS 7)."""
        limit = YOUNG_NS if self.initial_ns is None else self.initial_ns
        young = self.hole_ns is not None and self.hole_ns < limit
        return young and self.asked < LOST_DUPLICATES


@dataclass
class _Direction:
    """What one end of a connection has sent."""

    base: int | None = None
    data: list[tuple[int, int]] = field(default_factory=list)  # captured, with repeats
    sent: list[tuple[int, int]] = field(default_factory=list)  # (behind which number, when)
    acknowledged: list[tuple[int, int]] = field(default_factory=list)  # by the other end, when
    last: Segment | None = None
    last_ack: Segment | None = None
    syn_ns: list[int] = field(default_factory=list)
    highest: int | None = None  # the highest of `sent`
    highest_acknowledged: int | None = None
    highest_data: int | None = None  # the highest start of `data`
    numbers: set[tuple[int, int]] = field(default_factory=set)  # of SYN and FIN: flag, number
    asked: int = 0  # times it repeated its latest acknowledgment

    def unwrap(self, number: int) -> int:
        """The number nearest to the highest so far."""
        if self.base is None:
            self.base = number
        near = self.base if self.highest is None else self.highest
        return near + (number - near + _MODULUS // 2) % _MODULUS - _MODULUS // 2

    def overlap(self, start: int, stop: int) -> int:
        """Bytes of [start, stop) captured before: what is left of the rest, cut piece by piece."""
        rest = [(start, stop)]
        for left, right in self.data:
            if right <= start or left >= stop:
                continue
            rest = [
                piece
                for low, high in rest
                for piece in ((low, min(high, left)), (max(low, right), high))
                if piece[0] < piece[1]
            ]
        return stop - start - sum(high - low for low, high in rest)


def facts_of(segments: Iterable[Segment], anew: bool) -> Iterator[tuple[Segment, Facts]]:
    """Each segment of one connection with its facts, in the order captured."""
    ends: dict[End, _Direction] = {}
    initial_ns: int | None = None
    latest_ns: int | None = None
    for segment in segments:
        mine = ends.setdefault(segment.source, _Direction())
        theirs = ends.setdefault(segment.destination, _Direction())
        if segment.source == segment.destination:
            theirs = mine
        quiet_ns = 0 if latest_ns is None else segment.time_ns - latest_ns
        latest_ns = segment.time_ns
        yield segment, _look(segment, mine, theirs, initial_ns, quiet_ns, anew)
        if not segment.duplicate:
            if initial_ns is None:
                initial_ns = _handshake(segment, mine, theirs)
            _note(segment, mine, theirs)


def _look(
    segment: Segment,
    mine: _Direction,
    theirs: _Direction,
    initial_ns: int | None,
    quiet_ns: int,
    anew: bool,
) -> Facts:
    start = mine.unwrap(segment.sequence + (1 if segment.flags & SYN else 0))
    stop = start + max(segment.payload, 0)
    highest, acknowledged = mine.highest, mine.highest_acknowledged
    behind: list[int] = []
    if stop > start and any(each is not None and each >= stop for each in (highest, acknowledged)):
        behind = [when for number, when in (*mine.sent, *mine.acknowledged) if number >= stop]
    return Facts(
        start=start,
        stop=stop,
        overlap=mine.overlap(start, stop),
        highest=highest,
        acknowledged=acknowledged,
        latest=mine.acknowledged[-1][0] if mine.acknowledged else None,
        hole_ns=segment.time_ns - min(behind) if behind else None,
        initial_ns=initial_ns,
        data_beyond=mine.highest_data is not None and mine.highest_data >= stop,
        before=theirs.last,
        acknowledgment=theirs.last_ack,
        asked=theirs.asked,
        repeats=not _numbered(segment).isdisjoint(mine.numbers),
        quiet_ns=quiet_ns,
        anew=anew,
    )


def _numbered(segment: Segment) -> set[tuple[int, int]]:
    """Its SYN and its FIN, with their sequence numbers."""
    flags = {SYN: segment.sequence, FIN: segment.sequence + max(segment.payload, 0)}
    return {(flag, number % _MODULUS) for flag, number in flags.items() if segment.flags & flag}


def _repeats_ack(segment: Segment, before: Segment | None) -> bool:
    return (
        before is not None
        and segment.payload == 0
        and segment.flags & FIN == 0
        and (segment.acknowledgment, segment.window) == (before.acknowledgment, before.window)
    )


def _note(segment: Segment, mine: _Direction, theirs: _Direction) -> None:
    mine.last = segment
    if segment.flags & RST:
        return
    mine.numbers |= _numbered(segment)
    start = mine.unwrap(segment.sequence + (1 if segment.flags & SYN else 0))
    stop = start + max(segment.payload, 0)
    if stop > start and not segment.fired & {"keep-alive", "window-probe"}:
        mine.data.append((start, stop))
        mine.highest_data = max(start, start if mine.highest_data is None else mine.highest_data)
    behind = stop + (1 if segment.flags & FIN else 0)
    mine.sent.append((behind, segment.time_ns))
    mine.highest = max(behind, behind if mine.highest is None else mine.highest)
    if segment.flags & SYN:
        mine.syn_ns.append(segment.time_ns)
    if segment.flags & ACK:
        if not segment.flags & SYN:
            if _repeats_ack(segment, mine.last_ack):
                mine.asked += 1
            elif mine.last_ack and mine.last_ack.acknowledgment != segment.acknowledgment:
                mine.asked = 0
            mine.last_ack = segment
        if theirs.base is not None:
            number = theirs.unwrap(segment.acknowledgment)
            theirs.acknowledged.append((number, segment.time_ns))
            most = theirs.highest_acknowledged
            theirs.highest_acknowledged = number if most is None else max(number, most)


def _handshake(segment: Segment, mine: _Direction, theirs: _Direction) -> int | None:
    """SYN to ACK, when this is that ACK."""
    if segment.flags & (SYN | RST | ACK) != ACK or len(mine.syn_ns) != 1:
        return None
    return segment.time_ns - mine.syn_ns[0] if len(theirs.syn_ns) == 1 else None
