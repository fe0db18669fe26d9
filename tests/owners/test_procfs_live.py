"""Real sockets of real processes: every label right, or shared with all holders; none wrong."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tcpsnoop.batches.owners import HOLDER, LISTENER, SHARED, UNKNOWN, Owner
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.batches.segments import ACK, SYN
from tcpsnoop.owners import Choice, Procfs, matching
from tcpsnoop.owners.diag.access import Access, open_access
from tcpsnoop.owners.judge import NOT_IN_TIME
from tests.fixture_types import WaitUntil
from tests.owners.proc_tree import Place, Rows, labels, seen, system_time_ns

pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")

Ends = tuple[Place, Place]
Identity = tuple[int, int]  # PID and start time


@pytest.fixture(params=["sock_diag", "tables"])
def procfs(request: pytest.FixtureRequest) -> Iterator[Procfs]:
    """A lookup of this machine's processes, asking for sockets in both ways."""
    access = open_access() if request.param == "sock_diag" else Access()
    assert not access.failure
    made = Procfs(system_time_ns, access=access)
    yield made
    made.close()


def plain(address: str, port: int) -> Place:
    """A place with IPv4-mapped addresses as IPv4."""
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed), port


@dataclass
class Holder:
    """A process of tests/owners/holders.py."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it has ended"
        return line

    def accept(self) -> None:
        """Let it accept what waits."""
        assert self.process.stdin is not None
        self.process.stdin.write("accept\n")
        self.process.stdin.flush()


@contextmanager
def holder(*arguments: object) -> Iterator[Holder]:
    script = Path(__file__).parent / "holders.py"
    command = [sys.executable, "-S", str(script), *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield Holder(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


@dataclass
class Truth:
    """Who holds what, as the holders themselves told."""

    holders: dict[Ends, set[Identity]] = field(default_factory=dict)

    def read(self, told: Holder, processes: int) -> None:
        """Read the lines of a holder's processes."""
        for _ in range(processes):
            line = json.loads(told.line())
            for laddr, lport, raddr, rport in line["sockets"]:
                ends = plain(laddr, lport), plain(raddr, rport)
                identity = line["pid"], line["start_time"]
                self.holders.setdefault(ends, set()).add(identity)


def identities(owner: Owner) -> set[Identity]:
    return {(process.pid, process.start_time) for process in owner.processes}


