"""The sockets that ended lately, so that the next one in their place is not taken for them.

Between a packet and the look at its socket some milliseconds pass. If a socket with those addresses
and ports ended in that time, the one found is another's.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from tcpsnoop.owners.diag.messages import Ending
from tcpsnoop.owners.ends import ALWAYS
from tcpsnoop.owners.sockets import ADDRESS_BYTES, ANY_IPV4, ANY_IPV6

# An answer does not hold for packets so long before the look: the socket in their connection's
# place may have been another then. After a regular close Linux uses an address and port pair
# again after a second at the earliest (tcp_tw_reuse). Packets come to be labelled within 0.3 s.
OLDEST_NS = 1_000_000_000
# A flood of endings is remembered for less.
MOST = 1 << 14

_NO_ADDRESS = (ANY_IPV4, ANY_IPV6)
_NO_PORT = b"\0\0"


class _Departure(NamedTuple):
    time_ns: int
    address: bytes  # local
    cookie: int


class Departures:
    """What ended in the last second, found by the places of its ends."""

    def __init__(self) -> None:
        self._unread: deque[tuple[int, Ending]] = deque(maxlen=MOST)
        self._by_ends: dict[bytes, list[_Departure]] = {}  # local port and remote place
        self._in_order: deque[tuple[bytes, _Departure]] = deque()

    def note(self, ending: Ending, time_ns: int) -> None:
        """A socket has ended; we heard it at a time of the clock of packets."""
        self._unread.append((time_ns, ending))
        while time_ns - self._unread[0][0] > OLDEST_NS:
            self._unread.popleft()

    def last(self, local: bytes, remote: bytes, cookie: int) -> int:
        """When a socket with these ends, other than that of the cookie, ended last, or ALWAYS.

        The kernel may have forgotten the local address and the remote port of what has ended.
        """
        self._read()
        addresses = (*_NO_ADDRESS, local[:ADDRESS_BYTES])
        port = local[ADDRESS_BYTES:]
        return max(
            (
                each.time_ns
                for there in (remote, remote[:ADDRESS_BYTES] + _NO_PORT)
                for each in self._by_ends.get(port + there, ())
                if each.cookie != cookie and each.address in addresses
            ),
            default=ALWAYS,
        )

    def _read(self) -> None:
        """Read what was told: only when somebody asks, since it is a lot on a busy machine."""
        newest_ns = self._unread[-1][0] if self._unread else ALWAYS
        while self._unread:
            time_ns, ending = self._unread.popleft()
            socket = ending.socket
            address, port = socket.local[:ADDRESS_BYTES], socket.local[ADDRESS_BYTES:]
            # Without a remote address it was never connected, or it listened.
            if port != _NO_PORT and socket.remote[:ADDRESS_BYTES] not in _NO_ADDRESS:
                ends, departure = port + socket.remote, _Departure(time_ns, address, ending.cookie)
                self._in_order.append((ends, departure))
                self._by_ends.setdefault(ends, []).append(departure)
        while self._in_order and (
            len(self._in_order) > MOST or newest_ns - self._in_order[0][1].time_ns > OLDEST_NS
        ):
            self._forget()

    def _forget(self) -> None:
        ends, _ = self._in_order.popleft()
        self._by_ends[ends].pop(0)
        if not self._by_ends[ends]:
            del self._by_ends[ends]
