"""A process is read from its folder in /proc, whatever its name looks like."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tcpsnoop.batches.owners import Context, Process
from tcpsnoop.owners.processes import (
    KnownProcess,
    namespace_of,
    open_folder,
    process_at,
    read_process,
    read_stat,
    user_name,
)
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
    folder = proc.root / "42"
    (folder / "exe").symlink_to("/usr/sbin/nginx")
    (folder / "ns").mkdir()
    (folder / "ns" / "net").touch()
    (folder / "cgroup").write_text("0::/system.slice/nginx.service\n")
    assert read(proc, 42).process == Process(
        42,
        187538,
        "nginx",
        "nginx: worker process",
        33,
        "/system.slice/nginx.service",
        Context(user_name(33), "/usr/sbin/nginx", 1, "init", (folder / "ns" / "net").stat().st_ino),
    )


def test_what_others_may_not_see_is_unknown(proc: ProcTree) -> None:
    proc.process(42, "nginx", parent=77)
    process = read(proc, 42).process
    assert process.context == Context(user_name(0), "", 77, "", 0)
    assert process.cgroup == ""


def test_the_first_process_has_no_parent(proc: ProcTree) -> None:
    proc.process(42, "init", parent=0)
    assert read(proc, 42).process.context[2:4] == (0, "")


def test_a_path_that_is_not_text_is_escaped(proc: ProcTree) -> None:
    proc.process(42, "odd")
    os.symlink(b"/usr/bin/o\xffdd", proc.root / "42" / "exe")
    assert read(proc, 42).process.context.executable == "/usr/bin/o\\xffdd"


def test_the_name_of_a_user() -> None:
    assert user_name(0) == "root"
    assert user_name(-1) == ""
    assert user_name(4_000_000_001) == ""


def test_the_parent_stays_who_it_was(proc: ProcTree) -> None:
    """When it ends, another takes its place."""
    proc.process(50, "shell")
    proc.process(42, "curl", parent=50)
    first = read(proc, 42)
    proc.end(50)
    proc.process(42, "curl", parent=1)
    again = read(proc, 42, first).process
    assert again.context[2:4] == (50, "shell")


def test_a_process_is_read_by_its_number_or_not_at_all(proc: ProcTree) -> None:
    proc.process(42, "nginx")
    found = process_at(str(proc.root), 42)
    assert found is not None
    assert found.command == "nginx"
    assert process_at(str(proc.root), 43) is None
    (proc.root / "42" / "stat").write_text("odd")
    assert process_at(str(proc.root), 42) is None


def test_a_namespace_that_cannot_be_seen_is_0() -> None:
    assert namespace_of("/nowhere") == 0


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
    assert (again.process.command_line, again.process.uid) == ("sh", 33)
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
    assert process.context == Context(
        user_name(os.getuid()),
        os.readlink("/proc/self/exe"),
        os.getppid(),
        Path(f"/proc/{os.getppid()}/comm").read_text()[:-1],
        os.stat("/proc/self/ns/net").st_ino,
    )
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert 0 < process.start_time <= uptime * os.sysconf("SC_CLK_TCK")
