"""Probes with their processes, and the choice of processes; owners come from a stored /proc."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcpsnoop.batches.owners import HOLDER, SHARED
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CLOSED_ROW, DETAIL, ORIGINATOR, PROBE_ROW, RESPONDER
from tcpsnoop.engine.attribution import Attribution, wanted_of
from tcpsnoop.engine.settings import Settings
from tcpsnoop.owners import Choice, Procfs, Wanted
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.io import Io
from tcpsnoop.reporters.life import Life
from tcpsnoop.reporters.wdist import Wdist
from tests.owners.proc_tree import AFTER_ANY_LOOK, Clock, Place, ProcTree, Row, lookup, seen

SERVER: Place = ("192.168.1.5", 80)
WEB: Place = ("192.168.1.9", 50001)
SHELL: Place = ("192.168.1.9", 50002)
HERE: Place = ("127.0.0.1", 80)
THERE: Place = ("127.0.0.1", 50003)
PEER: Place = ("203.0.113.7", 50009)


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    """Process 10 serves 80, 20 and 21 share one connection to it; 30 talks to 10 on loopback."""
    tree = ProcTree(tmp_path / "proc")
    tree.table(
        Row(SERVER, WEB, 500), Row(SERVER, SHELL, 501), Row(HERE, THERE, 502), Row(THERE, HERE, 503)
    )
    tree.process(10, "nginx", [500, 502])
    tree.process(20, "sh", [501])
    tree.process(21, "cat", [501])
    tree.process(30, "curl", [503])
    return tree


def attribution(proc: ProcTree, **chosen: Any) -> Attribution:
    return Attribution(lookup(proc, Clock()), Choice(**chosen))


def remote_batch() -> ProbeBatch:
    """Segments of nginx, of the shared socket, and of one that nobody holds; packets 1 to 3."""
    rows = np.concatenate(
        [
            seen(1, RESPONDER, SERVER, WEB),
            seen(2, RESPONDER, SERVER, SHELL, outgoing=False),
            seen(3, RESPONDER, SERVER, PEER),
        ]
    )
    rows["packet"] = [1, 2, 3]
    return ProbeBatch(rows)


def loopback_batch(first: int = 1) -> ProbeBatch:
    """A segment from curl to nginx and one back, each seen from both ends."""
    rows = np.concatenate(
        [
            seen(9, ORIGINATOR, THERE, HERE),
            seen(9, RESPONDER, HERE, THERE, outgoing=False),
            seen(9, RESPONDER, HERE, THERE),
            seen(9, ORIGINATOR, THERE, HERE, outgoing=False),
        ]
    )
    rows["packet"] = [first, first, first + 1, first + 1]
    rows["remote_local"] = 1
    return ProbeBatch(rows)


def packets(batch: ProbeBatch) -> list[int]:
    numbers: list[int] = batch.rows["packet"].tolist()
    return numbers


def test_every_row_has_its_owner(proc: ProcTree) -> None:
    batch = attribution(proc).label(remote_batch())
    owners = [batch.owners.pool[code] for code in batch.owners.indices(len(batch)).tolist()]
    assert packets(batch) == [1, 2, 3]
    assert [owner.quality for owner in owners[:2]] == [HOLDER, SHARED]
    assert owners[0].process is not None
    assert owners[0].process.pid == 10
    assert owners[2].process is None


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"pids": [10]}, [1]),
        ({"commands": ["nginx"]}, [1]),
        ({"pids": [21]}, [2]),  # one of the holders
        ({"pids": [10, 20]}, [1, 2]),
        ({"pids": [20], "commands": ["sh"]}, [2]),
        ({"pids": [20], "commands": ["cat"]}, []),  # of one process, not of two
        ({"pids": [1]}, []),  # runs, holds none of these
        ({"pids": [0]}, []),  # PID 0 is not "unknown"
        ({"commands": ["ngin"]}, []),
    ],
)
def test_only_the_chosen_processes_rows_pass(
    proc: ProcTree, chosen: dict[str, Any], left: list[int]
) -> None:
    batch = attribution(proc, **chosen).label(remote_batch())
    assert packets(batch) == left
    assert len(batch.owners.indices(len(batch))) == len(left)


def test_the_choice_holds_for_owners_that_come_later(proc: ProcTree) -> None:
    """The pool of owners grows from batch to batch, and batches may bring none that is new."""
    choice = attribution(proc, pids=[30])
    assert packets(choice.label(remote_batch())) == []
    assert packets(choice.label(loopback_batch(5))) == [5, 6]
    assert packets(choice.label(remote_batch())) == []
    assert packets(choice.label(loopback_batch(7))) == [7, 8]


def test_what_a_chosen_process_received_on_loopback_is_seen_alone(proc: ProcTree) -> None:
    """A log shows a segment between local ends from its sender: here nobody sends packet 2."""
    batch = attribution(proc, commands=["curl"]).label(loopback_batch())
    assert packets(batch) == [1, 2]
    assert batch.rows["lport"].tolist() == [THERE[1], THERE[1]]
    assert batch.rows["remote_local"].tolist() == [1, 0]


@pytest.mark.parametrize("chosen", [{}, {"pids": [10, 30]}])
def test_both_ends_stay_a_pair_where_both_are_wanted(
    proc: ProcTree, chosen: dict[str, Any]
) -> None:
    batch = attribution(proc, **chosen).label(loopback_batch())
    assert packets(batch) == [1, 1, 2, 2]
    assert batch.rows["remote_local"].tolist() == [1, 1, 1, 1]


def test_the_given_batch_stays_as_it_was(proc: ProcTree) -> None:
    given = loopback_batch()
    assert (given.rows["time_ns"] == AFTER_ANY_LOOK).all()
    before = given.rows.copy()
    attribution(proc, pids=[30]).label(given)
    assert (given.rows == before).all()


@pytest.mark.parametrize(
    ("reporters", "chosen", "wanted"),
    [
        ([Life()], {}, ""),
        ([Life()], {"machine": True}, "user"),
        ([Life(context=True)], {"machine": True}, "user command_line cgroup context"),
        ([Io()], {"machine": True}, ""),
        ([Io()], {"uids": (0,)}, "user"),
        ([Io()], {"cgroups": ("/x",)}, "cgroup"),
        ([Life(), Wdist()], {}, "command_line"),
    ],
)
def test_of_processes_only_what_is_shown_or_chosen_by_is_wanted(
    reporters: list[Any], chosen: dict[str, Any], wanted: str
) -> None:
    settings = Settings(tuple(("", each) for each in reporters), Text, **chosen)
    found = wanted_of(settings)
    assert {name for name in Wanted._fields if getattr(found, name)} == set(wanted.split())


def test_what_is_held_is_a_copy_of_all_that_belongs_to_it(proc: ProcTree) -> None:
    """The memory of a batch is used again for the next one."""

    class Late(Procfs):
        late = True

    clock = Clock()
    held = Attribution(Late(clock.nanoseconds, proc.root, clock), Choice(), hold=1.0)
    given = remote_batch()
    numbers = given.rows["probe"].copy()
    given = replace(
        given, details=np.zeros(1, DETAIL), closed=np.zeros(1, CLOSED_ROW), numbers=numbers
    )
    assert list(held.take(given, 10.0)) == []
    given.details["elapsed_ns"] = given.closed["start_ns"] = given.rows["packet"] = 99
    wanted = np.zeros(256, np.bool_)
    wanted[numbers] = True
    numbers[:] = 99
    (kept,) = held.due(11.0)
    assert packets(kept.attached(wanted)) == [1, 2, 3]
    assert kept.details["elapsed_ns"].tolist() == kept.closed["start_ns"].tolist() == [0]
    assert packets(kept) == [1, 2, 3]


class ByPackets(Procfs):
    """A lookup that is late, and knows a send call at 5, 15, 25, … seconds."""

    late = True

    def __init__(self, proc: ProcTree) -> None:
        super().__init__(Clock().nanoseconds, proc.root, Clock())
        self.finished = False
        self._taken = 0

    def finish(self) -> None:
        self.finished = True

    def take_writes(self, until_ns: int, *, last: bool = False) -> ProbeBatch:
        rows = np.zeros(max(0, (until_ns // SECOND - 5) // 10 + 1 - self._taken), PROBE_ROW)
        rows["time_ns"] = (np.arange(len(rows)) + self._taken) * 10 * SECOND + 5 * SECOND
        self._taken += len(rows)
        return ProbeBatch(rows)


SECOND = 1_000_000_000


def segments(*seconds: float) -> ProbeBatch:
    """Segments at these times of the capture; the packet's number is the second."""
    rows = np.concatenate([seen(1, ORIGINATOR, WEB, SERVER) for _ in seconds])
    rows["time_ns"] = rows["clock_ns"] = [round(each * SECOND) for each in seconds]
    rows["packet"] = [round(each) for each in seconds]
    return ProbeBatch(rows)


