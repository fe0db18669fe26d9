"""Records as the lines of a journal."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tcpsnoop.batches.cgroups import container_of, unit_of
from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.journal.event_columns import EventColumns
from tcpsnoop.owners.journal.records import (
    VERSION,
    CgroupNumber,
    Clocks,
    End,
    Events,
    Header,
    Holders,
    LocalNetworks,
    ProcessRead,
    Record,
    Sockets,
)

# Rows of events in a line, at most: what is cut off with it, and what a reader holds.
ROWS_IN_LINE = 4096


def header_line(header: Header) -> bytes:
    """The first line."""
    return _line(
        {
            "tcpsnoop_journal": VERSION,
            "program": header.program,
            "began_ns": header.began_ns,
            "boot_id": header.boot_id,
            "boot_ns": header.boot_ns,
            "method": header.method or None,
            "why_not": header.why_not or None,
            "self_test": "passed" if header.tested else None,
            "translates": header.translates,
            "network_namespace": header.network_namespace or None,
            "pids": header.pids,
            "ticks_per_second": header.ticks_per_second,
        }
    )


class LineMaker:
    """Makes the lines after the first; what they say of sockets depends on those before."""

    def __init__(self) -> None:
        self._events = EventColumns()

    def lines(self, record: Record) -> Iterator[bytes]:
        """The line of a record; several when it has many events."""
        match record:
            case Events(rows):
                for start in range(0, len(rows), ROWS_IN_LINE):
                    part = rows[start : start + ROWS_IN_LINE]
                    yield _line({"events": self._events.write(part)})
            case ProcessRead(time_ns, process):
                yield _line({"process": {"time_ns": time_ns, **_of_process(process)}})
            case CgroupNumber(number, path):
                yield _line({"cgroup": {"number": number, "path": path}})
            case LocalNetworks(time_ns, networks):
                yield _line({"addresses": {"time_ns": time_ns, "networks": networks}})
            case Clocks(system_ns, monotonic_ns, boottime_ns):
                clocks = {
                    "time_ns": system_ns,
                    "monotonic_ns": monotonic_ns,
                    "boottime_ns": boottime_ns,
                }
                yield _line({"clock": clocks})
            case Sockets(read_ns, new, gone):
                yield _line({"sockets": {"read_ns": read_ns, "new": new, "gone": gone}})
            case Holders(time_ns, holders, unreadable, hidden):
                told = {"time_ns": time_ns, "holders": list(holders.items())}
                yield _line({"holders": {**told, "unreadable": unreadable, "hidden": hidden}})
            case End(time_ns, lost):
                yield _line({"end": {"time_ns": time_ns, "lost": lost}})


def _of_process(process: Process) -> dict[str, object]:
    context = process.context
    return {
        "pid": process.pid,
        "start_time": process.start_time,
        "command": process.command,
        "command_line": process.command_line,
        "executable": context.executable or None,
        "uid": process.uid if process.uid >= 0 else None,
        "user": context.user or None,
        "parent_pid": context.parent_pid if context.parent_pid >= 0 else None,
        "parent_command": context.parent_command or None,
        "cgroup": process.cgroup or None,
        "unit": unit_of(process.cgroup) or None,
        "container": container_of(process.cgroup) or None,
        "network_namespace": context.network_namespace or None,
    }


def _line(told: object) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode("ascii") + b"\n"
