"""What an interface block of pcapng says (draft-ietf-opsawg-pcapng section 4.2)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.sources.timestamps_kernel import DEFAULT_RESOLUTION, decimal_digits, time_columns

# Of the block: the link type, two reserved bytes, the snap length; then options.
LINK_TYPE_AND_SNAPLEN = 8
OPTIONS = 16
TRAILER = 4

END_OF_OPTIONS = 0
NAME = 2
IPV4_ADDRESS = 4  # with its mask
IPV6_ADDRESS = 5  # with its prefix length
TIME_RESOLUTION = 9
TIME_OFFSET = 14

ADDRESS_BYTES = {IPV4_ADDRESS: 4, IPV6_ADDRESS: 16}


def interface_of(
    block: bytes, order: str, index: int, file: int
) -> tuple[CaptureInterface, tuple[int, ...]]:
    """The interface, and its row of the section's table, where its index is `index`."""
    link_type, snaplen = struct.unpack_from(f"{order}H2xI", block, LINK_TYPE_AND_SNAPLEN)
    name = ""
    resolution, offset_seconds = DEFAULT_RESOLUTION, 0
    addresses: list[tuple[int, int]] = []
    for code, value in options_of(block[OPTIONS:-TRAILER], order):
        if code == NAME:
            name = value.rstrip(b"\0").decode("utf-8", "replace")
        elif code in ADDRESS_BYTES and len(value) >= ADDRESS_BYTES[code]:
            packed = value[: ADDRESS_BYTES[code]]
            addresses.append(halves(str(ipaddress.ip_address(packed))))
        elif code == TIME_RESOLUTION and len(value) == 1:
            resolution = value[0]
        elif code == TIME_OFFSET and len(value) == 8:
            (offset_seconds,) = struct.unpack(f"{order}q", value)
    interface = CaptureInterface(
        link_type=link_type,
        digits=decimal_digits(resolution),
        name=name,
        snaplen=snaplen,
        addresses=tuple(addresses),
        file=file,
    )
    return interface, (index, snaplen, *time_columns(resolution, offset_seconds))


def options_of(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Codes and values of a block's options, up to the end or the first that is not whole."""
    at = 0
    while at + 4 <= len(content):
        code, length = struct.unpack_from(f"{order}HH", content, at)
        value = content[at + 4 : at + 4 + length]
        if code == END_OF_OPTIONS or len(value) < length:
            return
        yield code, value
        at += 4 + length + (-length % 4)
