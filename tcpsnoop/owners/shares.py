"""How many connection ends, and how many of their bytes, were attributed in which way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probes import RECEIVE, SEND
from tcpsnoop.owners.evidence import keys_of
from tcpsnoop.owners.pool import OwnerPool

# Ends whose latest answer is remembered; what is asked of older ones counts as another end.
PLACES = 1 << 18


class Shares:
    """Counts of ends by their latest answer, and of payload bytes by the answer of their row."""

    def __init__(self, pool: OwnerPool) -> None:
        self._pool = pool
        self._keys = np.full(PLACES, -1, np.int64)
        self._latest = np.zeros(PLACES, np.int16)  # kind of the end's answer
        self._kinds: dict[tuple[str, str], int] = {}  # quality and reason
        self._kind_of = np.empty(0, np.int16)  # by code
        self._ends = np.zeros(64, np.int64)  # by kind
        self._bytes = np.zeros(64, np.int64)

    def count(self, rows: NDArray[np.void], codes: NDArray[np.int32]) -> None:
        """Take the answers of these rows in."""
        self._learn()
        kinds = self._kind_of[codes]
        traffic = ((rows["probe"] == SEND) | (rows["probe"] == RECEIVE)) & (rows["duplicate"] == 0)
        np.add.at(self._bytes, kinds[traffic], np.maximum(rows["bytes"][traffic], 0))
        keys, last = np.unique(keys_of(rows)[::-1], return_index=True)
        latest = kinds[::-1][last]
        places = keys & (PLACES - 1)
        met = self._keys[places] == keys
        np.subtract.at(self._ends, self._latest[places[met]], 1)
        np.add.at(self._ends, latest, 1)
        self._keys[places], self._latest[places] = keys, latest

    def lines(self) -> Iterator[str]:
        """Such as `200 connection ends: exact 90.0 %, unknown 10.0 % (gone 20)`."""
        ends, reasons = self._sums(self._ends)
        if not ends:
            yield "no connections"
            return
        told = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        yield f"{ends.total()} connection ends: {_percent(ends)}" + (told and f" ({told})")
        moved, _ = self._sums(self._bytes)
        if moved:
            yield f"{moved.total()} payload bytes: {_percent(moved)}"

    def _learn(self) -> None:
        """The kinds of owners that are new in the pool."""
        owners = self._pool.owners[len(self._kind_of) :]
        if not owners:
            return
        new = [
            self._kinds.setdefault((each.quality, each.reason), len(self._kinds)) for each in owners
        ]
        self._kind_of = np.concatenate((self._kind_of, np.array(new, np.int16)))

    def _sums(self, counts: NDArray[np.int64]) -> tuple[Counter[str], Counter[str]]:
        """By quality, and by reason."""
        qualities: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for (quality, reason), kind in self._kinds.items():
            if counts[kind]:
                qualities[quality] += int(counts[kind])
                if reason:
                    reasons[reason] += int(counts[kind])
        return qualities, reasons


def _percent(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{name} {100 * n / total:.1f} %" for name, n in counts.most_common())
