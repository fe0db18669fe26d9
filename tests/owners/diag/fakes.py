"""A kernel of our own making, for tests of those who ask it."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from socket import AF_INET, AF_INET6

from tcpsnoop.owners.diag.asking import Diag
from tcpsnoop.owners.diag.messages import DiagSocket, Ending, ending
from tcpsnoop.owners.sockets import ADDRESS_BYTES, IPV4, LISTEN
from tests.owners.proc_tree import Place, packed


def diag_socket(
    local: Place,
    remote: Place,
    inode: int,
    cookie: int,
    state: int = 1,
    *,
    device: int = 0,
    only_ipv6: bool = False,
) -> DiagSocket:
    """A socket as the kernel tells it."""
    return DiagSocket(state, packed(local), packed(remote), device, cookie, inode, only_ipv6)


def diag_listener(local: Place, inode: int, *, only_ipv6: bool = False) -> DiagSocket:
    """A listening socket."""
    nobody = ("::" if ":" in local[0] else "0.0.0.0", 0)
    return diag_socket(local, nobody, inode, inode, LISTEN, only_ipv6=only_ipv6)


class FakeDiag(Diag):
    """Answers out of `sockets`; `asked` counts the questions; `broken`: none is answered."""

    def __init__(self, *sockets: DiagSocket) -> None:
        self.sockets = list(sockets)
        self.failure = ""
        self.asked: list[str] = []
        self.broken = False
        self.closed = False

    def one(self, local: bytes, remote: bytes, device: int = 0) -> DiagSocket | None:
        """The socket with these ends, among those bound to a device or to none."""
        self._count("one")
        for each in self.sockets:
            ends = (each.local, each.remote) == (local, remote)
            if ends and each.device in (0, device) and each.state != LISTEN:
                return each
        return None

    def all(self, states: int, *, bound: bool = False) -> list[DiagSocket]:
        """The sockets in some states, or just those bound to a device."""
        self._count("bound" if bound else "all")
        found = (each for each in self.sockets if states >> each.state & 1)
        return [each for each in found if each.device or not bound]

    def close(self) -> None:
        """Answer no more."""
        self.closed = True

    def _count(self, question: str) -> None:
        self.asked.append(question)
        if self.broken:
            self.failure = "broken"
            raise OSError("broken")


def fake_ending(socket: DiagSocket) -> Ending:
    """The end of a socket, as the kernel tells it."""
    local, remote = (place[:ADDRESS_BYTES] for place in (socket.local, socket.remote))
    ports = socket.local[ADDRESS_BYTES:] + socket.remote[ADDRESS_BYTES:]
    family = AF_INET6
    if local.startswith(IPV4):
        family, local, remote = AF_INET, local[len(IPV4) :], remote[len(IPV4) :]
    body = struct.pack("=BBxx", family, 7) + ports + local.ljust(16, b"\0")
    body += remote.ljust(16, b"\0") + struct.pack("=IQ20x", socket.device, socket.cookie)
    return ending(struct.pack("=IHHII", 16 + len(body), 20, 0, 0, 0) + body)


class FakeEndings:
    """Tells what a test lets end; `lost`: and that there was more."""

    def __init__(self) -> None:
        self.told: list[Ending] = []
        self.lost = False
        self.closed = False

    def end(self, sockets: Iterable[DiagSocket]) -> None:
        """Let sockets end."""
        self.told += map(fake_ending, sockets)

    def take(self) -> tuple[list[Ending], bool]:
        """What has ended since the last call."""
        told, lost = self.told, self.lost
        self.told, self.lost = [], False
        return told, lost

    def close(self) -> None:
        """Tell no more."""
        self.closed = True