def calls(batches: Iterable[ProbeBatch]) -> list[int]:
    return [round(each / SECOND) for batch in batches for each in batch.rows["time_ns"].tolist()]


def test_of_files_time_is_that_of_packets(proc: ProcTree) -> None:
    lookup = ByPackets(proc)
    held = Attribution(lookup, Choice(), hold=1.0, calls=True, by_packets=True)
    assert list(held.take(segments(1, 20), 0.0)) == []
    assert list(held.due(1e9)) == []
    assert calls(held.calls()) == []  # no packet was labelled yet
    assert list(held.take(segments(20.5, 20.9), 0.0)) == []
    assert list(held.due(0.0)) == []
    assert list(held.take(segments(40), 0.0)) == []
    assert [packets(each) for each in held.due(0.0)] == [[1, 20], [20, 21]]
    assert calls(held.calls()) == [5, 15]
    assert calls(held.calls(30 * SECOND)) == [25]  # an interval has ended there
    assert [packets(each) for each in held.rest()] == [[40]]
    assert lookup.finished
    assert calls(held.rest_of_calls()) == [35]


def test_without_a_report_of_them_no_calls_are_taken(proc: ProcTree) -> None:
    held = Attribution(ByPackets(proc), Choice(), hold=1.0, by_packets=True)
    list(held.take(segments(1, 20), 0.0))
    list(held.rest())
    assert calls(held.calls()) == calls(held.calls(99 * SECOND)) == []
    assert calls(held.rest_of_calls()) == []
