"""Random streams of fired probes with owners, for hypothesis; and how they are cut into parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import (
    EXACT,
    HOLDER,
    LISTENER,
    NOT_ASKED,
    SHARED,
    UNKNOWN,
    Owner,
    OwnerColumns,
    Process,
)
from tcpsnoop.batches.probes import CLOSED_ROW, END_REASONS, PROBE_ROW, PROBES, ProbeBatch
from tests.probe_batches import START_NS

ADDRESSES = [
    halves(text)
    for text in ("10.0.0.1", "10.0.0.2", "10.0.0.10", "255.255.255.255", "::1", "2001:db8::1:1")
]
PORTS = (0, 22, 80, 443, 65535)
SIZES = (0, 1, 2, 3, 100, 127, 128, 1460, 65536, 2**31 - 1)

_SSHD = Process(100, 1, "sshd", "sshd -D")
_FORK = Process(101, 2, "sshd", "sshd: user")
_AGAIN = Process(100, 3, "cron", "cron -f")
OWNERS = (
    NOT_ASKED,
    Owner(HOLDER, _SSHD),
    Owner(EXACT, _FORK),
    Owner(LISTENER, _SSHD, reason="before accept"),
    Owner(HOLDER, _AGAIN),
    Owner(SHARED, holders=(_SSHD, _FORK)),
    Owner(UNKNOWN, reason="no permission"),
    Owner(UNKNOWN, reason="gone"),
)


@dataclass(frozen=True)
class Stream:
    """Rows in the order they fired, the owner of each, and where to cut."""

    rows: NDArray[np.void]
    closed: NDArray[np.void]
    owners: tuple[int, ...]  # indices of OWNERS; () when nobody was asked
    cuts: tuple[int, ...]

    @property
    def whole(self) -> list[ProbeBatch]:
        """The stream as one batch; none when it is empty, as no reporter is given an empty one."""
        return self._batches([0, len(self.rows)])

    @property
    def parts(self) -> list[list[ProbeBatch]]:
        """Parts that follow each other, some empty, each a run with a pool of owners of its own."""
        edges = [0, *self.cuts, len(self.rows)]
        return [self._batches(list(pair)) for pair in pairwise(edges)]

    def _batches(self, edges: Sequence[int]) -> list[ProbeBatch]:
        first, last = edges
        if first == last:
            return []
        rows = self.rows[first:last].copy()
        if not self.owners:
            return [ProbeBatch(rows, self.closed)]
        mine = [OWNERS[number] for number in self.owners[first:last]]
        pool = [NOT_ASKED, *dict.fromkeys(owner for owner in mine if owner != NOT_ASKED)]
        codes = np.array([pool.index(owner) for owner in mine], np.int32)
        return [ProbeBatch(rows, self.closed, OwnerColumns(codes, pool))]


@st.composite
def streams(draw: st.DrawFn, probes: Sequence[str]) -> Stream:
    """Streams of these probes. Sizes and cuts are hypothesis's to vary; the rest is random."""
    count = draw(st.integers(0, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = np.zeros(count, PROBE_ROW)
    rows["probe"] = random.choice([PROBES[name].number for name in probes], count)
    rows["packet"] = np.arange(1, count + 1)
    rows["time_ns"], rows["digits"] = START_NS + rows["packet"] * 1000, 6
    rows["connection"] = random.integers(1, 5, count)
    for side in "lr":
        addresses = random.choice(ADDRESSES, count)
        rows[f"{side}addr_high"], rows[f"{side}addr_low"] = addresses.reshape(-1, 2).T
        rows[f"{side}port"] = random.choice(PORTS, count)
    rows["bytes"] = random.choice(SIZES, count)
    rows["frame_bytes"], rows["frame"] = 54, -1
    rows["flags"] = random.integers(0, 0x200, count)
    for name in ("end", "outgoing", "duplicate", "remote_local"):
        rows[name] = random.integers(0, 2, count)
    rows["detail"] = np.where(rows["probe"] == PROBES["closed"].number, np.arange(count), -1)
    closed = np.zeros(count, CLOSED_ROW)
    closed["start_ns"], closed["tx_payload"] = START_NS, rows["bytes"]
    closed["end_reason"] = random.integers(0, len(END_REASONS), count)
    asked = draw(st.booleans())
    owners = random.integers(0, len(OWNERS), count).tolist() if asked else []
    cuts = draw(st.lists(st.integers(0, count), max_size=3))
    return Stream(rows, closed, tuple(owners), tuple(sorted(cuts)))
