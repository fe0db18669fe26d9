"""Reading the kernel's whole table of sockets: by sock_diag, at half the cost, else from /proc."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tcpsnoop.owners.diag.asking import Diag, DiagUnavailableError
from tcpsnoop.owners.socket_table import SocketTable, read_place
from tcpsnoop.owners.sockets import ESTABLISHED, LISTEN, place

# States in which a process can have the socket (include/net/tcp_states.h): not TIME_WAIT, CLOSE,
# and those of requests.
_HELD = sum(1 << state for state in (ESTABLISHED, 2, 4, 5, 8, 9, LISTEN, 11))

Held = tuple[bytes, bytes, int]
"""The places (owners.sockets) of a socket's ends and its inode; what listens has no remote."""


class Readings:
    """Readings of one network namespace, ours unless `diag` is None: then that of `net`."""

    def __init__(self, net: Path, diag: Diag | None) -> None:
        self._net = net
        self._diag = diag

    def read(self) -> set[Held]:
        """Every socket that a process can have, as it is now."""
        if self._diag is not None:
            try:
                return {
                    (each.local, b"" if each.state == LISTEN else each.remote, each.inode)
                    for each in self._diag.all(_HELD)
                    if each.inode
                }
            except OSError:
                self._diag = None
        return {
            (_place(local), _place(remote) if remote else b"", inode)
            for local, remote, inode in SocketTable(self._net).held()
        }

    def close(self) -> None:
        """Read nothing any more; may be called twice."""
        if self._diag is not None:
            self._diag.close()


def open_diag() -> Diag | None:
    """What asks our own network namespace, None where that is not possible."""
    try:
        return Diag()
    except DiagUnavailableError:
        return None


@lru_cache(1 << 14)
def _place(text: bytes) -> bytes:
    return place(*read_place(text))
