"""Who had the sockets that were there when the capture began."""

from __future__ import annotations

import pytest

from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.earlier import FRESH_SECONDS, REMEMBERED_NS, Earlier
from tcpsnoop.owners.ends import End
from tcpsnoop.owners.evidence import NEVER
from tests.owners.diag.fakes import diag_socket
from tests.owners.proc_tree import Clock, Place, ProcTree, packed

HERE: Place = ("192.168.1.5", 80)
THERE: Place = ("192.168.1.9", 50000)
NOON = 12 * 3600 * 10**9


def end(
    local: Place = HERE, remote: Place = THERE, *, first_ns: int = NEVER, began_ns: int = NEVER
) -> End:
    """An end of a connection."""
    return End(2, packed(local), packed(remote), (0, 0), first_ns=first_ns, began_ns=began_ns)


class Scene:
    """One socket, which process 42 holds."""

    def __init__(self, proc: ProcTree, clock: Clock) -> None:
        self.proc, self.clock = proc, clock
        proc.process(42, "psql", [500])
        self.descriptors = Descriptors(proc.root, clock)
        self.earlier = Earlier([diag_socket(HERE, THERE, 500, 7)], self.descriptors, clock)
        self.scan()

    def scan(self) -> None:
        """Scan every process."""
        assert self.descriptors.scan(self.descriptors.tick, float("inf"))

    def holders(self) -> list[int]:
        """PIDs of those who had it last."""
        return [each.pid for each in self.earlier.holders(500)]


@pytest.fixture
def scene(proc: ProcTree, clock: Clock) -> Scene:
    return Scene(proc, clock)


def test_it_is_found_by_its_ends(scene: Scene) -> None:
    known = scene.earlier.at(end())
    assert known
    assert (known.cookie, known.inode, known.ended_ns) == (7, 500, NEVER)
    assert scene.earlier.at(end(THERE, HERE)) is None
    assert scene.earlier.at(end(began_ns=NOON)) is None  # it is not from before
    assert scene.earlier.holders(501) == ()


def test_sockets_of_no_process_are_not_remembered(proc: ProcTree, clock: Clock) -> None:
    closed = diag_socket(HERE, THERE, 0, 7, state=6)
    assert not Earlier([closed], Descriptors(proc.root, clock), clock)


def test_so_many_are_remembered(proc: ProcTree, clock: Clock) -> None:
    sockets = [diag_socket(HERE, ("192.168.1.9", 1 + n), 500 + n, 7 + n) for n in range(5)]
    earlier = Earlier(sockets, Descriptors(proc.root, clock), clock, capacity=3)
    kept = [earlier.at(End(2, each.local, each.remote, (0, 0))) is not None for each in sockets]
    assert kept == [True, True, True, False, False]


def test_its_holder_is_known_when_it_has_ended(scene: Scene) -> None:
    assert scene.holders() == [42]
    scene.proc.end(42)
    assert scene.holders() == [42]  # nobody has looked since
    scene.scan()
    assert scene.holders() == [42]
    scene.scan()
    assert scene.holders() == [42]


def test_all_that_had_it_when_that_was_looked_at_last(scene: Scene) -> None:
    scene.proc.process(43, "child", [500, 501])
    scene.descriptors.watched = {500}
    scene.scan()
    scene.proc.end(42)
    scene.proc.end(43)
    scene.scan()
    assert scene.holders() == [42, 43]


def test_who_gave_it_away_long_before_is_not_among_them(scene: Scene) -> None:
    scene.descriptors.watched = {500}
    scene.proc.process(43, "child", [500])
    scene.scan()
    scene.proc.descriptors(42, [])
    scene.scan()
    scene.scan()
    scene.proc.end(43)
    scene.scan()
    assert scene.holders() == [43]


def test_where_one_of_them_is_not_known_nobody_is_named(scene: Scene) -> None:
    scene.proc.process(43, "later", [])
    scene.scan()
    scene.proc.descriptors(43, [500])  # passed to it; nobody asked who it is
    scene.scan()
    assert scene.holders() == []
    scene.proc.end(43)
    scene.proc.end(42)
    scene.scan()
    assert scene.holders() == []


def test_holders_are_not_believed_when_nobody_looked_for_long(scene: Scene) -> None:
    scene.clock.forward(FRESH_SECONDS)
    assert scene.holders() == [42]
    scene.clock.forward(0.1)
    assert scene.holders() == []
    scene.scan()
    assert scene.holders() == [42]


def test_what_has_ended_is_remembered_for_a_while(scene: Scene) -> None:
    scene.earlier.hear(7, NOON)
    scene.earlier.hear(1234, NOON + REMEMBERED_NS)
    known = scene.earlier.at(end())
    assert known
    assert known.ended_ns == NOON
    scene.earlier.hear(1234, NOON + REMEMBERED_NS + 1)
    assert scene.earlier.at(end()) is None
    assert scene.holders() == []
    assert not scene.earlier


@pytest.mark.parametrize(
    ("ended_ns", "hears_all", "first_ns", "had"),
    [
        (NEVER, True, NOON, True),  # reset, and its process has not closed it yet
        (NEVER, False, NOON, False),  # it may have ended without our hearing
        (NOON, True, NOON, True),
        (NOON, False, NOON - 1, True),
        (NOON, True, NOON + 1, False),
    ],
)
def test_it_was_there_at_a_packet_unless_it_had_ended(
    scene: Scene, ended_ns: int, hears_all: bool, first_ns: int, had: bool
) -> None:
    scene.earlier.hears_all = hears_all
    if ended_ns != NEVER:
        scene.earlier.hear(7, ended_ns)
    known = scene.earlier.at(end())
    assert known
    assert scene.earlier.still_had(known, end(first_ns=first_ns)) is had
