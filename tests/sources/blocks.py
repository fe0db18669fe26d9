"""pcapng blocks made with struct alone; fields as in draft-ietf-opsawg-pcapng."""

from __future__ import annotations

import ipaddress
import struct


def block(order: str, kind: int, body: bytes, *, trailer: int | None = None) -> bytes:
    """Any block: its length in front and, unless forged by `trailer`, behind."""
    body += b"\0" * (-len(body) % 4)
    length = 12 + len(body)
    last = length if trailer is None else trailer
    return struct.pack(f"{order}II", kind, length) + body + struct.pack(f"{order}I", last)


def section(order: str = "<", *, major: int = 1, options: bytes = b"") -> bytes:
    """A Section Header Block."""
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, major, 0, -1) + options)


def option(order: str, code: int, value: bytes) -> bytes:
    """An option, filled to four bytes."""
    return struct.pack(f"{order}HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def interface(order: str = "<", link: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    """An Interface Description Block."""
    return block(order, 1, struct.pack(f"{order}HHI", link, 0, snaplen) + options)


def resolution(order: str, value: int) -> bytes:
    """The option if_tsresol."""
    return option(order, 9, bytes([value]))


def enhanced(
    data: bytes,
    ticks: int = 0,
    *,
    order: str = "<",
    original: int | None = None,
    number: int = 0,
    options: bytes = b"",
) -> bytes:
    """An Enhanced Packet Block of interface `number`."""
    length = len(data) if original is None else original
    words = (number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length)
    filled = data + b"\0" * (-len(data) % 4)
    return block(order, 6, struct.pack(f"{order}5I", *words) + filled + options)


def simple(data: bytes, original: int | None = None, *, order: str = "<") -> bytes:
    """A Simple Packet Block."""
    length = len(data) if original is None else original
    return block(order, 3, struct.pack(f"{order}I", length) + data)


def old(
    data: bytes, ticks: int, *, order: str = "<", number: int = 0, options: bytes = b""
) -> bytes:
    """An obsolete Packet Block, whose count of drops is unknown."""
    words = (number, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    filled = data + b"\0" * (-len(data) % 4)
    return block(order, 2, struct.pack(f"{order}HH4I", *words) + filled + options)


def names(order: str, *rows: tuple[str, ...]) -> bytes:
    """A Name Resolution Block: rows of an address and its names."""
    body = b""
    for address, *known in rows:
        packed = ipaddress.ip_address(address).packed
        value = packed + b"".join(name.encode() + b"\0" for name in known)
        kind = 1 if len(packed) == 4 else 2
        body += struct.pack(f"{order}HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)
    return block(order, 4, body + bytes(4))
