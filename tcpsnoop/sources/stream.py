"""Bytes from a file, a pipe or standard input, without ever waiting longer than was allowed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
from typing import Protocol

from tcpsnoop.errors import UsageError

STANDARD_INPUT = "-"

# What a pipe shall hold, instead of 64 KiB: the most that Linux gives a user unless told otherwise.
PIPE_BYTES = 1 << 20


class Stream(Protocol):
    """Where the bytes of a capture come from."""

    @property
    def waits(self) -> bool:
        """Somebody else writes at the other end, so `readinto` may wait."""

    @property
    def fault(self) -> str | None:
        """Why the stream ended before its time, else None."""

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """The number of bytes read; 0 at the end, None when none came within `timeout` s."""

    def close(self) -> None:
        """Give back what is held; may be called twice."""


class Descriptor:
    """A stream of an open file descriptor.

    Pipes that were opened here do not block. A descriptor that was passed in is asked by `poll`
    first, because its blocking mode belongs to every process that shares it.
    """

    def __init__(self, descriptor: int, *, owned: bool) -> None:
        status = os.fstat(descriptor)
        self.fault: str | None = None
        self.waits = not stat.S_ISREG(status.st_mode) and not stat.S_ISBLK(status.st_mode)
        self._descriptor = descriptor
        self._owned = owned
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        if stat.S_ISFIFO(status.st_mode):
            with contextlib.suppress(OSError):  # the user's pipes may hold their most already
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        # A named pipe reads as empty until its first writer has come.
        self._may_be_early = owned and stat.S_ISFIFO(status.st_mode) and _has_name(descriptor)

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """See Stream; a regular file never waits."""
        if self.waits and not self._owned and not self._poll.poll(timeout * 1000):
            return None
        count = self._read(view)
        if count is None or (count == 0 and self._may_be_early):
            if not self._poll.poll(timeout * 1000):
                return None
            count = self._read(view)
        self._may_be_early = self._may_be_early and count is None
        return count

    def close(self) -> None:
        """Close the descriptor unless it was passed in."""
        if self._owned and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self, view: memoryview) -> int | None:
        try:
            return os.readv(self._descriptor, [view])
        except BlockingIOError:
            return None
        except OSError as error:
            self.fault = f"reading failed: {error.strerror}"
            return 0


def open_descriptor(name: str, standard_input: int = 0) -> Descriptor:
    """The stream of a path, or of `standard_input` for `-`; UsageError when there is none."""
    passed_in = name == STANDARD_INPUT
    try:
        # Opening a named pipe must not wait for its writer; regular files do not care.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = standard_input if passed_in else os.open(name, flags)
        stream = Descriptor(descriptor, owned=not passed_in)
    except (OSError, ValueError) as error:
        raise UsageError(_refusal(name, error)) from error
    refusal = None
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        refusal = "is a directory: name the capture files in it, one -r for each"
    elif os.isatty(descriptor):
        refusal = "is a terminal: read from a file or a pipe"
    if refusal is not None:
        stream.close()
        raise UsageError(f"{display_name(name)} {refusal}")
    return stream


def display_name(name: str) -> str:
    """How messages call an input."""
    return "standard input" if name == STANDARD_INPUT else name


def _refusal(name: str, error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):  # a null byte in it
        return f"no file can have the name {name!r}"
    shown = display_name(name)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{shown} does not exist: check the path"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{shown} may not be read by this user: change its mode or run as its owner"
    return f"{shown} cannot be opened: {error.strerror}"


def _has_name(descriptor: int) -> bool:
    """Whether a pipe is one in the file system, not an anonymous one such as `<(command)`."""
    return not os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")
