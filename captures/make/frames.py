"""TCP segments and IP packets built with struct alone, one function a header.

`ethernet(ipv4(client, server, tcp(client, server, flags=SYN)))` is a whole frame; `ethernet` and
the other link layers are in link_headers.py. Checksums are right unless a length is forged.
"""

from __future__ import annotations

import struct
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

# Flag bits of TCP (RFC 9293 section 3.1; AE: RFC 9768).
FIN, SYN, RST, PUSH, ACK, URG, ECE, CWR, AE = (1 << bit for bit in range(9))

# Protocol numbers (IANA).
ICMP, TCP, UDP, ICMP_6 = 1, 6, 17, 58


class Endpoint(NamedTuple):
    """One end of a connection: the text of an address, and a port."""

    address: str
    port: int


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def pseudo_header(source: Endpoint, destination: Endpoint, protocol: int, length: int) -> bytes:
    """What TCP and UDP checksum besides themselves (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    addresses = ip_address(source.address).packed + ip_address(destination.address).packed
    if is_ipv6(source.address):
        return addresses + struct.pack(">I3xB", length, protocol)
    return addresses + struct.pack(">BBH", 0, protocol, length & 0xFFFF)  # offloaded: too long


def tcp(
    source: Endpoint,
    destination: Endpoint,
    *,
    flags: int,
    sequence: int = 0,
    acknowledgment: int = 0,
    window: int = 65535,
    options: bytes = b"",
    payload: bytes = b"",
    data_offset: int | None = None,
) -> bytes:
    """A TCP segment; `data_offset` (in words) forges the header's own length."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if data_offset is None else data_offset
    ports_and_numbers = struct.pack(
        ">HHII",
        source.port,
        destination.port,
        sequence & 0xFFFFFFFF,
        acknowledgment & 0xFFFFFFFF,
    )
    head = ports_and_numbers + struct.pack(">HH", words << 12 | flags, window)
    rest = b"\0\0" + options + payload  # the urgent pointer is never used
    length = len(head) + 2 + len(rest)
    total = checksum(pseudo_header(source, destination, TCP, length) + head + b"\0\0" + rest)
    return head + struct.pack(">H", total) + rest


def udp(source: Endpoint, destination: Endpoint, payload: bytes) -> bytes:
    """A UDP datagram (RFC 768)."""
    length = 8 + len(payload)
    head = struct.pack(">HHH", source.port, destination.port, length)
    pseudo = pseudo_header(source, destination, UDP, length)
    total = checksum(pseudo + head + b"\0\0" + payload) or 0xFFFF
    return head + struct.pack(">H", total) + payload


def icmp(source: Endpoint, destination: Endpoint, kind: int, code: int, body: bytes) -> bytes:
    """An ICMP message (RFC 792) or ICMPv6 message (RFC 4443) without the second word's meaning."""
    message = struct.pack(">BBH", kind, code, 0) + body
    pseudo = b""
    if is_ipv6(source.address):
        pseudo = pseudo_header(source, destination, ICMP_6, len(message))
    return message[:2] + struct.pack(">H", checksum(pseudo + message)) + message[4:]


def ipv4(
    source: Endpoint,
    destination: Endpoint,
    payload: bytes,
    *,
    protocol: int = TCP,
    identification: int = 0,
    ttl: int = 64,
    fragment_offset: int = 0,
    more_fragments: bool = False,
    options: bytes = b"",
    total_length: int | None = None,
    header_words: int | None = None,
) -> bytes:
    """An IPv4 packet (RFC 791); `total_length` and `header_words` forge these two fields.

    `fragment_offset` is in bytes, a multiple of 8. Packets that are no fragments must not be
    fragmented (DF), as TCP sends them.
    """
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if header_words is None else header_words
    length = 20 + len(options) + len(payload) if total_length is None else total_length
    is_fragment = more_fragments or fragment_offset > 0
    fragment = fragment_offset // 8 | more_fragments << 13 | (not is_fragment) << 14
    head = struct.pack(
        ">BBHHHBB", 4 << 4 | words, 0, length, identification, fragment, ttl, protocol
    )
    addresses = ip_address(source.address).packed + ip_address(destination.address).packed
    total = checksum(head + b"\0\0" + addresses + options)
    return head + struct.pack(">H", total) + addresses + options + payload


def ipv6(
    source: Endpoint,
    destination: Endpoint,
    payload: bytes,
    *,
    protocol: int = TCP,
    hop_limit: int = 64,
    payload_length: int | None = None,
) -> bytes:
    """An IPv6 packet (RFC 8200); `payload_length` forges that field.

    `extension_headers.inserted` adds extension headers.
    """
    length = len(payload) if payload_length is None else payload_length
    head = struct.pack(">IHBB", 6 << 28, length, protocol, hop_limit)
    addresses = ip_address(source.address).packed + ip_address(destination.address).packed
    return head + addresses + payload


def ip(
    source: Endpoint,
    destination: Endpoint,
    payload: bytes,
    *,
    identification: int = 0,
    ttl: int = 64,
    declared: int | None = None,
) -> bytes:
    """A packet of the addresses' own version, without options; IPv6 carries no identification.

    `declared` forges IPv4's total length or IPv6's payload length.
    """
    if is_ipv6(source.address):
        return ipv6(source, destination, payload, hop_limit=ttl, payload_length=declared)
    return ipv4(
        source,
        destination,
        payload,
        identification=identification,
        ttl=ttl,
        total_length=declared,
    )


def is_ipv6(address: str) -> bool:
    """Whether the text is that of an IPv6 address."""
    return isinstance(ip_address(address), IPv6Address)
