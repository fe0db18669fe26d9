"""Whose packet: stories of sockets and processes, and who each packet must be of.

What can be recorded from a real kernel is in tests/owners/recordings: threads, refusals, PIDs used
again, the same ends in two namespaces, resets without payload. These are the cases that hang on
single microseconds, and those that a kernel does not bring about at will.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tcpsnoop.batches.owners import EXACT, KERNEL, SHARED, UNKNOWN
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.batches.segments import ACK, FIN, RST
from tcpsnoop.owners.tracing.events import EVENT, FORKED
from tcpsnoop.owners.tracing.tables import NONE, make_tables
from tests.owners.tracing.story import (
    CLOSE,
    CLOSE_WAIT,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    HERE,
    LAST_ACK,
    LISTEN,
    NOON,
    OTHER_NAMESPACE,
    OWN_NAMESPACE,
    SYN_SENT,
    THERE,
    Story,
    called,
    closed,
    packet,
    syn,
)

CLIENT, SERVER, OTHER = 100, 200, 300
CALLING, ANSWERING, NEXT = 0x1000, 0x2000, 0x3000
TO, FRO = (HERE, THERE), (THERE, HERE)


@pytest.fixture(params=[False, True], ids=["kernel", "journal"])
def story(request: pytest.FixtureRequest) -> Story:
    """A client, a server and another process, told by the kernel or by a journal."""
    made = Story(journal=request.param)
    made.process(CLIENT, "curl")
    made.process(SERVER, "nginx")
    made.process(OTHER, "other")
    return made


def test_a_port_that_comes_after_the_birth_of_the_socket(story: Story) -> None:
    story.connect(10, CLIENT, CALLING, TO)
    owner = story.owner(syn(12))
    assert owner is not None
    assert owner.quality == EXACT
    assert owner.process is not None
    assert (owner.process.pid, owner.process.command, owner.process.start_time) == (100, "curl", 5)


def test_a_caller_whose_port_nothing_has_told_yet_is_the_only_one_that_fits(story: Story) -> None:
    portless = ((HERE[0], 0), THERE)
    story.state(10, CLIENT, CALLING, (CLOSE, SYN_SENT), portless)
    assert story.pid(syn(12)) == CLIENT
    story.state(13, OTHER, NEXT, (CLOSE, SYN_SENT), portless)
    later = (HERE[0], HERE[1] + 1), THERE
    assert story.pid(syn(15, 2, later)) is None  # either of two


def test_the_server_is_who_first_uses_its_socket_never_who_was_interrupted(story: Story) -> None:
    story.accept(30, CLIENT, ANSWERING, FRO)
    assert story.owners([called(12), called(29, flags=ACK)]) == [None, None]
    story.caught_up(40)
    assert story.pid(called(12)) is None  # nobody has used it
    story.receive(60, SERVER, ANSWERING)
    assert [each and each.process and each.process.pid for each in story.owners(
        [called(12), called(29, flags=ACK), called(100, flags=ACK)]
    )] == [SERVER] * 3  # fmt: skip


def test_what_is_not_believed_until_all_packets_before_were_seen(story: Story) -> None:
    """A newer connection may be in its place, whose SYN was captured and not yet read."""
    story.accept(30, CLIENT, ANSWERING, FRO)
    story.receive(35, SERVER, ANSWERING)
    assert story.pid(called(12)) is None
    story.caught_up(40)
    assert story.pid(called(12)) == SERVER


def test_a_connection_that_was_never_accepted_has_not_the_socket_of_the_next(story: Story) -> None:
    story.accept(130, CLIENT, ANSWERING, FRO)
    story.receive(140, SERVER, ANSWERING)
    first = [called(12), called(29, flags=ACK), called(50, flags=RST)]
    second = [called(120, 2), called(129, 2, flags=ACK)]
    story.caught_up(500)
    found = story.owners([*first, *second])
    assert found[:3] == [None] * 3
    assert [each.process.pid for each in found[3:] if each and each.process] == [SERVER] * 2


def test_who_closes_what_nobody_has_used_is_its_owner(story: Story) -> None:
    story.accept(30, CLIENT, ANSWERING, FRO)
    story.state(50, SERVER, ANSWERING, (ESTABLISHED, FIN_WAIT1), FRO)
    story.caught_up(100)
    assert story.pid(called(12)) == SERVER


def test_who_closes_is_not_the_owner_of_what_others_use(story: Story) -> None:
    story.accept(30, CLIENT, ANSWERING, FRO)
    story.receive(40, SERVER, ANSWERING)
    story.state(50, OTHER, ANSWERING, (CLOSE_WAIT, LAST_ACK), FRO)
    story.caught_up(100)
    assert story.pid(packet(60, 1, RESPONDER, FRO)) == SERVER


def test_packets_after_the_socket_is_gone_are_of_its_process(story: Story) -> None:
    """TIME_WAIT: the kernel answers for a process that may have ended."""
    story.connect(10, CLIENT, CALLING, TO)
    story.state(50, CLIENT, CALLING, (ESTABLISHED, FIN_WAIT1), TO)
    story.state(60, SERVER, CALLING, (FIN_WAIT2, CLOSE), TO, flags=0)
    story.destroy(61, SERVER, CALLING, TO)
    story.exit(70, CLIENT)
    assert story.pid(syn(12)) == CLIENT
    assert story.pid(packet(62)) == CLIENT
    assert story.pid(packet(60_000_000)) == CLIENT


def test_ports_and_kernel_addresses_used_again(story: Story) -> None:
    story.connect(10, CLIENT, CALLING, TO)
    story.state(50, CLIENT, CALLING, (ESTABLISHED, CLOSE), TO)
    story.destroy(51, CLIENT, CALLING, TO)
    story.connect(60, OTHER, CALLING, TO)
    assert story.pid(syn(12, 1)) == CLIENT
    assert story.pid(syn(62, 2)) == OTHER
    assert story.pid(packet(55, 1)) == CLIENT


def test_a_missed_connection_does_not_get_the_socket_of_another(story: Story) -> None:
    story.connect(10, CLIENT, CALLING, TO)
    story.state(50, CLIENT, CALLING, (ESTABLISHED, CLOSE), TO)
    story.destroy(51, CLIENT, CALLING, TO)
    assert story.pid(syn(60, 2)) is None


def test_the_last_user_counts_and_before_the_first_use_the_first(story: Story) -> None:
    story.accept(30, CLIENT, ANSWERING, FRO)
    story.receive(40, SERVER, ANSWERING)
    story.receive(60, OTHER, ANSWERING)
    story.caught_up(100)
    assert story.pid(called(12)) == SERVER
    assert story.pid(called(50, flags=ACK)) == SERVER
    assert story.pid(called(70, flags=ACK)) == OTHER


def test_payload_between_two_senders_may_be_of_either(story: Story) -> None:
    """A send call is told as it returns."""
    story.connect(10, CLIENT, CALLING, TO)
    story.receive(50, CLIENT, CALLING)
    story.send(60, OTHER, CALLING)
    assert story.pid(syn(12)) == CLIENT
    assert story.pid(packet(45, payload=1)) == CLIENT  # its call returned after that
    owner = story.owner(packet(55, payload=1))
    assert owner is not None
    assert owner.quality == SHARED
    assert [each.pid for each in owner.holders] == [CLIENT, OTHER]
    assert story.pid(packet(55)) == CLIENT  # a bare acknowledgment is of the user before
    assert story.pid(packet(70, payload=1)) == OTHER


def test_a_connection_is_of_who_moved_most_bytes_ties_to_the_first(story: Story) -> None:
    story.connect(10, CLIENT, CALLING, TO)
    story.send(40, OTHER, CALLING, length=700)
    story.receive(50, CLIENT, CALLING, length=1000)
    story.send(60, OTHER, CALLING, length=300)
    assert story.pid(syn(12)) == CLIENT
    assert story.pid(closed(90, 1, ORIGINATOR, TO)) == CLIENT
    story.send(70, OTHER, CALLING, length=1)
    assert story.pid(closed(90, 1, ORIGINATOR, TO)) == OTHER


def test_a_forked_process_has_the_name_of_its_parent_until_exec(story: Story) -> None:
    story.fork(5, CLIENT, 101)
    story.connect(10, 101, CALLING, TO)
    story.exit(50, 101)
    forked = story.owner(syn(12))
    assert forked is not None
    assert forked.process is not None
    assert (forked.process.pid, forked.process.command) == (101, "curl")
    story.fork(105, CLIENT, 102)
    story.rename(107, 102, "wget")
    later = (HERE[0], 40001), THERE
    story.connect(110, 102, NEXT, later)
    story.exit(150, 102)
    executed = story.owner(syn(112, 2, later))
    assert executed is not None
    assert executed.process is not None
    assert (executed.process.pid, executed.process.command) == (102, "wget")
    assert executed.process.command_line == "[wget]"


def test_who_calls_exec_after_it_has_used_a_socket_is_read_again_at_once(story: Story) -> None:
    asked: list[tuple[int, int]] = []
    host = story.traced._naming._host
    story.traced._naming._host = replace(
        host, read_process=lambda pid, executed_ns: asked.append((pid, executed_ns))
    )
    story.connect(10, CLIENT, CALLING, TO)
    story.happen()
    story.rename(20, CLIENT, "wget")
    story.rename(21, OTHER, "unused")
    story.happen()
    assert [pid for pid, _ in asked] == [CLIENT, CLIENT]
    assert asked[-1][1] == NOON + 20_000


def test_whoever_listens_is_told_all_in_the_order_in_which_it_is_taken_in() -> None:
    heard: list[np.ndarray] = []
    story = Story(told=lambda events: heard.append(events.copy()))
    story.exit(9, 1)
    story.exit(5, 2)
    story.happen()
    story.exit(7, 3)
    story.happen()
    assert [each["pid"].tolist() for each in heard] == [[2, 1], [3]]


def test_a_socket_of_another_namespace_alone_is_not_ours(story: Story) -> None:
    story.process(400, "elsewhere", OTHER_NAMESPACE)
    story.connect(11, 400, NEXT, TO)
    assert story.pid(syn(12)) is None


def test_an_address_of_another_namespace_has_its_socket_there() -> None:
    story = Story(HERE[0])
    story.process(CLIENT, "curl", OWN_NAMESPACE)
    story.process(400, "elsewhere", OTHER_NAMESPACE)
    story.process(500, "third", OTHER_NAMESPACE + 1)
    story.connect(10, CLIENT, CALLING, TO)
    story.connect(11, 400, NEXT, TO)
    assert story.pid(syn(12)) == 400
    story.state(20, CLIENT, CALLING, (ESTABLISHED, CLOSE), TO)
    story.state(20, 400, NEXT, (ESTABLISHED, CLOSE), TO)
    story.connect(30, 400, 0x5000, TO)
    story.connect(31, 500, 0x6000, TO)
    assert story.pid(syn(32, 2)) is None  # in either of two


def test_a_process_of_another_pid_namespace_is_not_visible(story: Story) -> None:
    story.connect(10, 0, CALLING, TO)
    owner = story.owner(syn(12))
    assert owner is not None
    assert (owner.quality, owner.reason, owner.process) == (UNKNOWN, "not visible", None)


def test_a_socket_from_before_is_known_once_its_ends_are_told(story: Story) -> None:
    story.send(10, CLIENT, CALLING)
    assert story.pid(packet(12, payload=1)) is None
    story.state(50, CLIENT, CALLING, (ESTABLISHED, FIN_WAIT1), TO)
    assert story.pid(packet(52, flags=FIN | ACK)) == CLIENT


def test_after_a_loss_a_kernel_address_says_nothing(story: Story) -> None:
    """The birth of another socket at this address may be among what was lost."""
    story.connect(10, CLIENT, CALLING, TO)
    assert story.pid(syn(12)) == CLIENT
    story.lose(50, 7)
    story.send(60, OTHER, CALLING)
    assert story.pid(packet(70, payload=1)) == CLIENT
    assert story.traced.lost == 7
    assert story.pid(syn(80, 2)) is None


def test_after_a_loss_a_pid_says_nothing_of_its_name(story: Story) -> None:
    story.lose(50, 1)
    story.connect(60, CLIENT, CALLING, TO)
    owner = story.owner(syn(62))
    assert owner is not None
    assert owner.process is not None
    assert owner.process.pid == CLIENT
    assert owner.process.command != "curl"


def test_a_kernel_thread_is_the_kernel(story: Story) -> None:
    story.process(2, "kthreadd")
    story.happen()
    story.traced._tables.processes["kernel"][story.traced._tables.by_pid[2]] = 1
    story.fork(5, 2, 77)
    story.connect(10, 77, CALLING, TO)
    owner = story.owner(syn(12))
    assert owner is not None
    assert owner.quality == KERNEL
    assert owner.process is not None
    assert owner.process.command == "kthreadd"


def test_a_listener_is_no_end_of_a_connection(story: Story) -> None:
    story.state(1, SERVER, 0x9000, (CLOSE, LISTEN), (THERE, ("0.0.0.0", 0)))
    assert story.pid(called(12)) is None


def test_events_later_than_now_wait_for_their_order(story: Story) -> None:
    """Rings are read one after the other: the later one may hold what was before."""
    story.happen()
    event = np.zeros(1, EVENT)
    event["time_ns"], event["kind"], event["pid"], event["tid"] = 1 << 61, FORKED, 101, 101
    story.rings.coming.append(event)
    story.traced.poll()
    assert story.tables.by_pid[101] == NONE
    story.traced.finish()
    assert story.tables.by_pid[101] != NONE


def test_many_sockets_come_and_go_and_the_living_stay(story: Story) -> None:
    """The ring of records goes round; who is still open is skipped."""
    tables = make_tables(1000, sockets=64, processes=64)
    story.traced._tables = story.tables = story.traced._naming._tables = tables
    tables.state[9] = OWN_NAMESPACE
    story.process(CLIENT, "curl")
    story.process(OTHER, "other")
    story.connect(1, CLIENT, CALLING, TO)
    for number in range(500):
        ends = ((HERE[0], 1000 + number), THERE)
        story.connect(100 + number * 100, OTHER, NEXT, ends)
        story.state(150 + number * 100, OTHER, NEXT, (ESTABLISHED, CLOSE), ends)
        story.destroy(151 + number * 100, OTHER, NEXT, ends)
    assert story.pid(syn(3)) == CLIENT
    ends = ((HERE[0], 1499), THERE)
    assert story.pid(syn(100 + 499 * 100 + 5, 2, ends)) == OTHER


def test_who_comes_from_whom(story: Story) -> None:
    story.fork(5, CLIENT, 101)
    story.fork(6, 101, 102)
    story.fork(7, SERVER, 103)
    places = [((HERE[0], 40000 + number), THERE) for number in range(4)]
    pids = (CLIENT, 101, 102, 103)
    for number, pid in enumerate(pids):
        story.connect(10, pid, 0x100 + number, places[number])
        story.exit(50, pid)
    rows = [syn(12, number + 1, places[number]) for number in range(4)]
    found = [owner.process for owner in story.owners(rows) if owner]
    told = [story.traced.descends(process, CLIENT) for process in found if process]
    assert told == [None, True, True, None]  # nobody told of the parents of what was there before
