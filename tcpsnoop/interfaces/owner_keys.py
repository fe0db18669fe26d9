"""Owners as keys of a sum: numbers that merge, and what a row says of whom it sums up."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate import Labels
from tcpsnoop.batches.owners import UNKNOWN, Owner, OwnerColumns
from tcpsnoop.interfaces.ownership import holders_of, together
from tcpsnoop.report import Values, object_values, text_values

Column = NDArray[np.int64]

_DIGEST_BYTES = 8
_POSITIVE = (1 << 63) - 1


class OwnerKeys:
    """Gives owners their numbers, and keeps who has which.

    A number is the same in any run. It is positive for a process, which is its PID and start time,
    and for the same holders of a shared socket; negative where nobody is known, by the reason; 0
    is nobody's, and free for those who do not ask why.
    """

    def __init__(self) -> None:
        self._owners: dict[int, Owner] = {}
        self._evidence = Labels((UNKNOWN, "other reasons"))

    def of(self, owners: OwnerColumns, rows: int) -> tuple[Column, Column]:
        """For each of so many rows the number of its owner, and what that rests on.

        The second column is for a sum by np.bitwise_or; see `translated` and `values`.
        """
        used, place = np.unique(owners.indices(rows), return_inverse=True)
        found = [self._learnt(owners.pool[code]) for code in used.tolist()]
        keys, evidence = np.array(found, np.int64).reshape(-1, 2)[place].T
        return keys, evidence

    def merge(self, other: OwnerKeys) -> None:
        """Know whom another knows, too; what it says of them is newer."""
        self._owners |= other._owners

    def translated(self, evidence: Column, other: OwnerKeys) -> Column:
        """What another's numbers rest on, as it is written here."""
        return self._evidence.translated(evidence, other._evidence)

    def values(self, keys: Column, evidence: Column) -> dict[str, Values]:
        """The columns of `ownership` for rows of these keys, and some more.

        `command_line` is the argument list, or the short name in brackets. `who` is for people: the
        holders of what is shared, the reason where nobody is known.
        """
        used, place = np.unique(keys, return_inverse=True)
        owners = [self._owners.get(key) for key in used.tolist()]
        processes = [owner.process if owner else None for owner in owners]
        pools: dict[str, list[object]] = {
            "command": [each.command if each else None for each in processes],
            "command_line": [
                (each.command_line or f"[{each.command}]") if each else None for each in processes
            ],
            "holders": [holders_of(owner) if owner else None for owner in owners],
            "who": [_told(owner) for owner in owners],
        }
        values = {name: object_values(pool).take(place) for name, pool in pools.items()}
        for name in ("pid", "uid"):
            numbers = [getattr(each, name) if each else -1 for each in processes]
            values[name] = Values(np.array(numbers, np.int64)[place])
        return values | self._grounds(evidence)

    def _learnt(self, owner: Owner) -> tuple[int, int]:
        key = _key(owner)
        self._owners[key] = owner
        return key, self._evidence.bit((owner.quality, owner.reason))

    def _grounds(self, evidence: Column) -> dict[str, Values]:
        different, place = np.unique(evidence, return_inverse=True)
        grounds = [together(self._evidence.of(bits)) for bits in different.tolist()]
        return {
            "attribution": text_values([quality for quality, _ in grounds]).take(place),
            "reason": text_values([reason for _, reason in grounds]).take(place),
        }


def _key(owner: Owner) -> int:
    names = sorted((process.pid, process.start_time) for process in owner.processes)
    said = repr(names if names else (owner.quality, owner.reason))
    digest = blake2b(said.encode(), digest_size=_DIGEST_BYTES).digest()
    number = int.from_bytes(digest, "little") & _POSITIVE or 1
    return number if names else -number


def _told(owner: Owner | None) -> str | None:
    if owner is None or owner.process is not None:
        return None
    shared = holders_of(owner)
    if shared is None:
        return f"({owner.reason or owner.quality})"
    return ", ".join(f"{name} ({pid})" for pid, name in shared)
