"""The columns of every row that names a process: who, how that is known, and if not, why not.

A schema that has PROCESS ends with ATTRIBUTION; one with room for it has CONTEXT before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owner_table import OwnerTable
from tcpsnoop.batches.owners import QUALITIES, SHARED, Owner, OwnerColumns, Process
from tcpsnoop.batches.rows import chosen
from tcpsnoop.report import Column, Kind, LazyPool, Values

Evidence = tuple[str, str]  # quality and reason of an answer

PROCESS = (
    Column("pid", Kind.INTEGER, "process, when it is known"),
    Column("command", Kind.TEXT, "the kernel's short name of the process"),
)
UID = Column("uid", Kind.INTEGER, "user of the process")
CONTEXT = (
    Column("command_line", Kind.TEXT, "its arguments, [command] when they could not be read"),
    Column("executable", Kind.TEXT, "path of its program"),
    Column("user", Kind.TEXT, "name of its user"),
    Column("parent_pid", Kind.INTEGER, "process whose child it was when it was first read"),
    Column("parent_command", Kind.TEXT, "short name of that one"),
    Column("unit", Kind.TEXT, "systemd unit that its cgroup belongs to"),
    Column("container", Kind.TEXT, "id, or lxc's name, of its container, by its cgroup"),
    Column("network_namespace", Kind.INTEGER, "inode of its network namespace"),
)
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
    entries = chosen(table.entries, codes)
    return {
        "pid": Values(entries["pid"].astype(np.int64)),
        "uid": Values(entries["uid"]),
        "command": Values(entries["command"], table.commands),
        "attribution": Values(entries["quality"], table.qualities),
        "reason": Values(entries["reason"], table.reasons),
        "holders": _holders(table, codes, entries["several"]),
    }


def context_values(owners: OwnerColumns, rows: int) -> dict[str, Values]:
    """The values of CONTEXT for the rows of a batch."""
    table = OwnerTable.of(owners.pool) if len(owners.index) else _NOBODY
    entries = chosen(table.entries, owners.indices(rows))
    contexts = table.contexts.rows(entries["context"])
    places = table.cgroups.rows(entries["cgroup"])
    values = {"command_line": _command_lines(table, entries)}
    for name in ("user", "executable", "parent_command"):
        values[name] = Values(contexts[name], table.contexts.texts)
    for name in ("unit", "container"):
        values[name] = Values(places[name], table.cgroups.texts)
    for name in ("parent_pid", "network_namespace"):
        values[name] = Values(contexts[name].astype(np.int64))
    return values


def _command_lines(table: OwnerTable, entries: NDArray[np.void]) -> Values:
    """Arguments, or `[command]`: these stand behind all of those."""
    lines, commands = table.command_lines, table.commands
    line, command = entries["command_line"], entries["command"]
    instead = np.where(command < 0, -1, command + len(lines))
    known = len(lines)

    def entry(at: int) -> str:
        return lines[at] if at < known else f"[{commands[at - known]}]"

    return Values(np.where(line < 0, instead, line), LazyPool(known + len(commands), entry))


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
