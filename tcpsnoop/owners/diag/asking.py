"""Asking the kernel for sockets, through a netlink socket of our own: everyone may."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tcpsnoop.owners.diag.messages import DiagSocket, Message, every, messages, one
from tcpsnoop.owners.sockets import LISTEN

NETLINK_SOCK_DIAG = 4  # linux/netlink.h
_CLONE_NEWNET = 0x40000000  # linux/sched.h
# The kernel answers before it returns from the request; a program in its way may not.
_PATIENCE_SECONDS = 1.0
_LARGEST_ANSWER = 1 << 18  # it sends 32 KiB at a time at most


class DiagUnavailableError(Exception):
    """The kernel does not answer; the text says why."""


class Diag:
    """The TCP sockets of the network namespace that this was made in.

    DiagUnavailableError where the kernel does not answer such questions. When it stops to,
    `failure` says how, and every further question fails at once.
    """

    def __init__(self) -> None:
        self._sequence = 0
        self.failure = ""
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        except OSError as error:
            raise DiagUnavailableError(_why(error)) from error
        try:
            self._socket.settimeout(_PATIENCE_SECONDS)
            # Where the kernel lacks the part for TCP, a question for one is answered `not there`.
            self.all(1 << LISTEN)
        except OSError as error:
            self.close()
            raise DiagUnavailableError(_why(error)) from error

    def one(self, local: bytes, remote: bytes, device: int = 0) -> DiagSocket | None:
        """The socket with these ends (places); OSError when the kernel does not answer.

        What only listens for such a connection is not it, though the kernel tells that, too.
        """
        self._sequence += 1
        for message in self._ask(one(self._sequence, local, remote, device)):
            if message.error not in (0, errno.ENOENT):
                raise OSError(message.error, os.strerror(message.error))
            found = message.socket
            if found is not None and (found.local, found.remote) == (local, remote):
                return found
            return None
        return None

    def all(self, states: int, *, bound: bool = False) -> list[DiagSocket]:
        """The sockets in some states (bits 1 << state), or just those bound to a device.

        OSError when the kernel does not answer.
        """
        self._sequence += 1
        found = []
        for message in self._ask(every(self._sequence, states, bound=bound)):
            if message.socket is None:
                if message.error:
                    raise OSError(message.error, os.strerror(message.error))
                break
            found.append(message.socket)
        return found

    def close(self) -> None:
        """Ask nothing any more; may be called twice."""
        self._socket.close()

    def _ask(self, request: bytes) -> Iterator[Message]:
        """Messages of the answer, until whoever asks stops."""
        try:
            self._socket.send(request)
            while True:
                for message in messages(self._socket.recv(_LARGEST_ANSWER)):
                    # Another number: the rest of an answer that nobody read to its end.
                    if message.sequence == self._sequence:
                        yield message
        except (OSError, ValueError) as error:
            self.failure = self.failure or f"sock_diag: {error}"
            self.close()
            raise OSError(errno.EIO, self.failure) from error


def in_namespace(path: str, table_inode: int) -> Diag:
    """What asks the network namespace of a file such as /proc/PID/ns/net.

    DiagUnavailableError where entering it is not permitted (CAP_SYS_ADMIN), the file is gone, or it
    is another namespace now than the one whose /proc/net/tcp has that inode.
    """
    with ThreadPoolExecutor(1) as thread:  # a namespace is a thread's own, and this one ends
        return thread.submit(_enter, path, table_inode).result()


def _enter(path: str, table_inode: int) -> Diag:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(file, _CLONE_NEWNET):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(file)
        if os.stat("/proc/thread-self/net/tcp").st_ino != table_inode:
            raise DiagUnavailableError("another namespace")
    except OSError as error:
        raise DiagUnavailableError(str(error)) from error
    return Diag()


def _why(error: OSError) -> str:
    if error.errno in (errno.EPROTONOSUPPORT, errno.ENOENT, errno.EAFNOSUPPORT):
        return "the kernel has no sock_diag for TCP (modules inet_diag and tcp_diag)"
    return f"sock_diag: {error.strerror or error}"
