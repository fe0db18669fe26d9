"""Captures whose every field is drawn: whole ones, and ones with bytes changed or cut off."""

from __future__ import annotations

import random
import struct

from tests.sources import blocks, snoop_records

MAGICS = (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34, 0x1C0001AC)
VERSIONS = ((2, 4), (2, 4), (2, 3), (2, 2))


def pcap(draw: random.Random) -> bytes:
    """A classic capture of any variant, with lengths that need correction and clock jumps."""
    order, magic = draw.choice("<>"), draw.choice(MAGICS)
    header = struct.pack(f"{order}IHHiIII", magic, *draw.choice(VERSIONS), 0, 0, 65535, 1)
    if magic == MAGICS[3]:  # of Ixia: the length of the rest ends the file header
        header += struct.pack(f"{order}I", draw.getrandbits(32))
    extra = 8 if magic == MAGICS[2] else 0
    records = []
    for _ in range(draw.randrange(12)):
        data = draw.randbytes(draw.choice((0, 1, 54, 60, 333)))
        original = draw.choice((len(data), len(data) + 100, len(data) // 2))
        times = draw.choice((draw.randrange(10), draw.getrandbits(32))), draw.getrandbits(32)
        head = struct.pack(f"{order}IIII", *times, len(data), original)
        records.append(head + bytes(extra) + data)
    return header + b"".join(records)


def snoop(draw: random.Random) -> bytes:
    """A Sun snoop capture, with any padding."""
    content = snoop_records.header(datalink=draw.randrange(30))
    for _ in range(draw.randrange(12)):
        data = draw.randbytes(draw.choice((0, 1, 54, 60, 333)))
        content += snoop_records.record(
            data,
            draw.choice((draw.randrange(10), draw.getrandbits(32))),
            draw.getrandbits(32),
            draw.choice((len(data), len(data) + 100, len(data) // 2)),
            padding=draw.choice((None, None, 0, 7, 40)),
            drops=draw.randrange(3),
        )
    return content


def pcapng(draw: random.Random) -> bytes:
    """A pcapng file of one to three sections in any order, with every block that is known."""
    return b"".join(_section(draw, draw.choice("<>")) for _ in range(draw.randint(1, 3)))


def _section(draw: random.Random, order: str) -> bytes:
    content = blocks.section(order)
    for _ in range(draw.randint(1, 4)):
        options = blocks.option(order, 1, draw.randbytes(5))
        options += blocks.resolution(order, draw.getrandbits(8))
        if draw.random() < 0.3:
            options += blocks.option(order, 14, draw.randbytes(8))
        content += blocks.interface(order, draw.randrange(300), draw.randrange(100), options)
    for _ in range(draw.randrange(12)):
        content += _block(draw, order)
    return content


def _block(draw: random.Random, order: str) -> bytes:
    data, ticks = draw.randbytes(draw.choice((0, 1, 54, 333))), draw.getrandbits(64)
    flags = blocks.option(order, 2, draw.randbytes(4))
    kind = draw.randrange(6)
    if kind == 0:
        return blocks.simple(data, draw.randrange(400), order=order)
    if kind == 1:
        return blocks.old(data, ticks, order=order, options=flags)
    if kind == 5:
        names = draw.randbytes(4) + b"host.example\0" + draw.randbytes(9)
        return blocks.block(order, 4, struct.pack(f"{order}HH", draw.randrange(3), 26) + names)
    if kind == 2:
        return blocks.block(order, draw.choice((4, 5, 0x0BAD)), data)
    original = draw.randrange(400)
    return blocks.enhanced(data, ticks >> 20, order=order, original=original, options=flags)


MAKERS = (pcap, pcapng, snoop)
"""Each makes a capture of its format."""


def damaged(draw: random.Random, content: bytes) -> bytes:
    """With some bytes changed, and perhaps cut off."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        changed[draw.randrange(len(changed))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(changed[: draw.choice((len(changed), draw.randrange(len(changed) + 1)))])
