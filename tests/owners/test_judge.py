"""When a row of the socket table is believed to be the connection's socket."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import HOLDER, LISTENER, UNKNOWN
from tcpsnoop.owners.ends import End
from tcpsnoop.owners.evidence import NEVER
from tcpsnoop.owners.judge import Claim, judge
from tcpsnoop.owners.socket_table import SocketTable
from tests.owners.proc_tree import Place, ProcTree, Row, listening, packed

HERE: Place = ("192.168.1.5", 80)
THERE: Place = ("192.168.1.9", 50000)
SERVER = listening(("0.0.0.0", 80), 700)
NOTHING = Claim(UNKNOWN)

# Names of the states in include/net/tcp_states.h.
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT = 1, 2, 3, 4, 5, 6
CLOSE_WAIT, LAST_ACK, CLOSING = 8, 9, 11


def claim(
    proc: ProcTree,
    *rows: Row,
    responder: bool = True,
    answering: bool = True,
    fin_sent: bool = False,
    fin_received: bool = False,
    ended: bool = False,
    first_listeners: tuple[int, ...] = (700,),
    distrusted: int = 0,
    now: float = 0.0,
) -> Claim:
    proc.table(*rows)
    end = End(2 + responder, packed(HERE), packed(THERE), halves(HERE[0]))
    end.answering_ns, end.fin_sent_ns, end.fin_received_ns, end.ended_ns = (
        1 if told else NEVER for told in (answering, fin_sent, fin_received, ended)
    )
    end.first_listeners = first_listeners
    end.distrusted, end.trusted_at = distrusted, 10.0
    return judge(end, SocketTable(proc.root / "net"), now)


@pytest.mark.parametrize("state", [ESTABLISHED, SYN_SENT, FIN_WAIT2, CLOSE_WAIT, LAST_ACK])
def test_an_inode_is_the_socket_of_a_process(proc: ProcTree, state: int) -> None:
    assert claim(proc, Row(HERE, THERE, 500, state), SERVER) == Claim(HOLDER, (500,))


@pytest.mark.parametrize("state", [SYN_RECV, ESTABLISHED, CLOSE_WAIT])
def test_a_socket_that_nobody_accepted_yet_waits_for_who_listens_now(
    proc: ProcTree, state: int
) -> None:
    row = Row(HERE, THERE, 0, state)
    listeners = [SERVER, listening(("0.0.0.0", 80), 701)]
    expected = Claim(LISTENER, (700, 701), lasting=True)
    assert claim(proc, row, *listeners, first_listeners=()) == expected
    assert claim(proc, row) == NOTHING  # the server has gone meanwhile


@pytest.mark.parametrize("state", [FIN_WAIT1, FIN_WAIT2, TIME_WAIT, LAST_ACK, CLOSING])
@pytest.mark.parametrize("first_listeners", [(), (700,)])
def test_a_socket_that_was_closed_is_as_good_as_none(
    proc: ProcTree, state: int, first_listeners: tuple[int, ...]
) -> None:
    row = Row(HERE, THERE, 0, state)
    expected = Claim(LISTENER, first_listeners) if first_listeners else NOTHING
    assert claim(proc, row, SERVER, first_listeners=first_listeners) == expected
    assert claim(proc, row, SERVER, responder=False) == NOTHING


def test_without_a_socket_who_listened_at_the_first_look_is_answered(proc: ProcTree) -> None:
    assert claim(proc, SERVER) == Claim(LISTENER, (700,))
    # A server started since had no part in it; nor had anybody when the kernel refused.
    assert claim(proc, SERVER, first_listeners=()) == NOTHING
    assert claim(proc, SERVER, answering=False) == NOTHING
    assert claim(proc, SERVER, answering=False, ended=True) == NOTHING
    # Who calls from a port that a server listens on, too, is not that server.
    assert claim(proc, SERVER, responder=False) == NOTHING


@pytest.mark.parametrize(("ended", "fins"), [(True, False), (False, True)])
def test_a_connection_that_is_over_has_no_socket_any_more(
    proc: ProcTree, ended: bool, fins: bool
) -> None:
    def of(responder: bool) -> Claim:
        row = Row(HERE, THERE, 500)
        return claim(proc, row, responder=responder, ended=ended, fin_sent=fins, fin_received=fins)

    assert of(responder=False) == NOTHING
    assert of(responder=True) == Claim(LISTENER, (700,))


@pytest.mark.parametrize(("fin_sent", "fin_received"), [(True, False), (False, True)])
@pytest.mark.parametrize(
    ("state", "believed"),
    [(SYN_SENT, False), (ESTABLISHED, False), (FIN_WAIT2, True), (CLOSE_WAIT, True)],
)
def test_after_a_fin_an_open_socket_is_another_one(
    proc: ProcTree, fin_sent: bool, fin_received: bool, state: int, believed: bool
) -> None:
    row = Row(HERE, THERE, 500, state)
    expected = Claim(HOLDER, (500,)) if believed else NOTHING
    assert claim(proc, row, fin_sent=fin_sent, fin_received=fin_received) == expected


def test_the_inode_of_the_connection_before_is_believed_when_it_stays(proc: ProcTree) -> None:
    row = Row(HERE, THERE, 500)
    assert claim(proc, row, distrusted=500, now=9.9) == NOTHING
    assert claim(proc, row, distrusted=500, now=10.0) == Claim(HOLDER, (500,))
    assert claim(proc, row, distrusted=499, now=9.9) == Claim(HOLDER, (500,))