@dataclass
class Scene:
    """100 connections of 10 processes, made before anything was accepted."""

    clients: Truth
    servers: list[tuple[Holder, int]]
    responders: list[Ends]

    def accept(self) -> Truth:
        """Let the servers accept; who holds what then."""
        truth = Truth(dict(self.clients.holders))
        for server, processes in self.servers:
            server.accept()
            truth.read(server, processes)
        return truth


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A server alone, one forked, three with SO_REUSEPORT; clients alone, forked and alone."""
    with ExitStack() as stack:
        alone = stack.enter_context(holder("serve", "127.0.0.1", 0, 0, 0))
        forked = stack.enter_context(holder("serve", "::", 0, 0, 1))
        ports = [int(alone.line()), int(forked.line())]
        first = stack.enter_context(holder("serve", "::1", 0, 1, 0))
        ports.append(int(first.line()))
        group = [first]
        for _ in range(2):
            group.append(stack.enter_context(holder("serve", "::1", ports[2], 1, 0)))
            assert int(group[-1].line()) == ports[2]
        truth = Truth()
        for host, port, count, fork in (
            ("127.0.0.1", ports[0], 40, 0),
            ("127.0.0.1", ports[1], 20, 1),  # IPv4 to an IPv6 socket, and shared
            ("::1", ports[2], 40, 0),
        ):
            client = stack.enter_context(holder("connect", host, port, count, fork))
            truth.read(client, 1 + fork)
        servers = [(alone, 1), (forked, 2), *((member, 1) for member in group)]
        yield Scene(truth, servers, [(remote, local) for local, remote in truth.holders])


def rows_of(scene: Scene, flags: int = ACK) -> list[tuple[Ends, Rows]]:
    """A row for each of the 200 ends."""
    rows = []
    for number, (local, remote) in enumerate(scene.responders):
        rows.append(((remote, local), seen(number, ORIGINATOR, remote, local, flags=flags)))
        rows.append(((local, remote), seen(number, RESPONDER, local, remote, flags=flags)))
    return rows


Looked = Callable[[Procfs, list[tuple[Ends, Rows]]], list[Owner]]


@pytest.fixture
def looked(wait_until: WaitUntil) -> Looked:
    """The owners of rows once they were looked up: a busy machine leaves no time at first."""

    def look(procfs: Procfs, rows: list[tuple[Ends, Rows]]) -> list[Owner]:
        found: list[Owner] = []

        def there_was_time() -> bool:
            procfs.poll()
            found[:] = labels(procfs, *(row for _, row in rows))
            return all(owner.reason != NOT_IN_TIME for owner in found)

        wait_until(there_was_time, 30)
        return found

    return look


def test_100_connections_of_10_processes(
    procfs: Procfs, scene: Scene, looked: Looked, wait_until: WaitUntil
) -> None:
    rows = rows_of(scene, SYN | ACK)
    assert len(rows) == 200
    before = dict(zip([ends for ends, _ in rows], looked(procfs, rows), strict=True))

    truth = scene.accept()
    assert len({identity for held in truth.holders.values() for identity in held}) == 10
    assert set(truth.holders) == set(before)

    def listeners_are_replaced() -> bool:
        procfs.poll()
        return all(
            owner.quality in (HOLDER, SHARED) for owner in labels(procfs, *(r for _, r in rows))
        )

    # Before anything was accepted: clients are known, servers are among those who listen.
    for ends, owner in before.items():
        if ends in scene.clients.holders:
            assert identities(owner) == truth.holders[ends]
        else:
            assert owner.quality in (LISTENER, SHARED)
            assert identities(owner) & truth.holders[ends]

    wait_until(listeners_are_replaced, 30)
    after = dict(
        zip([ends for ends, _ in rows], labels(procfs, *(row for _, row in rows)), strict=True)
    )
    for ends, owner in after.items():
        assert identities(owner) == truth.holders[ends], ends
        assert owner.quality == (HOLDER if len(truth.holders[ends]) == 1 else SHARED)
        assert all(process.command_line.find("holders.py") > 0 for process in owner.processes)
        assert {process.uid for process in owner.processes} == {os.getuid()}


def test_connections_that_were_there_before_are_known(
    procfs: Procfs, scene: Scene, looked: Looked
) -> None:
    truth = scene.accept()
    rows = rows_of(scene)
    found = looked(procfs, rows)
    assert [identities(owner) for owner in found] == [truth.holders[ends] for ends, _ in rows]
    assert procfs.summary()[0].endswith("200 connection ends: holder 80.0 %, shared 20.0 %")


def test_a_process_is_chosen_with_every_socket_it_holds(
    procfs: Procfs, scene: Scene, looked: Looked
) -> None:
    truth = scene.accept()
    rows = rows_of(scene)
    looked(procfs, rows)
    columns = procfs.label(ProbeBatch(np.concatenate([row for _, row in rows])))
    for pid, start_time in {each for held in truth.holders.values() for each in held}:
        chosen = matching(columns.pool, Choice([pid]))[columns.index]
        held = [(pid, start_time) in truth.holders[ends] for ends, _ in rows]
        assert chosen.tolist() == held


@pytest.mark.root
@pytest.mark.parametrize("way", [open_access, Access], ids=["sock_diag", "tables"])
def test_without_the_right_the_sockets_of_others_are_no_permission(
    scene: Scene, looked: Looked, way: Callable[[], Access]
) -> None:
    """But sockets are found, and heard of, by everybody."""
    scene.accept()
    user = os.geteuid()
    os.seteuid(65534)
    try:
        access = way()
        assert not access.failure
        assert (access.endings is None) == (way is Access)
        procfs = Procfs(system_time_ns, access=access)
        found = looked(procfs, rows_of(scene))
    finally:
        os.seteuid(user)
    assert found == [Owner(UNKNOWN, reason="no permission")] * 200
    assert any("may not look into" in line for line in procfs.summary())
    procfs.close()
