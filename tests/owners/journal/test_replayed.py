"""A journal replayed beside packets: what counts for a packet, and what a journal cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import EXACT, HOLDER, NOT_ASKED, Owner, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import APPLICATION_WRITE, ORIGINATOR, RESPONDER
from tcpsnoop.owners.journal.records import (
    CgroupNumber,
    End,
    Events,
    Header,
    Holders,
    LocalNetworks,
    ProcessRead,
    Record,
    SocketRow,
    Sockets,
)
from tcpsnoop.owners.journal.replayed import HOLD_SECONDS, Replayed
from tests.owners.journal.journals import HEADER, NOON, reader_of, written
from tests.owners.tracing.story import (
    CLOSE,
    ESTABLISHED,
    HERE,
    OWN_NAMESPACE,
    THERE,
    Story,
    called,
    closed,
    packet,
    syn,
)

CLIENT, SERVER = 100, 200
TO, FRO = (HERE, THERE), (THERE, HERE)
HOLD = 0.05
MICRO, MILLI, SECOND = 1, 1_000, 1_000_000  # times of stories are microseconds


class Teller(Story):
    """A story that is not taken in, but told to a journal: a record for each time it happens."""

    def __init__(self) -> None:
        super().__init__(told=lambda events: self.records.append(Events(events.copy())))
        self.records: list[Record] = []
        self.process(CLIENT, "curl")
        self.process(SERVER, "nginx")
        self.happen()

    def content(self, over: float = 3600 * SECOND, header: Header = HEADER) -> bytes:
        """The journal, which ends then."""
        header = replace(header, network_namespace=OWN_NAMESPACE)
        return written([*self.records, End(NOON + round(over * 1000), 0)], header)

    def replayed(self, *, over: float = 3600 * SECOND, header: Header = HEADER) -> Replayed:
        """It is replayed."""
        return Replayed(reader_of(self.content(over, header)), HOLD)


@pytest.fixture
def teller() -> Teller:
    """A client connects, a server accepts."""
    made = Teller()
    made.connect(10, CLIENT, 0x1000, TO)
    made.happen()
    return made


def owners(replayed: Replayed, *rows: NDArray[np.void]) -> list[Owner]:
    """Owners of rows that come as one batch."""
    batch = ProbeBatch(np.concatenate(rows))
    replayed.see(batch)
    found = replayed.label(batch)
    return [found.pool[code] for code in found.indices(len(batch)).tolist()]


def pids(replayed: Replayed, *rows: NDArray[np.void]) -> list[int | None]:
    return [pid_of(each) for each in owners(replayed, *rows)]


def pid_of(owner: Owner) -> int | None:
    return owner.process.pid if owner.process else None


def test_an_answer_is_as_live(teller: Teller) -> None:
    (owner,) = owners(teller.replayed(), syn(12))
    assert owner.quality == EXACT
    assert owner.process is not None
    assert (owner.process.pid, owner.process.command, owner.process.start_time) == (100, "curl", 5)


@pytest.mark.parametrize(("used", "known"), [(40 * MILLI, True), (60 * MILLI, False)])
def test_what_is_told_until_a_moment_after_a_packet_counts(
    teller: Teller, used: float, known: bool
) -> None:
    teller.accept(30, CLIENT, 0x2000, FRO)
    teller.happen()
    teller.receive(used, SERVER, 0x2000)
    teller.happen()
    found = pids(teller.replayed(), called(12), called(29), called(31))
    assert found == [SERVER if known else None] * 3


def test_the_moment_can_be_longer(teller: Teller) -> None:
    teller.accept(30, CLIENT, 0x2000, FRO)
    teller.receive(60 * MILLI, SERVER, 0x2000)
    teller.happen()
    longer = Replayed(reader_of(teller.content()), 0.07)
    assert pids(longer, called(12), called(31)) == [SERVER] * 2


@pytest.mark.parametrize("pieces", [1, 2, 7, 100])
def test_batches_do_not_matter(pieces: int) -> None:
    """Two processes use a socket in turn, and each packet is of who did before it."""
    teller = Teller()
    teller.connect(10, CLIENT, 0x1000, TO)
    for turn in range(1, 100):
        teller.receive(turn * 30 * MILLI, (SERVER, CLIENT)[turn % 2], 0x1000)
        teller.happen()
    rows = np.concatenate(
        [syn(12), *(packet((turn + 0.5) * 30 * MILLI, payload=1) for turn in range(1, 100))]
    )
    replayed = teller.replayed()
    found: list[int | None] = []
    for part in np.array_split(rows, pieces):
        replayed.see(ProbeBatch(part))
        owned = replayed.label(ProbeBatch(part))
        answers = [owned.pool[code] for code in owned.index.tolist()]
        found += [pid_of(each) for each in answers]
    assert found == [CLIENT, *((SERVER, CLIENT)[turn % 2] for turn in range(1, 100))]


def test_packets_of_another_time_are_not_recorded(teller: Teller) -> None:
    teller.state(2 * SECOND, CLIENT, 0x1000, (ESTABLISHED, CLOSE), TO)
    teller.happen()
    replayed = teller.replayed(over=3 * SECOND)
    rows = [syn(-5, 9), packet(-4, 9), syn(12), packet(SECOND), packet(4 * SECOND)]
    rows += [closed(4 * SECOND, 1, ORIGINATOR, TO)]
    found = owners(replayed, *rows)
    assert found[:2] == [NOT_ASKED] * 2
    assert found[4] == NOT_ASKED
    assert [pid_of(found[place]) for place in (2, 3, 5)] == [
        CLIENT
    ] * 3  # what closes a connection is of its whole life
    assert any("not recorded 2" in line for line in replayed.summary())


def test_behind_the_end_of_a_journal_nobody_gets_the_socket_of_another(teller: Teller) -> None:
    """The end of the connection, and who has its ports later, were not told."""
    replayed = teller.replayed(over=SECOND)
    again = [syn(2 * SECOND, 2), closed(3 * SECOND, 2, ORIGINATOR, TO)]
    found = owners(replayed, syn(12), *again)
    assert found[0].process is not None
    assert found[0].process.pid == CLIENT
    assert [each.process for each in found[1:]] == [None, None]


def test_what_tracing_does_not_know_is_asked_of_what_was_seen(teller: Teller) -> None:
    ends = (HERE[0], 41000), THERE
    holder = Process(SERVER, 5, "nginx", "nginx: worker", 33)
    row = SocketRow(*ends[0], *ends[1], 77)
    at = NOON + 400_000_000
    teller.records += [
        Sockets((at, at + 1_000_000), (row,), ()),
        ProcessRead(at, holder),
        Holders(at + 5_000_000, {77: ((SERVER, 5),)}, 0, False),
    ]
    early = packet(SECOND / 10, 3, ends=ends)  # until a second later what was seen counts
    late = packet(SECOND, 3, ends=ends)
    assert owners(teller.replayed(), early, late) == [Owner(HOLDER, holder)] * 2


def test_a_process_has_what_was_read_of_it(teller: Teller) -> None:
    read = Process(CLIENT, 5, "curl", "curl -s x", 1000, "/a")
    teller.records.insert(0, ProcessRead(NOON, read))
    assert owners(teller.replayed(), syn(12)) == [Owner(EXACT, read)]


def test_what_was_read_before_exec_says_nothing(teller: Teller) -> None:
    teller.rename(50, CLIENT, "wget")
    teller.happen()
    teller.send(60, CLIENT, 0x1000)
    teller.happen()
    told = teller.records
    read = Process(CLIENT, 5, "curl", "curl -s x", 1000)
    for time_ns, line in ((NOON + 20_000, "[wget]"), (NOON + 55_000, "curl -s x")):
        teller.records = [ProcessRead(time_ns, read), *told]
        found = owners(teller.replayed(), packet(70, payload=1))[0]
        assert found.process is not None
        assert found.process.command_line == line


def test_another_process_of_that_number_is_not_read(teller: Teller) -> None:
    teller.records.insert(0, ProcessRead(NOON, Process(CLIENT, 4, "bash", "bash")))
    found = owners(teller.replayed(), syn(12))[0]
    assert found.process is not None
    assert found.process.command == "curl"


def test_the_cgroup_of_one_that_was_never_read() -> None:
    teller = Teller()
    teller.records.append(CgroupNumber(77, "/system.slice/cron.service"))
    teller.fork(5, CLIENT, 101)
    portless = ((HERE[0], 0), THERE)
    teller.state(10, 101, 0x1000, (CLOSE, 2), portless, cgroup=77)
    teller.exit(30, 101)
    teller.happen()
    found = owners(teller.replayed(), syn(12))[0]
    assert found.process is not None
    assert found.process.cgroup == "/system.slice/cron.service"


def writes_of(replayed: Replayed, until: float) -> list[tuple[int, int]]:
    """Time after noon and bytes of the send calls until then."""
    batch = replayed.take_writes(NOON + round(until * 1000))
    assert (batch.rows["probe"] == APPLICATION_WRITE).all()
    times = ((batch.rows["time_ns"] - NOON) // 1000).tolist()
    return list(zip(times, batch.rows["bytes"].tolist(), strict=True))


def test_send_calls_of_the_time_of_the_capture(teller: Teller) -> None:
    for at in range(1, 9):
        teller.send(at * SECOND, CLIENT, 0x1000, length=at)
        teller.happen()
    replayed = teller.replayed()
    later = [packet(at * SECOND - 5, payload=at) for at in range(3, 6)]
    found = owners(replayed, packet(2.5 * SECOND), *later)
    assert all(each.process for each in found)
    assert writes_of(replayed, 4 * SECOND) == [(3 * SECOND, 3), (4 * SECOND, 4)]
    assert writes_of(replayed, 5 * SECOND) == [(5 * SECOND, 5)]
    assert not any("send calls" in line for line in replayed.summary())


def test_without_tracing_there_are_sockets_alone() -> None:
    teller = Teller()
    replayed = teller.replayed(header=replace(HEADER, method="", why_not="no rights"))
    assert owners(replayed, syn(12))[0].reason == "gone"
    assert writes_of(replayed, SECOND) == []
    notes = list(replayed.summary())
    assert notes[0].startswith("owners: sockets as seen, 1 connection ends: unknown")
    assert "owners: no kernel tracing: no rights" in notes


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (0, SECOND, []),
        (-5 * SECOND, -SECOND, ["of another time than the packets"]),
        (4 * SECOND, 5 * SECOND, ["of another time than the packets"]),
        (-1.5 * SECOND, SECOND, ["begins 1.500 s after the first packet"]),
        (0, 3.25 * SECOND, ["ends 0.250 s before the last packet"]),
        (-SECOND, 4 * SECOND, ["begins 1.000 s after", "ends 1.000 s before"]),
    ],
)
def test_the_notes_tell_what_the_journal_does_not_cover(
    teller: Teller, first: float, last: float, told: Sequence[str]
) -> None:
    replayed = teller.replayed(over=3 * SECOND)
    owners(replayed, packet(first), packet(last))
    replayed.finish()
    notes = [line for line in replayed.summary() if "the journal " in line]
    assert len(notes) == len(told)
    assert all(text in note for text, note in zip(told, notes, strict=True))


def test_of_no_packets_nothing_is_told(teller: Teller) -> None:
    replayed = teller.replayed()
    replayed.finish()
    assert [line for line in replayed.summary() if "the journal " in line] == []


def test_addresses_are_those_that_the_journal_has_told(teller: Teller) -> None:
    assert list(teller.replayed().addresses) == []
    assert teller.replayed().has(*halves("8.8.8.8"))  # nothing is known of any
    teller.records.insert(0, LocalNetworks(NOON + 5_000_000, ("127.0.0.0/8", "192.0.2.10")))
    replayed = teller.replayed()
    assert list(replayed.addresses) == [halves("192.0.2.10")]
    assert replayed.has(*halves("127.0.0.1"))
    assert not replayed.has(*halves("8.8.8.8"))


def test_a_journal_that_is_cut_off_is_told_of_at_the_end(teller: Teller) -> None:
    content = teller.content()
    replayed = Replayed(reader_of(content[:-20]), HOLD)
    assert pids(replayed, syn(12)) == [CLIENT]
    replayed.finish()
    replayed.summary()
    assert replayed.damage is not None
    assert "is cut off" in replayed.damage
    replayed.close()
    whole = Replayed(reader_of(content), HOLD)
    whole.summary()
    assert whole.damage is None


def test_as_an_owner_lookup() -> None:
    replayed = Teller().replayed()
    assert replayed.late
    assert HOLD_SECONDS >= HOLD
    assert not replayed.descends(Process(1, 1, "x"), 1)
    assert not replayed.follows(packet(1, end=RESPONDER)).any()
    replayed.poll()
    replayed.caught_up(NOON)
    assert len(replayed.label(ProbeBatch(syn(1)[:0])).index) == 0
