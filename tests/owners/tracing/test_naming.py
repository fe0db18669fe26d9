"""Processes with names: from /proc while they are there, else as events tell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tcpsnoop.owners.processes import EVERYTHING, Wanted, process_at
from tcpsnoop.owners.tracing.host import Host
from tcpsnoop.owners.tracing.naming import GENERATIONS, Naming
from tcpsnoop.owners.tracing.tables import NONE
from tests.owners.proc_tree import ProcTree
from tests.owners.tracing.story import NOON, Story

START = 5  # ticks
TICKS_PER_SECOND = 100
SSHD = "/system.slice/ssh.service"
NOTHING = Wanted(user=False, command_line=False, cgroup=False, context=False)


def host(root: Path, wanted: Wanted) -> Host:
    """A machine whose /proc is there, started a second before NOON; it has one cgroup, 77."""
    return Host(
        1000,
        1,
        lambda pid, _: process_at(str(root), pid, wanted),
        lambda number: SSHD if number == 77 else "",
        lambda: NOON - 10**9,
        TICKS_PER_SECOND,
    )


def naming(story: Story, root: Path, wanted: Wanted = EVERYTHING) -> Naming:
    story.happen()
    return Naming(story.tables, story.pool.owners, host(root, wanted), wanted)


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    tree = ProcTree(tmp_path)
    tree.process(100, "curl", start_time=START, uid=1000, arguments=["curl", "-s", "x"])
    return tree


def test_a_process_that_is_there_is_read(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    process = naming(story, proc.root).process(0)
    assert process is not None
    assert (process.command_line, process.uid, process.start_time) == ("curl -s x", 1000, START)


def test_another_process_of_that_number_is_not_read(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "wget", start=START - 1)
    process = naming(story, proc.root).process(0)
    assert process is not None
    assert (process.command, process.command_line, process.uid) == ("wget", "[wget]", -1)


def test_a_process_that_was_forked_is_read_when_its_start_fits(proc: ProcTree) -> None:
    # It started a second after the machine, which is NOON here.
    proc.process(101, "sh", start_time=TICKS_PER_SECOND, arguments=["sh"])
    proc.process(102, "sh", start_time=TICKS_PER_SECOND + 1, arguments=["sh"])
    story = Story()
    story.process(100, "curl", start=START)
    story.fork(0, 100, 101)
    story.fork(0, 100, 102)
    found = naming(story, proc.root)
    first, second = found.process(1), found.process(2)
    assert first is not None
    assert second is not None
    assert (first.command, first.command_line) == ("sh", "sh")
    assert second.command == "curl"  # that one came later than what was told


def test_a_forked_process_that_is_gone_has_the_arguments_of_its_parent(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    story.fork(3, 100, 101)
    story.exit(4, 101)
    process = naming(story, proc.root).process(1)
    assert process is not None
    assert (process.command, process.command_line, process.uid) == ("curl", "curl -s x", -1)
    assert process.start_time == TICKS_PER_SECOND
    assert process.context[2:4] == (100, "curl")


def test_a_process_that_is_gone_has_the_cgroup_that_its_calls_told(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    story.fork(3, 100, 101)
    story.send(4, 101, 0x1000, cgroup=77)
    story.exit(5, 101)
    for wanted, cgroup in ((EVERYTHING, SSHD), (NOTHING, "")):
        found = naming(story, proc.root, wanted)
        story.tables.processes["code"][1] = NONE  # it was named when it was met
        process = found.process(1)
        assert process is not None
        assert process.cgroup == cgroup


def test_a_process_that_is_gone_has_the_program_of_its_parent_until_exec(proc: ProcTree) -> None:
    (proc.root / "100" / "exe").symlink_to("/usr/bin/curl")
    story = Story()
    story.process(100, "curl", start=START)
    for pid, name in ((101, "curl"), (102, "wget")):
        story.fork(3, 100, pid)
        if name == "wget":
            story.rename(4, pid, name)
        story.exit(5, pid)
    found = naming(story, proc.root)
    contexts = [each.context for each in map(found.process, (0, 1, 2)) if each]
    assert [each.executable for each in contexts] == ["/usr/bin/curl", "/usr/bin/curl", ""]
    assert [each.parent_pid for each in contexts] == [1, 100, 100]


def test_after_exec_the_arguments_of_the_parent_say_nothing(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    story.fork(3, 100, 101)
    story.rename(4, 101, "wget")
    story.exit(5, 101)
    process = naming(story, proc.root).process(1)
    assert process is not None
    assert process.command_line == "[wget]"


def test_a_process_is_the_same_after_it_has_ended(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    found = naming(story, proc.root)
    alive = found.process(0)
    story.exit(9, 100)
    story.happen()
    proc.end(100)
    assert found.process(0) == alive


def test_a_name_with_odd_bytes_is_text() -> None:
    """A real one, as the kernel lets anything be a name."""
    done = subprocess.run(
        [sys.executable, "-c", "open('/proc/self/comm','wb').write(b'a\\xff)b')"], check=True
    )
    assert done.returncode == 0
    story = Story()
    story.event(1, 5, os.getpid(), length=1)
    raw = b"a\xff)b".ljust(16, b"\0")
    high, low = (int.from_bytes(raw[at : at + 8], "big", signed=True) for at in (0, 8))
    story.event(2, 6, os.getpid(), laddr_high=high, laddr_low=low)
    process = naming(story, Path("/nowhere")).process(0)
    assert process is not None
    assert process.command == "a\\xff)b"


def named_early(story: Story, found: Naming, number: int) -> bool:
    """Whether a process has a code as soon as it was met."""
    found.met(np.array([number]))
    return bool(story.tables.processes["code"][number] != NONE)


def test_nothing_is_read_of_who_is_gone_when_the_name_is_all_that_is_wanted(
    proc: ProcTree,
) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    story.fork(0, 100, 101)
    found = naming(story, proc.root, NOTHING)
    proc.process(101, "sh", start_time=TICKS_PER_SECOND, uid=1000, arguments=["sh"])
    assert not named_early(story, found, 0)
    assert not named_early(story, found, 1)
    # It is there when it is asked for: only /proc knows the very tick at which it started.
    process = found.process(1)
    assert process is not None
    assert (process.command, process.uid, process.command_line) == ("sh", -1, "[sh]")


@pytest.mark.parametrize(
    ("wanted", "forked_is_read"),
    [(NOTHING._replace(command_line=True), False), (NOTHING._replace(user=True), True)],
)
def test_what_no_event_tells_is_read_at_once(
    proc: ProcTree, wanted: Wanted, forked_is_read: bool
) -> None:
    """Who was forked has the arguments of its parent, as long as it does not call exec."""
    proc.process(101, "curl", start_time=TICKS_PER_SECOND, uid=1000, arguments=["curl", "y"])
    proc.process(102, "wget", start_time=TICKS_PER_SECOND, uid=1000, arguments=["wget"])
    story = Story()
    story.process(100, "curl", start=START)
    story.fork(0, 100, 101)
    story.fork(0, 100, 102)
    story.rename(1, 102, "wget")
    found = naming(story, proc.root, wanted)
    assert [named_early(story, found, number) for number in range(3)] == [
        True, forked_is_read, True,
    ]  # fmt: skip
    story.exit(9, 101)
    story.exit(9, 102)
    story.happen()
    forked, executed = found.process(1), found.process(2)
    assert forked is not None
    assert executed is not None
    if wanted.user:
        assert (forked.uid, executed.uid) == (1000, 1000)
    else:
        assert (forked.command_line, executed.command_line) == ("curl -s x", "wget")


def test_many_are_named_at_a_time_parents_among_them(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    for pid in range(101, 111):
        story.fork(pid - 100, pid - 1, pid)
        story.exit(pid - 99, pid)
    found = naming(story, proc.root)
    found.name(np.arange(11))
    processes = [found.process(number) for number in range(11)]
    assert [each and each.pid for each in processes] == list(range(100, 111))
    assert {each and each.command_line for each in processes} == {"curl -s x"}


def test_arguments_are_not_looked_for_without_end(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    generations = 20 * GENERATIONS
    for pid in range(101, 101 + generations):
        story.fork(pid - 100, pid - 1, pid)
        story.exit(pid - 99, pid)
    process = naming(story, proc.root).process(generations)
    assert process is not None
    assert (process.pid, process.command_line) == (100 + generations, "[curl]")


def test_another_name_is_another_owner_with_what_was_known(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    found = naming(story, proc.root)
    assert found.process(0)
    story.rename(5, 100, "worker", flags=0)
    story.exit(6, 100)
    story.happen()
    proc.end(100)
    renamed = found.process(0)
    assert renamed is not None
    assert (renamed.command, renamed.command_line, renamed.uid) == ("worker", "curl -s x", 1000)


def test_the_same_name_again_is_the_same_owner(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    found = naming(story, proc.root)
    code = found.codes(np.array([0]))[0]
    story.rename(5, 100, "curl", flags=0)
    story.happen()
    assert found.codes(np.array([0]))[0] == code


def test_a_forgotten_process_has_no_code(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    found = naming(story, proc.root)
    known, forgotten = found.codes(np.array([0, 1 << 40])).tolist()
    assert known != NONE
    assert forgotten == NONE
    assert found.process(1 << 40) is None


def test_who_was_begun_by_whom(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl", start=START)
    story.fork(3, 100, 101)
    story.fork(4, 101, 102)
    story.exit(5, 101)
    found = naming(story, proc.root)
    grandchild, seeded = found.process(2), found.process(0)
    assert grandchild is not None
    assert seeded is not None
    assert found.descends(grandchild, 101) is True
    assert found.descends(grandchild, 100) is True
    assert found.descends(grandchild, 99) is None
    assert found.descends(seeded, 1) is None
    # The number passes to another process: the record of the first one is still found.
    story.exit(6, 102)
    story.fork(20_000, 100, 102)
    story.happen()
    assert found.descends(grandchild, 101) is True
