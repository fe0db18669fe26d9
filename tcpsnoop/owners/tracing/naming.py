"""Processes with names: what the events tell of them, and /proc while they are there."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import Context, Process
from tcpsnoop.owners.tracing.host import Host
from tcpsnoop.owners.tracing.tables import ALWAYS, NEVER, NONE, Tables

# A process is stamped some moments before its birth is told.
LATE_TICKS = 2
# Names of processes that are remembered; the oldest go first.
CAPACITY = 1 << 17


class _Named(NamedTuple):
    process: Process
    executed_ns: int  # its latest exec by then
    name: tuple[int, int]


class Naming:
    """Processes by the number of their record."""

    def __init__(self, tables: Tables, host: Host) -> None:
        self._tables = tables
        self._host = host
        self._named: dict[int, _Named] = {}
        self._numbers: dict[tuple[int, int], int] = {}  # by PID and start time

    def process(self, number: int) -> Process | None:
        """The process of a record; None when the record was forgotten."""
        row = self._row(number)
        known = self._named.get(number)
        if row is None:
            return None if known is None else known.process
        name = int(row["name_high"]), int(row["name_low"])
        executed = int(row["executed_ns"])
        if known is not None and (known.executed_ns, known.name) == (executed, name):
            return known.process
        process = self._read(row) if row["exit_ns"] == NEVER else None
        if process is None:
            process = self._told(row, name, known)
        row["start_ticks"] = process.start_time
        if len(self._named) >= CAPACITY:
            oldest = self._named.pop(next(iter(self._named))).process
            self._numbers.pop((oldest.pid, oldest.start_time), None)
        self._numbers[process.pid, process.start_time] = number
        self._named[number] = _Named(process, executed, name)
        return process

    def descends(self, process: Process, ancestor: int) -> bool | None:
        """Whether events tell that a process comes from that one; None: they do not know it."""
        number = self._numbers.get((process.pid, process.start_time), NONE)
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

    def is_kernel(self, number: int) -> bool:
        """Whether it is a thread of the kernel."""
        row = self._row(number)
        return row is not None and bool(row["kernel"])

    def _row(self, number: int) -> NDArray[np.void] | None:
        processes = self._tables.processes
        row: NDArray[np.void] = processes[number & (len(processes) - 1)]
        return row if row["number"] == number else None

    def _read(self, row: NDArray[np.void]) -> Process | None:
        """What /proc says of it, if it is the same process there."""
        process = self._host.read_process(int(row["pid"]), int(row["executed_ns"]))
        if process is None:
            return None
        known = int(row["start_ticks"])
        if known != NONE:
            return process if process.start_time == known else None
        if row["start_ns"] == ALWAYS:
            return process
        late = self._ticks(row) - process.start_time
        return process if 0 <= late <= LATE_TICKS else None

    def _told(self, row: NDArray[np.void], name: tuple[int, int], known: _Named | None) -> Process:
        """What events say of a process that has ended."""
        command = _text(*name)
        before = known.process if known is not None else None
        if before is not None and known is not None and known.executed_ns == row["executed_ns"]:
            return replace(before, command=command)
        start_time = int(row["start_ticks"])
        if start_time == NONE:
            start_time = self._ticks(row)
        parent = int(row["parent"])
        above = self._row(parent) if parent != NONE else None
        made_by = self.process(parent) if above is not None else None
        same = made_by if _same_program(row, above) else None
        return Process(
            int(row["pid"]),
            start_time,
            command,
            same.command_line if same else f"[{command}]",
            cgroup=self._host.cgroup_path(int(row["cgroup"])),
            context=Context(
                executable=same.context.executable if same else "",
                parent_pid=made_by.pid if made_by else -1,
                parent_command=made_by.command if made_by else "",
            ),
        )

    def _ticks(self, row: NDArray[np.void]) -> int:
        """The start time of a process whose birth was told."""
        if row["start_ns"] == ALWAYS:
            return 0
        since_boot = int(row["start_ns"]) - self._host.boot_ns()
        return since_boot * self._host.ticks_per_second // 1_000_000_000


def _same_program(row: NDArray[np.void], above: NDArray[np.void] | None) -> bool:
    """Whether a process runs what the one that forked it did: neither has called exec since."""
    if above is None or row["executed_ns"] != ALWAYS:
        return False
    return bool(above["executed_ns"] <= row["start_ns"])


def _text(high: int, low: int) -> str:
    raw = np.array([high, low], ">i8").tobytes()
    return raw.rstrip(b"\0").decode("utf-8", "backslashreplace")
