"""The network namespaces that processes are in, each found by one process of it.

The kernel gives the files in /proc/PID/net of each namespace inodes of their own, for everyone to
see: so namespaces are told apart, and a process that has left its namespace, or a number that has
passed to another process, is noticed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tcpsnoop.owners.diag.asking import Diag, DiagUnavailableError
from tcpsnoop.owners.diag.diag_sockets import Devices, DiagSockets
from tcpsnoop.owners.local_addresses import LocalAddresses
from tcpsnoop.owners.socket_table import FILES, SocketTable
from tcpsnoop.owners.sockets import Sockets

# Processes are asked again for their namespaces so late, when an address is in none that is known.
LIST_SECONDS = 1.0

Enter = Callable[[str, int], Diag]


@dataclass(frozen=True, eq=False)
class Namespace:
    """A network namespace of other processes."""

    folder: str  # of a process that is in it
    inodes: dict[str, int]  # of its socket tables
    addresses: LocalAddresses

    @property
    def inode(self) -> int:
        """That of its first socket table, which tells it from others."""
        return self.inodes[FILES[0]]


class Namespaces:
    """All that the /proc of `root` shows.

    `diag` asks our own; `enter` gives what asks another one, by a file such as /proc/PID/ns/net and
    the inode of its first table (`in_namespace`). Without them, and where they fail, socket tables
    are read.
    """

    def __init__(
        self,
        root: Path,
        clock: Callable[[], float],
        diag: Diag | None = None,
        enter: Enter | None = None,
    ) -> None:
        self._root = os.fspath(root)
        self._net = root / "net"
        self._clock = clock
        self._diag = diag
        self._enter = enter
        self._devices = None if diag is None else Devices(diag, clock)
        self._others: list[Namespace] = []
        self._listed_at = -LIST_SECONDS
        self.addresses = LocalAddresses(self._net, clock)

    def having(self, high: int, low: int) -> list[Namespace]:
        """Those besides ours that have an address (halves as in batches.addresses)."""
        found = self._having(high, low)
        if not found or not all(_is_there(each) for each in found):
            if self._clock() - self._listed_at >= LIST_SECONDS:
                self._list()
            found = [each for each in self._having(high, low) if _is_there(each)]
        return found

    def own_sockets(self) -> Sockets:
        """The sockets of ours, for one look."""
        table = SocketTable(self._net)
        if self._diag is None or self._devices is None or self._diag.failure:
            return table
        return DiagSockets(self._diag, self._devices, table)

    def sockets(self, namespace: Namespace, until: ExitStack) -> Sockets:
        """The sockets of another one, for one look.

        Whoever can ask a namespace holds it, and its devices, also when all its processes have
        ended: so it is entered anew for each look.
        """
        table = SocketTable(Path(namespace.folder, "net"), namespace.inodes)
        if self._enter is None:
            return table
        try:
            diag = self._enter(f"{namespace.folder}/ns/net", namespace.inode)
        except DiagUnavailableError:
            return table
        until.callback(diag.close)
        return DiagSockets(diag, Devices(diag, self._clock), table)

    def _having(self, high: int, low: int) -> list[Namespace]:
        return [each for each in self._others if each.addresses.has(high, low, if_unknown=False)]

    def _list(self) -> None:
        self._listed_at = self._clock()
        met = {0, _inode(f"{self._root}/net/{FILES[0]}")}
        self._others.clear()
        try:
            names = os.listdir(self._root)
        except OSError:
            names = []
        for name in filter(str.isdigit, names):
            net = Path(self._root, name, "net")
            inode = _inode(f"{net}/{FILES[0]}")
            if inode not in met:
                met.add(inode)
                inodes = {file: _inode(f"{net}/{file}") for file in FILES}
                addresses = LocalAddresses(net, self._clock)
                self._others.append(Namespace(os.fspath(net.parent), inodes, addresses))


def _is_there(namespace: Namespace) -> bool:
    """Whether its process is still in it."""
    return _inode(f"{namespace.folder}/net/{FILES[0]}") == namespace.inode


def _inode(path: str) -> int:
    """0 where there is no such file."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
