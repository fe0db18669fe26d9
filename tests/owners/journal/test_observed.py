"""Owners by what was seen of sockets: an answer only where it cannot be of another connection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tcpsnoop.batches.owners import HOLDER, LISTENER, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tcpsnoop.owners.journal.observed import Observed
from tcpsnoop.owners.journal.records import Holders, SocketRow, Sockets
from tcpsnoop.owners.networks import Networks
from tcpsnoop.owners.pool import OwnerPool
from tests.owners.proc_tree import Place, Rows, seen

CLIENT: Place = ("198.51.100.20", 50001)
SERVER: Place = ("192.0.2.10", 443)
CURL, WGET = Process(10, 1, "curl"), Process(11, 2, "wget")
MASTER, WORKER = Process(811, 5, "nginx"), Process(812, 6, "nginx")
MILLI, SECOND = 1_000_000, 1_000_000_000
HERE = Networks.parsed(["127.0.0.0/8", "192.0.2.10", "198.51.100.20"])


def gone() -> Owner:
    return Owner(UNKNOWN, reason="gone")


def row(local: Place, remote: Place, inode: int) -> SocketRow:
    return SocketRow(*local, *remote, inode)


def listening(inode: int) -> SocketRow:
    return SocketRow("0.0.0.0", 443, "::", 0, inode)


class Watched:
    """What was seen, in its order; times are milliseconds, a reading takes one."""

    def __init__(self) -> None:
        self.observed = Observed(OwnerPool())
        self.observed.note_networks(HERE)
        for process in (CURL, WGET, MASTER, WORKER):
            self.observed.note_process(process)

    def reading(
        self, at: int, new: Sequence[SocketRow] = (), gone: Sequence[SocketRow] = ()
    ) -> None:
        """The table is read."""
        self.observed.note_sockets(Sockets((at * MILLI, (at + 1) * MILLI), tuple(new), tuple(gone)))

    def holders(self, at: int, holders: dict[int, Sequence[Process]], unreadable: int = 0) -> None:
        """Processes are looked at."""
        named = {
            inode: tuple((each.pid, each.start_time) for each in those)
            for inode, those in holders.items()
        }
        self.observed.note_holders(Holders(at * MILLI, named, unreadable, False))

    def owners(self, *rows: Rows) -> list[Owner]:
        """Owners of rows that were all shown before."""
        batch = np.concatenate(rows)
        self.observed.see(batch)
        found = self.observed.label(ProbeBatch(batch))
        return [found.pool[code] for code in found.index.tolist()]


def sent(at: float, connection: int = 1, flags: int = ACK, end: int = ORIGINATOR) -> Rows:
    """A segment that an end sends."""
    ends = (CLIENT, SERVER) if end == ORIGINATOR else (SERVER, CLIENT)
    return seen(connection, end, *ends, flags=flags, time_ns=round(at * MILLI))


def received(at: float, connection: int = 1, flags: int = ACK, end: int = ORIGINATOR) -> Rows:
    """A segment that an end receives."""
    back = sent(at, connection, flags, end)
    back["outgoing"] = 0
    return back


@pytest.fixture
def watched() -> Watched:
    return Watched()


CALLING = row(CLIENT, SERVER, 7)


def test_the_holder_of_a_socket_that_was_there(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    watched.reading(200)
    assert watched.owners(sent(90, flags=SYN), sent(150), sent(210)) == [Owner(HOLDER, CURL)] * 3


def test_all_who_hold_it(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL, WGET]})
    assert watched.owners(sent(90), sent(150)) == [Owner(SHARED, holders=(CURL, WGET))] * 2


def test_a_connection_shorter_than_a_reading_is_not_given_what_may_be_of_the_next(
    watched: Watched,
) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    over = [sent(90, flags=SYN), sent(100.5, flags=FIN), received(100.6, flags=FIN)]
    assert watched.owners(*over, sent(120)) == [gone()] * 4


def test_ports_used_again_between_two_readings(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    watched.reading(200, [CALLING._replace(inode=8)], [CALLING])
    watched.holders(205, {8: [WGET]})
    first = [sent(90, 1, SYN), sent(110, 1, RST)]
    unseen = [sent(120, 2, SYN), sent(130, 2, RST)]
    third = [sent(140, 3, SYN), sent(210, 3)]
    found = watched.owners(*first, *unseen, *third)
    assert found == [Owner(HOLDER, CURL)] * 2 + [gone()] * 2 + [Owner(HOLDER, WGET)] * 2


def test_a_newer_connection_in_its_place_ends_one(watched: Watched) -> None:
    """Its end was not captured."""
    watched.reading(200, [CALLING])
    watched.holders(205, {7: [WGET]})
    assert watched.owners(sent(90, 1), sent(150, 2, SYN), sent(210, 2)) == [
        gone(),
        Owner(HOLDER, WGET),
        Owner(HOLDER, WGET),
    ]


def test_a_newer_connection_that_was_shown_before_the_older(watched: Watched) -> None:
    """As where several files are merged."""
    watched.reading(200, [CALLING])
    watched.holders(205, {7: [WGET]})
    assert watched.owners(sent(150, 2, SYN), sent(210, 2)) == [Owner(HOLDER, WGET)] * 2
    assert watched.owners(sent(90, 1), sent(210, 1)) == [gone()] * 2


def test_two_sockets_while_it_was_are_none(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.reading(200, [CALLING._replace(inode=8)], [CALLING])
    watched.holders(205, {7: [CURL], 8: [WGET]})
    assert watched.owners(sent(90), sent(250)) == [gone()] * 2


def test_packets_that_were_not_seen_yet_may_end_it(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    assert watched.owners(sent(90, flags=SYN)) == [gone()]
    assert watched.owners(sent(101)) == [Owner(HOLDER, CURL)]


def test_at_the_end_of_the_packets_what_is_open_stays_open_for_a_moment(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    assert watched.owners(sent(90, flags=SYN)) == [gone()]
    watched.observed.finish()
    assert watched.owners(sent(90)) == [Owner(HOLDER, CURL)]


def test_an_answer_does_not_hold_for_packets_of_long_before(watched: Watched) -> None:
    watched.reading(5000, [CALLING])
    watched.holders(5005, {7: [CURL]})
    watched.owners(sent(1000), sent(5010))
    assert watched.owners(sent(5010)) == [Owner(HOLDER, CURL)]
    assert watched.owners(sent(3999))[0].reason == "not in time"
    assert watched.owners(sent(4001)) == [Owner(HOLDER, CURL)]


def test_an_answer_stays_when_the_socket_is_gone(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    assert watched.owners(sent(90, flags=SYN), sent(110)) == [Owner(HOLDER, CURL)] * 2
    for at in range(200, 60_000, 1000):
        watched.reading(at, (), [CALLING] if at == 200 else ())
    assert watched.owners(sent(60_000, flags=FIN)) == [Owner(HOLDER, CURL)]


def test_holders_that_change(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    assert watched.owners(sent(90), sent(110)) == [Owner(HOLDER, CURL)] * 2
    watched.holders(205, {7: [CURL, WGET]})
    assert watched.owners(sent(210)) == [Owner(SHARED, holders=(CURL, WGET))]


@pytest.mark.parametrize(("unreadable", "reason"), [(0, "not visible"), (3, "no permission")])
def test_a_socket_that_nobody_is_seen_to_hold(
    watched: Watched, unreadable: int, reason: str
) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: []}, unreadable)
    assert watched.owners(sent(90), sent(110)) == [Owner(UNKNOWN, reason=reason)] * 2
    assert any("3" in line for line in watched.observed.remarks()) == (unreadable == 3)


def test_before_processes_were_looked_at(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    assert watched.owners(sent(90), sent(110))[0].reason == "not in time"


def test_who_listened_when_it_began_and_only_if_something_answered(watched: Watched) -> None:
    watched.reading(100, [listening(3)])
    watched.holders(105, {3: [MASTER]})
    watched.reading(200)
    asked = received(150, flags=SYN, end=RESPONDER)
    assert watched.owners(asked) == [gone()]
    answered = sent(151, flags=SYN | ACK, end=RESPONDER)
    assert watched.owners(asked, answered) == [Owner(LISTENER, MASTER)] * 2
    refused = [received(160, 2, SYN, RESPONDER), sent(161, 2, RST, RESPONDER)]
    assert watched.owners(*refused) == [gone()] * 2


def test_several_who_listened(watched: Watched) -> None:
    watched.reading(100, [listening(3)])
    watched.holders(105, {3: [WORKER, MASTER]})
    watched.reading(200)
    found = watched.owners(
        received(150, flags=SYN, end=RESPONDER), sent(151, flags=SYN | ACK, end=RESPONDER)
    )
    assert found == [Owner(SHARED, holders=(MASTER, WORKER))] * 2


def test_a_server_that_was_started_later_has_no_part_in_it(watched: Watched) -> None:
    watched.reading(100)
    watched.reading(200, [listening(3)])
    watched.holders(205, {3: [MASTER]})
    found = watched.owners(
        received(150, flags=SYN, end=RESPONDER), sent(251, flags=SYN | ACK, end=RESPONDER)
    )
    assert found == [gone()] * 2


def test_once_it_is_accepted_its_holder_is_known(watched: Watched) -> None:
    watched.reading(100, [listening(3)])
    watched.holders(105, {3: [MASTER, WORKER]})
    watched.reading(200, [row(SERVER, CLIENT, 9)])
    watched.holders(205, {9: [WORKER]})
    found = watched.owners(
        received(150, flags=SYN, end=RESPONDER), sent(210, flags=SYN | ACK, end=RESPONDER)
    )
    assert found == [Owner(HOLDER, WORKER)] * 2


def test_an_address_of_elsewhere_is_not_visible() -> None:
    watched = Watched()
    watched.observed.note_networks(Networks.parsed(["127.0.0.0/8"]))
    assert watched.owners(sent(90))[0].reason == "not visible"


def test_a_process_that_has_called_exec_since_has_its_new_name(watched: Watched) -> None:
    watched.reading(100, [CALLING])
    watched.holders(105, {7: [CURL]})
    renamed = Process(CURL.pid, CURL.start_time, "sh", "sh -c x")
    watched.observed.note_process(renamed)
    watched.holders(205, {7: [renamed]})
    assert watched.owners(sent(90), sent(210)) == [Owner(HOLDER, renamed)] * 2


def test_an_end_that_was_never_shown_is_gone(watched: Watched) -> None:
    found = watched.observed.label(ProbeBatch(sent(1, 77)))
    assert found.pool[found.index[0]] == gone()
    assert len(watched.observed.label(ProbeBatch(sent(1)[:0])).index) == 0
