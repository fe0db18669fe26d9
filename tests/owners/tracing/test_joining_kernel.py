"""Events to records of sockets and processes; what packets make of them is in test_traced."""

from __future__ import annotations

from tcpsnoop.owners.tracing.tables import (
    CALLED,
    CALLER,
    LISTENING,
    NEVER,
    RUNS,
    UNJOINED,
    UNTOLD,
    USERS,
)
from tests.owners.tracing.story import (
    CLOSE,
    ESTABLISHED,
    HERE,
    LISTEN,
    NOON,
    THERE,
    Story,
)

A, B = 100, 200
TO, FRO = (HERE, THERE), (THERE, HERE)


def told() -> Story:
    story = Story()
    story.process(A, "a")
    story.process(B, "b")
    return story


def test_roles() -> None:
    story = told()
    story.state(1, A, 1, (CLOSE, LISTEN), (THERE, ("0.0.0.0", 0)))
    story.connect(2, A, 2, TO)
    story.accept(3, A, 3, FRO)
    story.send(4, A, 4)
    story.happen()
    sockets = story.tables.sockets[:4]
    assert sockets["role"].tolist() == [LISTENING, CALLER, CALLED, UNTOLD]
    assert sockets["born_ns"].tolist()[:3] == [NOON + 1000, NOON + 2000, NOON + 3000]
    assert sockets["closed_ns"].tolist() == [NEVER] * 4
    assert story.tables.state[UNJOINED] == 1


def test_a_socket_is_closed_before_it_is_gone() -> None:
    story = told()
    story.connect(2, A, 2, TO)
    story.state(50, A, 2, (ESTABLISHED, CLOSE), TO)
    story.happen()
    one = story.tables.sockets[0]
    assert (one["closed_ns"], one["lives"]) == (NOON + 50_000, 1)
    story.destroy(60, A, 2, TO, cookie=77)
    story.happen()
    one = story.tables.sockets[0]
    assert (one["closed_ns"], one["lives"], one["cookie"]) == (NOON + 50_000, 0, 77)


def test_a_birth_at_the_address_of_another_whose_end_was_not_told() -> None:
    story = told()
    story.connect(2, A, 2, TO)
    story.connect(90, B, 2, TO)
    story.happen()
    sockets = story.tables.sockets[:2]
    assert sockets["lives"].tolist() == [0, 1]
    assert sockets["closed_ns"].tolist() == [NOON + 90_000, NEVER]


def test_users_and_their_bytes() -> None:
    story = told()
    story.connect(2, A, 2, TO)
    for at, (pid, length) in enumerate([(A, 10), (B, 5), (A, 7), (A, -11), (B, 1)], 30):
        story.send(at, pid, 2, length)
    story.happen()
    one = story.tables.sockets[0]
    assert (one["users"], one["runs"]) == (2, 4)
    assert story.tables.user_bytes[0, :2].tolist() == [17, 6]
    assert story.tables.run_process[0, :4].tolist() == [0, 1, 0, 1]
    assert story.tables.run_sent[0, :4].tolist() == [False, True, True, True]


def test_more_users_and_changes_than_are_kept() -> None:
    story = told()
    story.connect(2, A, 2, TO)
    for number in range(3 * RUNS):
        story.process(1000 + number, "x")
        story.send(30 + number, 1000 + number, 2)
    story.happen()
    one = story.tables.sockets[0]
    assert one["users"] == USERS + 1
    assert one["runs"] == 3 * RUNS + 1


def test_pids_beyond_all_bounds_are_strangers() -> None:
    story = told()
    limit = len(story.tables.by_pid)
    for pid in (-1, 0, limit, 2**31 - 1):
        story.connect(2, pid, 1000 + pid, TO)
        story.exit(3, pid)
        story.fork(3, pid, pid)
        story.rename(3, pid, "x")
        story.process(pid, "x")
    story.happen()
    assert (story.tables.run_process[:4, 0] == -2).all()


def test_threads_are_translated_where_events_know_no_processes() -> None:
    story = told()
    story.tables.state[10] = 1
    story.happen()
    story.event(1, 5, 0, tid=101, length=A)  # a thread of A
    story.event(2, 5, 102, tid=102, length=101)  # a process made by it
    story.connect(5, 0, 1, TO)
    story._told[-2]["tid"] = 101
    story.connect(6, 0, 2, TO)
    story._told[-2]["tid"] = 102
    story.happen()
    numbers = story.tables.run_process[:2, 0].tolist()
    pids = [int(story.tables.processes[number]["pid"]) for number in numbers]
    assert pids == [A, 102]
    # Nobody tells when they move to another network namespace.
    assert story.tables.sockets["namespace"][:2].tolist() == [0, 0]
