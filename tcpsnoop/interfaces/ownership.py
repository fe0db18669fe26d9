"""The columns of every row that names a process: who, how that is known, and if not, why not.

A schema that has PROCESS ends with ATTRIBUTION.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owner_table import OwnerTable
from tcpsnoop.batches.owners import QUALITIES, SHARED, Owner, OwnerColumns, Process
from tcpsnoop.report import Column, Kind, Values

Evidence = tuple[str, str]  # quality and reason of an answer

PROCESS = (
    Column("pid", Kind.INTEGER, "process, when it is known"),
    Column("command", Kind.TEXT, "the kernel's short name of the process"),
)
UID = Column("uid", Kind.INTEGER, "user of the process")
ATTRIBUTION = (
    Column("attribution", Kind.TEXT, "how the process is known, or unknown"),
    Column("reason", Kind.TEXT, "why it is not known, or not better"),
    Column("holders", Kind.OBJECT, "with attribution shared: [pid, command] of each"),
)


_NOBODY = OwnerTable()


def owner_values(owners: OwnerColumns, rows: int) -> dict[str, Values]:
    """The values of PROCESS, UID and ATTRIBUTION for the rows of a batch."""
    table = OwnerTable.of(owners.pool) if len(owners.index) else _NOBODY
    codes = owners.indices(rows)
    entries = table.entries[codes]
    return {
        "pid": Values(entries["pid"].astype(np.int64)),
        "uid": Values(entries["uid"]),
        "command": Values(entries["command"], table.commands),
        "attribution": Values(entries["quality"], table.qualities),
        "reason": Values(entries["reason"], table.reasons),
        "holders": _holders(table, codes, entries["several"]),
    }


def _holders(table: OwnerTable, codes: NDArray[np.int32], several: NDArray[np.bool_]) -> Values:
    index = np.full(len(codes), -1, np.int32)
    if not several.any():
        return Values(index)
    used, index[several] = np.unique(codes[several], return_inverse=True)
    return Values(index, [holders_of(table[code]) for code in used.tolist()])


def holders_of(owner: Owner) -> list[list[object]] | None:
    """What the column `holders` says of an owner."""
    if owner.quality != SHARED:
        return None
    return [[process.pid, process.command] for process in _by_pid(owner.holders)]


def together(answers: Iterable[Evidence]) -> tuple[str, str | None]:
    """Attribution and reason of a row that rests on all of these: the weakest, every reason."""
    qualities, reasons = zip(*answers, strict=True)
    return max(qualities, key=_rank), ", ".join(sorted(set(reasons) - {""})) or None


def _rank(quality: str) -> tuple[int, str]:
    return QUALITIES.index(quality) if quality in QUALITIES else len(QUALITIES), quality


def _by_pid(processes: Sequence[Process]) -> list[Process]:
    return sorted(processes, key=lambda process: (process.pid, process.start_time))
