"""Real processes in hard cases, recorded: whose each packet is, as the processes themselves wrote.

tests/owners/recordings has the captures with their journals; its plays.py is what was played. All
is replayed here with neither root nor network. What depends on single microseconds, and so cannot
be recorded at will, is in tests/owners/tracing as stories.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.engine import run as module
from tcpsnoop.engine.run import run
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.reporters.io import Io
from tcpsnoop.reporters.life import Life
from tests.owners.recordings.plays import PLAYS

FOLDER = Path(__file__).parent / "recordings"


@dataclass
class Replay:
    """Rows of a recording, and what is true of it."""

    rows: list[dict[str, Any]]
    told: dict[str, Any]
    notes: list[str]

    @property
    def callers(self) -> dict[int, Any]:
        """Who called from which port."""
        return {int(port): each for port, each in self.told["callers"].items()}

    def of(self, *ports: int) -> list[dict[str, Any]]:
        """Rows sent from one of these ports; there are some."""
        found = [row for row in self.rows if row["lport"] in ports and row["direction"] == "->"]
        assert found
        return found

    def pids(self, *ports: int) -> set[int | None]:
        """Processes of those."""
        return {row["pid"] for row in self.of(*ports)}

    def all_right(self, *, quality: str = "exact") -> None:
        """Every caller and the server is right in every row."""
        for port, pid in self.callers.items():
            assert self.pids(port) == {pid}, port
        assert self.pids(self.told["server"]) == {self.told["pid"]}
        assert {row["attribution"] for row in self.rows} == {quality}


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Replay]:
    """Replays a recording for a report, io if none is named. Nobody gives up root here."""
    monkeypatch.setattr(module, "unprivileged_user", lambda chosen: None)

    def replayed(name: str, reporter: Io | Life | None = None) -> Replay:
        notes: list[str] = []
        faults: list[str] = []
        settings = Settings(
            (("io", reporter or Io()),),
            Jsonl,
            machine=True,
            files=(str(FOLDER / f"{name}.pcap"),),
            owners=str(FOLDER / f"{name}.owners"),
            numeric=True,
            output=str(tmp_path / "output"),
            force=True,
            note=notes.append,
            fault=faults.append,
        )
        assert run(settings, StopRequest()) == 0, faults
        assert "owners: no event lost" in notes
        lines = (tmp_path / "output").read_text().splitlines()
        told = json.loads((FOLDER / f"{name}.json").read_text())
        return Replay([json.loads(line) for line in lines], told, notes)

    return replayed


Replays = Callable[..., Replay]


def test_all_plays_are_recorded_and_small() -> None:
    assert {path.stem for path in FOLDER.glob("*.owners")} == set(PLAYS)
    assert all(path.stat().st_size < 50_000 for path in FOLDER.iterdir() if path.is_file())


@pytest.mark.parametrize(
    "name",
    [
        "fork_without_exec",
        "exec_after_fork",
        "passed_socket",
        "threads",
        "time_wait",
        "reset_without_payload",
        "two_namespaces",
        "ipv6_and_mapped",
    ],
)
def test_every_packet_is_of_the_right_process(replay: Replays, name: str) -> None:
    replay(name).all_right()


def test_who_is_forked_has_the_name_of_its_parent_and_its_program(replay: Replays) -> None:
    found = replay("fork_without_exec", Life(context=True))
    (caller,) = found.callers
    rows = {row["lport"]: row for row in found.rows}
    forked, parent = rows[caller], rows[found.told["server"]]
    assert forked["command"] == parent["command"] == "python3"
    assert forked["command_line"].endswith("plays.py fork_without_exec")
    assert (forked["parent_pid"], forked["parent_command"]) == (found.told["pid"], "python3")
    assert (forked["executable"], parent["executable"]) == ("/usr/bin/python3.11",) * 2
    assert (parent["uid"], parent["user"]) == (0, "root")


def test_who_calls_exec_has_another_name_from_then_on(replay: Replays) -> None:
    found = replay("exec_after_fork")
    (port,) = found.callers
    names = [row["command"] for row in found.of(port)]
    assert names[0] == "bash"
    assert names[-1] == "sleep"


def test_a_socket_of_two_processes_is_of_its_last_user(replay: Replays) -> None:
    found = replay("shared_after_fork")
    by_size = {row["bytes"]: row for row in found.of(found.told["port"]) if row["bytes"]}
    parent, child = found.told["pid"], found.told["child"]
    assert (by_size[1]["pid"], by_size[1]["attribution"]) == (parent, "exact")
    for size, right in ((2, child), (3, parent)):
        row = by_size[size]
        if row["attribution"] == "shared":  # a call is told as it returns
            assert {pid for pid, _ in row["holders"]} == {parent, child}
        else:
            assert row["pid"] == right


def test_workers_on_one_port(replay: Replays) -> None:
    found = replay("workers_on_one_port")
    served = {int(port): pid for port, pid in found.told["served"].items()}
    assert len(set(served.values())) > 1
    named: dict[int, set[Any]] = {}
    for row in found.of(found.told["server"]):
        named.setdefault(row["rport"], set()).add(row["pid"])
    assert named == {port: {pid} for port, pid in served.items()}
    assert found.pids(*served) == {found.told["pid"]}


def test_a_connection_from_before_is_of_who_was_seen_to_hold_it(replay: Replays) -> None:
    found = replay("from_before")
    for port, pid in found.callers.items():
        assert found.pids(port) == {pid}
    assert found.pids(found.told["server"]) == {found.told["pid"]}
    assert "holder" in {row["attribution"] for row in found.rows}


def test_what_was_accepted_and_not_used_is_of_who_holds_it(replay: Replays) -> None:
    found = replay("accepted_and_left_alone")
    (port,) = found.callers
    assert found.pids(port) == {found.callers[port]}
    served = found.of(found.told["server"])
    assert {row["pid"] for row in served} <= {found.told["pid"], None}
    assert (served[-1]["pid"], served[-1]["attribution"]) in {
        (found.told["pid"], "holder"),
        (found.told["pid"], "exact"),  # by the close
    }


def test_the_last_segment_of_who_closed_first_comes_when_it_has_ended(replay: Replays) -> None:
    found = replay("time_wait")
    (port,) = found.callers
    last = found.rows[-1]
    assert (last["lport"], last["flags"], last["pid"]) == (port, "ACK", found.callers[port])


def test_a_refusal_is_the_kernel_s(replay: Replays) -> None:
    found = replay("refused")
    call, refusal = found.rows
    assert (call["flags"], call["pid"], call["attribution"]) == ("SYN", found.told["pid"], "exact")
    assert (refusal["flags"], refusal["pid"]) == ("RST|ACK", None)
    assert (refusal["attribution"], refusal["reason"]) == ("kernel", "no socket")


def test_a_port_of_one_process_after_the_other(replay: Replays) -> None:
    found = replay("ports_used_again")
    callers: list[int] = []
    for row in found.of(found.told["port"]):
        if row["flags"] == "SYN":
            callers.append(row["pid"])
        assert row["pid"] == callers[-1]
    assert callers == found.told["callers"]
    assert len(set(callers)) == 10


def test_a_pid_of_one_process_after_the_other(replay: Replays) -> None:
    """The same number has another name each time."""
    found = replay("pids_used_again")
    assert len({pid for pid, _ in found.callers.values()}) < len(found.callers)
    for port, (pid, name) in found.callers.items():
        assert {(row["pid"], row["command"]) for row in found.of(port)} == {(pid, name)}
