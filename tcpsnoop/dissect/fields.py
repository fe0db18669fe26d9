"""Reading headers: the check before each, big-endian numbers, and where each field stands.

A frame is the captured bytes of one packet, an array that ends where they end. Before a header is
read, `holds` compares its offset with 0 and its end with the end of the frame; the compiler then
knows that its fields are inside, and compares no more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Truth, inlined, number_reader

Bytes = NDArray[np.uint8]

# Ethernet (IEEE 802.3 section 3.2): addresses, then an EtherType, or a length below 1536.
ETHERNET_TYPE = 12
ETHERNET_SIZE = 14

# LLC with a SNAP header (RFC 1042): AA AA 03, an organisation, then an EtherType.
SNAP_HEAD = 0
SNAP_ORGANISATION = 3
SNAP_TYPE = 6
SNAP_SIZE = 8

# BSD null and loop (tcpdump.org/linktypes, LINKTYPE_NULL): an address family.
FAMILY_SIZE = 4

# Linux cooked capture, version 1 (tcpdump.org/linktypes, LINKTYPE_LINUX_SLL).
COOKED_V1_PACKET_TYPE = 0
COOKED_V1_HARDWARE = 2
COOKED_V1_PROTOCOL = 14
COOKED_V1_SIZE = 16

# Linux cooked capture, version 2 (LINKTYPE_LINUX_SLL2).
COOKED_V2_PROTOCOL = 0
COOKED_V2_INTERFACE = 4
COOKED_V2_HARDWARE = 8
COOKED_V2_PACKET_TYPE = 10
COOKED_V2_SIZE = 20

# PKTAP (LINKTYPE_PKTAP), little-endian: the length of the header comes first.
PKTAP_LENGTH = 0
PKTAP_KIND = 4
PKTAP_LINK_TYPE = 8
PKTAP_FLAGS = 36
PKTAP_SIZE = 108

# IPv4 (RFC 791 section 3.1).
IPV4_VERSION_AND_LENGTH = 0
IPV4_TOTAL_LENGTH = 2
IPV4_IDENTIFICATION = 4
IPV4_FRAGMENT = 6
IPV4_TTL = 8
IPV4_PROTOCOL = 9
IPV4_SOURCE = 12
IPV4_DESTINATION = 16
IPV4_SIZE = 20
IPV4_OFFSET_MASK = 0x1FFF  # fragment offset, in units of 8 bytes

# IPv6 (RFC 8200 section 3).
IPV6_VERSION = 0
IPV6_PAYLOAD_LENGTH = 4
IPV6_NEXT_HEADER = 6
IPV6_HOP_LIMIT = 7
IPV6_SOURCE = 8
IPV6_SOURCE_LOW = 16
IPV6_DESTINATION = 24
IPV6_DESTINATION_LOW = 32
IPV6_SIZE = 40

# Extension headers (RFC 8200 section 4, RFC 4302 section 2): all but Fragment have a length.
EXTENSION_NEXT = 0
EXTENSION_LENGTH = 1
EXTENSION_SIZE = 8
FRAGMENT_OFFSET = 2
FRAGMENT_OFFSET_MASK = 0xFFF8  # above two reserved bits and the M flag; in bytes

# An option in a hop-by-hop header (RFC 8200 section 4.2), and the jumbo payload (RFC 2675).
OPTION_TYPE = 0  # and the length behind it
OPTION_SIZE = 2
JUMBO_LENGTH = 2
JUMBO_SIZE = 6

# TCP (RFC 9293 section 3.1).
TCP_SOURCE_PORT = 0
TCP_DESTINATION_PORT = 2
TCP_SEQUENCE = 4
TCP_ACKNOWLEDGMENT = 8
TCP_OFFSET_AND_FLAGS = 12
TCP_WINDOW = 14
TCP_CHECKSUM = 16  # the urgent pointer and the options follow
TCP_SIZE = 20

# ICMP (RFC 792) and ICMPv6 (RFC 4443 section 2.1): an error quotes behind this.
ICMP_TYPE = 0
ICMP_SIZE = 8


@inlined
def holds(frame: Bytes, at: Integer, size: Integer) -> Truth:
    """Whether the frame has `size` bytes from offset `at` on."""
    return 0 <= at <= frame.size - size


# The big-endian number at `field` of the header that begins at `at` of a frame, `u16(frame, at,
# field)`; eight bytes are half of an address (batches.addresses).
u8 = number_reader(1, "big")
u16 = number_reader(2, "big")
u32 = number_reader(4, "big")
s64 = number_reader(8, "big")
# The little-endian number.
little16 = number_reader(2, "little")
little32 = number_reader(4, "little")
