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
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import (
    CLOSED_ROW,
    CONN_STATES,
    DETAIL,
    END_REASONS,
    PROBE_ROW,
    PROBES,
    RETRANSMISSIONS,
    RTT_METHODS,
    STATES,
)
from tests.probe_batches import START_NS

ADDRESSES = [
    halves(text)
    for text in ("10.0.0.1", "10.0.0.2", "10.0.0.10", "255.255.255.255", "::1", "2001:db8::1:1")
]
PORTS = (0, 22, 80, 443, 65535)
SIZES = (0, 1, 2, 3, 100, 127, 128, 1460, 65536, 2**31 - 1)
# Durations in nanoseconds; -1 is unknown.
TIMES_NS = (-1, 0, 1, 999, 1000, 1_500_000, 200_000_000, 127_000_000_000)
# What a column of DETAIL that is no plain number may hold, where it depends on the probe.
_CHOICES = {
    ("retransmit", "kind"): range(len(RETRANSMISSIONS)),
    ("repeat", "kind"): range(len(RETRANSMISSIONS)),
    ("rtt-sample", "kind"): range(len(RTT_METHODS)),
    ("first-byte", "kind"): (0, 1),
    ("unreachable", "kind"): (1, 2, 3, 4, 11, 12, 255),
    ("unreachable", "code"): (0, 1, 3, 4, 13, 255),
    ("unreachable", "new"): (4, 6),
    ("reset", "old"): (0, 57, 64),
}
_ANY_CHOICES = {
    "old": range(len(STATES)),
    "new": range(len(STATES)),
    "ttl": (1, 57, 64, 255),
    "count": (0, 1, 2, 6),
    "sequence": (0, 1, 2**31, 2**32 - 1),
    "overlap": (0, 1, 536, 1460),
    "elapsed_ns": TIMES_NS,
    "latency_ns": TIMES_NS,
}

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
    details: NDArray[np.void]
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
            return [ProbeBatch(rows, self.closed, details=self.details)]
        mine = [OWNERS[number] for number in self.owners[first:last]]
        pool = [NOT_ASKED, *dict.fromkeys(owner for owner in mine if owner != NOT_ASKED)]
        codes = np.array([pool.index(owner) for owner in mine], np.int32)
        owners = OwnerColumns(codes, pool)
        return [ProbeBatch(rows, self.closed, owners, details=self.details)]


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
    closed, details = _closed(random, rows), _details(random, rows)
    asked = draw(st.booleans())
    owners = random.integers(0, len(OWNERS), count).tolist() if asked else []
    cuts = draw(st.lists(st.integers(0, count), max_size=3))
    return Stream(rows, closed, details, tuple(owners), tuple(sorted(cuts)))


def _closed(random: np.random.Generator, rows: NDArray[np.void]) -> NDArray[np.void]:
    """What the rows of `closed` add, as the provider has it: a byte is one kind or another."""
    count = len(rows)
    closed = np.zeros(count, CLOSED_ROW)
    for side in ("tx", "rx"):
        kinds = random.choice(SIZES, (3, count))
        closed[f"{side}_retransmitted"], closed[f"{side}_probe"] = kinds[0], kinds[1]
        closed[f"{side}_payload"] = kinds.sum(axis=0)
        closed[f"{side}_segments"] = random.choice((0, 1, 2, 1000), count)
    closed["last_ns"] = rows["time_ns"]
    closed["start_ns"] = rows["time_ns"] - np.maximum(random.choice(TIMES_NS, count), 0)
    closed["end_reason"] = random.integers(0, len(END_REASONS), count)
    closed["conn_state"] = random.integers(0, len(CONN_STATES), count)
    closed["midstream"] = random.integers(0, 2, count)
    closed["ttl"] = random.choice(_ANY_CHOICES["ttl"], count)
    rows["detail"] = np.where(rows["probe"] == PROBES["closed"].number, np.arange(count), -1)
    return closed


def _details(random: np.random.Generator, rows: NDArray[np.void]) -> NDArray[np.void]:
    """What the other rows add: the columns that the table of probes names, the rest 0."""
    details = np.zeros(len(rows), DETAIL)
    for probe in PROBES.values():
        mine = np.flatnonzero(rows["probe"] == probe.number)
        if probe.name == "closed" or not probe.fields:
            continue
        rows["detail"][mine] = mine
        for name in (field.name for field in probe.fields):
            if name == "sender":
                senders = random.choice(ADDRESSES, len(mine)).reshape(-1, 2)
                details["sender_high"][mine], details["sender_low"][mine] = senders.T
            else:
                choices = _CHOICES.get((probe.name, name)) or _ANY_CHOICES[name]
                details[name][mine] = random.choice(np.array(choices), len(mine))
    return details
