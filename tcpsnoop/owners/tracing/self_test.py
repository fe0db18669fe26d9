"""A connection of our own, to see whether the kernel's record tells the truth about it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np

from tcpsnoop.owners.tracing.tables import CALLED, CALLER, Tables

SECONDS = 1.0

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1  # linux/sockios.h, linux/if.h


def connect_to_ourselves() -> int | None:
    """The port of a connection on loopback that has ended; None where loopback is down.

    Whoever may make a network namespace makes one for it: nobody else's capture shows it then.
    """
    with ThreadPoolExecutor(1) as thread:  # a namespace is a thread's own
        return thread.submit(_connect).result()


def _connect() -> int | None:
    if ctypes.CDLL(None).unshare(_CLONE_NEWNET) == 0:
        _bring_loopback_up()
    with suppress(OSError), socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(SECONDS)
        place: tuple[str, int] = listening.getsockname()
        calling = socket.create_connection(place, SECONDS)
        with calling, listening.accept()[0] as called:
            calling.sendall(b"\0")
            called.recv(1)
        return place[1]
    return None


def _bring_loopback_up() -> None:
    """As netdevice(7) tells."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH22x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def is_ours(tables: Tables, port: int) -> bool:
    """Whether both ends of that connection are known to be of this process alone."""
    sockets = tables.sockets
    for name, role in (("rport", CALLER), ("lport", CALLED)):
        found = np.flatnonzero((sockets[name] == port) & (sockets["role"] == role))
        if len(found) != 1 or sockets["runs"][found[0]] != 1:
            return False
        number = int(tables.run_process[found[0], 0])
        process = tables.processes[number & (len(tables.processes) - 1)]
        if number < 0 or process["number"] != number or process["pid"] != os.getpid():
            return False
    return True
