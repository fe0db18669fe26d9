"""The sockets of a network namespace by sock_diag: each is asked for when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from tcpsnoop.owners.diag.asking import Diag
from tcpsnoop.owners.diag.messages import ALL_STATES
from tcpsnoop.owners.sockets import IPV4, LISTEN, Socket, Sockets, who_listens

# Devices that sockets are bound to are listed again so late: that walks all the kernel's tables.
DEVICES_SECONDS = 0.2


class Devices:
    """The interfaces that sockets are bound to: by SO_BINDTODEVICE, a VRF, or a link-local address.

    Such a socket is only told to who names its device. Read again every 0.2 s when asked.
    """

    def __init__(self, diag: Diag, clock: Callable[[], float]) -> None:
        self._diag = diag
        self._clock = clock
        self._read_at = -DEVICES_SECONDS
        self._indices: frozenset[int] = frozenset()

    def __call__(self) -> frozenset[int]:
        """Their numbers; none where the kernel is too old to tell (before Linux 4.7)."""
        now = self._clock()
        if now - self._read_at >= DEVICES_SECONDS:
            self._read_at = now
            with suppress(OSError):
                bound = self._diag.all(ALL_STATES & ~(1 << LISTEN), bound=True)
                self._indices = frozenset(each.device for each in bound if each.device)
        return self._indices


class DiagSockets:
    """Sockets, for one look; `otherwise` has those that are asked for when netlink fails."""

    def __init__(
        self, diag: Diag, devices: Callable[[], frozenset[int]], otherwise: Sockets
    ) -> None:
        self._diag = diag
        self._devices = devices
        self._otherwise = otherwise
        self._failed = False
        self._listening: dict[bytes, tuple[int, ...]] | None = None
        self._only_ipv6: set[int] = set()

    @property
    def readable(self) -> bool:
        """Whether what was asked could be answered."""
        return not self._failed or self._otherwise.readable

    def find(self, local: bytes, remote: bytes) -> Socket | None:
        """The socket with these ends (places), if there is one."""
        if not self._failed:
            try:
                return self._find(local, remote)
            except OSError:
                self._failed = True
        return self._otherwise.find(local, remote)

    def listeners(self, local: bytes) -> tuple[int, ...]:
        """Inodes of the listening sockets that get what is sent to `local`."""
        if not self._failed:
            try:
                return self._listeners(local)
            except OSError:
                self._failed = True
        return self._otherwise.listeners(local)

    def _find(self, local: bytes, remote: bytes) -> Socket | None:
        found = self._diag.one(local, remote)
        if found is None:
            bound = (self._diag.one(local, remote, device) for device in self._devices())
            found = next((each for each in bound if each), None)
        return Socket(found.state, found.inode, found.cookie) if found else None

    def _listeners(self, local: bytes) -> tuple[int, ...]:
        if self._listening is None:
            self._listening = {}
            for each in self._diag.all(1 << LISTEN):
                self._listening[each.local] = (*self._listening.get(each.local, ()), each.inode)
                if each.only_ipv6:
                    self._only_ipv6.add(each.inode)
        found = who_listens(local, self._groups)
        if local.startswith(IPV4):
            return tuple(inode for inode in found if inode not in self._only_ipv6)
        return found

    def _groups(self, place: bytes) -> Iterator[tuple[int, ...]]:
        yield (self._listening or {}).get(place, ())
