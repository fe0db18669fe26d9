"""Looking at sockets and who holds them, again and again, in a stored /proc and in the real one."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.journal.records import Holders, Record, SocketRow, Sockets
from tcpsnoop.owners.journal.sockets_seen import SocketsSeen
from tcpsnoop.owners.open_sockets import Reading
from tcpsnoop.owners.procfs import seconds_since_boot
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, listening, system_time_ns

SERVER: Place = ("192.168.1.5", 80)
CLIENT: Place = ("192.168.1.9", 50000)
SERVER6: Place = ("2001:db8::5", 80)
CLIENT6: Place = ("2001:db8::9", 50000)
EVERY = 0.5


class Looking:
    """One that looks into a tree, by a clock that stands until it is set forward."""

    def __init__(self, proc: ProcTree) -> None:
        self.clock = Clock()
        self.told: list[Process] = []
        self.seen = SocketsSeen(
            EVERY, self.clock, self.clock.nanoseconds, self.told.append, str(proc.root)
        )

    def poll(self, seconds: float = EVERY) -> list[Record]:
        """What is recorded after that time."""
        self.clock.forward(seconds)
        return list(self.seen.poll())


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    tree = ProcTree(tmp_path / "proc")
    tree.table(Row(SERVER, CLIENT, 500), Row(SERVER6, CLIENT6, 501), listening(SERVER, 400))
    tree.process(42, "nginx", [400, 500], start_time=77)
    tree.process(43, "cat", [500, 501], start_time=78)
    return tree


def test_at_first_all_that_is_there(proc: ProcTree) -> None:
    looking = Looking(proc)
    sockets, holders = looking.seen.first()
    assert isinstance(sockets, Sockets)
    assert set(sockets.new) == {
        SocketRow(*SERVER, *CLIENT, 500),
        SocketRow(*SERVER6, *CLIENT6, 501),
        SocketRow(*SERVER, "::", 0, 400),
    }
    assert sockets.gone == ()
    assert isinstance(holders, Holders)
    assert holders.holders == {400: ((42, 77),), 500: ((42, 77), (43, 78)), 501: ((43, 78),)}
    assert (holders.unreadable, holders.hidden) == (0, False)
    assert {each.command for each in looking.told} == {"nginx", "cat"}


def test_a_reading_is_recorded_though_nothing_has_changed(proc: ProcTree) -> None:
    """It tells that what was there still was."""
    looking = Looking(proc)
    list(looking.seen.first())
    (sockets,) = looking.poll()
    assert isinstance(sockets, Sockets)
    assert (sockets.new, sockets.gone) == ((), ())
    assert sockets.read_ns == (100_500_000_000, 100_500_000_000)
    assert looking.poll(EVERY / 2) == []


def test_what_has_changed(proc: ProcTree) -> None:
    looking = Looking(proc)
    list(looking.seen.first())
    looking.told.clear()
    proc.table(Row(SERVER, CLIENT, 502), listening(SERVER, 400))
    proc.descriptors(42, [400, 502])
    proc.descriptors(43, [])
    proc.process(44, "worker", [400], start_time=79)
    sockets, holders = looking.poll()
    assert isinstance(sockets, Sockets)
    assert sockets.new == (SocketRow(*SERVER, *CLIENT, 502),)
    assert set(sockets.gone) == {
        SocketRow(*SERVER, *CLIENT, 500),
        SocketRow(*SERVER6, *CLIENT6, 501),
    }
    assert isinstance(holders, Holders)
    assert holders.holders == {400: ((42, 77), (44, 79)), 502: ((42, 77),)}
    assert [each.command for each in looking.told] == ["worker"]


def test_a_holder_that_has_called_exec_is_told_again(proc: ProcTree) -> None:
    looking = Looking(proc)
    list(looking.seen.first())
    looking.told.clear()
    proc.process(43, "tail", [500, 501], start_time=78, start_stack=5)
    _, holders = looking.poll()
    assert isinstance(holders, Holders)
    assert set(holders.holders) == {500, 501}
    assert [each.command for each in looking.told] == ["tail"]


def test_sockets_that_no_process_can_have_are_left(proc: ProcTree) -> None:
    proc.table(Row(SERVER, CLIENT, 0, state=6), Row(SERVER6, CLIENT6, 0))
    sockets, *_ = Looking(proc).seen.first()
    assert isinstance(sockets, Sockets)
    assert sockets.new == ()


def test_processes_that_may_not_be_looked_into_are_told(
    proc: ProcTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barred(folder: int, mount: int | None) -> Reading:
        raise PermissionError

    monkeypatch.setattr("tcpsnoop.owners.descriptors.socket_inodes", barred)
    looking = Looking(proc)
    _, holders = looking.seen.first()
    assert isinstance(holders, Holders)
    assert holders.unreadable == 3
    assert any("may not look into: 3" in line for line in looking.seen.remarks())


def test_a_look_that_takes_longer_goes_on(proc: ProcTree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process takes longer than there is time for."""
    looking = Looking(proc)
    list(looking.seen.first())
    proc.process(44, "worker", [400], start_time=79)
    real = looking.seen._descriptors._go_on

    def slow() -> None:
        looking.clock.forward(1.0)
        real()

    monkeypatch.setattr(looking.seen._descriptors, "_go_on", slow)
    found = [type(each) for _ in range(60) for each in looking.poll(1.0)]
    assert Holders in found
    assert found.count(Sockets) < 30  # a look was done before the next reading


def test_the_real_one() -> None:
    told: list[Process] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = SocketsSeen(EVERY, seconds_since_boot, system_time_ns, told.append)
        sockets, holders = list(seen.first())[:2]
        inode = os.fstat(server.fileno()).st_ino
        port = server.getsockname()[1]
    assert isinstance(sockets, Sockets)
    assert SocketRow("127.0.0.1", port, "::", 0, inode) in sockets.new
    assert isinstance(holders, Holders)
    assert os.getpid() in {pid for pid, _ in holders.holders[inode]}
    assert os.getpid() in {each.pid for each in told}
