"""The headers below IP: Ethernet with VLAN tags, Linux cooked, BSD loopback."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# LINKTYPE_ numbers (tcpdump.org/linktypes.html).
NULL, ETHERNET, RAW_DLT, RAW, LOOP, COOKED_V1, USER0 = 0, 1, 12, 101, 108, 113, 147
RAW_IPV4, RAW_IPV6, COOKED_V2 = 228, 229, 276
ARCNET_BSD, PPP_BARE, FDDI, RAW_OPENBSD, PPP_SERIAL, PPP_ETHERNET, HDLC = 7, 9, 10, 14, 50, 51, 104
WIRELESS, RADIOTAP, ARCNET_LINUX, PPP_PPPD, PPI = 105, 127, 129, 166, 192
PPP_WITH_DIRECTION, HDLC_WITH_DIRECTION, NFLOG, IPOIB, PKTAP, MPACKET = 204, 205, 239, 242, 258, 274

LINK_NAMES = {
    NULL: "BSD null",
    ETHERNET: "Ethernet",
    RAW: "raw IP",
    RAW_DLT: "raw IP",
    LOOP: "BSD loop",
    COOKED_V1: "Linux cooked v1",
    USER0: "user 0",
    RAW_IPV4: "raw IPv4",
    RAW_IPV6: "raw IPv6",
    COOKED_V2: "Linux cooked v2",
    ARCNET_BSD: "ARCNET, BSD",
    PPP_BARE: "PPP",
    FDDI: "FDDI",
    RAW_OPENBSD: "raw IP",
    PPP_SERIAL: "PPP in HDLC",
    PPP_ETHERNET: "PPPoE",
    HDLC: "Cisco HDLC",
    WIRELESS: "IEEE 802.11",
    RADIOTAP: "IEEE 802.11 with radiotap",
    ARCNET_LINUX: "ARCNET, Linux",
    PPP_PPPD: "PPP with direction, pppd",
    PPI: "PPI",
    PPP_WITH_DIRECTION: "PPP with direction",
    HDLC_WITH_DIRECTION: "Cisco HDLC with direction",
    NFLOG: "NFLOG",
    IPOIB: "IP over InfiniBand",
    PKTAP: "PKTAP",
    MPACKET: "Ethernet mPacket",
}

# EtherTypes (IEEE 802).
IPV4, ARP, IPV6, VLAN, SERVICE_VLAN = 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8

# Linux's hardware types (ARPHRD_) and packet types in cooked headers.
ETHERNET_HARDWARE, TUNNEL_HARDWARE, LOOPBACK_HARDWARE = 1, 65534, 772
TO_US, FROM_US = 0, 4

# Address families of BSD null and loop: IPv6 has another number in each BSD.
FAMILY_IPV4 = 2
FAMILY_IPV6_OPENBSD, FAMILY_IPV6_FREEBSD, FAMILY_IPV6_DARWIN = 24, 28, 30

CLIENT_MAC = bytes.fromhex("020000000001")
SERVER_MAC = bytes.fromhex("020000000002")

SHORTEST_FRAME = 60  # an Ethernet frame without its check sequence (IEEE 802.3 section 4.4.2)

IP_VERSION_6 = 6


def is_ipv6_packet(packet: bytes) -> bool:
    """Whether an IP packet says that it is version 6."""
    return packet[0] >> 4 == IP_VERSION_6


def ether_type(packet: bytes) -> int:
    """The EtherType of an IP packet, by its version."""
    return IPV6 if is_ipv6_packet(packet) else IPV4


def ethernet(
    packet: bytes,
    *,
    source: bytes = CLIENT_MAC,
    destination: bytes = SERVER_MAC,
    tags: Sequence[tuple[int, int]] = (),
    protocol: int | None = None,
) -> bytes:
    """An Ethernet frame; `tags` are (EtherType, VLAN number) from the outermost inward.

    `protocol` is what follows the tags; left out, it is that of the IP packet.
    """
    types = [kind for kind, _ in tags] + [ether_type(packet) if protocol is None else protocol]
    frame = destination + source + struct.pack(">H", types[0])
    for (_, number), kind in zip(tags, types[1:], strict=True):
        frame += struct.pack(">HH", number, kind)
    return frame + packet


def padded(frame: bytes, filler: bytes = b"\0") -> bytes:
    """The frame filled up to Ethernet's least length, as a receiver sees it."""
    return frame + filler * (SHORTEST_FRAME - len(frame))


def cooked_v1(
    packet: bytes,
    *,
    packet_type: int,
    hardware_type: int = ETHERNET_HARDWARE,
    address: bytes = CLIENT_MAC,
    protocol: int | None = None,
) -> bytes:
    """LINKTYPE_LINUX_SLL: 16 bytes, the protocol at their end."""
    kind = ether_type(packet) if protocol is None else protocol
    return (
        struct.pack(">HHH8sH", packet_type, hardware_type, len(address), address, kind)  # 8s pads
        + packet
    )


def cooked_v2(
    packet: bytes,
    *,
    packet_type: int,
    interface_index: int = 2,
    hardware_type: int = ETHERNET_HARDWARE,
    address: bytes = CLIENT_MAC,
    protocol: int | None = None,
) -> bytes:
    """LINKTYPE_LINUX_SLL2: 20 bytes, the protocol in front, with the index of the interface."""
    kind = ether_type(packet) if protocol is None else protocol
    head = struct.pack(
        ">HHIHBB", kind, 0, interface_index, hardware_type, packet_type, len(address)
    )
    return head + struct.pack("8s", address) + packet


def null(
    packet: bytes, *, ipv6_family: int = FAMILY_IPV6_FREEBSD, big_endian: bool = False
) -> bytes:
    """LINKTYPE_NULL: the address family in the byte order of the host that captured."""
    family = ipv6_family if is_ipv6_packet(packet) else FAMILY_IPV4
    return struct.pack(">I" if big_endian else "<I", family) + packet


def loop(packet: bytes, *, ipv6_family: int = FAMILY_IPV6_OPENBSD) -> bytes:
    """LINKTYPE_LOOP: the address family in network byte order, as OpenBSD writes it."""
    return null(packet, ipv6_family=ipv6_family, big_endian=True)
