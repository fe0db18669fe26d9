"""Which ends are local: the rules of SEMANTICS 4, and the window that decides rules 3 and 4.

A connection's side is decided at its first segment and never changes. Rules 0 to 2 need only that
segment. Rules 3 and 4 look at the first segments of the input; until these are there, segments that
rules 0 to 2 leave open wait, and everything behind them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import MAPPED, halves
from tcpsnoop.batches.rows import chosen, copied
from tcpsnoop.batches.segments import (
    QUOTE,
    SIDE_INBOUND,
    SIDE_LOOPBACK,
    SIDE_OUTBOUND,
    SegmentBatch,
)
from tcpsnoop.errors import UsageError
from tcpsnoop.kernel import Integer, Truth, kernel

WINDOW_SEGMENTS = 4096
WINDOW_SECONDS = 0.5  # when the input waits for somebody else

RULES = 6  # 0 to 5

FIRST_LOCAL = 1
SECOND_LOCAL = 2
BOTH_LOCAL = FIRST_LOCAL | SECOND_LOCAL

_LOOPBACK_LOW = MAPPED | 127 << 24
_LOOPBACK_MASK = MAPPED | 0xFF << 24

Address = tuple[int, int]


class Sides(NamedTuple):
    """What the rules say, for kernels; `counts` has the connections decided by each rule."""

    prefixes: NDArray[np.int64]  # shape (n, 5): rule, high, low, mask of high, mask of low
    by_direction: NDArray[np.int64]  # shape (n, 2), sorted: the local addresses of rule 3
    counts: NDArray[np.int64]  # shape (RULES,)


@kernel
def is_loopback(
    first_high: Integer,
    first_low: Integer,
    second_high: Integer,
    second_low: Integer,
    side: Integer,
) -> Truth:
    """Rule 0: equal addresses, both in 127.0.0.0/8 or ::1, or a loopback device."""
    if side == SIDE_LOOPBACK or (first_high == second_high and first_low == second_low):
        return True
    return _is_loopback_address(first_high, first_low) and _is_loopback_address(
        second_high, second_low
    )


@kernel
def _is_loopback_address(high: Integer, low: Integer) -> Truth:
    if high != 0:
        return False
    return low == 1 or (low >> 32 == 0xFFFF and low & _LOOPBACK_MASK == _LOOPBACK_LOW)


@kernel
def prefixed(sides: Sides, rule: Integer, high: Integer, low: Integer) -> Truth:
    """The address matches a prefix of this rule."""
    prefixes = sides.prefixes
    for index in range(len(prefixes)):
        if (
            prefixes[index, 0] == rule
            and high & prefixes[index, 3] == prefixes[index, 1]
            and low & prefixes[index, 4] == prefixes[index, 2]
        ):
            return True
    return False


@kernel
def _is_listed(addresses: NDArray[np.int64], high: Integer, low: Integer) -> Truth:
    """Binary search."""
    start = 0
    stop = len(addresses)
    while start < stop:
        middle = (start + stop) // 2
        if addresses[middle, 0] < high or (
            addresses[middle, 0] == high and addresses[middle, 1] < low
        ):
            start = middle + 1
        else:
            stop = middle
    return start < len(addresses) and addresses[start, 0] == high and addresses[start, 1] == low


@kernel
def local_ends(
    sides: Sides,
    first_high: Integer,
    first_low: Integer,
    second_high: Integer,
    second_low: Integer,
    side: Integer,
) -> Integer:
    """The local ends of a new connection, FIRST_LOCAL | SECOND_LOCAL; 0 is rule 5."""
    rule = 5
    local = 0
    if is_loopback(first_high, first_low, second_high, second_low, side):
        rule, local = 0, BOTH_LOCAL
    else:
        for candidate in range(1, 5):
            if candidate == 3:
                first = _is_listed(sides.by_direction, first_high, first_low)
                second = _is_listed(sides.by_direction, second_high, second_low)
            else:
                first = prefixed(sides, candidate, first_high, first_low)
                second = prefixed(sides, candidate, second_high, second_low)
            local = (FIRST_LOCAL if first else 0) | (SECOND_LOCAL if second else 0)
            if local != 0:
                rule = candidate
                break
    sides.counts[rule] += 1
    return local


@kernel
def _first_undecided(sides: Sides, segments: SegmentBatch) -> Integer:
    """Index of the first segment that rules 0 to 2 leave open; the number of segments if none."""
    for i in range(len(segments)):
        segment = segments[i]
        high, low = segment["source_high"], segment["source_low"]
        to_high, to_low = segment["destination_high"], segment["destination_low"]
        decided = is_loopback(high, low, to_high, to_low, np.int64(segment["side"]))
        for rule in range(1, 3):
            decided = decided or prefixed(sides, rule, high, low)
            decided = decided or prefixed(sides, rule, to_high, to_low)
        if not decided:
            return i
    return len(segments)


def parse_prefix(text: str) -> tuple[int, int, int, int]:
    """`ADDR[/LEN]` as high, low and their masks; UsageError when it is none."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise UsageError(f"--local {text}: {error}; give an address or ADDRESS/LENGTH") from None
    bits = network.prefixlen + (96 if network.version == 4 else 0)
    mask = halves(str(ipaddress.IPv6Address((1 << 128) - (1 << 128 - bits))))
    high, low = halves(str(network.network_address))
    return high, low, *mask


