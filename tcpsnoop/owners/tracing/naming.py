"""Processes with names: what the events tell of them, and /proc while they are there."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.processes import KnownProcess, open_folder, read_process
from tcpsnoop.owners.tracing.tables import ALWAYS, NEVER, NONE, Tables

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")  # unit of a process's start time
# A process is stamped some moments before its birth is told.
LATE_TICKS = 2
# Names of processes that are remembered; the oldest go first.
CAPACITY = 1 << 17


class _Named(NamedTuple):
    process: Process
    executed_ns: int  # its latest exec by then
    name: tuple[int, int]


class Naming:
    """Processes by the number of their record.

    `boot_ns` gives the system's time at which the machine started.
    """

    def __init__(self, tables: Tables, root: str, boot_ns: Callable[[], int]) -> None:
        self._tables = tables
        self._root = root
        self._boot_ns = boot_ns
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
        pid = int(row["pid"])
        try:
            folder = open_folder(f"{self._root}/{pid}")
        except OSError:
            return None
        try:
            found: KnownProcess = read_process(folder, pid)
        except (OSError, ValueError):
            return None
        finally:
            os.close(folder)
        process = found.process
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
        start_time = int(row["start_ticks"])
        if start_time == NONE:
            start_time = self._ticks(row)
        before = known.process if known is not None else None
        if before is not None and known is not None and known.executed_ns == row["executed_ns"]:
            line, uid = before.command_line, before.uid
        else:
            line, uid = self._inherited_line(row) or f"[{command}]", -1
        return Process(int(row["pid"]), start_time, command, line, uid)

    def _inherited_line(self, row: NDArray[np.void]) -> str:
        """The arguments of who forked it, if neither has called exec since."""
        parent = int(row["parent"])
        above = self._row(parent) if parent != NONE else None
        if above is None or row["executed_ns"] != ALWAYS:
            return ""
        if above["executed_ns"] > row["start_ns"]:
            return ""
        made_by = self.process(parent)
        return "" if made_by is None else made_by.command_line

    def _ticks(self, row: NDArray[np.void]) -> int:
        """The start time of a process whose birth was told."""
        if row["start_ns"] == ALWAYS:
            return 0
        since_boot = int(row["start_ns"]) - self._boot_ns()
        return since_boot * TICKS_PER_SECOND // 1_000_000_000


def _text(high: int, low: int) -> str:
    raw = np.array([high, low], ">i8").tobytes()
    return raw.rstrip(b"\0").decode("utf-8", "backslashreplace")
