"""Headers of tunnels, from their specifications: what stands between outer IP and inner IP."""

from __future__ import annotations

import struct

from captures.make.link_headers import ether_type, is_ipv6_packet

IPV4_IN_IP, IPV6_IN_IP, GRE, UDP, AUTHENTICATION = 4, 41, 47, 17, 51
TRANSPARENT_ETHERNET, PPP, ERSPAN, ERSPAN_III = 0x6558, 0x880B, 0x88BE, 0x22EB
L2TP, GTP, TEREDO, VXLAN, VXLAN_GPE, AYIYA, GENEVE = 1701, 2152, 3544, 4789, 4790, 5072, 6081
VXLAN_LINUX = 8472


def gre(
    inner: bytes,
    *,
    protocol: int | None = None,
    checksum: bool = False,
    key: int | None = None,
    sequence: int | None = None,
) -> bytes:
    """GRE (RFC 2784, RFC 2890)."""
    flags = checksum << 15 | (key is not None) << 13 | (sequence is not None) << 12
    kind = ether_type(inner) if protocol is None else protocol
    words = [0] * checksum + [each for each in (key, sequence) if each is not None]
    return struct.pack(">HH", flags, kind) + b"".join(struct.pack(">I", w) for w in words) + inner


def enhanced_gre(payload: bytes, *, sequence: int | None, acknowledgment: int | None) -> bytes:
    """The GRE of PPTP (RFC 2637 section 4.1), with PPP in it."""
    flags = 0x2001 | (sequence is not None) << 12 | (acknowledgment is not None) << 7
    numbers = [each for each in (sequence, acknowledgment) if each is not None]
    head = struct.pack(">HHHH", flags, PPP, len(payload), 9)
    return head + b"".join(struct.pack(">I", number) for number in numbers) + payload


def erspan_ii(frame: bytes, *, version: int = 1) -> bytes:
    """ERSPAN type II with its GRE header (draft-foschiano-erspan-03 section 4.2)."""
    head = struct.pack(">HHI", version << 12 | 7, 5, 3)
    return gre(head + frame, protocol=ERSPAN, sequence=1)


def erspan_iii(carried: bytes, *, kind: int = 0, platform: bool = False) -> bytes:
    """ERSPAN type III (section 4.3): frame type 0 is Ethernet, 2 IP."""
    head = struct.pack(">HHIHH", 2 << 12 | 7, 5, 1, 0, kind << 10 | platform)
    return gre(head + bytes(8 * platform) + carried, protocol=ERSPAN_III, sequence=1)


def vxlan(
    frame: bytes, *, network: int = 42, valid: bool = True, reserved: bytes = bytes(3)
) -> bytes:
    """VXLAN (RFC 7348)."""
    return bytes([valid << 3]) + reserved + struct.pack(">I", network << 8) + frame


def vxlan_gpe(carried: bytes, *, carries: int) -> bytes:
    """VXLAN's extension (draft-ietf-nvo3-vxlan-gpe): 1 IPv4, 2 IPv6, 3 Ethernet, 4 others."""
    return struct.pack(">BHBI", 0x0C, 0, carries, 42 << 8) + carried


def geneve(carried: bytes, *, protocol: int, options: bytes = b"", version: int = 0) -> bytes:
    """Geneve (RFC 8926); options are a multiple of four bytes."""
    head = struct.pack(">BBHI", version << 6 | len(options) // 4, 0, protocol, 42 << 8)
    return head + options + carried


def gtp(
    carried: bytes,
    *,
    message: int = 255,
    sequence: int | None = None,
    extensions: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """GTP-U (3GPP TS 29.281); an extension is its type and content, 2 more than 4 n bytes."""
    flags = 0x30 | bool(extensions) << 2 | (sequence is not None) << 1
    optional = b""
    if flags & 7:
        kinds = [kind for kind, _ in extensions] + [0]
        optional = struct.pack(">HBB", sequence or 0, 0, kinds[0])
        for (_, content), following in zip(extensions, kinds[1:], strict=True):
            optional += bytes([(len(content) + 2) // 4]) + content + bytes([following])
    return (
        struct.pack(">BBHI", flags, message, len(optional) + len(carried), 7) + optional + carried
    )


def l2tp(
    payload: bytes, *, length: bool = True, sequence: bool = False, offset: int | None = None
) -> bytes:
    """A data message of L2TP version 2 (RFC 2661 section 3.1)."""
    flags = length << 14 | sequence << 11 | (offset is not None) << 9 | 2
    rest = struct.pack(">HH", 5, 6) + (struct.pack(">HH", 1, 0) if sequence else b"")
    if offset is not None:
        rest += struct.pack(">H", offset) + bytes(offset)
    head = struct.pack(">H", flags)
    if length:
        head += struct.pack(">H", 4 + len(rest) + len(payload))
    return head + rest + payload


def teredo(packet: bytes, *, authentication: bool = False, origin: bool = False) -> bytes:
    """Teredo (RFC 4380 section 5.1.1): indications before an IPv6 packet."""
    head = b""
    if authentication:
        head += struct.pack(">HBB", 1, 3, 4) + b"abc" + bytes(4) + bytes(8) + b"\0"
    if origin:
        head += struct.pack(">HHI", 0, 0xFFFF ^ 40000, 0xFFFFFFFF ^ 0xCB007101)
    return head + packet


def ayiya(packet: bytes, *, operation: int = 1) -> bytes:
    """AYIYA (draft-massar-v6ops-ayiya-02): an identity of 16 bytes, a SHA-1 signature of 20."""
    following = IPV6_IN_IP if is_ipv6_packet(packet) else IPV4_IN_IP
    head = struct.pack(">BBBBI", 0x41, 0x52, 0x10 | operation, following, 1)
    return head + bytes(16) + bytes(20) + packet
