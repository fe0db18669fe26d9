"""The addresses of the host's interfaces, asked of the kernel by route netlink (rtnetlink(7))."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

# linux/netlink.h and linux/rtnetlink.h
_GET_ADDRESSES = 22
_REQUEST_DUMP = 0x1 | 0x300
_ERROR = 2
_DONE = 3
_NEW_ADDRESS = 20

# linux/if_addr.h. On a point-to-point link ADDRESS is the peer's and LOCAL our own.
_ADDRESS = 1
_LOCAL = 2

_MESSAGE = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ADDRESS_HEAD = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, interface index
_ATTRIBUTE = struct.Struct("=HH")  # length, type

_LARGEST_ANSWER = 64 * 1024  # the kernel sends at most 32 KiB at a time


def addresses_by_interface() -> dict[str, list[str]]:
    """The text of each interface's addresses; without the interfaces that have none."""
    names = dict(socket.if_nameindex())
    found: dict[str, list[str]] = {}
    for index, address in _addresses():
        if index in names:
            found.setdefault(names[index], []).append(address)
    return found


def _addresses() -> Iterator[tuple[int, str]]:
    """Index of the interface and text of every address."""
    head = _MESSAGE.pack(_MESSAGE.size + _ADDRESS_HEAD.size, _GET_ADDRESSES, _REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(head + _ADDRESS_HEAD.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
        while True:
            for kind, body in _split(kernel.recv(_LARGEST_ANSWER), _MESSAGE):
                if kind in (_DONE, _ERROR):
                    return
                if kind == _NEW_ADDRESS:
                    yield from _address_in(body)


def _address_in(body: bytes) -> Iterator[tuple[int, str]]:
    family, _prefix, _flags, _scope, index = _ADDRESS_HEAD.unpack_from(body)
    attributes = dict(_split(body[_ADDRESS_HEAD.size :], _ATTRIBUTE))
    packed = attributes.get(_LOCAL, attributes.get(_ADDRESS))
    if packed is not None and family in (socket.AF_INET, socket.AF_INET6):
        yield index, socket.inet_ntop(family, packed)


def _split(content: bytes, head: struct.Struct) -> Iterator[tuple[int, bytes]]:
    """Types and bodies of messages or attributes: length and type first, filled up to 4 bytes."""
    at = 0
    while at + head.size <= len(content):
        length, kind = head.unpack_from(content, at)[:2]
        if length < head.size:
            return
        yield kind, content[at + head.size : at + length]
        at += length + (-length % 4)
