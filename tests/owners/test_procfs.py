"""The qualities and reasons that /proc gives, over stored trees."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from tcpsnoop.batches.owners import HOLDER, LISTENER, SHARED, UNKNOWN, Context, Owner, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import ORIGINATOR, PROBE_ROW, RESPONDER
from tcpsnoop.batches.segments import ACK, RST, SYN
from tcpsnoop.interfaces.owner_lookup import OwnerLookup
from tcpsnoop.owners import open_sockets, processes
from tcpsnoop.owners.diag.access import Access
from tcpsnoop.owners.processes import user_name
from tcpsnoop.owners.procfs import MOST_LOOKED_FOR, Procfs
from tests.owners.proc_tree import Clock, Place, ProcTree, Row, labels, listening, lookup, seen

SERVER: Place = ("192.168.1.5", 80)
CLIENT: Place = ("192.168.1.9", 50000)
SERVER6: Place = ("2001:db8::5", 80)
CLIENT6: Place = ("2001:db8::9", 50000)


def answer(proc: ProcTree, clock: Clock, local: Place = SERVER, remote: Place = CLIENT) -> Owner:
    """What is answered for the responder of a connection that has just been answered."""
    procfs = lookup(proc, clock)
    return labels(procfs, seen(1, RESPONDER, local, remote, flags=SYN | ACK))[0]


def unknown(reason: str) -> Owner:
    return Owner(UNKNOWN, reason=reason)


def test_it_is_an_owner_lookup(proc: ProcTree, clock: Clock) -> None:
    procfs: OwnerLookup = lookup(proc, clock)
    procfs.close()
    procfs.close()


@pytest.mark.parametrize(
    ("local", "remote", "row"),
    [
        (SERVER, CLIENT, Row(SERVER, CLIENT, 500)),
        (SERVER6, CLIENT6, Row(SERVER6, CLIENT6, 500)),
        # an IPv6 socket that speaks IPv4 stands in tcp6
        (SERVER, CLIENT, Row(("::ffff:192.168.1.5", 80), ("::ffff:192.168.1.9", 50000), 500)),
    ],
)
def test_the_only_holder(
    proc: ProcTree, clock: Clock, local: Place, remote: Place, row: Row
) -> None:
    proc.table(row)
    proc.process(42, "nginx", [500], start_time=77, uid=33, arguments=["nginx", "-g", "x"])
    context = Context(user_name(33), "", 1, "init")
    process = Process(42, 77, "nginx", "nginx -g x", 33, context=context)
    expected = Owner(HOLDER, process)
    assert answer(proc, clock, local, remote) == expected


def test_all_holders_of_a_shared_socket(proc: ProcTree, clock: Clock) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    for pid in (44, 42, 43):
        proc.process(pid, "worker", [500], start_time=pid)
    owner = answer(proc, clock)
    assert (owner.quality, owner.process) == (SHARED, None)
    assert [(each.pid, each.start_time) for each in owner.holders] == [(42, 42), (43, 43), (44, 44)]


def test_both_ends_on_loopback_have_their_own_process(proc: ProcTree, clock: Clock) -> None:
    here, there = ("127.0.0.1", 50000), ("127.0.0.1", 80)
    proc.table(Row(here, there, 500), Row(there, here, 501))
    proc.process(42, "curl", [500])
    proc.process(43, "nginx", [501])
    rows = [seen(1, ORIGINATOR, here, there), seen(1, RESPONDER, there, here, outgoing=False)]
    found = labels(lookup(proc, clock), *rows)
    assert [owner.process and owner.process.command for owner in found] == ["curl", "nginx"]


def test_who_listens_for_a_socket_that_is_not_accepted_yet(proc: ProcTree, clock: Clock) -> None:
    proc.table(Row(SERVER, CLIENT, 0, state=3), listening(("0.0.0.0", 80), 700))
    proc.process(42, "nginx", [700])
    owner = answer(proc, clock)
    assert (owner.quality, owner.process and owner.process.pid) == (LISTENER, 42)


def test_ipv4_is_accepted_by_a_listener_on_the_ipv6_wildcard(proc: ProcTree, clock: Clock) -> None:
    proc.table(Row(SERVER, CLIENT, 0), listening(("::", 80), 700))
    proc.process(42, "nginx", [700])
    assert answer(proc, clock).quality == LISTENER


@pytest.mark.parametrize(
    ("rows", "holdings", "quality", "pids"),
    [
        ([700, 701], {42: [700], 43: [701]}, SHARED, [42, 43]),  # SO_REUSEPORT
        ([700], {42: [700], 43: [700]}, SHARED, [42, 43]),  # forked
        ([700, 701], {42: [700, 701]}, LISTENER, [42]),  # one process with both
    ],
)
def test_of_several_listeners_none_is_guessed(
    proc: ProcTree,
    clock: Clock,
    rows: list[int],
    holdings: dict[int, list[int]],
    quality: str,
    pids: list[int],
) -> None:
    proc.table(Row(SERVER, CLIENT, 0), *(listening(("0.0.0.0", 80), inode) for inode in rows))
    for pid, inodes in holdings.items():
        proc.process(pid, "worker", inodes)
    owner = answer(proc, clock)
    assert (owner.quality, [each.pid for each in owner.processes]) == (quality, pids)


def test_gone(proc: ProcTree, clock: Clock) -> None:
    proc.process(42, "nginx", [500])
    assert answer(proc, clock) == unknown("gone")
    proc.table(Row(SERVER, CLIENT, 0, state=6))  # TIME_WAIT
    assert answer(proc, clock) == unknown("gone")


def test_a_refused_connection_has_no_process(proc: ProcTree, clock: Clock) -> None:
    # A listener on the IPv6 wildcard may be one that takes no IPv4.
    proc.table(listening(("::", 80), 700))
    proc.process(42, "nginx", [700])
    rows = [
        seen(1, RESPONDER, SERVER, CLIENT, flags=SYN, outgoing=False),
        seen(1, RESPONDER, SERVER, CLIENT, flags=RST | ACK),
    ]
    assert labels(lookup(proc, clock), *rows) == [unknown("gone")] * 2


def test_not_visible(proc: ProcTree, clock: Clock) -> None:
    foreign = ("10.0.0.1", 80)
    assert answer(proc, clock, foreign) == unknown("not visible")
    # A socket that is here, but in no process that we can see: of another PID namespace.
    proc.table(Row(SERVER, CLIENT, 500))
    assert answer(proc, clock) == unknown("not visible")


def test_without_socket_tables_nothing_is_visible(proc: ProcTree, clock: Clock) -> None:
    (proc.root / "net" / "tcp").unlink()
    (proc.root / "net" / "tcp6").unlink()
    assert answer(proc, clock) == unknown("not visible")


def test_no_permission(proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "secret", [500])
    real = processes.open_folder

    def open_folder(name: str, beside: int | None = None) -> int:
        if beside is not None and os.readlink(f"/proc/self/fd/{beside}").endswith("/42"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(name, beside)

    monkeypatch.setattr(open_sockets, "open_folder", open_folder)
    procfs = lookup(proc, clock)
    assert labels(procfs, seen(1, RESPONDER, SERVER, CLIENT)) == [unknown("no permission")]
    lines = procfs.summary()
    assert any("may not look into: 1 " in line for line in lines)
    assert not any("hidepid" in line for line in lines)


def test_hidden_processes_are_no_permission(proc: ProcTree, clock: Clock) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.end(1)
    procfs = lookup(proc, clock)
    assert labels(procfs, seen(1, RESPONDER, SERVER, CLIENT)) == [unknown("no permission")]
    assert any("hidepid" in line for line in procfs.summary())


def test_rows_get_the_answer_of_their_own_end(proc: ProcTree, clock: Clock) -> None:
    places = [("192.168.1.9", 50000 + number) for number in range(100)]
    proc.table(*(Row(SERVER, place, 500 + n) for n, place in enumerate(places)))
    for number in range(10):
        proc.process(40 + number, "worker", range(500 + 10 * number, 510 + 10 * number))
    procfs = lookup(proc, clock)
    rows = [seen(n, RESPONDER, SERVER, place) for n, place in enumerate(places)]
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(100), 7))
    for _ in range(2):
        found = labels(procfs, *(rows[n] for n in order))
        pids = [owner.process.pid if owner.process else None for owner in found]
        assert pids == [40 + n // 10 for n in order]


def test_a_batch_without_rows(proc: ProcTree, clock: Clock) -> None:
    columns = lookup(proc, clock).label(ProbeBatch(np.empty(0, PROBE_ROW)))
    assert columns.index.shape == (0,)


def test_what_is_known_is_not_looked_up_again(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    procfs = lookup(proc, clock)
    row = seen(1, RESPONDER, SERVER, CLIENT)
    first = labels(procfs, row)

    def opened(*_: object, **__: object) -> int:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "scandir", opened)
    assert labels(procfs, row) == first


def test_the_pool_grows_and_old_codes_stay(proc: ProcTree, clock: Clock) -> None:
    procfs = lookup(proc, clock)
    first = procfs.label(ProbeBatch(seen(1, RESPONDER, SERVER, CLIENT)))
    before = [first.pool[index] for index in first.index]
    proc.table(Row(SERVER, CLIENT, 500))
    proc.process(42, "nginx", [500])
    second = procfs.label(ProbeBatch(seen(2, RESPONDER, SERVER, CLIENT)))
    assert [second.pool[index] for index in first.index] == before
    assert second.pool[second.index[0]].quality == HOLDER


def flood(first: int, count: int) -> ProbeBatch:
    """Requests of so many connections, each from another address."""
    rows = np.repeat(seen(0, RESPONDER, SERVER, CLIENT, flags=SYN, outgoing=False), count)
    rows["connection"] = first + np.arange(count)
    rows["raddr_low"] += first + np.arange(count)
    return ProbeBatch(rows)


def test_in_a_flood_of_new_connections_some_are_looked_for_and_the_others_wait(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    procfs = lookup(proc, clock)
    count = 3 * MOST_LOOKED_FOR
    columns = procfs.label(flood(0, count))
    reasons = [columns.pool[index].reason for index in columns.index]
    assert reasons.count("gone") == MOST_LOOKED_FOR
    assert reasons.count("not in time") == count - MOST_LOOKED_FOR

    def looked_at(*_: object) -> None:
        raise AssertionError("rows of a flood were looked at one by one")

    monkeypatch.setattr("tcpsnoop.owners.procfs.sightings", looked_at)
    columns = procfs.label(flood(count, count))
    assert {columns.pool[index].reason for index in columns.index} == {"not in time"}


def test_after_a_flood_new_connections_are_answered(proc: ProcTree, clock: Clock) -> None:
    procfs = lookup(proc, clock, capacity=1000)
    count = 3 * MOST_LOOKED_FOR
    procfs.label(flood(0, count))
    proc.table(Row(SERVER, ("192.168.1.200", 7), 500))
    proc.process(42, "nginx", [500])
    clock.forward(1)
    procfs.poll()
    row = seen(count, RESPONDER, SERVER, ("192.168.1.200", 7))
    assert labels(procfs, row)[0].quality == HOLDER


def test_the_summary_tells_shares_and_reasons(proc: ProcTree, clock: Clock) -> None:
    procfs = lookup(proc, clock)
    assert procfs.summary() == ["owners: procfs, no connections"]
    places = [("192.168.1.9", 50000 + number) for number in range(8)]
    proc.table(*(Row(SERVER, place, 500 + n) for n, place in enumerate(places[:5])))
    proc.process(42, "nginx", range(500, 504))
    proc.process(43, "nginx", [503])
    rows = [seen(n, RESPONDER, SERVER, place) for n, place in enumerate(places)]
    labels(procfs, *rows)
    labels(procfs, *rows)  # rows are not counted, ends are
    assert procfs.summary() == [
        "owners: procfs, 8 connection ends: unknown 50.0 %, holder 37.5 %, shared 12.5 %"
        " (gone 3, not visible 1)"
    ]


def test_other_namespaces_are_looked_into(proc: ProcTree, clock: Clock) -> None:
    far, peer = ("10.0.0.2", 80), ("10.0.0.3", 50000)
    proc.namespace("blue", [far[0]], Row(far, peer, 500), listening(("0.0.0.0", 80), 700))
    proc.process(42, "nginx", [500, 700])
    proc.enter(42, "blue")
    # Who listens here has nothing to do with it.
    proc.table(listening(("0.0.0.0", 80), 701), listening(("0.0.0.0", 81), 701))
    proc.process(43, "stranger", [701])
    owner = answer(proc, clock, far, peer)
    assert (owner.quality, owner.process and owner.process.pid) == (HOLDER, 42)
    waiting = answer(proc, clock, far, ("10.0.0.3", 50001))
    assert (waiting.quality, waiting.process and waiting.process.pid) == (LISTENER, 42)
    assert answer(proc, clock, ("10.0.0.4", 81), peer) == unknown("not visible")
    proc.namespace("red", [far[0]])
    proc.process(44, "alike")
    proc.enter(44, "red")
    assert answer(proc, clock, far, peer) == unknown("ambiguous")


def test_why_sockets_are_looked_up_in_tables_is_told(proc: ProcTree, clock: Clock) -> None:
    access = Access(why_not="the kernel has no sock_diag for TCP")
    procfs = Procfs(clock.nanoseconds, proc.root, clock, access=access)
    line = "owners: sockets are looked up in /proc: the kernel has no sock_diag for TCP"
    assert procfs.remarks() == [line]
    assert lookup(proc, clock).remarks() == []
