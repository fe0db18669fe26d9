"""Answers over time: looked for again, following their holders, never outliving a connection."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.owners import HOLDER, LISTENER, SHARED, UNKNOWN, Owner
from tcpsnoop.batches.probes import CLOSED, ORIGINATOR, RESPONDER
from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tcpsnoop.owners import Procfs
from tcpsnoop.owners.departures import OLDEST_NS
from tcpsnoop.owners.search import TICKS_PER_SECOND
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, labels, listening, lookup, seen

SERVER: Place = ("192.168.1.5", 80)
CLIENT: Place = ("192.168.1.9", 50000)
GONE = Owner(UNKNOWN, reason="gone")


def pids(owner: Owner) -> tuple[str, list[int]]:
    return owner.quality, [process.pid for process in owner.processes]


@pytest.fixture
def procfs(proc: ProcTree, clock: Clock) -> Procfs:
    return lookup(proc, clock)


class Ask:
    """Rows of connections between SERVER and CLIENT, seen from one end, and their answers."""

    def __init__(self, procfs: Procfs, clock: Clock) -> None:
        self.procfs = procfs
        self.clock = clock
        self.end = RESPONDER

    def __call__(self, connection: int, flags: int = ACK, outgoing: bool = True) -> Owner:
        """The answer for a row of a connection."""
        row = seen(connection, self.end, SERVER, CLIENT, flags=flags, outgoing=outgoing)
        return labels(self.procfs, row)[0]

    def wait(self, seconds: float) -> None:
        """Let time pass, polled as the engine does."""
        for _ in range(round(seconds / 0.1)):
            self.clock.forward(0.1)
            self.procfs.poll()


@pytest.fixture
def ask(procfs: Procfs, clock: Clock) -> Ask:
    return Ask(procfs, clock)


def test_what_was_not_found_is_looked_for_again(proc: ProcTree, ask: Ask, clock: Clock) -> None:
    assert ask(1) == GONE
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    assert ask(1) == GONE  # not at every row: there may be thousands
    clock.forward(0.03)
    assert pids(ask(1)) == (HOLDER, [42])


def test_a_poll_alone_finds_it_too(proc: ProcTree, ask: Ask) -> None:
    assert ask(1) == GONE
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    ask.wait(0.3)
    proc.table()
    assert pids(ask(1)) == (HOLDER, [42])


def test_looking_comes_to_an_end(proc: ProcTree, ask: Ask) -> None:
    assert ask(1) == GONE
    ask.wait(3)
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    ask.wait(3)
    assert ask(1) == GONE


def test_a_listener_is_replaced_by_who_accepts_however_late(proc: ProcTree, ask: Ask) -> None:
    server = listening(("0.0.0.0", 80), 700)
    proc.table(Row(SERVER, CLIENT, 0), server)
    proc.process(42, "master", [700])
    assert pids(ask(1, SYN, outgoing=False)) == (LISTENER, [42])
    ask.wait(30)
    assert pids(ask(1)) == (LISTENER, [42])
    proc.table(Row(SERVER, CLIENT, 500), server)
    proc.process(43, "worker", [500])
    ask.wait(0.5)
    assert pids(ask(1)) == (HOLDER, [43])


def test_a_server_started_later_is_not_the_listener_of_what_was_refused(
    proc: ProcTree, ask: Ask
) -> None:
    assert ask(1, SYN | ACK) == GONE
    proc.table(listening(("0.0.0.0", 80), 700))
    proc.process(42, "late", [700])
    ask.wait(0.5)
    assert ask(1) == GONE


def test_a_listener_that_has_ended_may_be_who_accepted(proc: ProcTree, ask: Ask) -> None:
    """Who still listens is not named alone: neither for what was asked before, nor for new rows."""
    proc.table(Row(SERVER, CLIENT, 0), listening(("0.0.0.0", 80), 700))
    proc.process(42, "master", [700])
    proc.process(43, "worker", [700])
    assert pids(ask(1, SYN, outgoing=False)) == (SHARED, [42, 43])
    proc.end(43)
    ask.wait(1)
    assert pids(ask(1)) == (SHARED, [42, 43])


def test_a_listener_that_ended_before_its_holders_were_known(
    proc: ProcTree, procfs: Procfs, clock: Clock
) -> None:
    """The packets are older than its end, and are looked up only after it."""
    other: Place = ("192.168.1.9", 50001)
    server = listening(("0.0.0.0", 80), 700)
    proc.table(server, Row(SERVER, other, 0), Row(SERVER, CLIENT, 0))
    proc.process(42, "master", [700])
    proc.process(43, "worker", [700])
    labels(procfs, seen(1, RESPONDER, SERVER, other, flags=SYN, outgoing=False))
    packet = seen(
        2, RESPONDER, SERVER, CLIENT, flags=SYN, outgoing=False, time_ns=clock.nanoseconds()
    )
    proc.end(43)
    for _ in range(10):
        clock.forward(0.05)
        procfs.poll()
    assert labels(procfs, packet)[0].quality == UNKNOWN


def test_holders_are_followed(proc: ProcTree, ask: Ask) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "master", [500])
    assert pids(ask(1)) == (HOLDER, [42])
    proc.process(43, "worker", [500])
    ask.wait(1)
    assert pids(ask(1)) == (SHARED, [42, 43])
    proc.descriptors(42, [])
    ask.wait(1)
    assert pids(ask(1)) == (HOLDER, [43])


def test_an_answer_stays_when_the_socket_is_closed(proc: ProcTree, ask: Ask) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    assert pids(ask(1)) == (HOLDER, [42])
    proc.table(Row(SERVER, CLIENT, 0, state=6))
    proc.end(42)
    ask.wait(1)
    assert pids(ask(1, FIN | ACK)) == (HOLDER, [42])
    assert pids(ask(1, outgoing=False)) == (HOLDER, [42])


@pytest.mark.parametrize("end", [ORIGINATOR, RESPONDER])
def test_after_the_port_was_used_again_the_new_socket_has_its_own_owner(
    proc: ProcTree, ask: Ask, end: int
) -> None:
    ask.end = end
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "first", [500])
    proc.process(43, "second", [501])
    assert pids(ask(1)) == (HOLDER, [42])
    proc.table(Row(SERVER, CLIENT, 501))
    assert pids(ask(2)) == (HOLDER, [43])
    assert pids(ask(1)) == (HOLDER, [42])  # a late row of the old connection keeps its answer


def test_an_old_answer_is_not_given_to_a_new_connection_that_is_not_found(
    proc: ProcTree, ask: Ask
) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "first", [500])
    assert pids(ask(1)) == (HOLDER, [42])
    proc.table()
    assert ask(2) == GONE
    ask.wait(1)
    assert ask(2) == GONE


def test_the_same_inode_under_a_new_number_is_doubted_until_it_stays(
    proc: ProcTree, ask: Ask
) -> None:
    """A table shows the old socket still, or the socket was connected again."""
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "first", [500])
    assert pids(ask(1)) == (HOLDER, [42])
    assert ask(2) == GONE
    ask.wait(1)
    assert pids(ask(2)) == (HOLDER, [42])


def test_the_same_inode_that_goes_away_was_the_old_socket(proc: ProcTree, ask: Ask) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "first", [500])
    proc.process(43, "second", [501])
    assert pids(ask(1)) == (HOLDER, [42])
    assert ask(2) == GONE
    proc.table(Row(SERVER, CLIENT, 501))
    ask.wait(0.2)
    assert pids(ask(2)) == (HOLDER, [43])


def test_a_table_read_after_the_next_connection_began_answers_for_that(
    proc: ProcTree, ask: Ask, procfs: Procfs, clock: Clock
) -> None:
    """Its packets had not come when the old one was looked up."""
    now = clock.nanoseconds()
    proc.table(Row(SERVER, CLIENT, 501))
    proc.process(43, "second", [501])
    old = seen(1, ORIGINATOR, SERVER, CLIENT, time_ns=now - 3000)
    assert pids(labels(procfs, old)[0]) == (HOLDER, [43])  # nothing tells yet
    new = seen(2, ORIGINATOR, SERVER, CLIENT, time_ns=now - 1000)
    assert labels(procfs, old) != [GONE]
    assert pids(labels(procfs, new)[0]) == (HOLDER, [43])
    assert labels(procfs, old) == [GONE]


@pytest.mark.parametrize(("late_ns", "holds"), [(1000, False), (-1000, True)])
def test_a_table_read_after_the_connection_ended_does_not_answer_for_it(
    proc: ProcTree, procfs: Procfs, clock: Clock, late_ns: int, holds: bool
) -> None:
    now = clock.nanoseconds()
    proc.table(Row(SERVER, CLIENT, 501))
    proc.process(43, "second", [501])
    syn = seen(1, ORIGINATOR, SERVER, CLIENT, flags=SYN, time_ns=now - 3000)
    assert pids(labels(procfs, syn)[0]) == (HOLDER, [43])
    reset = seen(1, ORIGINATOR, SERVER, CLIENT, flags=RST, outgoing=False, time_ns=now - late_ns)
    assert (pids(labels(procfs, reset)[0]) == (HOLDER, [43])) is holds


def test_an_answer_does_not_hold_for_packets_long_before_the_look(
    proc: ProcTree, procfs: Procfs, clock: Clock
) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    limit = clock.nanoseconds() - OLDEST_NS
    rows = [seen(1, RESPONDER, SERVER, CLIENT, time_ns=limit + late) for late in (-1, 0, 1)]
    old, *others = labels(procfs, *rows)
    assert old == Owner(UNKNOWN, reason="not in time")
    assert [pids(owner) for owner in others] == [(HOLDER, [42])] * 2


@pytest.mark.parametrize(
    ("end", "ticks_late", "believed"),
    [(ORIGINATOR, 1, False), (ORIGINATOR, 0, True), (RESPONDER, 1, True)],
)
def test_who_started_after_the_last_packet_did_not_call(
    proc: ProcTree, procfs: Procfs, clock: Clock, end: int, ticks_late: int, believed: bool
) -> None:
    packet = clock.now - 0.1
    proc.table(Row(SERVER, CLIENT, 501))
    start_time = round(packet * TICKS_PER_SECOND) + ticks_late
    proc.process(43, "next", [501], start_time=start_time)
    row = seen(1, end, SERVER, CLIENT, flags=SYN, time_ns=round(packet * 1e9))
    assert (pids(labels(procfs, row)[0]) == (HOLDER, [43])) is believed
    # It may have been given the socket by its parent: then the connection goes on.
    later = seen(1, end, SERVER, CLIENT, time_ns=clock.nanoseconds())
    clock.forward(0.05)
    assert pids(labels(procfs, later)[0]) == (HOLDER, [43])


def test_two_connections_in_one_batch_the_table_is_of_the_newer(
    proc: ProcTree, procfs: Procfs
) -> None:
    proc.table(Row(SERVER, CLIENT, 501))
    proc.process(43, "second", [501])
    rows = [seen(n, ORIGINATOR, SERVER, CLIENT) for n in (1, 2)]
    old, new = labels(procfs, *rows)
    assert old == GONE
    assert pids(new) == (HOLDER, [43])


@pytest.mark.parametrize(
    "last",
    [
        [(RST, False)],
        [(FIN | ACK, True), (FIN | ACK, False)],
    ],
)
def test_a_connection_that_ended_before_the_look_is_not_given_the_next_socket(
    proc: ProcTree, procfs: Procfs, last: list[tuple[int, bool]]
) -> None:
    proc.table(Row(SERVER, CLIENT, 501))
    proc.process(43, "second", [501])
    rows = [seen(1, ORIGINATOR, SERVER, CLIENT, flags=SYN)]
    rows += [seen(1, ORIGINATOR, SERVER, CLIENT, flags=f, outgoing=o) for f, o in last]
    assert labels(procfs, *rows) == [GONE] * len(rows)


def test_a_connection_that_is_closed_keeps_its_answer_and_follows_nobody(
    proc: ProcTree, ask: Ask, procfs: Procfs
) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "first", [500])
    assert pids(ask(1)) == (HOLDER, [42])
    row = seen(1, RESPONDER, SERVER, CLIENT, probe=CLOSED)
    assert pids(labels(procfs, row)[0]) == (HOLDER, [42])
    proc.process(43, "other", [500])
    proc.table(Row(SERVER, CLIENT, 501))
    ask.wait(1)
    assert pids(ask(1)) == (HOLDER, [42])


def test_another_socket_under_the_same_number_is_noticed(proc: ProcTree, ask: Ask) -> None:
    """The packets between were not captured, so the provider takes it for one connection."""
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "first", [500])
    proc.process(43, "second", [501])
    assert pids(ask(1)) == (HOLDER, [42])
    proc.table(Row(SERVER, CLIENT, 501))
    ask.wait(0.3)
    assert ask(1) == GONE
    ask.wait(1)
    assert pids(ask(1)) == (HOLDER, [43])


def test_a_socket_connected_to_itself_has_one_owner_at_both_ends(
    proc: ProcTree, procfs: Procfs
) -> None:
    proc.table(Row(SERVER, SERVER, 500))
    proc.process(42, "odd", [500])
    rows = [seen(1, end, SERVER, SERVER) for end in (ORIGINATOR, RESPONDER)]
    assert [pids(owner) for owner in labels(procfs, *rows)] == [(HOLDER, [42])] * 2


def test_forgotten_ends_are_looked_up_anew(proc: ProcTree, clock: Clock) -> None:
    procfs = lookup(proc, clock, capacity=2)
    places = [("192.168.1.9", 50000 + number) for number in range(5)]
    proc.table(*(Row(SERVER, place, 500 + n) for n, place in enumerate(places)))
    for number in range(5):
        proc.process(40 + number, "worker", [500 + number])
    for _ in range(2):
        for number, place in enumerate(places):
            clock.forward(1)
            owner = labels(procfs, seen(number, RESPONDER, SERVER, place))[0]
            assert pids(owner) == (HOLDER, [40 + number])
