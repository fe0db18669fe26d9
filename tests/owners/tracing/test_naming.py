"""Processes with names: from /proc while they are there, else as events tell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcpsnoop.owners.processes import process_at
from tcpsnoop.owners.tracing.host import Host
from tcpsnoop.owners.tracing.naming import Naming
from tests.owners.proc_tree import ProcTree
from tests.owners.tracing.story import NOON, Story

START = 5  # ticks
TICKS_PER_SECOND = 100
SSHD = "/system.slice/ssh.service"


def host(root: Path) -> Host:
    """A machine whose /proc is there, started a second before NOON; it has one cgroup, 77."""
    return Host(
        1000,
        1,
        lambda pid, _: process_at(str(root), pid),
        lambda number: SSHD if number == 77 else "",
        lambda: NOON - 10**9,
        TICKS_PER_SECOND,
    )


def naming(story: Story, root: Path) -> Naming:
    story.happen()
    return Naming(story.tables, host(root))


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
    process = naming(story, proc.root).process(1)
    assert process is not None
    assert process.cgroup == SSHD


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
    assert found.process(0) is alive


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
