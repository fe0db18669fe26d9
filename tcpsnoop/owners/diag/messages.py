"""The messages of sock_diag(7) about TCP: requests as bytes, and sockets out of answers.

Layouts: linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h. Netlink speaks in the byte order
of the machine; addresses and ports are in network order. An IPv4 socket comes as four bytes of its
family, an IPv6 socket that speaks IPv4 as `::ffff:a.b.c.d`: here both become places of one form.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

from tcpsnoop.owners.sockets import ADDRESS_BYTES, IPV4

# linux/netlink.h
_ERROR, _DONE = 2, 3
_REQUEST, _ALL = 1, 0x300
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port of netlink
_ATTRIBUTE = struct.Struct("=HH")  # length with this, type

# linux/sock_diag.h, linux/inet_diag.h
_BY_FAMILY = 20
_BOTH_FAMILIES = 18  # TCPDIAG_GETSOCK: older, and the only one to list both in one walk
_BYTECODE = 1
_ONLY_IPV6 = 11
_NO_COOKIE = b"\xff" * 8
_ANY_ENDS = bytes(48)

# Family, protocol, what else to tell, nothing, states; then the ends: ports, addresses, device.
_ASK_ONE = struct.Struct("=BBBxI2s2s16s16sI8s")
# Family, lengths of prefixes, what else to tell; the ends; states, a number nobody uses.
_ASK_ALL = struct.Struct("=4x48sII")
# Family, state, timers; ports, addresses, device, cookie; times and queues; user, inode.
_SOCKET = struct.Struct("=BBxx2s2s16s16sIQ12x4xI")

_COOKIE, _COOKIE_AT = struct.Struct("=Q"), 4 + 2 * 2 + 2 * 16 + 4

ALL_STATES = 0xFFFF_FFFF

# A program for the kernel (inet_diag_bc_op: what to compare, how far to go on if so, and if not):
# it takes the sockets that are bound to a device. Who goes on past the end is not taken.
_DEVICE_IS, _JUMP = 9, 1
_IS_BOUND = struct.pack("=BBHIBBH", _DEVICE_IS, 8, 12, 0, _JUMP, 4, 8)


class DiagSocket(NamedTuple):
    """A socket as the kernel tells it. Of an end that it does not have any more, bytes are 0."""

    state: int
    local: bytes  # places (owners.sockets)
    remote: bytes
    device: int  # the interface that it is bound to, 0 for none
    cookie: int
    inode: int
    only_ipv6: bool


class Ending(NamedTuple):
    """A socket that has ended, as it is told: most are of no interest but for their cookies."""

    cookie: int
    told: bytes

    @property
    def socket(self) -> DiagSocket:
        """The socket, with what is left of its ends."""
        return _socket(self.told, _HEADER.size, len(self.told))


class Message(NamedTuple):
    """One message of an answer: a socket, or the end, `error` 0 if all went well."""

    sequence: int
    socket: DiagSocket | None
    error: int = 0


def one(sequence: int, local: bytes, remote: bytes, device: int = 0) -> bytes:
    """The request for the socket with these ends, among those bound to a device or to none."""
    ipv4 = local.startswith(IPV4) and remote.startswith(IPV4)
    addresses = [place[:ADDRESS_BYTES] for place in (local, remote)]
    if ipv4:
        addresses = [address[len(IPV4) :] for address in addresses]
    body = _ASK_ONE.pack(
        socket.AF_INET if ipv4 else socket.AF_INET6,
        socket.IPPROTO_TCP,
        0,
        ALL_STATES,
        local[ADDRESS_BYTES:],
        remote[ADDRESS_BYTES:],
        *addresses,
        device,
        _NO_COOKIE,
    )
    return _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST, sequence, 0) + body


def every(sequence: int, states: int = ALL_STATES, *, bound: bool = False) -> bytes:
    """The request for all sockets in some states (bits 1 << state), or just those `bound`."""
    body = _ASK_ALL.pack(_ANY_ENDS, states, 0)
    if bound:
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(_IS_BOUND), _BYTECODE) + _IS_BOUND
    flags = _REQUEST | _ALL
    return _HEADER.pack(_HEADER.size + len(body), _BOTH_FAMILIES, flags, sequence, 0) + body


def messages(answer: bytes) -> Iterator[Message]:
    """The messages of what was received at once; ValueError when it is not of that form."""
    at = 0
    while at + _HEADER.size <= len(answer):
        length, kind, _, sequence, _ = _HEADER.unpack_from(answer, at)
        end = at + length
        if length < _HEADER.size or end > len(answer):
            raise ValueError("a netlink message is longer than what came")
        body = at + _HEADER.size
        if kind in (_DONE, _ERROR):
            error = int.from_bytes(answer[body : min(body + 4, end)], sys.byteorder, signed=True)
            yield Message(sequence, None, -error)
        elif kind in (_BY_FAMILY, _BOTH_FAMILIES):
            yield Message(sequence, _socket(answer, body, end))
        at += length + 3 & ~3


def ending(told: bytes) -> Ending:
    """What one message of a multicast group tells; ValueError when it is not of that form."""
    if len(told) < _HEADER.size + _SOCKET.size:
        raise ValueError("a message of sock_diag is shorter than its fixed part")
    return Ending(_COOKIE.unpack_from(told, _HEADER.size + _COOKIE_AT)[0], told)


def _socket(answer: bytes, at: int, end: int) -> DiagSocket:
    if end - at < _SOCKET.size:
        raise ValueError("a socket of sock_diag is shorter than its fixed part")
    family, state, lport, rport, local, remote, device, cookie, inode = _SOCKET.unpack_from(
        answer, at
    )
    if family == socket.AF_INET:
        local, remote = IPV4 + local[:4], IPV4 + remote[:4]
    only = False
    if rport == b"\0\0":
        only = _tells_only_ipv6(answer, at + _SOCKET.size, end)
    return DiagSocket(state, local + lport, remote + rport, device, cookie, inode, only)


def _tells_only_ipv6(answer: bytes, at: int, end: int) -> bool:
    """Whether a listening socket takes no IPv4."""
    while at + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(answer, at)
        if kind == _ONLY_IPV6:
            return answer[at + _ATTRIBUTE.size] != 0
        at += max(length, _ATTRIBUTE.size) + 3 & ~3
    return False
