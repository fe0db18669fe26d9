"""A process is read from its folder in /proc, whatever its name looks like."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.processes import KnownProcess, open_folder, read_process, read_stat
from tests.owners.proc_tree import ProcTree


@contextmanager
def folder_of(proc: ProcTree, pid: int) -> Iterator[int]:
    folder = open_folder(f"{proc.root}/{pid}")
    try:
        yield folder
    finally:
        os.close(folder)


def read(proc: ProcTree, pid: int, known: KnownProcess | None = None) -> KnownProcess:
    with folder_of(proc, pid) as folder:
        return read_process(folder, pid, known)


def test_all_that_is_told_of_a_process(proc: ProcTree) -> None:
    proc.process(42, "nginx", start_time=187538, uid=33, arguments=["nginx:", "worker process"])
    assert read(proc, 42).process == Process(42, 187538, "nginx", "nginx: worker process", 33)


@pytest.mark.parametrize(
    "command", ["a b", "(sd-pam)", ") R 1 (", "tmux: server", "x) S 9 9 9 9", "", "a\nb"]
)
def test_a_command_may_hold_blanks_and_parentheses(proc: ProcTree, command: str) -> None:
    proc.process(42, command, start_time=77)
    process = read(proc, 42).process
    assert (process.command, process.start_time) == (command, 77)


def test_a_name_that_is_not_utf8_is_escaped(proc: ProcTree) -> None:
    proc.process(42, "name")
    stat = proc.root / "42" / "stat"
    stat.write_bytes(stat.read_bytes().replace(b"(name)", b"(n\xffme)"))
    assert read(proc, 42).process.command == "n\\xffme"


def test_the_command_stands_for_a_command_line_that_is_empty_or_unreadable(proc: ProcTree) -> None:
    proc.process(42, "worker")
    assert read(proc, 42).process.command_line == "[worker]"
    (proc.root / "42" / "cmdline").unlink()
    assert read(proc, 42).process.command_line == "[worker]"


def test_the_user_is_the_real_one_and_may_be_unknown(proc: ProcTree) -> None:
    proc.process(42, "ping")
    status = proc.root / "42" / "status"
    status.write_text("Name:\tping\nUid:\t1000\t0\t0\t0\n")
    assert read(proc, 42).process.uid == 1000
    status.unlink()
    assert read(proc, 42).process.uid == -1


def test_the_command_line_is_read_again_after_exec_only(proc: ProcTree) -> None:
    proc.process(42, "sh", arguments=["sh"], start_stack=1000)
    first = read(proc, 42)
    # A program may write over its arguments: the first ones are kept.
    proc.process(42, "sh", arguments=["changed"], start_stack=1000, uid=33)
    again = read(proc, 42, first)
    assert again.process == Process(42, 10, "sh", "sh", 33)
    proc.process(42, "sh", arguments=["sh", "-c", "x"], start_stack=2000)
    assert read(proc, 42, again).process.command_line == "sh -c x"
    proc.process(42, "curl", arguments=["curl"], start_stack=2000)
    assert read(proc, 42, again).process.command_line == "curl"
    proc.process(42, "sh", arguments=["other"], start_stack=1000, start_time=11)
    assert read(proc, 42, first).process.command_line == "other"


@pytest.mark.parametrize(
    ("flags", "state", "holds_nothing"),
    [(4194304, "S", False), (2129984, "I", True), (4194304, "Z", True), (4194304, "R", False)],
)
def test_kernel_threads_and_zombies_hold_nothing(
    proc: ProcTree, flags: int, state: str, holds_nothing: bool
) -> None:
    proc.process(42, "it", flags=flags, state=state)
    with folder_of(proc, 42) as folder:
        assert read_stat(folder).holds_nothing is holds_nothing


def test_a_row_with_too_few_fields_is_an_error(proc: ProcTree) -> None:
    (proc.root / "1" / "stat").write_text("1 (init) S 0 1")
    with pytest.raises(ValueError, match="too few fields"):
        read(proc, 1)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_this_process_is_read_from_proc() -> None:
    folder = open_folder("/proc/self")
    try:
        process = read_process(folder, os.getpid()).process
    finally:
        os.close(folder)
    assert process.command == Path("/proc/self/comm").read_text().removesuffix("\n")
    assert process.command_line == " ".join(sys.orig_argv).rstrip()
    assert process.uid == os.getuid()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert 0 < process.start_time <= uptime * os.sysconf("SC_CLK_TCK")
