"""Link headers of other wires than Ethernet: PPP, C-HDLC, FDDI, ARCNET, InfiniBand, 802.11.

Each from its standard, or from tcpdump.org/linktypes where none is named.
"""

from __future__ import annotations

import struct
import zlib

from captures.make.link_headers import (
    CLIENT_MAC,
    SERVER_MAC,
    VLAN,
    ether_type,
    ethernet,
    is_ipv6_packet,
)

PPP_IPV4, PPP_IPV6, PPP_MPLS = 0x21, 0x57, 0x281  # IANA
FRAMING = bytes.fromhex("ff03")  # RFC 1662
MPLS, BACKBONE, PPPOE_SESSION = 0x8847, 0x88E7, 0x8864  # EtherTypes

RADIOTAP_FLAGS, RADIOTAP_TIME, RADIOTAP_MORE = 1 << 1, 1 << 0, 1 << 31
PADDED = 0x20  # of radiotap's flags


def ppp(
    packet: bytes,
    *,
    framing: bytes = FRAMING,
    compressed: bool = False,
    protocol: int | None = None,
) -> bytes:
    """PPP (RFC 1661); `compressed` leaves out the first byte of the protocol."""
    number = PPP_IPV6 if is_ipv6_packet(packet) else PPP_IPV4
    number = number if protocol is None else protocol
    return framing + number.to_bytes(1 if compressed else 2, "big") + packet


def pppoe(packet: bytes, *, length: int | None = None) -> bytes:
    """A PPPoE session (RFC 2516): version and type 1, code 0, a number, a length."""
    body = ppp(packet, framing=b"")
    declared = len(body) if length is None else length
    return struct.pack(">BBHH", 0x11, 0, 0x0F07, declared) + body


def hdlc(packet: bytes, *, address: int = 0x0F, protocol: int | None = None) -> bytes:
    """C-HDLC (RFC 1547 section 4.3.1): address, a zero byte, an EtherType."""
    kind = ether_type(packet) if protocol is None else protocol
    return struct.pack(">BBH", address, 0, kind) + packet


def snap(packet: bytes, *, organisation: int = 0) -> bytes:
    """LLC and SNAP (RFC 1042)."""
    number = organisation.to_bytes(3, "big")
    return bytes.fromhex("aaaa03") + number + struct.pack(">H", ether_type(packet)) + packet


def fddi(packet: bytes, *, control: int = 0x50) -> bytes:
    """FDDI (ISO 9314-2): frame control and addresses, before LLC."""
    return bytes([control]) + SERVER_MAC + CLIENT_MAC + snap(packet)


def arcnet(packet: bytes, *, linux: bool, old: bool = False, split: int = 0) -> bytes:
    """ARCNET: of RFC 1051 (`old`, IPv4 only) or RFC 1201; of BSD or, with two bytes more, Linux."""
    kind = 240 if old else 196 if is_ipv6_packet(packet) else 212
    head = bytes([1, 2, *([0, 0] if linux else []), kind])
    return head + (b"" if old else struct.pack(">BH", split, 7)) + packet


def arcnet_exception(packet: bytes, *, split: int = 0) -> bytes:
    """An exception frame of ARCNET (RFC 1201 section 2.2): FF FF FF pads, then the true fields."""
    kind = 196 if is_ipv6_packet(packet) else 212
    pad = bytes([0xFF, 0xFF, 0xFF])
    return bytes([1, 2, kind]) + pad + bytes([kind]) + struct.pack(">BH", split, 7) + packet


def ipoib(packet: bytes) -> bytes:
    """IP over InfiniBand: 40 bytes of routing header, then RFC 4391's type and two bytes."""
    return bytes(40) + struct.pack(">HH", ether_type(packet), 0) + packet


def mpacket(packet: bytes, *, delimiter: int = 0xD5, continued: int | None = None) -> bytes:
    """An mPacket (IEEE 802.3 figure 99-4) with its CRC; `continued`: delimiter of a later part."""
    frame = ethernet(packet)
    crc = zlib.crc32(frame).to_bytes(4, "little")
    if continued is not None:
        return b"\x55" * 6 + bytes([continued, 0xE6]) + packet + crc
    return b"\x55" * 7 + bytes([delimiter]) + frame + crc


def mpls(packet: bytes, *labels: int) -> bytes:
    """MPLS labels (RFC 3032), the last with the bottom-of-stack bit."""
    stack = b""
    for place, label in enumerate(labels, 1):
        stack += struct.pack(">I", label << 12 | (place == len(labels)) << 8 | 64)
    return stack + packet


def backbone(frame: bytes, *, instance: int = 0x1234) -> bytes:
    """802.1ah: the tag of a service instance before a customer's whole frame."""
    return struct.pack(">I", instance) + frame


def tagged(packet: bytes, number: int = 7) -> bytes:
    """What follows the EtherType of a tag."""
    return struct.pack(">HH", number, ether_type(packet)) + packet


def wlan(
    packet: bytes,
    *,
    flags: int = 0x01,
    quality: bytes = b"",
    fragment: int = 0,
    padded: bool = False,
    body: bytes | None = None,
) -> bytes:
    """A data frame of IEEE 802.11 (section 9.3.2); `quality` is a QoS field of two bytes.

    `flags`: 1 to, 2 from the distribution system, 0x40 protected, 0x80 with an HT control field.
    """
    subtype = 0x88 if quality else 0x08
    header = bytes([subtype, flags]) + bytes(2) + SERVER_MAC + CLIENT_MAC + SERVER_MAC
    header += struct.pack("<H", 0x100 | fragment)
    if flags & 3 == 3:
        header += CLIENT_MAC
    header += quality + (bytes(4) if quality and flags & 0x80 else b"")
    if padded:
        header += bytes(-len(header) % 4)
    return header + (snap(packet) if body is None else body)


def aggregate(*packets: bytes) -> bytes:
    """An A-MSDU (IEEE 802.11 section 9.3.2.2): frames with addresses and length, padded to four."""
    body = b""
    for packet in packets:
        part = snap(packet)
        body += (
            bytes(-len(body) % 4) + SERVER_MAC + CLIENT_MAC + struct.pack(">H", len(part)) + part
        )
    return body


def radiotap(
    frame: bytes, *, flags: int | None = None, time: bool = False, words: int = 1
) -> bytes:
    """A radiotap header (radiotap.org) with these fields, in so many words of presence."""
    present = (RADIOTAP_FLAGS if flags is not None else 0) | (RADIOTAP_TIME if time else 0)
    masks = [present, *[0] * (words - 1)]
    masks = [mask | RADIOTAP_MORE for mask in masks[:-1]] + masks[-1:]
    fields = b"".join(struct.pack("<I", mask) for mask in masks)
    if time:
        fields += bytes(-(4 + len(fields)) % 8) + struct.pack("<Q", 1)
    if flags is not None:
        fields += bytes([flags])
    return struct.pack("<BBH", 0, 0, 4 + len(fields)) + fields + frame


def tagged_ethernet(packet: bytes, number: int = 7) -> bytes:
    """An Ethernet frame with one 802.1Q tag."""
    return ethernet(packet, tags=[(VLAN, number)])
