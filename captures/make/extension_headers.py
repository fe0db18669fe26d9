"""IPv6 extension headers (RFC 8200 section 4, RFC 4302), to be inserted into a packet."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import NamedTuple

# Next header numbers (IANA).
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS = 0, 43, 44, 51, 60

LENGTH_AT, NEXT_HEADER_AT, HEADER_BYTES = 4, 6, 40  # in the IPv6 header

PAD_N, JUMBO_PAYLOAD = 1, 0xC2


class Extension(NamedTuple):
    """An IPv6 extension header: its number, and its bytes; the first is for the next number."""

    number: int
    content: bytes


def inserted(packet: bytes, *extensions: Extension) -> bytes:
    """The IPv6 packet with extension headers between its header and its payload, in this order.

    Its payload length grows with them, unless it is 0.
    """
    (length,) = struct.unpack_from(">H", packet, LENGTH_AT)
    following, body = packet[NEXT_HEADER_AT], packet[HEADER_BYTES:]
    for extension in reversed(extensions):
        body = bytes([following]) + extension.content[1:] + body
        following = extension.number
    if length > 0:
        length += sum(len(extension.content) for extension in extensions)
    head = packet[:LENGTH_AT] + struct.pack(">HB", length, following)
    return head + packet[NEXT_HEADER_AT + 1 : HEADER_BYTES] + body


def _options(options: bytes) -> bytes:
    """A header of options, filled up to a multiple of 8 bytes by PadN."""
    missing = -(2 + len(options)) % 8
    if missing == 1:  # PadN takes at least two
        missing += 8
    if missing:
        options += bytes([PAD_N, missing - 2]) + bytes(missing - 2)
    return bytes([0, (2 + len(options)) // 8 - 1]) + options


def hop_by_hop(options: bytes = b"") -> Extension:
    """A hop-by-hop options header."""
    return Extension(HOP_BY_HOP, _options(options))


def jumbo(payload_length: int) -> Extension:
    """A hop-by-hop header with the true length of a jumbogram (RFC 2675)."""
    return hop_by_hop(struct.pack(">BBI", JUMBO_PAYLOAD, 4, payload_length))


def destination_options(options: bytes = b"") -> Extension:
    """A destination options header."""
    return Extension(DESTINATION_OPTIONS, _options(options))


def routing(*visited: str) -> Extension:
    """A routing header whose segments have all been visited, so the destination is final.

    Type 253 is for experiments (RFC 4727): the deployed types have rules of their own.
    """
    addresses = b"".join(ip_address(address).packed for address in visited)
    return Extension(ROUTING, struct.pack(">BBBBI", 0, len(addresses) // 8, 253, 0, 0) + addresses)


def fragment(offset: int, *, more: bool, identification: int) -> Extension:
    """A fragment header; `offset` in bytes, a multiple of 8."""
    return Extension(FRAGMENT, struct.pack(">BBHI", 0, 0, offset | more, identification))


def authentication(check_value: bytes) -> Extension:
    """An authentication header; its length counts words, unlike the others'."""
    words = (12 + len(check_value)) // 4
    return Extension(AUTHENTICATION, struct.pack(">BBHII", 0, words - 2, 0, 0x100, 1) + check_value)
