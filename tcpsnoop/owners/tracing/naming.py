"""Processes with names: what the events tell of them, and /proc while they are there.

Most processes on a busy machine live for milliseconds, and events tell their names. So /proc is
read at once only for what no event tells and somebody wants to know, else when a process is first
named as an owner and is still there. Names are given many at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owner_table import ENTRY, OwnerTable
from tcpsnoop.batches.owners import EXACT, KERNEL, Context, Process
from tcpsnoop.owners.processes import EVERYTHING, Wanted
from tcpsnoop.owners.tracing.host import Host
from tcpsnoop.owners.tracing.tables import ALWAYS, NEVER, NONE, Tables

# A process is stamped some moments before its birth is told.
LATE_TICKS = 2
# Arguments are looked for so many forks back.
GENERATIONS = 16


class Naming:
    """Processes by the number of their record, as codes in a table of owners.

    `host` is where they are; `wanted` is what is to be known of a process besides its name.
    """

    def __init__(
        self,
        tables: Tables,
        owners: OwnerTable,
        host: Host,
        wanted: Wanted = EVERYTHING,
    ) -> None:
        self._tables = tables
        self._owners = owners
        self._host = host
        self._wanted = wanted
        self._commands: dict[tuple[int, int], int] = {}  # by the words of the name

    def name(self, places: NDArray[np.int64]) -> None:
        """Give codes to the processes whose records are at these places, each once."""
        self._name(places, GENERATIONS)

    def codes(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The code of each process as an owner, NONE where its record was forgotten."""
        return self._codes(numbers, GENERATIONS)

    def process(self, number: int) -> Process | None:
        """The process of a record; None when the record was forgotten."""
        code = int(self.codes(np.array([number]))[0])
        return None if code == NONE else self._owners[code].process

    def met(self, numbers: NDArray[np.int64]) -> None:
        """Name those that were just met, if they must be read before they are gone."""
        wanted = self._wanted
        places = self._places(numbers)
        rows = self._tables.processes[places]
        early = rows["name_high"] == 0
        if wanted.user or wanted.cgroup or wanted.context:
            early[:] = True
        elif wanted.command_line:
            # Who was forked has the arguments of its parent.
            early |= (rows["executed_ns"] != ALWAYS) | (rows["start_ns"] == ALWAYS)
        early &= (rows["number"] == numbers) & (rows["code"] == NONE)
        if early.any():
            self._name(np.unique(places[early]), GENERATIONS)

    def descends(self, process: Process, ancestor: int) -> bool | None:
        """Whether events tell that a process comes from that one; None: they do not know it."""
        number = self._number(process)
        if number == NONE:
            return None
        while (row := self._row(number)) is not None:
            number = int(row["parent"])
            above = self._row(number) if number != NONE else None
            if above is None:
                # It was there before tracing began, when nobody told of parents.
                return None if row["start_ns"] == ALWAYS else False
            if above["pid"] == ancestor:
                return True
        return None

    def _number(self, process: Process) -> int:
        """The number of the record of a process that was named."""
        rows, by_pid = self._tables.processes, self._tables.by_pid
        newest = self._row(int(by_pid[process.pid])) if process.pid < len(by_pid) else None
        if newest is not None and newest["start_ticks"] == process.start_time:
            return int(newest["number"])
        same = (rows["pid"] == process.pid) & (rows["start_ticks"] == process.start_time)
        return int(rows["number"][same].max(initial=NONE))

    def _row(self, number: int) -> NDArray[np.void] | None:
        row: NDArray[np.void] = self._tables.processes[number & (len(self._tables.processes) - 1)]
        return row if row["number"] == number else None

    def _places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        return numbers & (len(self._tables.processes) - 1)

    def _codes(self, numbers: NDArray[np.int64], generations: int) -> NDArray[np.int64]:
        processes, places = self._tables.processes, self._places(numbers)
        there = processes["number"][places] == numbers
        codes = np.where(there, processes["code"][places], NONE).astype(np.int64)
        unnamed = there & (codes < 0)
        if unnamed.any():
            self._name(np.unique(places[unnamed]), generations)
            codes[unnamed] = processes["code"][places[unnamed]]
        return codes

    def _name(self, places: NDArray[np.int64], generations: int) -> None:
        """Give codes to the processes at these places, each once."""
        processes = self._tables.processes
        rows = processes[places]
        entries = self._told(rows)
        unread = self._read_living(rows, entries)
        if (self._wanted.command_line or self._wanted.context) and generations > 0:
            self._inherit(rows, entries, unread, generations)
        first = self._owners.extend(entries)
        processes["code"][places] = np.arange(first, first + len(places))
        processes["start_ticks"][places] = entries["start_time"]

    def _told(self, rows: NDArray[np.void]) -> NDArray[np.void]:
        """What events say of processes, and what was known of them under their name before."""
        owners = self._owners
        entries = np.zeros(len(rows), ENTRY)
        entries["pid"], entries["command"] = rows["pid"], self._command_numbers(rows)
        ticks, born = rows["start_ticks"], self._ticks(rows["start_ns"])
        entries["start_time"] = np.where(ticks == NONE, born, ticks)
        qualities = (owners.qualities.number(EXACT), owners.qualities.number(KERNEL))
        entries["quality"] = np.where(rows["kernel"] != 0, qualities[1], qualities[0])
        before = rows["before"]
        for name in ("uid", "command_line", "cgroup", "context"):
            entries[name] = np.where(before == NONE, NONE, owners.entries[name][before])
        entries["reason"] = NONE
        if self._wanted.cgroup:
            self._find_cgroups(rows, entries)
        return entries

    def _find_cgroups(self, rows: NDArray[np.void], entries: NDArray[np.void]) -> None:
        """The paths of cgroups whose numbers calls have told."""
        for number in np.unique(rows["cgroup"]).tolist():
            path = self._host.cgroup_path(number)
            if path:
                entries["cgroup"][rows["cgroup"] == number] = self._owners.cgroups.number(path)

    def _command_numbers(self, rows: NDArray[np.void]) -> list[int]:
        known, texts = self._commands, self._owners.commands
        words = list(zip(rows["name_high"].tolist(), rows["name_low"].tolist(), strict=True))
        for new in set(words) - known.keys():
            known[new] = texts.number(_text(*new))
        return [known[each] for each in words]

    def _ticks(self, start_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """The start times of processes whose birth was told, 0 of others."""
        told = start_ns != ALWAYS
        since_boot = np.where(told, start_ns - self._host.boot_ns(), 0)
        return since_boot * self._host.ticks_per_second // 1_000_000_000

    def _read_living(self, rows: NDArray[np.void], entries: NDArray[np.void]) -> NDArray[np.bool_]:
        """Let /proc say what it knows better of those that are there; which ones it did not."""
        worth = (rows["start_ticks"] == NONE) | (rows["name_high"] == 0) | any(self._wanted)
        unread = np.ones(len(rows), np.bool_)
        for index in np.flatnonzero(worth & (rows["exit_ns"] == NEVER)).tolist():
            process = self._read(rows[index])
            if process is None:
                continue
            unread[index], entry = False, entries[index]
            entry["start_time"], entry["uid"] = process.start_time, process.uid
            entry["command"] = self._owners.commands.number(process.command)
            if process.command_line:
                entry["command_line"] = self._owners.command_lines.number(process.command_line)
            if process.cgroup:
                entry["cgroup"] = self._owners.cgroups.number(process.cgroup)
            if self._wanted.context:
                entry["context"] = self._owners.contexts.number(process.context)
        return unread

    def _read(self, row: NDArray[np.void]) -> Process | None:
        """What /proc says of a process, if it is the same there."""
        process = self._host.read_process(int(row["pid"]), int(row["executed_ns"]))
        if process is None:
            return None
        known = int(row["start_ticks"])
        if known != NONE:
            return process if process.start_time == known else None
        if row["start_ns"] == ALWAYS:
            return process
        late = int(self._ticks(row["start_ns"])) - process.start_time
        return process if 0 <= late <= LATE_TICKS else None

    def _inherit(
        self,
        rows: NDArray[np.void],
        entries: NDArray[np.void],
        wanting: NDArray[np.bool_],
        generations: int,
    ) -> None:
        """Give those `wanting` what they have of who forked them.

        Arguments and program are the same only if neither has called exec since.
        """
        parents = rows["parent"]
        above = self._tables.processes[self._places(parents)]
        heirs = np.flatnonzero(wanting & (parents != NONE) & (above["number"] == parents))
        same = (rows["executed_ns"] == ALWAYS) & (above["executed_ns"] <= rows["start_ns"])
        if not self._wanted.context:
            heirs = heirs[same[heirs]]
        if len(heirs) == 0:
            return
        codes = self._codes(parents[heirs], generations - 1)
        lines = self._owners.entries["command_line"][codes]
        unknown = same[heirs] & (entries["command_line"][heirs] == NONE)
        entries["command_line"][heirs[unknown]] = lines[unknown]
        if self._wanted.context:
            for heir, code in zip(heirs.tolist(), codes.tolist(), strict=True):
                if entries["context"][heir] == NONE:
                    context = self._context_of(code, same=bool(same[heir]))
                    entries["context"][heir] = self._owners.contexts.number(context)

    def _context_of(self, parent: int, *, same: bool) -> Context:
        """The context of one that this owner has forked, and that was not read."""
        entry, owners = self._owners.entries[parent], self._owners
        known = int(entry["context"])
        executable = owners.contexts[known].executable if same and known != NONE else ""
        command = owners.commands[int(entry["command"])]
        return Context("", executable, int(entry["pid"]), command)


def _text(high: int, low: int) -> str:
    raw = np.array([high, low], ">i8").tobytes()
    return raw.rstrip(b"\0").decode("utf-8", "backslashreplace")
