"""pcapng files built with struct alone, block by block (draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, ip_address, ip_interface

from captures.make.files import SECOND_NS, SNAPLEN, Record, exact
from captures.make.link_headers import ETHERNET

# Block types and option codes.
SECTION_HEADER, INTERFACE_DESCRIPTION, OBSOLETE_PACKET, SIMPLE_PACKET = 0x0A0D0D0A, 1, 2, 3
NAME_RESOLUTION, INTERFACE_STATISTICS, ENHANCED_PACKET, CUSTOM = 4, 5, 6, 0x0BAD
END_OF_OPTIONS, IF_NAME, IF_IPV4_ADDRESS, IF_IPV6_ADDRESS = 0, 2, 4, 5
IF_TIMESTAMP_RESOLUTION, IF_TIMESTAMP_OFFSET, PACKET_FLAGS = 9, 14, 2
END_OF_RECORDS, IPV4_RECORD, IPV6_RECORD = 0, 1, 2  # of a Name Resolution Block
BYTE_ORDER_MAGIC = 0x1A2B3C4D

DEFAULT_RESOLUTION = 6  # of if_tsresol: microseconds
POWER_OF_TWO = 0x80  # in if_tsresol: the other bits are an exponent of 2, not of 10


@dataclass(frozen=True)
class Interface:
    """An Interface Description Block; a `resolution` or `offset` of None writes no option."""

    link_type: int = ETHERNET
    snaplen: int = SNAPLEN
    resolution: int | None = None  # the byte of if_tsresol
    offset: int | None = None  # seconds added to every time of the interface
    name: str = ""
    addresses: tuple[str, ...] = ()  # with the length of their prefix

    @property
    def units(self) -> int:
        """Units of its clock in a second."""
        resolution = DEFAULT_RESOLUTION if self.resolution is None else self.resolution
        if resolution & POWER_OF_TWO:
            return 1 << (resolution & ~POWER_OF_TWO)
        return int(10**resolution)

    def ticks(self, time_ns: int) -> int:
        """The time in its units; ValueError where it would have to be rounded."""
        return exact(time_ns - (self.offset or 0) * SECOND_NS, self.units)


@dataclass(frozen=True)
class Blocks:
    """The pcapng blocks of one byte order; each method gives one whole block."""

    order: str = "<"

    def block(self, kind: int, body: bytes) -> bytes:
        """Any block: its type, its length in front and behind, the body filled to 4 bytes."""
        body += b"\0" * (-len(body) % 4)
        length = self.pack("I", 12 + len(body))
        return self.pack("I", kind) + length + body + length

    def section_header(self) -> bytes:
        """A Section Header Block of unstated section length."""
        return self.block(SECTION_HEADER, self.pack("IHHq", BYTE_ORDER_MAGIC, 1, 0, -1))

    def interface(self, interface: Interface) -> bytes:
        """An Interface Description Block."""
        options = []
        if interface.name:
            options.append((IF_NAME, interface.name.encode()))
        for text in interface.addresses:
            known = ip_interface(text)
            if isinstance(known, IPv4Interface):
                options.append((IF_IPV4_ADDRESS, known.packed + known.netmask.packed))
            else:
                prefix = bytes([known.network.prefixlen])
                options.append((IF_IPV6_ADDRESS, known.packed + prefix))
        if interface.resolution is not None:
            options.append((IF_TIMESTAMP_RESOLUTION, bytes([interface.resolution])))
        if interface.offset is not None:
            options.append((IF_TIMESTAMP_OFFSET, self.pack("q", interface.offset)))
        body = self.pack("HHI", interface.link_type, 0, interface.snaplen)
        return self.block(INTERFACE_DESCRIPTION, body + self.options(options))

    def enhanced_packet(self, record: Record, interface: Interface) -> bytes:
        """An Enhanced Packet Block, with epb_flags when the record has a direction."""
        ticks = interface.ticks(record.time_ns)
        lengths = (len(record.frame), record.length)
        head = self.pack("IIIII", record.interface, ticks >> 32, ticks & 0xFFFFFFFF, *lengths)
        flags = (
            [] if record.direction is None else [(PACKET_FLAGS, self.pack("I", record.direction))]
        )
        return self.block(ENHANCED_PACKET, head + _filled(record.frame) + self.options(flags))

    def obsolete_packet(self, record: Record, interface: Interface) -> bytes:
        """A Packet Block, which the Enhanced Packet Block replaced; it says nothing of drops."""
        ticks = interface.ticks(record.time_ns)
        lengths = (len(record.frame), record.length)
        where = (record.interface, 0xFFFF)
        head = self.pack("HHIIII", *where, ticks >> 32, ticks & 0xFFFFFFFF, *lengths)
        return self.block(OBSOLETE_PACKET, head + record.frame)

    def simple_packet(self, record: Record) -> bytes:
        """A Simple Packet Block: no time, and always the first interface."""
        return self.block(SIMPLE_PACKET, self.pack("I", record.length) + record.frame)

    def names(self, names: Mapping[str, str]) -> bytes:
        """A Name Resolution Block: the name of each address."""
        body = b""
        for address, name in names.items():
            packed = ip_address(address).packed
            value = packed + name.encode() + b"\0"
            kind = IPV4_RECORD if len(packed) == 4 else IPV6_RECORD
            body += self.pack("HH", kind, len(value)) + _filled(value)
        return self.block(NAME_RESOLUTION, body + self.pack("HH", END_OF_RECORDS, 0))

    def options(self, options: Sequence[tuple[int, bytes]]) -> bytes:
        """Options and the end of options; nothing at all when there are none."""
        if not options:
            return b""
        written = [self.pack("HH", code, len(value)) + _filled(value) for code, value in options]
        return b"".join(written) + self.pack("HH", END_OF_OPTIONS, 0)

    def pack(self, form: str, *values: int) -> bytes:
        """struct.pack in this byte order."""
        return struct.pack(self.order + form, *values)


def pcapng_bytes(
    records: Iterable[Record],
    *,
    interfaces: Sequence[Interface] = (Interface(),),
    big_endian: bool = False,
) -> bytes:
    """One pcapng section: its interfaces, then Enhanced Packet Blocks. Sections can be joined."""
    blocks = Blocks(">" if big_endian else "<")
    content = blocks.section_header() + b"".join(map(blocks.interface, interfaces))
    for record in records:
        content += blocks.enhanced_packet(record, interfaces[record.interface])
    return content


def _filled(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
