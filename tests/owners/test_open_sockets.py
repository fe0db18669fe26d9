"""The sockets of one process, by its links or by what is told of its descriptors."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpsnoop.owners import open_sockets
from tcpsnoop.owners.open_sockets import Reading, socket_inodes, socket_mount
from tcpsnoop.owners.processes import open_folder
from tests.owners.proc_tree import ProcTree

MOUNT = 9
INFO = "pos:\t0\nflags:\t02000002\nmnt_id:\t{mount}\nino:\t{inode}\n"
ROOT = Path(__file__).resolve().parents[2]


def finished(reading: Reading) -> frozenset[int]:
    try:
        while True:
            next(reading)
    except StopIteration as end:
        inodes: frozenset[int] = end.value
        return inodes


@pytest.fixture
def folder(proc: ProcTree) -> Iterator[int]:
    """Of a process with two sockets; another is told of in fdinfo alone."""
    proc.process(42, "server", [500, 501])
    info = proc.root / "42" / "fdinfo"
    info.mkdir()
    (info / "3").write_text(INFO.format(mount=MOUNT, inode=700))
    (info / "4").write_text(INFO.format(mount=MOUNT + 1, inode=701))  # a file, or a pipe
    (info / "5").write_text("pos:\t0\nflags:\t02\nmnt_id:\t9\n")  # before Linux 5.14
    (info / "6").write_text(INFO.format(mount=MOUNT, inode=702))
    opened = open_folder(f"{proc.root}/42")
    yield opened
    os.close(opened)


def test_links_are_read_where_they_may_be(folder: int) -> None:
    assert finished(socket_inodes(folder, MOUNT)) == {500, 501}
    assert finished(socket_inodes(folder, None)) == {500, 501}


@pytest.mark.parametrize("denied", ["fd", "links"])
def test_where_links_are_denied_what_is_told_of_descriptors_is_read(
    folder: int, monkeypatch: pytest.MonkeyPatch, denied: str
) -> None:
    deny(monkeypatch, denied)
    assert finished(socket_inodes(folder, MOUNT)) == {700, 702}
    with pytest.raises(PermissionError):
        finished(socket_inodes(folder, None))


def test_where_both_are_denied_the_process_is_closed_to_us(
    folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, "fd", "fdinfo")
    with pytest.raises(PermissionError):
        finished(socket_inodes(folder, MOUNT))


def deny(monkeypatch: pytest.MonkeyPatch, *what: str) -> None:
    """Let the folders of these names not be opened, or `links` not be read."""
    real = open_folder

    def opening(name: str, beside: int | None = None) -> int:
        if name in what:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(name, beside)

    def reading(name: str, *, dir_fd: int) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(open_sockets, "open_folder", opening)
    if "links" in what:
        monkeypatch.setattr(os, "readlink", reading)


@pytest.mark.skipif(not Path("/proc/self/fdinfo").exists(), reason="needs Linux's /proc")
def test_this_process_is_told_of_in_the_same_way_by_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mount = socket_mount()
    if mount is None:
        pytest.skip("fdinfo tells no inodes before Linux 5.14")
    with socket.socket() as one, socket.socket(socket.AF_UNIX) as other:
        reading, writing = os.pipe()
        ours = open_folder("/proc/self")
        try:
            by_links = finished(socket_inodes(ours, None))
            deny(monkeypatch, "fd")
            by_info = finished(socket_inodes(ours, mount))
        finally:
            os.close(ours)
            os.close(reading)
            os.close(writing)
        assert {os.fstat(each.fileno()).st_ino for each in (one, other)} <= by_links
        assert by_links == by_info


PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[1])
from tcpsnoop.owners.open_sockets import socket_inodes, socket_mount
from tcpsnoop.owners.processes import open_folder
try:
    os.listdir(f"/proc/{sys.argv[2]}/fd")
    print("its links may be read")
except FileNotFoundError:  # /proc may hide it altogether (hidepid)
    print("denied")
    sys.exit()
except PermissionError:
    pass
reading = socket_inodes(open_folder(f"/proc/{sys.argv[2]}"), socket_mount())
try:
    while True: next(reading)
except StopIteration as end: print(*end.value)
except PermissionError: print("denied")
"""


@pytest.mark.root
@pytest.mark.program("setpriv")
@pytest.mark.parametrize("right", ["+sys_ptrace", "-all"])
def test_with_the_right_to_trace_alone_the_sockets_of_others_are_seen(right: str) -> None:
    """In a user's own right that is not enough for the links; without any right nothing is seen."""
    if socket_mount() is None:
        pytest.skip("fdinfo tells no inodes before Linux 5.14")
    words = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             f"--inh-caps=-all,{right}", f"--ambient-caps=-all,{right}",
             sys.executable, "-c", PROGRAM, str(ROOT), str(os.getpid())]  # fmt: skip
    with socket.socket() as ours:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 126:
            pytest.skip("nobody may not run this Python")
        assert done.returncode == 0, done.stderr
        if right == "-all":
            assert done.stdout == "denied\n"
        else:
            assert str(os.fstat(ours.fileno()).st_ino) in done.stdout.split()
            assert "may" not in done.stdout
