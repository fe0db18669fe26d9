"""Which network namespaces there are is seen by the files of their processes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.diag.asking import Diag, DiagUnavailableError
from tcpsnoop.owners.namespaces import LIST_SECONDS, Namespaces
from tcpsnoop.owners.sockets import Socket
from tests.owners.diag.fakes import FakeDiag, diag_socket
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, packed

BLUE: Place = ("10.0.0.2", 80)
THERE: Place = ("10.0.0.3", 50000)


@pytest.fixture
def two(proc: ProcTree) -> ProcTree:
    """Processes 1 and 10 are in ours, 20 and 21 in another, 30 in a third."""
    proc.namespace("blue", [BLUE[0], "2001:db8::2"], Row(BLUE, THERE, 500))
    proc.namespace("red", ["10.0.0.3"])
    for pid, name in ((1, ""), (10, ""), (20, "blue"), (21, "blue"), (30, "red")):
        proc.process(pid, "any")
        proc.enter(pid, name)
    return proc


@pytest.fixture
def namespaces(two: ProcTree, clock: Clock) -> Namespaces:
    return Namespaces(two.root, clock)


def having(namespaces: Namespaces, address: str) -> list[str]:
    """Where the folders of the namespaces' processes lead to."""
    return [
        Path(each.folder, "net").readlink().name for each in namespaces.having(*halves(address))
    ]


def test_the_others_are_told_apart_by_their_files(namespaces: Namespaces) -> None:
    assert having(namespaces, BLUE[0]) == ["net-blue"]
    assert having(namespaces, "2001:db8::2") == ["net-blue"]
    assert having(namespaces, "10.0.0.3") == ["net-red"]
    assert having(namespaces, "192.168.1.5") == []  # ours alone
    assert having(namespaces, "10.0.0.4") == []


def test_a_new_one_is_found_but_not_looked_for_all_the_time(
    two: ProcTree, namespaces: Namespaces, clock: Clock
) -> None:
    assert having(namespaces, "10.0.0.4") == []
    two.namespace("green", ["10.0.0.4"])
    two.process(40, "new")
    two.enter(40, "green")
    assert having(namespaces, "10.0.0.4") == []
    clock.forward(LIST_SECONDS)
    assert having(namespaces, "10.0.0.4") == ["net-green"]


@pytest.mark.parametrize("what", ["ended", "moved"])
def test_when_its_process_is_gone_another_one_stands_for_it(
    two: ProcTree, namespaces: Namespaces, clock: Clock, what: str
) -> None:
    (blue,) = namespaces.having(*halves(BLUE[0]))
    pid = int(Path(blue.folder).name)
    assert pid in (20, 21)
    if what == "ended":
        two.end(pid)
    else:
        two.enter(pid, "red")
    clock.forward(LIST_SECONDS)
    (after,) = namespaces.having(*halves(BLUE[0]))
    assert {pid, int(Path(after.folder).name)} == {20, 21}
    assert after.inode == blue.inode


def test_where_all_its_processes_are_gone_it_is(
    two: ProcTree, namespaces: Namespaces, clock: Clock
) -> None:
    assert having(namespaces, BLUE[0]) == ["net-blue"]
    two.end(20)
    two.end(21)
    assert having(namespaces, BLUE[0]) == []


def test_a_table_is_not_read_when_it_has_become_another_s(
    two: ProcTree, namespaces: Namespaces
) -> None:
    ends = packed(BLUE), packed(THERE)
    (blue,) = namespaces.having(*halves(BLUE[0]))
    with ExitStack() as until:
        sockets = namespaces.sockets(blue, until)
        assert sockets.find(*ends) == Socket(1, 500)
        assert sockets.readable
        two.table(Row(BLUE, THERE, 666), net="net-red")
        two.enter(int(Path(blue.folder).name), "red")
        sockets = namespaces.sockets(blue, until)
        assert sockets.find(*ends) is None
        assert not sockets.readable


def test_where_it_may_be_entered_it_is_asked_and_left_again(two: ProcTree, clock: Clock) -> None:
    entered: list[tuple[str, int]] = []
    diag = FakeDiag(diag_socket(BLUE, THERE, 501, 7))

    def enter(path: str, inode: int) -> Diag:
        entered.append((path, inode))
        return diag

    namespaces = Namespaces(two.root, clock, None, enter)
    (blue,) = namespaces.having(*halves(BLUE[0]))
    with ExitStack() as until:
        found = namespaces.sockets(blue, until).find(packed(BLUE), packed(THERE))
        assert found == Socket(1, 501, 7)
        left = [diag.closed]
    assert [*left, diag.closed] == [False, True]
    table = (two.root / "net-blue" / "tcp").stat().st_ino
    assert entered == [(f"{blue.folder}/ns/net", table)]


def test_where_entering_is_refused_tables_are_read(two: ProcTree, clock: Clock) -> None:
    def enter(path: str, inode: int) -> Diag:
        raise DiagUnavailableError("not permitted")

    namespaces = Namespaces(two.root, clock, None, enter)
    (blue,) = namespaces.having(*halves(BLUE[0]))
    with ExitStack() as until:
        found = namespaces.sockets(blue, until).find(packed(BLUE), packed(THERE))
    assert found == Socket(1, 500)


def test_our_own_is_asked_until_that_fails(two: ProcTree, clock: Clock) -> None:
    two.table(Row(BLUE, THERE, 600))
    diag = FakeDiag(diag_socket(BLUE, THERE, 601, 7))
    namespaces = Namespaces(two.root, clock, diag)
    ends = packed(BLUE), packed(THERE)
    assert namespaces.own_sockets().find(*ends) == Socket(1, 601, 7)
    diag.broken = True
    assert namespaces.own_sockets().find(*ends) == Socket(1, 600)
    asked = len(diag.asked)
    assert namespaces.own_sockets().find(*ends) == Socket(1, 600)
    assert len(diag.asked) == asked