@dataclass
class Window:
    """Holds back what rules 3 and 4 must decide, and decides them; then passes everything.

    `given` are the prefixes of --local, `known` the addresses of rule 2 at the start.
    """

    given: tuple[str, ...] = ()
    known: Iterable[Address] = ()
    waits: bool = True  # packets come as they happen, so the window ends by the clock too
    decided: bool = False
    _held: list[SegmentBatch] = field(default_factory=list)
    _seen: int = 0
    _since: float = 0.0
    _inside: set[Address] = field(default_factory=set)  # source of out, destination of in
    _outside: set[Address] = field(default_factory=set)  # source of in, destination of out
    _common: set[Address] | None = None  # ends of every segment so far

    def __post_init__(self) -> None:
        self._given = [(1, *parse_prefix(text)) for text in self.given]
        self.sides = Sides(_rows(()), np.empty((0, 2), np.int64), np.zeros(RULES, np.int64))
        self._common_rows: list[tuple[int, ...]] = []
        self.know(self.known)

    def know(self, addresses: Iterable[Address]) -> None:
        """Set the addresses of rule 2."""
        self._known = [(2, high, low, -1, -1) for high, low in addresses]
        self._set_prefixes()

    def _set_prefixes(self) -> None:
        rows = _rows((*self._given, *self._known, *self._common_rows))
        self.sides = self.sides._replace(prefixes=rows)

    def feed(self, segments: SegmentBatch, now: float) -> Iterator[SegmentBatch]:
        """Segments whose side can be decided, in order; `now` is a monotonic time in seconds."""
        if self.decided:
            yield segments
            return
        count = len(segments)
        if count == 0:
            return
        if self.expired(now):
            yield from self.release()
            yield segments
            return
        if self._seen == 0:
            self._since = now
        self._observe(segments[: WINDOW_SEGMENTS - self._seen])
        self._seen += count
        if self._seen >= WINDOW_SEGMENTS:
            yield from self.release()
            yield segments
            return
        start = 0 if self._held else _first_undecided(self.sides, segments)
        if start > 0:
            yield segments[:start]
        if start < count:
            self._held.append(copied(segments[start:]))

    def expired(self, now: float) -> bool:
        """The window is over by the clock: time to `release`."""
        return (
            self.waits
            and not self.decided
            and self._seen > 0
            and now - self._since >= WINDOW_SECONDS
        )

    def release(self) -> Iterator[SegmentBatch]:
        """Decide rules 3 and 4 now, and give what was held."""
        if not self.decided:
            self.decided = True
            local = sorted(self._inside - self._outside)
            if self._common is not None and len(self._common) == 1:
                self._common_rows = [(4, *next(iter(self._common)), -1, -1)]
            by_direction = np.array(local, np.int64).reshape(-1, 2)
            self.sides = self.sides._replace(by_direction=by_direction)
            self._set_prefixes()
        held, self._held = self._held, []
        yield from held

    def _observe(self, segments: SegmentBatch) -> None:
        """Take the ends of the window's segments into account; those of rule 0 left out."""
        names = ["source_high", "source_low", "destination_high", "destination_low", "side"]
        # Few different pairs of ends: one step for each, not for each segment.
        quoted = segments["options"] & QUOTE != 0
        if quoted.any():
            segments = chosen(segments, ~quoted)
        for high, low, to_high, to_low, side in set(segments[names].tolist()):
            if is_loopback(high, low, to_high, to_low, side):
                continue
            ends = ((high, low), (to_high, to_low))
            self._common = set(ends) if self._common is None else self._common & set(ends)
            if side in (SIDE_INBOUND, SIDE_OUTBOUND):
                inside, outside = ends if side == SIDE_OUTBOUND else ends[::-1]
                self._inside.add(inside)
                self._outside.add(outside)


def _rows(rows: Iterable[tuple[int, ...]]) -> NDArray[np.int64]:
    return np.array(list(rows), np.int64).reshape(-1, 5)
