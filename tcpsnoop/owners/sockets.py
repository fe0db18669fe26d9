"""A TCP socket as the kernel shows it, and what every way to ask for one offers.

A *place* is an address and a port in 18 bytes: those of the address (IPv4 as `::ffff:a.b.c.d`, as
everywhere, batches.addresses) and of the port, in network order. A socket of IPv4 and an IPv6
socket that speaks IPv4 are then found by the same places.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterable
from itertools import chain
from typing import NamedTuple, Protocol

# include/net/tcp_states.h of the kernel.
ESTABLISHED = 1
SYN_SENT = 2
SYN_RECV = 3
CLOSE_WAIT = 8
LISTEN = 10

IPV4 = bytes(10) + b"\xff\xff"  # what the places of IPv4 begin with
ADDRESS_BYTES = 16
ANY_IPV4 = IPV4 + bytes(4)
ANY_IPV6 = bytes(ADDRESS_BYTES)

_PLACE = struct.Struct(">qqH")


def place(high: int, low: int, port: int) -> bytes:
    """The place of an address (two halves as in batches.addresses) and a port."""
    return _PLACE.pack(high, low, port)


def parts(place: bytes) -> tuple[int, int, int]:
    """The halves of the address and the port of a place."""
    high, low, port = _PLACE.unpack(place)
    return high, low, port


class Socket(NamedTuple):
    """A socket that does not listen: its state, and its inode, 0 when no process can hold it.

    The cookie is the kernel's own number of a socket, never used again and kept when the socket
    is closed; 0 where it is not told.
    """

    state: int
    inode: int
    cookie: int = 0

    def is_one_of(self, inodes: Container[int], cookie: int) -> bool:
        """Whether it may be the socket that had the cookie, or one of those that had the inodes.

        When its process has closed it, it has no inode any more.
        """
        if self.cookie and cookie:
            return self.cookie == cookie
        return self.inode == 0 or self.inode in inodes


class Sockets(Protocol):
    """The TCP sockets of a network namespace, to be asked for at one look."""

    @property
    def readable(self) -> bool:
        """Whether what was asked could be answered."""

    def find(self, local: bytes, remote: bytes) -> Socket | None:
        """The socket with these ends (places), if there is one."""

    def listeners(self, local: bytes) -> tuple[int, ...]:
        """Inodes of the listening sockets that get what is sent to `local`."""


def who_listens(
    local: bytes, groups: Callable[[bytes], Iterable[tuple[int, ...]]]
) -> tuple[int, ...]:
    """The listeners for `local` by the kernel's choice; `groups` gives those bound to a place.

    An exact address comes before a wildcard, an IPv4 wildcard before that of IPv6, which takes
    IPv4 unless it is told not to (inet_lookup_listener and compute_score of the kernel).
    """
    exact = tuple(chain.from_iterable(groups(local)))
    if exact:
        return exact
    wildcards = (ANY_IPV4, ANY_IPV6) if local.startswith(IPV4) else (ANY_IPV6,)
    for wildcard in wildcards:
        for group in groups(wildcard + local[ADDRESS_BYTES:]):
            if group:
                return group
    return ()
