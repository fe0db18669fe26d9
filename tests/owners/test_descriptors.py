"""Who holds a socket is read from the links in /proc/PID/fd, process by process."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tcpsnoop.owners import descriptors as module
from tcpsnoop.owners import open_sockets, processes
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.open_sockets import SLICE
from tests.owners.proc_tree import Clock, ProcTree

FOREVER = float("inf")


def holders(found: Descriptors, inode: int) -> list[tuple[int, int]]:
    return [(process.pid, process.start_time) for process in found.holders(inode)]


@pytest.fixture
def found(proc: ProcTree, clock: Clock) -> Descriptors:
    made = Descriptors(proc.root, clock)
    made.watched = {500, 501}
    return made


def rescan(found: Descriptors) -> None:
    assert found.scan(found.tick, FOREVER)


def refuse(monkeypatch: pytest.MonkeyPatch, path: str, error: int) -> None:
    """Let opening a folder whose path ends so fail, as it does for users without the right."""
    real: Callable[[str, int | None], int] = vars(open_sockets)["open_folder"]

    def open_folder(name: str, beside: int | None = None) -> int:
        inside = os.readlink(f"/proc/self/fd/{beside}") if beside is not None else ""
        if f"{inside}/{name}".endswith(path):
            raise OSError(error, os.strerror(error), name)
        return real(name, beside)

    for each in (module, open_sockets):
        monkeypatch.setattr(each, "open_folder", open_folder)


def test_every_holder_is_found(proc: ProcTree, found: Descriptors) -> None:
    proc.process(42, "server", [500, 501, 900], start_time=10)
    proc.process(43, "server", [500], start_time=11)
    proc.process(44, "shell", [])
    assert found.scan(0, FOREVER)
    assert holders(found, 500) == [(42, 10), (43, 11)]
    assert holders(found, 501) == [(42, 10)]
    assert holders(found, 502) == []


def test_links_that_are_no_sockets_hold_none(proc: ProcTree, found: Descriptors) -> None:
    proc.process(42, "odd")
    for number, target in enumerate(["pipe:[500]", "anon_inode:[eventfd]", "/socket:[500]"]):
        (proc.root / "42" / "fd" / str(10 + number)).symlink_to(target)
    assert found.scan(0, FOREVER)
    assert holders(found, 500) == []


def test_holders_follow_what_opens_and_closes(proc: ProcTree, found: Descriptors) -> None:
    proc.process(42, "master", [500])
    found.scan(0, FOREVER)
    found.take_changed()
    proc.process(43, "worker", [500])
    rescan(found)
    assert [pid for pid, _ in holders(found, 500)] == [42, 43]
    assert found.take_changed() == {500}
    proc.descriptors(42, [501])
    rescan(found)
    assert [pid for pid, _ in holders(found, 500)] == [43]
    assert [pid for pid, _ in holders(found, 501)] == [42]
    assert found.take_changed() == {500, 501}
    proc.end(43)
    rescan(found)
    assert holders(found, 500) == []
    assert found.take_changed() == {500}
    rescan(found)
    assert found.take_changed() == set()


def test_a_number_used_again_is_another_process(
    proc: ProcTree, found: Descriptors, tmp_path: Path
) -> None:
    proc.process(42, "first", [500], start_time=10)
    found.scan(0, FOREVER)
    # Kept aside, so that the file system gives the new folder an inode of its own.
    (proc.root / "42").rename(tmp_path / "ended")
    proc.process(42, "second", [500], start_time=99)
    rescan(found)
    assert holders(found, 500) == [(42, 99)]
    assert [process.command for process in found.holders(500)] == ["second"]


def test_exec_gives_a_holder_its_new_name(proc: ProcTree, found: Descriptors) -> None:
    proc.process(42, "bash", [500])
    found.scan(0, FOREVER)
    found.take_changed()
    proc.process(42, "curl", [500])
    rescan(found)
    assert [process.command for process in found.holders(500)] == ["curl"]
    assert found.take_changed() == {500}


def test_what_was_scanned_before_the_question_does_not_answer_it(
    proc: ProcTree, found: Descriptors
) -> None:
    found.scan(0, FOREVER)
    assert found.covers(0)
    asked = found.tick
    assert not found.covers(asked)
    proc.process(42, "client", [500])
    assert found.scan(asked, FOREVER)
    assert found.covers(asked)
    assert [pid for pid, _ in holders(found, 500)] == [42]


def test_a_scan_that_runs_out_of_time_goes_on_where_it_stopped(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pid in range(10, 30):
        proc.process(pid, f"p{pid}", [pid + 1000])
    scanned: list[int] = []
    real = processes.open_folder

    def open_folder(name: str, beside: int | None = None) -> int:
        if beside is None:
            scanned.append(int(name.rsplit("/", 1)[1]))
            clock.forward(1.0)
        return real(name, beside)

    monkeypatch.setattr(module, "open_folder", open_folder)
    found = Descriptors(proc.root, clock)
    slices = 1
    while not found.scan(0, clock.now + 3.0):
        slices += 1
        assert slices < 20
    assert sorted(scanned) == [1, *range(10, 30)]  # 21 processes, three in a slice, none twice
    assert slices == 7


def test_a_process_with_many_descriptors_is_scanned_in_slices(
    proc: ProcTree, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc.process(42, "server", range(1000, 1000 + 4 * SLICE))
    proc.process(43, "other", [1000])
    real = os.readlink

    def readlink(name: str, *, dir_fd: int) -> str:
        clock.forward(0.001)
        return real(name, dir_fd=dir_fd)

    found = Descriptors(proc.root, clock)
    found.watched = {1000, 1001}
    monkeypatch.setattr(os, "readlink", readlink)
    longest, slices, done = 0.0, 0, False
    while not done:
        began, slices = clock.now, slices + 1
        done = found.scan(0, clock.now + 0.01)
        longest = max(longest, clock.now - began)
    assert slices > 3
    assert longest <= 0.001 * SLICE + 0.01
    monkeypatch.undo()
    assert [pid for pid, _ in holders(found, 1000)] == [42, 43]
    assert [pid for pid, _ in holders(found, 1001)] == [42]


def test_a_question_that_comes_up_while_a_process_is_scanned_is_not_answered_by_that(
    proc: ProcTree, found: Descriptors
) -> None:
    proc.process(42, "server", range(1000, 1000 + 4 * SLICE))
    while not found.scan(0, -FOREVER) and found.tick < 2:
        pass
    asked = found.tick  # the last process is half scanned
    proc.descriptors(42, [500])
    assert found.scan(asked, FOREVER)
    assert [pid for pid, _ in holders(found, 500)] == [42]


def test_a_process_that_ends_half_scanned_is_forgotten(proc: ProcTree, found: Descriptors) -> None:
    found.scan(0, FOREVER)
    proc.process(42, "server", [500, *range(1000, 1000 + 4 * SLICE)])
    found.scan(found.tick, -FOREVER)
    proc.end(42)
    rescan(found)
    assert holders(found, 500) == []


def test_whoever_leaves_is_told_of_before(proc: ProcTree, found: Descriptors) -> None:
    proc.process(42, "one", [500, 501])
    proc.process(43, "other", [500])
    found.scan(0, FOREVER)
    told: list[tuple[int, int]] = []
    found.leaving = lambda inode: told.append((inode, found.count(inode)))
    proc.end(43)
    proc.descriptors(42, [501])
    rescan(found)
    assert told == [(500, 2), (500, 1)]
    assert (found.count(500), found.count(501)) == (0, 1)


def test_whole_scans_are_counted_from_their_beginning(
    proc: ProcTree, found: Descriptors, clock: Clock
) -> None:
    proc.process(42, "client", [500])
    assert (found.whole_scans, found.whole_at) == (0, -FOREVER)
    clock.forward(1)
    began = clock.now
    while not found.scan(0, -FOREVER):
        clock.forward(1)
    assert (found.whole_scans, found.whole_at) == (1, began)
    clock.forward(5)
    rescan(found)
    assert (found.whole_scans, found.whole_at) == (2, clock.now)


def test_each_slice_makes_progress_however_late(proc: ProcTree, found: Descriptors) -> None:
    proc.process(42, "client", [500])
    calls = 1
    while not found.scan(0, -FOREVER):
        calls += 1
        assert calls < 5
    assert [pid for pid, _ in holders(found, 500)] == [42]


@pytest.mark.parametrize(
    ("path", "error"),
    [("/42/fd", errno.EACCES), ("/42", errno.EPERM)],  # another user's; hidepid=1
)
def test_processes_that_do_not_let_us_look_are_counted(
    proc: ProcTree,
    found: Descriptors,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    error: int,
) -> None:
    proc.process(42, "secret", [500])
    proc.process(43, "open", [500])
    with monkeypatch.context() as patch:
        refuse(patch, path, error)
        assert found.scan(0, FOREVER)
        assert [pid for pid, _ in holders(found, 500)] == [43]
        assert (found.unreadable, found.most_unreadable) == (1, 1)
    rescan(found)
    assert [pid for pid, _ in holders(found, 500)] == [42, 43]
    assert (found.unreadable, found.most_unreadable) == (0, 1)


@pytest.mark.parametrize(("flags", "state"), [(2129984, "I"), (4194304, "Z")])
def test_kernel_threads_and_zombies_hide_nothing(
    proc: ProcTree,
    found: Descriptors,
    monkeypatch: pytest.MonkeyPatch,
    flags: int,
    state: str,
) -> None:
    proc.process(42, "kworker/0:1", flags=flags, state=state)
    proc.process(43, "lives")
    assert found.scan(0, FOREVER)
    proc.process(43, "lived", flags=flags, state=state)
    refuse(monkeypatch, "3/fd", errno.EACCES)
    refuse(monkeypatch, "2/fd", errno.EACCES)
    for _ in range(2):
        rescan(found)
        assert found.unreadable == 0


def test_the_number_of_a_kernel_thread_used_again_is_looked_into(
    proc: ProcTree, found: Descriptors, tmp_path: Path
) -> None:
    proc.process(42, "kworker/0:1", flags=2129984, state="I")
    found.scan(0, FOREVER)
    (proc.root / "42").rename(tmp_path / "ended")
    proc.process(42, "server", [500])
    rescan(found)
    assert [process.command for process in found.holders(500)] == ["server"]


def test_a_process_that_ends_while_it_is_scanned_is_no_error(
    proc: ProcTree, found: Descriptors, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc.process(42, "brief", [500])
    refuse(monkeypatch, "/42/fd", errno.ENOENT)
    assert found.scan(0, FOREVER)
    assert holders(found, 500) == []
    assert found.unreadable == 0


def test_a_process_that_tells_nothing_of_itself_is_no_holder(
    proc: ProcTree, found: Descriptors
) -> None:
    proc.process(42, "odd", [500])
    (proc.root / "42" / "stat").write_text("nonsense")
    assert found.scan(0, FOREVER)
    assert holders(found, 500) == []
    assert found.unreadable == 1


def test_processes_are_hidden_where_process_1_is_not_shown(
    proc: ProcTree, found: Descriptors
) -> None:
    found.scan(0, FOREVER)
    assert not found.hidden
    proc.end(1)
    rescan(found)
    assert found.hidden
