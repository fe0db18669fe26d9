"""Which TCP sockets of our network namespace are gone: the kernel tells whoever listens.

Multicast groups of sock_diag(7), for everyone. What is told is of sockets of processes, when the
last reference is given back; it may have lost the ends that it had (the kernel takes the local
address and the remote port from a socket that it resets). A socket in TIME_WAIT was told before.
"""

from __future__ import annotations

import errno
import socket
from contextlib import suppress

from tcpsnoop.owners.diag.asking import NETLINK_SOCK_DIAG
from tcpsnoop.owners.diag.messages import Ending, ending

_SO_RCVBUFFORCE = 33  # asm-generic/socket.h
# linux/sock_diag.h: SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY, as bits.
_GROUPS = 1 << (1 - 1) | 1 << (3 - 1)
# Read at a time, 3 µs each. In a flood we stop to listen, which is known: asking again for the few
# sockets that it matters to costs less. What is told may not stay unread: when half of the room is
# taken, the kernel gives way to other work after each (netlink_broadcast), and frees no sockets.
MOST = 250
_ROOM = 4096 * MOST
_LARGEST = 1 << 16


class Endings:
    """The sockets that end from now on; OSError where the kernel does not tell."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = _listen()

    def take(self) -> tuple[list[Ending], bool]:
        """The sockets that have ended since the last call, and whether others were lost.

        After a flood, and after `close`, listening begins anew.
        """
        if self._socket is None:
            with suppress(OSError):
                self._socket = _listen()
            return [], True
        gone: list[Ending] = []
        lost = False
        for _ in range(MOST):
            try:
                gone.append(ending(self._socket.recv(_LARGEST)))
            except BlockingIOError:
                return gone, lost
            except ValueError:
                continue
            except OSError as error:
                lost = True
                if error.errno != errno.ENOBUFS:
                    return gone, lost
        self.close()
        return gone, True

    def close(self) -> None:
        """Listen no more until `take` is called again; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _listen() -> socket.socket:
    listening = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
    try:
        listening.setblocking(False)
        try:
            listening.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        except PermissionError:  # then as much as everybody may have
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        listening.bind((0, _GROUPS))
    except OSError:
        listening.close()
        raise
    return listening
