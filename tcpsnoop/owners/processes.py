"""One process, read from its folder in /proc (proc(5)).

A folder stays open while its files are read: the kernel then answers for that process or not at
all, even when the number has passed to another process in between.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from tcpsnoop.batches.owners import NO_CONTEXT, Context, Process

# Flag of a kernel thread in field 9 of /proc/PID/stat (include/linux/sched.h).
_PF_KTHREAD = 0x0020_0000
# As much of a command line as is kept: what one argument may have (MAX_ARG_STRLEN).
LONGEST_COMMAND_LINE = 1 << 17

# Places in /proc/PID/stat after the command: field n of proc(5) stands at n - 3.
_STATE, _PARENT, _FLAGS, _START_TIME, _START_STACK = 3 - 3, 4 - 3, 9 - 3, 22 - 3, 28 - 3


class Stat(NamedTuple):
    """What is needed of /proc/PID/stat."""

    command: str
    start_time: int
    kernel_thread: bool
    holds_nothing: bool  # a kernel thread or a zombie: no descriptors, whoever asks
    start_stack: int  # another one after exec; 0 when the asker may not know
    parent: int  # its PID, 0 none


class Wanted(NamedTuple):
    """What is to be known of a process besides its name: each is a file to read, or several."""

    user: bool = True
    command_line: bool = True
    cgroup: bool = True
    context: bool = True  # Context, which has the name of the user


EVERYTHING = Wanted()


class KnownProcess(NamedTuple):
    """A process, and what tells that it has called exec since."""

    process: Process
    start_stack: int


def open_folder(path: str, beside: int | None = None) -> int:
    """A descriptor of a folder; OSError when it cannot be opened."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=beside)


def read_stat(folder: int) -> Stat:
    """/proc/PID/stat of an open folder; OSError when the process is gone, ValueError when odd."""
    text = read_file(folder, "stat", 4096)
    # The command is in parentheses and may hold some, and blanks, itself.
    opening, closing = text.index(b"("), text.rindex(b")")
    fields = text[closing + 1 :].split()
    if len(fields) <= _START_STACK:
        raise ValueError("a row of /proc/PID/stat with too few fields")
    kernel = bool(int(fields[_FLAGS]) & _PF_KTHREAD)
    return Stat(
        _text(text[opening + 1 : closing]),
        int(fields[_START_TIME]),
        kernel,
        kernel or fields[_STATE] in (b"Z", b"X"),
        int(fields[_START_STACK]),
        int(fields[_PARENT]),
    )


def process_at(root: str, pid: int, wanted: Wanted = EVERYTHING) -> Process | None:
    """The process that has a PID now, None when there is none or it cannot be read."""
    try:
        folder = open_folder(f"{root}/{pid}")
    except OSError:
        return None
    try:
        return read_process(folder, pid, wanted=wanted).process
    except (OSError, ValueError):
        return None
    finally:
        os.close(folder)


def read_process(
    folder: int, pid: int, known: KnownProcess | None = None, wanted: Wanted = EVERYTHING
) -> KnownProcess:
    """The process of an open folder; errors as `read_stat`.

    What cannot change without exec is taken from `known` if it is the same process; and the parent,
    whose place another takes when it ends. What is not `wanted` is as if it were not known, the
    command line then empty.
    """
    stat = read_stat(folder)
    uid = _real_user(folder) if wanted.user or wanted.context else -1
    process = known.process if known else None
    if not (
        known
        and process
        and process.start_time == stat.start_time
        and process.command == stat.command
        and known.start_stack == stat.start_stack
    ):
        process = Process(
            pid,
            stat.start_time,
            stat.command,
            _command_line(folder, stat.command) if wanted.command_line else "",
            context=_context(folder, stat.parent) if wanted.context else NO_CONTEXT,
        )
    cgroup = _cgroup(folder) if wanted.cgroup else ""
    context = process.context
    if wanted.context:
        context = context._replace(user=user_name(uid))
    process = replace(process, uid=uid, cgroup=cgroup, context=context)
    return KnownProcess(process, stat.start_stack)


def _context(folder: int, parent: int) -> Context:
    """What else is known, but for the user."""
    command = _command_of(folder, parent)
    return Context("", _executable(folder), parent, command, namespace_of(".", folder))


def namespace_of(path: str, beside: int | None = None) -> int:
    """The inode of the network namespace of a process or thread, 0 when we may not know."""
    try:
        return os.stat(f"{path}/ns/net", dir_fd=beside).st_ino
    except OSError:
        return 0


@lru_cache(1024)
def user_name(uid: int) -> str:
    """The name of a user of this machine, asked for once; "" when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name if uid >= 0 else ""
    except (KeyError, OverflowError):
        return ""


def _executable(folder: int) -> str:
    try:
        return _text(os.fsencode(os.readlink("exe", dir_fd=folder)))
    except OSError:
        return ""


def _command_of(folder: int, pid: int) -> str:
    """The short name of another process, which is read beside this one."""
    if pid == 0:
        return ""
    try:
        return _text(read_file(folder, f"../{pid}/comm", 64).removesuffix(b"\n"))
    except OSError:
        return ""


def _command_line(folder: int, command: str) -> str:
    try:
        arguments = read_file(folder, "cmdline", LONGEST_COMMAND_LINE)
    except OSError:
        arguments = b""
    return _text(arguments.rstrip(b"\0").replace(b"\0", b" ")) or f"[{command}]"


def _real_user(folder: int) -> int:
    """The real user: the one who started it, also when the program is set-user-ID."""
    try:
        status = read_file(folder, "status", 4096)
    except OSError:
        return -1
    at = status.find(b"\nUid:")
    return int(status[at + 5 :].split(None, 1)[0]) if at >= 0 else -1


def _cgroup(folder: int) -> str:
    """Its place among cgroups (cgroups(7)): in version 2, else the most special of version 1."""
    try:
        lines = _text(read_file(folder, "cgroup", 1 << 16)).splitlines()
    except OSError:
        return ""
    paths = {fields[0]: fields[2] for fields in (line.split(":", 2) for line in lines)}
    path = paths.get("0", "/")
    if path == "/":
        path = max(paths.values(), key=len, default="/")
    return "" if path == "/" else path


def read_file(folder: int | None, name: str, size: int) -> bytes:
    """The beginning of a file, in an open folder if it is given; OSError when it cannot be read."""
    file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(file, size)
    finally:
        os.close(file)


def _text(raw: bytes) -> str:
    """The text of a name, which is bytes to the kernel: what is not UTF-8 is escaped."""
    return raw.decode("utf-8", "backslashreplace")
