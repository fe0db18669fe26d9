"""In which namespaces a socket is looked for, and what is said when it is not found."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.look import Look
from tcpsnoop.owners.namespaces import Namespaces
from tcpsnoop.owners.sockets import Socket
from tests.owners.diag.fakes import FakeDiag, diag_socket
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, listening, packed

OURS: Place = ("192.168.1.5", 80)
THEIRS: Place = ("10.0.0.2", 80)
BOTH: Place = ("10.0.0.9", 80)
PEER: Place = ("10.0.0.3", 50000)


@pytest.fixture
def namespaces(proc: ProcTree, clock: Clock) -> Namespaces:
    """Of two others, one has THEIRS, and both have BOTH."""
    proc.namespace("blue", [THEIRS[0], BOTH[0], OURS[0]], Row(THEIRS, PEER, 500))
    proc.namespace("red", [BOTH[0]])
    for pid, name in ((1, ""), (20, "blue"), (30, "red")):
        proc.process(pid, "any")
        proc.enter(pid, name)
    return Namespaces(proc.root, clock)


def find(namespaces: Namespaces, local: Place) -> tuple[Socket | None, str]:
    with Look(namespaces) as look:
        view = look.view(*halves(local[0]))
        return view.find(packed(local), packed(PEER)), view.why_not


def test_an_address_of_ours_is_looked_for_here_alone(
    proc: ProcTree, namespaces: Namespaces
) -> None:
    proc.table(Row(OURS, PEER, 501), net="net-blue")
    assert find(namespaces, OURS) == (None, "gone")
    proc.table(Row(OURS, PEER, 600))
    assert find(namespaces, OURS)[0] == Socket(1, 600)


def test_another_address_is_looked_for_where_it_is(proc: ProcTree, namespaces: Namespaces) -> None:
    assert find(namespaces, THEIRS)[0] == Socket(1, 500)
    proc.table(net="net-blue")
    assert find(namespaces, THEIRS) == (None, "gone")
    assert find(namespaces, ("10.0.0.4", 80)) == (None, "not visible")


def test_a_proxy_has_sockets_with_addresses_that_are_not_ours(
    proc: ProcTree, namespaces: Namespaces
) -> None:
    foreign = ("10.0.0.4", 80)
    proc.table(Row(foreign, PEER, 600))
    assert find(namespaces, foreign)[0] == Socket(1, 600)


def test_the_same_ends_in_two_namespaces_are_nobody_s(
    proc: ProcTree, namespaces: Namespaces
) -> None:
    proc.table(Row(THEIRS, PEER, 600))
    assert find(namespaces, THEIRS) == (None, "ambiguous")


@pytest.mark.parametrize("held_in", [(), ("blue",), ("red",), ("blue", "red")])
def test_an_address_of_two_other_namespaces_is_nobody_s(
    proc: ProcTree, namespaces: Namespaces, held_in: tuple[str, ...]
) -> None:
    """Also when one of them has the socket: the packet may be of what the other had."""
    for name in held_in:
        proc.table(Row(BOTH, PEER, 700), net=f"net-{name}")
    assert find(namespaces, BOTH) == (None, "ambiguous")
    with Look(namespaces) as look:
        assert look.view(*halves(BOTH[0])).listeners(packed(BOTH)) == ()


def test_who_listens_here_does_not_get_what_is_sent_elsewhere(
    proc: ProcTree, namespaces: Namespaces
) -> None:
    proc.table(listening(("0.0.0.0", 80), 60))
    proc.table(listening(("0.0.0.0", 80), 70), net="net-blue")
    with Look(namespaces) as look:
        for local, expected in ((OURS, (60,)), (THEIRS, (70,)), (("10.0.0.4", 80), ())):
            assert look.view(*halves(local[0])).listeners(packed(local)) == expected


def test_only_a_socket_of_ours_has_a_cookie_by_which_we_hear_its_end(
    proc: ProcTree, namespaces: Namespaces, clock: Clock
) -> None:
    find(namespaces, THEIRS)
    ours = FakeDiag(diag_socket(OURS, PEER, 600, 7))
    theirs = FakeDiag(diag_socket(THEIRS, PEER, 500, 8))
    asking = Namespaces(proc.root, clock, ours, lambda *_: theirs)
    assert find(asking, OURS)[0] == Socket(1, 600, 7)
    assert find(asking, THEIRS)[0] == Socket(1, 500, 0)
    assert theirs.closed
    assert not ours.closed


def test_a_namespace_is_entered_once_at_a_look(proc: ProcTree, clock: Clock) -> None:
    proc.namespace("blue", [THEIRS[0]])
    proc.process(20, "any")
    proc.enter(20, "blue")
    entered = []

    def enter(path: str, _: int) -> FakeDiag:
        entered.append(path)
        return FakeDiag()

    with Look(Namespaces(proc.root, clock, None, enter)) as look:
        for _ in range(3):
            look.view(*halves(THEIRS[0])).find(packed(THEIRS), packed(PEER))
    assert len(entered) == 1


def test_without_tables_nothing_is_visible(proc: ProcTree, namespaces: Namespaces) -> None:
    for name in ("tcp", "tcp6"):
        (proc.root / "net" / name).unlink()
    assert find(namespaces, OURS) == (None, "not visible")
