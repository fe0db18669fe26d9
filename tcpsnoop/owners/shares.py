"""How many connection ends, and how many of their bytes, were attributed in which way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probes import PROBE_ROW, RECEIVE, SEND
from tcpsnoop.kernel import Integer, inlined, kernel
from tcpsnoop.owners.pool import OwnerPool

# Ends whose latest answer is remembered; what is asked of older ones counts as another end.
PLACES = 1 << 18

# What is remembered of an end: its key, and the code of its latest answer.
_KEY, _CODE = 0, 1


class Shares:
    """Counts of ends by their latest answer, and of payload bytes by the answer of their row."""

    def __init__(self, pool: OwnerPool) -> None:
        self._owners = pool.owners
        self._latest = np.full((PLACES, 2), -1, np.int64)
        # By quality and reason, as the pool's table numbers them; the first reason is none.
        self._ends = np.zeros((0, 0), np.int64)
        self._bytes = np.zeros((0, 0), np.int64)
        self.count(np.empty(0, PROBE_ROW), np.empty(0, np.int32))  # compiled before packets come

    def count(self, rows: NDArray[np.void], codes: NDArray[np.int32]) -> None:
        """Take the answers of these rows in."""
        shape = (len(self._owners.qualities), len(self._owners.reasons) + 1)
        if shape != self._ends.shape:
            more = [(0, new - old) for new, old in zip(shape, self._ends.shape, strict=True)]
            self._ends, self._bytes = np.pad(self._ends, more), np.pad(self._bytes, more)
        _count(rows, codes, self._owners.entries, self._latest, self._ends, self._bytes)

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

    def _sums(self, counts: NDArray[np.int64]) -> tuple[Counter[str], Counter[str]]:
        """By quality, and by reason."""
        qualities: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for quality, reason in np.argwhere(counts).tolist():
            count = int(counts[quality, reason])
            qualities[self._owners.qualities[quality]] += count
            if reason > 0:
                reasons[self._owners.reasons[reason - 1]] += count
        return qualities, reasons


@kernel
def _count(
    rows: NDArray[np.void],
    codes: NDArray[np.int32],
    entries: NDArray[np.void],
    latest: NDArray[np.int64],
    ends: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> None:
    """Move each end to its latest answer; add the payload of rows that carry it."""
    for index in range(rows.size):
        row = rows[index]
        code = np.int64(codes[index])
        quality, reason = _kind(entries, code)
        carries = row["probe"] == SEND or row["probe"] == RECEIVE
        if carries and row["duplicate"] == 0 and row["bytes"] > 0:
            sizes[quality, reason] += row["bytes"]
        key = np.int64(row["connection"]) * 2 + np.int64(row["end"])
        place = key & (latest.shape[0] - 1)
        if latest[place, _KEY] == key:
            if latest[place, _CODE] == code:
                continue
            old_quality, old_reason = _kind(entries, latest[place, _CODE])
            ends[old_quality, old_reason] -= 1
        ends[quality, reason] += 1
        latest[place, _KEY] = key
        latest[place, _CODE] = code


@inlined
def _kind(entries: NDArray[np.void], code: Integer) -> tuple[Integer, Integer]:
    entry = entries[code]
    return np.int64(entry["quality"]), np.int64(entry["reason"]) + 1


def _percent(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{name} {100 * n / total:.1f} %" for name, n in counts.most_common())
