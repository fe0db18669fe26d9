"""Owners by code, in columns: what reports show of millions of rows is never looked up one by one.

An `Owner` is made when somebody asks for it. Where processes come by the thousand a second, nobody
asks for most of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.context_table import CgroupTable, ContextTable
from tcpsnoop.batches.numbered import NONE, Texts
from tcpsnoop.batches.owners import NO_CONTEXT, NOT_ASKED, Owner, Process

ENTRY = np.dtype(
    [
        ("start_time", "i8"),  # of its process, as Process has it
        ("uid", "i8"),  # -1 unknown
        ("pid", "i4"),  # -1: no single process
        ("command", "i4"),  # index into `commands`, NONE: no single process
        ("command_line", "i4"),  # index into `command_lines`; NONE: `[command]`
        ("cgroup", "i4"),  # index into `cgroups`, NONE unknown
        ("context", "i4"),  # index into `contexts`, NONE unknown
        ("quality", "i2"),  # index into `qualities`
        ("reason", "i2"),  # index into `reasons`, NONE: none
        ("several", "?"),  # it has holders
    ],
    align=True,
)


class OwnerTable(Sequence[Owner]):
    """Owners, and what stands in their columns; it only grows, so a code is an owner for good."""

    def __init__(self, owners: Iterable[Owner] = (NOT_ASKED,)) -> None:
        self.commands = Texts()
        self.command_lines = Texts()
        self.cgroups = CgroupTable()
        self.contexts = ContextTable()
        self.qualities = Texts()
        self.reasons = Texts()
        self._rows = np.zeros(64, ENTRY)
        self._count = 0
        self._made: dict[int, Owner] = {}
        for owner in owners:
            self.append(owner)

    @classmethod
    def of(cls, owners: Sequence[Owner]) -> OwnerTable:
        """The owners as a table, by the same codes."""
        return owners if isinstance(owners, cls) else cls(owners)

    @property
    def entries(self) -> NDArray[np.void]:
        """Rows of ENTRY by code."""
        return self._rows[: self._count]

    def append(self, owner: Owner) -> int:
        """Add an owner; its code."""
        row = np.zeros(1, ENTRY)
        row["quality"] = self.qualities.number(owner.quality)
        row["reason"] = self.reasons.number(owner.reason) if owner.reason else NONE
        row["several"] = bool(owner.holders)
        process = owner.process
        if process is None:
            for name in ("uid", "pid", "command", "command_line", "cgroup", "context"):
                row[name] = NONE
        else:
            row["start_time"], row["uid"], row["pid"] = process.start_time, process.uid, process.pid
            row["command"] = self.commands.number(process.command)
            row["command_line"] = self.command_lines.number(process.command_line)
            row["cgroup"] = self.cgroups.number(process.cgroup)
            row["context"] = self.contexts.number(process.context)
        code = self.extend(row)
        self._made[code] = owner
        return code

    def extend(self, rows: NDArray[np.void]) -> int:
        """Add an owner for each row of ENTRY, a process; the code of the first."""
        first, count = self._count, self._count + len(rows)
        if count > len(self._rows):
            room = np.zeros(max(count, 2 * len(self._rows)), ENTRY)
            room[:first] = self._rows[:first]
            self._rows = room
        self._rows[first:count] = rows
        self._count = count
        return first

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, code: int) -> Owner: ...
    @overload
    def __getitem__(self, code: slice) -> list[Owner]: ...
    def __getitem__(self, code: int | slice) -> Owner | list[Owner]:
        if isinstance(code, slice):
            return [self[each] for each in range(*code.indices(self._count))]
        code = range(self._count)[code]
        owner = self._made.get(code)
        if owner is None:
            owner = self._made[code] = self._make(self._rows[code])
        return owner

    def _make(self, row: NDArray[np.void]) -> Owner:
        entry: dict[str, int] = dict(zip(ENTRY.names or (), row.item(), strict=True))
        command = self.commands[entry["command"]]
        line, cgroup, context = entry["command_line"], entry["cgroup"], entry["context"]
        process = Process(
            entry["pid"],
            entry["start_time"],
            command,
            f"[{command}]" if line == NONE else self.command_lines[line],
            entry["uid"],
            "" if cgroup == NONE else self.cgroups[cgroup],
            NO_CONTEXT if context == NONE else self.contexts[context],
        )
        reason = "" if entry["reason"] == NONE else self.reasons[entry["reason"]]
        return Owner(self.qualities[entry["quality"]], process, reason=reason)
