"""Sockets asked for one by one: which listener, which device, and what if nobody answers."""

from __future__ import annotations

import pytest

from tcpsnoop.owners.diag.diag_sockets import DEVICES_SECONDS, Devices, DiagSockets
from tcpsnoop.owners.socket_table import SocketTable
from tcpsnoop.owners.sockets import Socket
from tests.owners.diag.fakes import FakeDiag, diag_listener, diag_socket
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, listening, packed

HERE: Place = ("192.168.1.5", 80)
THERE: Place = ("192.168.1.9", 50000)
HERE6: Place = ("2001:db8::5", 80)


@pytest.fixture
def diag() -> FakeDiag:
    return FakeDiag()


@pytest.fixture
def sockets(proc: ProcTree, clock: Clock, diag: FakeDiag) -> DiagSockets:
    return DiagSockets(diag, Devices(diag, clock), SocketTable(proc.root / "net"))


def test_a_socket_is_asked_for_alone(diag: FakeDiag, sockets: DiagSockets) -> None:
    diag.sockets = [diag_socket(HERE, THERE, 500, 7, state=8)]
    assert sockets.find(packed(HERE), packed(THERE)) == Socket(8, 500, 7)
    assert diag.asked == ["one"]
    assert sockets.readable


def test_sockets_bound_to_a_device_are_asked_for_when_nothing_else_is_found(
    diag: FakeDiag, sockets: DiagSockets, clock: Clock
) -> None:
    assert sockets.find(packed(HERE), packed(THERE)) is None
    assert diag.asked == ["one", "bound"]
    diag.sockets = [
        diag_socket(("fe80::1", 1), ("fe80::2", 2), 600, 8, device=3),
        diag_socket(HERE, THERE, 500, 7, device=4),
    ]
    # Which devices there are is not asked for at each look: it takes the kernel some 0.6 ms.
    diag.asked.clear()
    assert sockets.find(packed(HERE), packed(THERE)) is None
    assert diag.asked == ["one"]
    clock.forward(DEVICES_SECONDS)
    assert sockets.find(packed(HERE), packed(THERE)) == Socket(1, 500, 7)
    assert sockets.find(packed(("fe80::1", 1)), packed(("fe80::2", 2))) == Socket(1, 600, 8)


def test_who_listens_is_asked_for_once(diag: FakeDiag, sockets: DiagSockets) -> None:
    diag.sockets = [diag_listener(("0.0.0.0", 80), 70), diag_listener(("0.0.0.0", 80), 71)]
    assert sockets.listeners(packed(HERE)) == (70, 71)
    assert sockets.listeners(packed(("192.168.1.5", 81))) == ()
    assert diag.asked == ["all"]


def test_an_exact_listener_comes_first_and_ipv4_before_ipv6(
    diag: FakeDiag, sockets: DiagSockets
) -> None:
    diag.sockets = [diag_listener(("::", 80), 60), diag_listener(("192.168.1.5", 80), 41)]
    assert sockets.listeners(packed(HERE)) == (41,)
    assert sockets.listeners(packed(("192.168.1.6", 80))) == (60,)
    assert sockets.listeners(packed(HERE6)) == (60,)


def test_a_listener_that_takes_no_ipv4_is_none_for_it(diag: FakeDiag, sockets: DiagSockets) -> None:
    diag.sockets = [
        diag_listener(("::", 80), 60, only_ipv6=True),
        diag_listener(("::", 81), 61),
    ]
    assert sockets.listeners(packed(HERE)) == ()
    assert sockets.listeners(packed(HERE6)) == (60,)
    assert sockets.listeners(packed(("192.168.1.5", 81))) == (61,)


def test_when_nobody_answers_tables_are_read(
    proc: ProcTree, diag: FakeDiag, sockets: DiagSockets
) -> None:
    proc.table(Row(HERE, THERE, 500), listening(("0.0.0.0", 80), 70))
    diag.sockets = [diag_socket(HERE, THERE, 999, 7)]
    diag.broken = True
    assert sockets.find(packed(HERE), packed(THERE)) == Socket(1, 500)
    assert sockets.listeners(packed(HERE)) == (70,)
    assert diag.asked == ["one"]  # and not again
    assert sockets.readable
    (proc.root / "net" / "tcp").unlink()
    (proc.root / "net" / "tcp6").unlink()
    blind = DiagSockets(diag, Devices(diag, Clock()), SocketTable(proc.root / "net"))
    assert blind.listeners(packed(HERE)) == ()
    assert not blind.readable


def test_an_old_kernel_tells_no_devices(diag: FakeDiag, clock: Clock) -> None:
    diag.broken = True
    assert Devices(diag, clock)() == frozenset()
