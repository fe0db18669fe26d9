"""How much time looking takes, and when it is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpsnoop.batches.owners import HOLDER, UNKNOWN, Owner
from tcpsnoop.batches.probes import RESPONDER
from tcpsnoop.owners import Procfs, descriptors, processes
from tcpsnoop.owners.diag.access import Access
from tcpsnoop.owners.diag.messages import DiagSocket, Ending
from tcpsnoop.owners.pace import AFTER_FLOOD_SECONDS, REFRESH_SECONDS
from tcpsnoop.owners.socket_table import SocketTable
from tcpsnoop.owners.sockets import Socket
from tests.owners.diag.fakes import FakeDiag, FakeEndings, diag_socket
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, labels, lookup, seen

SERVER: Place = ("192.168.1.5", 80)
CLIENT: Place = ("192.168.1.9", 50000)


def costly(clock: Clock, seconds: float, monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """Let looking into a process take so long; the seconds spent so far are returned."""
    spent = 0.0
    real = processes.open_folder

    def open_folder(name: str, beside: int | None = None) -> int:
        nonlocal spent
        if beside is None:
            clock.forward(seconds)
            spent += seconds
        return real(name, beside)

    monkeypatch.setattr(descriptors, "open_folder", open_folder)
    return lambda: spent


def test_a_stream_of_new_connections_takes_its_share_of_the_time_and_no_more(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pid in range(100, 200):
        proc.process(pid, "idle")
    procfs = lookup(proc, clock)
    spent = costly(clock, 0.001, monkeypatch)  # 0.1 s for all processes
    began = clock.now
    places = [("192.168.1.9", 1024 + number) for number in range(500)]
    proc.table(*(Row(SERVER, place, 9000 + n) for n, place in enumerate(places)))
    for number, place in enumerate(places):
        labels(procfs, seen(number, RESPONDER, SERVER, place))
        procfs.poll()
        clock.forward(0.01)
    elapsed = clock.now - began
    assert 0.2 * elapsed < spent() <= 0.25 * elapsed + 0.15 + 0.002


def test_what_there_is_no_time_for_is_looked_up_later(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    for pid in range(100, 300):
        proc.process(pid, "idle")
    procfs = lookup(proc, clock)
    costly(clock, 0.001, monkeypatch)
    row = seen(1, RESPONDER, SERVER, CLIENT)
    assert labels(procfs, row) == [Owner(UNKNOWN, reason="not in time")]
    for _ in range(12):
        clock.forward(0.1)
        procfs.poll()
    assert labels(procfs, row)[0].quality == HOLDER


def test_while_no_packets_come_little_time_is_spent(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pid in range(100, 200):
        proc.process(pid, "idle")
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    procfs = lookup(proc, clock)
    assert labels(procfs, seen(1, RESPONDER, SERVER, CLIENT))[0].quality == HOLDER
    procfs.poll()
    spent, began = costly(clock, 0.001, monkeypatch), clock.now
    for _ in range(1000):
        clock.forward(0.1)
        procfs.poll()
    saved_up = 0.05 + 0.05
    assert 0 < spent() <= 0.002 * (clock.now - began) + saved_up + 0.1


def test_the_first_packet_after_a_quiet_time_is_of_who_has_the_socket_now(
    proc: ProcTree, clock: Clock
) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "master", [500])
    procfs = lookup(proc, clock)
    row = seen(1, RESPONDER, SERVER, CLIENT)
    assert [each.pid for each in labels(procfs, row)[0].processes] == [42]
    proc.process(43, "worker", [500])
    proc.descriptors(42, [])
    clock.forward(REFRESH_SECONDS)  # nobody polls: the packet comes first
    assert [each.pid for each in labels(procfs, row)[0].processes] == [43]


def test_a_long_table_leaves_the_processes_their_turn(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LongTable(SocketTable):
        def find(self, local: bytes, remote: bytes) -> Socket | None:
            clock.forward(0.15)
            return super().find(local, remote)

    monkeypatch.setattr("tcpsnoop.owners.namespaces.SocketTable", LongTable)
    for pid in range(100, 110):
        proc.process(pid, "idle")
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    procfs = lookup(proc, clock)
    costly(clock, 0.001, monkeypatch)
    assert labels(procfs, seen(1, RESPONDER, SERVER, CLIENT))[0].quality == HOLDER


def test_nothing_is_scanned_while_nothing_is_known(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    procfs = lookup(proc, clock)
    spent = costly(clock, 0.001, monkeypatch)
    for _ in range(10):
        clock.forward(REFRESH_SECONDS)
        procfs.poll()
    assert spent() == 0


class Listening(FakeEndings):
    """Counts how often it is asked."""

    asked = 0

    def take(self) -> tuple[list[Ending], bool]:
        """What has ended since the last call."""
        self.asked += 1
        return super().take()


def hearing(proc: ProcTree, clock: Clock, *sockets: DiagSocket) -> tuple[Procfs, Listening]:
    endings = Listening()
    access = Access(FakeDiag(*sockets), None, endings)
    return Procfs(clock.nanoseconds, proc.root, clock, access=access), endings


def polled(procfs: Procfs, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds / 0.1)):
        clock.forward(0.1)
        procfs.poll()


def test_we_listen_while_it_matters_who_ends(proc: ProcTree, clock: Clock) -> None:
    procfs, endings = hearing(proc, clock)
    polled(procfs, clock, 10)
    assert endings.asked == 0
    assert endings.closed
    labels(procfs, seen(1, RESPONDER, SERVER, CLIENT))  # looked for
    polled(procfs, clock, 0.5)
    assert endings.asked > 2
    polled(procfs, clock, 2)  # and given up
    before, endings.closed = endings.asked, False
    polled(procfs, clock, 5)
    assert endings.asked == before
    assert endings.closed


def test_sockets_from_before_are_listened_for(proc: ProcTree, clock: Clock) -> None:
    procfs, endings = hearing(proc, clock, diag_socket(SERVER, CLIENT, 500, 7))
    polled(procfs, clock, 10)
    assert 30 <= endings.asked <= 51
    assert not endings.closed


def test_in_a_flood_we_do_not_listen(proc: ProcTree, clock: Clock) -> None:
    procfs, endings = hearing(proc, clock, diag_socket(SERVER, CLIENT, 500, 7))
    for _ in range(10):
        endings.lost = True
        polled(procfs, clock, AFTER_FLOOD_SECONDS)
    assert endings.asked <= 11
