"""100 connections of 10 processes, by /proc: each row names the right one, all, or nobody."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.networks import Host, host
from tests.live.programs import Program, running, tcpsnoop

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]

HOLDERS = Path(__file__).with_name("holders.py")
HELD_SECONDS = 1

Ends = tuple[str, int, str, int]
Holder = tuple[int, str]  # PID and short name

# Name, address, SO_REUSEPORT, processes; name, address, connections, processes of their callers.
SERVERS = (("alone", "127.0.0.1", 0, 1), ("shared", "::", 0, 2), ("workers", "::1", 1, 1))
CALLERS = (
    ("caller", "127.0.0.1", 40, 1),
    ("twins", "127.0.0.1", 20, 2),  # IPv4 to an IPv6 socket
    ("sixer", "::1", 40, 1),
)
WORKERS = 3


def plain(address: str) -> str:
    """IPv4 without the form it has on an IPv6 socket."""
    return address.removeprefix("::ffff:")


class Cast:
    """The processes, and the truth as they tell it."""

    def __init__(self, stack: ExitStack, place: Host) -> None:
        self.truth: dict[Ends, set[Holder]] = {}
        self.servers: list[tuple[Program, int]] = []
        self.callers: list[tuple[Program, int]] = []

        def begin(*words: object) -> Program:
            return stack.enter_context(running(*place.words("python3", "-S", HOLDERS, *words)))

        for (name, address, reuse, processes), caller in zip(SERVERS, CALLERS, strict=True):
            port = 0
            for _ in range(WORKERS if reuse else 1):
                server = begin("serve", name, address, port, reuse, processes - 1)
                port = int(server.output.wait().text)
                self.servers.append((server, processes))
            called, where, count, sharing = caller
            calling = begin("call", called, where, port, count, sharing - 1)
            self.callers.append((calling, sharing))

    def perform(self) -> None:
        """Connect, accept, hold, and send a byte each way."""
        for program, processes in self.callers:
            program.tell("connect")
            self._learn(program, processes, 0)
        for program, processes in self.servers:
            program.tell("accept")
            self._learn(program, processes, 1)
        threading.Event().wait(HELD_SECONDS)
        for program, _ in (*self.callers, *self.servers):
            program.tell("speak")

    def _learn(self, program: Program, processes: int, said: int) -> None:
        program.output.wait(count=said + processes)
        for line in program.output.all[said:]:
            told = json.loads(line.text)
            for laddr, lport, raddr, rport in told["ends"]:
                ends = plain(laddr), lport, plain(raddr), rport
                self.truth.setdefault(ends, set()).add((told["pid"], told["name"]))

    def pids(self, name: str) -> set[int]:
        """The processes of a name."""
        return {pid for held in self.truth.values() for pid, own in held if own == name}

    def bytes_of(self, name: str) -> int:
        """How many bytes travel on the connections of a process: one each way."""
        return 2 * sum(any(own == name for _, own in held) for held in self.truth.values())


@dataclass(frozen=True)
class Scene:
    """What each program said; `chosen` are those with -p or --command, by short name."""

    cast: Cast
    log: list[dict[str, Any]]
    sums: list[dict[str, Any]]
    chosen: Mapping[str, list[dict[str, Any]]]
    summary: str


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """All on the loopback device of one host."""
    with ExitStack() as stack:
        place = stack.enter_context(host())
        cast = Cast(stack, place)
        form = ("-i", "lo", "-n", "--no-tracing", "--format", "jsonl")
        caller, _ = cast.callers[0]
        shared, _ = cast.servers[1]
        words = {
            "log": tcpsnoop("io", *form),
            "sums": tcpsnoop("wdist", *form),
            "caller": tcpsnoop("io", *form, "-p", caller.pid),
            "shared": tcpsnoop("io", *form, "-p", shared.pid),
            "workers": tcpsnoop("io", *form, "--command", "workers"),
        }
        programs = {
            name: stack.enter_context(running(*place.words(*each))) for name, each in words.items()
        }
        for program in programs.values():
            program.tracing()
        cast.perform()
        programs["log"].output.wait('"bytes":1,', count=200)
        for program in programs.values():
            program.end()
        rows = {name: program.rows() for name, program in programs.items()}
        log, sums = rows.pop("log"), rows.pop("sums")
        yield Scene(cast, log, sums, rows, programs["log"].notes.text)


def ends_of(row: Mapping[str, Any]) -> Ends:
    return row["laddr"], row["lport"], row["raddr"], row["rport"]


def named(row: Mapping[str, Any]) -> set[Holder]:
    """The processes that a row names: one, or all that share."""
    if row["holders"] is not None:
        assert (row["pid"], row["command"], row["attribution"]) == (None, None, "shared")
        return {(pid, name) for pid, name in row["holders"]}
    return set() if row["pid"] is None else {(row["pid"], row["command"])}


def test_the_scene_is_that_of_the_specification(scene: Scene) -> None:
    truth = scene.cast.truth
    assert len(truth) == 200
    assert len({holder for held in truth.values() for holder in held}) == 10
    assert Counter(len(held) for held in truth.values()) == {1: 160, 2: 40}


def test_connections_held_for_a_second_are_known_to_be_whose_they_are(scene: Scene) -> None:
    spoken = [row for row in scene.log if row["bytes"] == 1]
    assert len(spoken) == 200
    for row in spoken:
        right = scene.cast.truth[ends_of(row)]
        assert named(row) == right, row
        assert row["attribution"] == ("holder" if len(right) == 1 else "shared")


def test_no_row_is_wrong(scene: Scene) -> None:
    for row in scene.log:
        if named(row):
            assert named(row) & scene.cast.truth[ends_of(row)], row
        else:
            assert row["attribution"] == "unknown"
            assert row["reason"], row


def test_sums_are_by_process(scene: Scene) -> None:
    expected: dict[frozenset[Holder], int] = Counter()
    for held in scene.cast.truth.values():
        expected[frozenset(held)] += 1
    found = {frozenset(named(row)): row for row in scene.sums}
    assert {holders: row["count"] for holders, row in found.items()} == expected
    assert all(row["sum"] == row["count"] for row in scene.sums)


@pytest.mark.parametrize("name", ["caller", "shared", "workers"])
def test_a_chosen_process_has_just_its_connections(scene: Scene, name: str) -> None:
    """By -p or --command, seen from its end: what it sent and what it received."""
    rows = scene.chosen[name]
    assert rows
    for row in rows:
        assert scene.cast.pids(name) & {pid for pid, _ in named(row)}, row
        assert scene.cast.pids(name) & {pid for pid, _ in scene.cast.truth[ends_of(row)]}, row
    spoken = [row for row in rows if row["bytes"] == 1]
    assert len(spoken) == scene.cast.bytes_of(name)
    assert Counter(row["direction"] for row in spoken) == {
        "->": len(spoken) // 2,
        "<-": len(spoken) // 2,
    }


def test_the_notes_tell_shares_by_quality(scene: Scene) -> None:
    assert "owners: procfs, 200 connection ends: holder 80.0 %, shared 20.0 %" in scene.summary
