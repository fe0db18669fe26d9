"""The oracle's reader of capture files: pcap, pcapng, snoop, one record at a time, struct alone.

Where there is a choice: times are cut down to nanoseconds, and behind damage in the middle of a
pcapng reading goes on at the next section header.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

DAY_NS = 86_400 * 10**9
UNITS_BY_MAGIC = {0xA1B2C3D4: 10**6, 0xA1B23C4D: 10**9}
SECTION_MAGIC, BIG_ENDIAN = b"\n\r\r\n", b"\x1a\x2b\x3c\x4d"
INTERFACE, OBSOLETE, SIMPLE, ENHANCED = 1, 2, 3, 6
SNOOP_MAGIC, SNOOP_LINKS = b"snoop\0\0\0", {0: 1, 4: 1}
PACKET_HEAD = 20  # bytes of an Enhanced or obsolete Packet Block before the packet


class Packet(NamedTuple):
    """A packet as the file has it; `original` is never below the bytes present."""

    time_ns: int
    link_type: int
    data: bytes
    original: int
    direction: int = 0  # of epb_flags: 1 in, 2 out


@dataclass
class Reading:
    """What a file holds; `cut_at` is where the first record or block begins that is not whole."""

    packets: list[Packet] = field(default_factory=list)
    cut_at: int | None = None
    read_on_at: int | None = None  # where a section begins behind the first damage


class _Interface(NamedTuple):
    link_type: int
    snaplen: int
    units: int  # of its clock, in a second
    offset: int  # seconds


class _DamagedError(Exception):
    """A block that cannot be what it says."""


def read(content: bytes) -> Reading:
    """The packets of a file of any of these formats, gzipped or not; ValueError when it is none."""
    if content[:2] == b"\x1f\x8b":
        content = _unpacked(content)
    if content[:4] == SECTION_MAGIC:
        return _read_pcapng(content)
    if content[:8] == SNOOP_MAGIC:
        return _read_snoop(content)
    for order in "<>":
        if len(content) >= 24 and struct.unpack_from(order + "I", content)[0] in UNITS_BY_MAGIC:
            return _read_pcap(content, order)
    message = "neither pcap nor pcapng nor snoop"
    raise ValueError(message)


def _unpacked(content: bytes) -> bytes:
    """As much as a gzip file gives; it may be cut."""
    try:
        return gzip.decompress(content)
    except EOFError:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content)


def _read_pcap(content: bytes, order: str) -> Reading:
    magic, *_, link = struct.unpack_from(order + "IHHiIII", content)
    units = UNITS_BY_MAGIC[magic]
    reading, at = Reading(), 24
    while at < len(content):
        start = at + 16
        head = content[at:start].ljust(16, b"\xff")  # a cut header asks for more than there is
        seconds, fraction, captured, original = struct.unpack(order + "IIII", head)
        if start + captured > len(content):
            reading.cut_at = at
            break
        time_ns = seconds * 10**9 + fraction * 10**9 // units
        data = content[start : start + captured]
        reading.packets.append(Packet(time_ns, link & 0xFFFF, data, max(original, captured)))
        at = start + captured
    return reading


def _read_snoop(content: bytes) -> Reading:
    _, datalink = struct.unpack_from(">II", content, 8)
    reading, at = Reading(), 16
    while at < len(content):
        head = content[at : at + 24].ljust(24, b"\xff")  # a cut header asks for more than there is
        original, captured, length, _, seconds, microseconds = struct.unpack(">6I", head)
        if length < 24 + captured or at + length > len(content):
            reading.cut_at = at
            break
        time_ns = (seconds * 10**6 + microseconds) * 1000
        data = content[at + 24 : at + 24 + captured]
        link = SNOOP_LINKS[datalink]
        reading.packets.append(Packet(time_ns, link, data, max(original, captured)))
        at += length
    return reading


def _read_pcapng(content: bytes) -> Reading:
    reading, at, order = Reading(), 0, "<"
    interfaces: list[_Interface] = []
    clock = _Clock()
    while at < len(content):
        if content[at : at + 4] == SECTION_MAGIC:
            order = ">" if content[at + 8 : at + 12] == BIG_ENDIAN else "<"
            interfaces = []
        try:
            kind, body = _block(content, at, order)
            if kind == INTERFACE:
                interfaces.append(_interface(body, order))
            elif kind in (ENHANCED, OBSOLETE):
                packet = _packet(kind, body, order, interfaces)
                clock.saw(packet.time_ns)
                reading.packets.append(packet)
            elif kind == SIMPLE:
                reading.packets.append(_simple(body, order, interfaces, clock.now))
        except (_DamagedError, struct.error):
            behind = content.find(SECTION_MAGIC, at + 1)
            if reading.cut_at is None:
                reading.cut_at, reading.read_on_at = at, behind if behind > 0 else None
            if behind < 0:
                break
            at = behind
            continue
        at += 12 + len(body)
    return reading


class _Clock:
    """Capture time (SEMANTICS 1): the largest time so far, begun anew after a jump of a day."""

    def __init__(self) -> None:
        self.now = 0

    def saw(self, time_ns: int) -> None:
        jumped = abs(time_ns - self.now) > DAY_NS
        self.now = time_ns if jumped else max(self.now, time_ns)


def _block(content: bytes, at: int, order: str) -> tuple[int, bytes]:
    """The type and the body of the block at an offset."""
    kind, length = struct.unpack_from(order + "II", content, at)
    if length < 12 or length % 4 or at + length > len(content):
        raise _DamagedError
    if content[at + length - 4 : at + length] != content[at + 4 : at + 8]:
        raise _DamagedError
    return kind, content[at + 8 : at + length - 4]


def _options(data: bytes, order: str) -> dict[int, bytes]:
    found, at = {}, 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, at)
        if code == 0:
            break
        found[code] = data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    return found


def _interface(body: bytes, order: str) -> _Interface:
    link, _, snaplen = struct.unpack_from(order + "HHI", body)
    options = _options(body[8:], order)
    resolution = options.get(9, b"\x06")[0]
    units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    (offset,) = struct.unpack(order + "q", options.get(14, bytes(8)))
    return _Interface(link, snaplen, units, offset)


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Packet:
    form = "IIIII" if kind == ENHANCED else "HHIIII"  # the obsolete one has a count of drops
    index, *_, high, low, captured, original = struct.unpack_from(order + form, body)
    data = body[PACKET_HEAD : PACKET_HEAD + captured]
    if index >= len(interfaces) or len(data) < captured:
        raise _DamagedError
    known = interfaces[index]
    time_ns = (high << 32 | low) * 10**9 // known.units + known.offset * 10**9
    options = _options(body[PACKET_HEAD + captured + -captured % 4 :], order)
    (flags,) = struct.unpack(order + "I", options.get(2, bytes(4)))
    return Packet(time_ns, known.link_type, data, max(original, captured), flags & 3)


def _simple(body: bytes, order: str, interfaces: list[_Interface], now: int) -> Packet:
    """A Simple Packet Block is of the first interface and cut at its snap length, without time."""
    (original,) = struct.unpack_from(order + "I", body)
    if not interfaces:
        raise _DamagedError
    known = interfaces[0]
    captured = min(original, known.snaplen or original)
    if captured > len(body) - 4:
        raise _DamagedError
    return Packet(now, known.link_type, body[4 : 4 + captured], original)
