"""A journal of owners, built line by line as docs/formats.md has it; times are system's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# Events of so long stand in one line: what comes between two looks of who writes journals.
LOOK_NS = 20_000_000
READING_NS = 1_000_000
TICK_NS = 10_000_000

# include/net/tcp_states.h
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2 = 1, 2, 3, 4, 5
CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN = 7, 8, 9, 10
BELIEVED, EXECUTED = 1, 2

Told = dict[str, object]
Timed = tuple[int, Told]


@dataclass(frozen=True)
class Process:
    """A process of the host that is recorded."""

    pid: int
    command: str
    command_line: str
    executable: str
    user: tuple[int, str]
    parent: tuple[int, str]
    cgroup: str
    started: int  # ticks after boot

    @property
    def identity(self) -> list[int]:
        """PID and start time."""
        return [self.pid, self.started]


@dataclass
class Journal:
    """What is recorded from `began_ns` on, on a machine that was started at `boot_ns`."""

    began_ns: int
    boot_ns: int
    namespace: int
    events: list[Timed] = field(default_factory=list)
    records: list[Timed] = field(default_factory=list)

    def event(self, time_ns: int, kind: str, pid: int = 0, flags: int = 0, **told: object) -> None:
        """What the kernel told."""
        about = {"kind": kind, "pid": pid, "tid": pid, "flags": flags}
        self.events.append((time_ns, {**about, **told}))

    def seeded(self, processes: Iterable[Process]) -> None:
        """Processes that were there before."""
        for each in processes:
            self.event(
                self.began_ns, "seeded", each.pid,
                name=each.command, start_time=each.started, network_namespace=self.namespace,
            )  # fmt: skip

    def forked(self, time_ns: int, parent: int, pid: int) -> None:
        """A process forks another."""
        self.event(time_ns, "forked", pid, parent=parent)
        self.event(time_ns, "namespace", pid, network_namespace=self.namespace)

    def executed(self, time_ns: int, pid: int, name: str) -> None:
        """A process calls exec."""
        self.event(time_ns, "named", pid, EXECUTED, name=name)

    def process(self, time_ns: int, one: Process) -> None:
        """A process was read."""
        told = {
            "time_ns": time_ns,
            "pid": one.pid,
            "start_time": one.started,
            "command": one.command,
            "command_line": one.command_line,
            "executable": one.executable,
            "uid": one.user[0],
            "user": one.user[1],
            "parent_pid": one.parent[0],
            "parent_command": one.parent[1],
            "cgroup": one.cgroup,
            "network_namespace": self.namespace,
        }
        self.records.append((time_ns, {"process": told}))

    def cgroup(self, time_ns: int, number: int, path: str) -> None:
        """The number of a cgroup is known."""
        self.records.append((time_ns, {"cgroup": {"number": number, "path": path}}))

    def sockets(
        self, time_ns: int, new: Sequence[object] = (), gone: Sequence[object] = ()
    ) -> None:
        """The table of sockets was read."""
        read_ns = [time_ns, time_ns + READING_NS]
        self.records.append(
            (read_ns[1], {"sockets": {"read_ns": read_ns, "new": new, "gone": gone}})
        )

    def holders(self, time_ns: int, *holders: tuple[int, Sequence[Process]]) -> None:
        """Every process was looked at."""
        found = [[inode, [each.identity for each in those]] for inode, those in holders]
        told = {"time_ns": time_ns, "holders": found, "unreadable": 0, "hidden": False}
        self.records.append((time_ns, {"holders": told}))

    def content(self, over_ns: int, addresses: Sequence[str]) -> bytes:
        """The whole file."""
        header = {
            "tcpsnoop_journal": 1,
            "program": "captures.make",
            "began_ns": self.began_ns,
            "boot_id": "c0ffee00-2006-4801-8200-000000000001",
            "boot_ns": self.boot_ns,
            "method": "perf",
            "why_not": None,
            "self_test": "passed",
            "translates": False,
            "network_namespace": self.namespace,
            "pids": 32769,
            "ticks_per_second": 1_000_000_000 // TICK_NS,
        }
        since_boot = self.began_ns - self.boot_ns
        clock = {
            "time_ns": self.began_ns,
            "monotonic_ns": since_boot,
            "boottime_ns": since_boot,
        }
        lines = [
            header,
            {"clock": clock},
            {"addresses": {"time_ns": self.began_ns, "networks": addresses}},
            *self._in_order(),
            {"end": {"time_ns": over_ns, "lost": 0}},
        ]
        return b"".join(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in lines)

    def _in_order(self) -> list[object]:
        """Look by look: what was read by then, and what the kernel had told."""
        lines: list[object] = []
        looks = {time_ns // LOOK_NS for time_ns, _ in (*self.records, *self.events)}
        for look in sorted(looks):
            lines += [told for time_ns, told in self.records if time_ns // LOOK_NS == look]
            told = [each for each in self.events if each[0] // LOOK_NS == look]
            if told:
                lines.append({"events": _columns(sorted(told, key=lambda each: each[0]))})
        return lines


def _columns(events: Sequence[Timed]) -> dict[str, object]:
    """Events as columns: a value for each, 0 where it says nothing."""
    first_ns = events[0][0]
    columns: dict[str, object] = {
        "time_ns": first_ns,
        "after_ns": [time_ns - first_ns for time_ns, _ in events],
    }
    for name in dict.fromkeys(name for _, event in events for name in event):
        columns[name] = [event.get(name, 0) for _, event in events]
    return columns
