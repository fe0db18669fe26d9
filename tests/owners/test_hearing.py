"""Answers by sock_diag: sockets have cookies, and we hear when they end."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tcpsnoop.batches.owners import CLOSED, HOLDER, SHARED, UNKNOWN, Owner
from tcpsnoop.batches.probes import ORIGINATOR
from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tcpsnoop.owners import Procfs
from tcpsnoop.owners.diag.access import Access
from tcpsnoop.owners.diag.messages import DiagSocket
from tests.owners.diag.fakes import FakeDiag, FakeEndings, diag_socket
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, labels, seen

HERE: Place = ("192.168.1.5", 40000)
THERE: Place = ("192.168.1.9", 80)
GONE = Owner(UNKNOWN, reason="gone")
NOT_IN_TIME = Owner(UNKNOWN, reason="not in time")
FIRST = diag_socket(HERE, THERE, 500, 7)
SECOND = diag_socket(HERE, THERE, 501, 8)
MILLISECOND = 1_000_000


def waiting(socket: DiagSocket) -> DiagSocket:
    """A socket whose process has closed it, in TIME_WAIT."""
    return socket._replace(state=6, inode=0)


def ended(socket: DiagSocket) -> DiagSocket:
    """A socket as its end is told."""
    return socket._replace(state=7, inode=0)


@dataclass
class Stage:
    """Processes 42 and 43, which hold what is FIRST and SECOND, and a kernel of our making."""

    proc: ProcTree
    clock: Clock
    diag: FakeDiag
    endings: FakeEndings
    procfs: Procfs

    def __call__(
        self, connection: int = 1, flags: int = ACK, *, ago_ms: float = 0, outgoing: bool = True
    ) -> Owner:
        """The answer for a packet of a connection, of now or some time ago."""
        when = self.clock.nanoseconds() - round(ago_ms * MILLISECOND)
        row = seen(
            connection, ORIGINATOR, HERE, THERE, flags=flags, outgoing=outgoing, time_ns=when
        )
        return labels(self.procfs, row)[0]

    def now(self, *sockets: DiagSocket, gone: tuple[DiagSocket, ...] = ()) -> None:
        """Let these be the sockets; some ended before."""
        self.diag.sockets = list(sockets)
        self.endings.end(map(ended, gone))

    def wait(self, seconds: float) -> None:
        """Let time pass, polled as the engine does."""
        for _ in range(round(seconds / 0.1)):
            self.clock.forward(0.1)
            self.procfs.poll()


def play(proc: ProcTree, clock: Clock, *sockets: DiagSocket) -> Stage:
    """The stage when the capture begins; tables are there for nobody to read."""
    proc.process(42, "first", [500])
    proc.process(43, "second", [501])
    for name in ("tcp", "tcp6"):
        (proc.root / "net" / name).unlink()
    diag, endings = FakeDiag(*sockets), FakeEndings()
    access = Access(diag, None, endings)
    procfs = Procfs(clock.nanoseconds, proc.root, clock, access=access)
    return Stage(proc, clock, diag, endings, procfs)


@pytest.fixture
def stage(proc: ProcTree, clock: Clock) -> Stage:
    return play(proc, clock)


def who(owner: Owner) -> tuple[str, list[int]]:
    return owner.quality, [process.pid for process in owner.processes]


def test_a_socket_is_asked_for_when_its_first_packet_comes(stage: Stage) -> None:
    stage.now(FIRST)
    stage.diag.asked.clear()
    assert who(stage(1, SYN)) == (HOLDER, [42])
    assert stage.diag.asked == ["one"]


def test_nothing_is_asked_while_sockets_only_live(stage: Stage) -> None:
    stage.now(FIRST)
    stage()
    stage.diag.asked.clear()
    for _ in range(30):
        stage.wait(0.1)
        assert who(stage()) == (HOLDER, [42])
    assert stage.diag.asked == []


def test_another_socket_in_its_place_is_noticed_with_its_first_packet(stage: Stage) -> None:
    """The packets between were not captured, so the provider takes it for one connection."""
    stage.now(FIRST)
    assert who(stage()) == (HOLDER, [42])
    stage.now(SECOND, gone=(FIRST,))
    stage.wait(0.3)
    assert stage() == GONE
    stage.wait(1)
    assert who(stage()) == (HOLDER, [43])


@pytest.mark.parametrize("heard", ["not told", "lost"])
def test_it_is_noticed_later_when_we_did_not_hear(stage: Stage, heard: str) -> None:
    if heard == "not told":
        stage.procfs._pace._endings = None
    stage.now(FIRST)
    assert who(stage()) == (HOLDER, [42])
    stage.wait(1)
    stage.now(SECOND)
    stage.endings.lost = heard == "lost"
    stage.wait(0.3)
    stage()
    stage.wait(1)
    stage()
    stage.wait(1)
    assert who(stage()) == (HOLDER, [43])


def test_one_that_nobody_accepted_yet_is_another_one_too(stage: Stage) -> None:
    stage.now(FIRST)
    assert who(stage()) == (HOLDER, [42])
    stage.now(SECOND._replace(inode=0), gone=(FIRST,))
    stage.wait(0.3)
    assert stage().quality == UNKNOWN


@pytest.mark.parametrize("left", [(), (waiting(FIRST),)])
def test_an_answer_stays_when_its_socket_has_ended(
    stage: Stage, left: tuple[DiagSocket, ...]
) -> None:
    stage.now(FIRST)
    assert who(stage()) == (HOLDER, [42])
    stage.now(*left, gone=(FIRST,))
    for _ in range(20):
        stage.wait(0.1)
        assert who(stage()) == (HOLDER, [42])


def test_its_inode_is_nobody_s_then_whoever_gets_it(stage: Stage) -> None:
    stage.now(FIRST)
    assert who(stage()) == (HOLDER, [42])
    stage.now(gone=(FIRST,))
    stage.wait(0.3)
    stage.proc.descriptors(42, [])
    stage.proc.process(44, "stranger", [500])
    stage.wait(1)
    assert who(stage()) == (HOLDER, [42])


def test_a_socket_that_came_after_another_had_ended_is_not_that_of_packets_before(
    stage: Stage,
) -> None:
    """Of connection 1 the packets that end it are not read yet when its socket is looked for."""
    stage.now(SECOND, gone=(FIRST,))
    assert stage(1, ago_ms=3) == NOT_IN_TIME
    stage.clock.forward(0.001)
    assert who(stage(1)) == (HOLDER, [43])  # nothing tells yet that it is over
    assert stage(1, FIN, ago_ms=2) == NOT_IN_TIME


def test_without_the_word_it_was_taken_for_it(stage: Stage) -> None:
    stage.now(SECOND)
    assert who(stage(1, ago_ms=3)) == (HOLDER, [43])


def test_a_connection_that_ended_and_the_next_one_both_have_their_own(stage: Stage) -> None:
    stage.now(FIRST)
    assert who(stage(1, SYN)) == (HOLDER, [42])
    stage.clock.forward(0.05)
    stage.now(SECOND, gone=(FIRST,))
    # Its end is known to be that of the first: the second had no other in its place.
    assert who(stage(2, SYN, ago_ms=1)) == (HOLDER, [43])
    assert who(stage(1)) == (HOLDER, [42])


def test_a_socket_that_ends_before_its_holders_are_known_is_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.now(FIRST)
    real = stage.procfs._descriptors.scan

    def scan(since: int, deadline: float) -> bool:
        stage.proc.descriptors(42, [])
        stage.endings.end([ended(FIRST)])
        return real(since, deadline)

    monkeypatch.setattr(stage.procfs._descriptors, "scan", scan)
    assert stage() == GONE


def test_when_the_kernel_answers_no_more_tables_are_read_and_it_is_told(stage: Stage) -> None:
    stage.proc.table(Row(HERE, THERE, 501))
    stage.diag.broken = True
    assert who(stage()) == (HOLDER, [43])
    assert "owners: sockets are looked up in /proc: broken" in stage.procfs.remarks()


def test_closing_closes_what_was_opened(stage: Stage) -> None:
    stage.procfs.close()
    stage.procfs.close()
    assert stage.diag.closed
    assert stage.endings.closed


def test_who_had_a_socket_from_before_is_known_when_it_is_closed_at_once(
    proc: ProcTree, clock: Clock
) -> None:
    stage = play(proc, clock, FIRST)
    proc.end(42)
    stage.now(waiting(FIRST), gone=(FIRST,))
    assert who(stage(1, FIN)) == (CLOSED, [42])
    stage.wait(2)
    assert who(stage(1)) == (CLOSED, [42])


def test_and_when_it_is_gone_after_its_first_packet(proc: ProcTree, clock: Clock) -> None:
    stage = play(proc, clock, FIRST)
    proc.end(42)
    stage.now(gone=(FIRST,))
    assert who(stage(1, FIN, ago_ms=5)) == (CLOSED, [42])


def test_and_when_its_first_packet_resets_it(proc: ProcTree, clock: Clock) -> None:
    """The kernel does not find it any more, but its process has not closed it."""
    stage = play(proc, clock, FIRST)
    stage.now()
    assert who(stage(1, RST, outgoing=False)) == (CLOSED, [42])


def test_all_who_shared_it_are_named(proc: ProcTree, clock: Clock) -> None:
    proc.process(41, "parent", [500])
    stage = play(proc, clock, FIRST)
    proc.end(41)
    proc.end(42)
    stage.now(waiting(FIRST))
    assert who(stage(1, FIN)) == (SHARED, [41, 42])


@pytest.mark.parametrize("case", ["begun", "after", "untold", "other", "stale"])
def test_what_may_be_of_a_later_socket_is_gone(proc: ProcTree, clock: Clock, case: str) -> None:
    stage = play(proc, clock, FIRST)
    proc.end(42)
    if case == "begun":  # its SYN was captured: it is not from before
        stage.now(waiting(FIRST), gone=(FIRST,))
        assert stage(1, SYN, ago_ms=5) == GONE
    elif case == "after":  # its first packet came when the socket had ended
        stage.now(gone=(FIRST,))
        stage.wait(0.2)
        assert stage(1, FIN) == GONE
    elif case == "untold":  # it may have ended long ago
        stage.now()
        stage.endings.lost = True
        assert stage(1, FIN, ago_ms=5) == GONE
    elif case == "other":
        stage.now(waiting(SECOND))
        assert stage(1, FIN, ago_ms=5) == GONE
    else:  # nobody looked for long at who holds it
        stage.now(waiting(FIRST))
        clock.forward(100)
        assert stage(1, FIN) == GONE


def test_who_has_sockets_from_before_is_looked_at_while_nothing_happens(
    proc: ProcTree, clock: Clock
) -> None:
    stage = play(proc, clock, FIRST)
    stage.wait(100)
    proc.end(42)
    stage.now(waiting(FIRST))
    assert who(stage(1, FIN)) == (CLOSED, [42])
