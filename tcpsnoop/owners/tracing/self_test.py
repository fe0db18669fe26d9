"""A connection of our own, to see whether the kernel's record tells the truth about it."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import numpy as np

from tcpsnoop.owners.tracing.tables import CALLED, CALLER, Tables

SECONDS = 1.0


def connect_to_ourselves() -> int | None:
    """The port of a connection on loopback that has ended; None where loopback is down."""
    with suppress(OSError), socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(SECONDS)
        place: tuple[str, int] = listening.getsockname()
        calling = socket.create_connection(place, SECONDS)
        with calling, listening.accept()[0] as called:
            calling.sendall(b"\0")
            called.recv(1)
        return place[1]
    return None


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
