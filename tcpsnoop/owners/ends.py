"""What is remembered of each end of a connection, and its answer, found again by columns.

The memory is keyed by connection and end, never by addresses and ports: those are used again, and
an answer must not outlive its connection. It is bounded; the oldest go first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import UNKNOWN
from tcpsnoop.owners.evidence import NEVER, Sighting

ALWAYS = -(1 << 62)


@dataclass(slots=True)
class End:
    """One end of a connection. Times in nanoseconds are of packets, NEVER when there was none."""

    key: int  # connection * 2 + end
    local: bytes  # places (owners.sockets)
    remote: bytes
    address: tuple[int, int]
    code: int = 0  # of its answer in the pool
    from_ns: int = ALWAYS  # for packets from when on that holds

    first_ns: int = NEVER  # of its first packet
    last_ns: int = ALWAYS  # of its last one, while it is looked for
    began_ns: int = NEVER  # of its SYN
    answering_ns: int = NEVER
    fin_sent_ns: int = NEVER
    fin_received_ns: int = NEVER
    ended_ns: int = NEVER  # by a RST, by the provider, or by a newer connection in its place

    # What its socket is thought to be.
    quality: str = UNKNOWN
    inodes: tuple[int, ...] = ()
    cookie: int = 0  # of its own socket, where we hear when that ends
    left_ns: int = NEVER  # when we heard that
    holds_from_ns: int = ALWAYS  # from when on its own socket is the one that was found
    read_ns: int = ALWAYS  # system time when the table had been read that shows the inode
    asked: int = 0  # tick of the descriptors when `inodes` became known
    first_listeners: tuple[int, ...] | None = None  # who listened there at the first look
    distrusted: int = 0  # an inode that may be of another connection, until:
    trusted_at: float = 0.0

    tries: int = 0
    retry_at: float = 0.0

    @property
    def connection(self) -> int:
        """Number of its connection."""
        return self.key >> 1

    @property
    def is_responder(self) -> bool:
        """Whether it is the end that was called."""
        return bool(self.key & 1)

    @property
    def over_ns(self) -> int:
        """From when on a socket with its addresses and ports would be another one."""
        return min(self.ended_ns, max(self.fin_sent_ns, self.fin_received_ns))

    @property
    def over(self) -> bool:
        """Whether its socket is no longer to be found."""
        return self.over_ns != NEVER

    def note(self, sighting: Sighting) -> None:
        """Add what other packets tell."""
        self.first_ns = min(self.first_ns, sighting.first_ns)
        self.last_ns = max(self.last_ns, sighting.last_ns)
        self.began_ns = min(self.began_ns, sighting.began_ns)
        self.answering_ns = min(self.answering_ns, sighting.answering_ns)
        self.fin_sent_ns = min(self.fin_sent_ns, sighting.fin_sent_ns)
        self.fin_received_ns = min(self.fin_received_ns, sighting.fin_received_ns)
        self.ended_ns = min(self.ended_ns, sighting.ended_ns)


class Ends:
    """The ends seen lately, at most `capacity`, and the codes of their answers.

    Codes of many rows are found through a table indexed by the low bits of the key; where two
    ends meet in one place, the one asked for last has it.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._ends: dict[int, End] = {}
        self._newest: dict[bytes, End] = {}  # by local and remote
        places = 1 << (2 * capacity - 1).bit_length()
        self._mask = places - 1
        self._keys = np.full(places, -1, np.int64)
        self._codes = np.zeros(places, np.int32)
        self._from_ns = np.zeros(places, np.int64)
        self._marked = np.zeros(places, np.bool_)
        self._asked_for = np.zeros(places, np.bool_)

    def __len__(self) -> int:
        return len(self._ends)

    def codes(
        self, keys: NDArray[np.int64], times: NDArray[np.int64], too_early: int
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """For each key the code of its answer, and whether the end is known; shape (n,).

        The code is `too_early` where the answer does not hold for packets of that time.
        """
        places = keys & self._mask
        self._asked_for[places] = True
        holds = times >= self._from_ns[places]
        return np.where(holds, self._codes[places], np.int32(too_early)), self._keys[places] == keys

    def take_asked_for(self) -> Callable[[int], bool]:
        """For which keys codes were asked for since the last call, or for one in the same place."""
        asked_for = self._asked_for.copy()
        self._asked_for[:] = False
        return lambda key: bool(asked_for[key & self._mask])

    def marked(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each key whether its end is marked, or one in the same place is; shape (n,)."""
        marked: NDArray[np.bool_] = self._marked[keys & self._mask]
        return marked

    def mark(self, end: End, marked: bool) -> None:
        """Mark an end, whose rows are to be looked at."""
        place = end.key & self._mask
        if marked or self._keys[place] == end.key:
            self._marked[place] = marked

    def get(self, key: int) -> End | None:
        """As `peek`; the code of the end is found by `codes` from then on."""
        end = self._ends.get(key)
        if end is not None and self._keys[key & self._mask] != key:
            self.answer(end, end.code, end.from_ns)
        return end

    def peek(self, key: int) -> End | None:
        """The end of a key, if it is remembered."""
        return self._ends.get(key)

    def add(self, end: End) -> tuple[End | None, End | None]:
        """Remember an end; the one of an older connection in whose place it comes, one forgotten.

        An end that is added after one of a newer connection in its place is over itself.
        """
        place = end.local + end.remote
        self._ends[end.key] = end
        self.answer(end, end.code, end.from_ns)
        older = self._newest.get(place)
        if older is not None and older.connection > end.connection:
            end.ended_ns, older = ALWAYS, None
        else:
            self._newest[place] = end
        # Both ends of a socket connected to itself have the same addresses and ports.
        if older is not None and older.connection == end.connection:
            older = None
        return older, self._forget_oldest() if len(self._ends) > self._capacity else None

    def answer(self, end: End, code: int, from_ns: int) -> None:
        """Give an end a new answer, which holds for its packets from a time on."""
        end.code, end.from_ns = code, from_ns
        place = end.key & self._mask
        self._keys[place], self._codes[place], self._from_ns[place] = end.key, code, from_ns

    def _forget_oldest(self) -> End:
        oldest = self._ends.pop(next(iter(self._ends)))
        if self._newest.get(oldest.local + oldest.remote) is oldest:
            del self._newest[oldest.local + oldest.remote]
        place = oldest.key & self._mask
        if self._keys[place] == oldest.key:
            self._keys[place] = -1
        return oldest
