"""The formats of capture files: how each begins, and what reads its records."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.sources import pcap, pcapng
from tcpsnoop.sources.hopping import Progress
from tcpsnoop.sources.read_buffer import ReadBuffer


class Records(Protocol):
    """What follows a file's beginning, in one of the formats."""

    begins_at: int
    """Bytes of the beginning that hold no record."""

    interfaces: list[CaptureInterface]

    def hop(self, buffer: ReadBuffer, columns: PacketBatch, progress: Progress) -> int:
        """Fill the columns from the buffer; why it stopped (see hopping)."""


class Format(NamedTuple):
    """A format of captures: the bytes it begins with, and how many of them tell all about it."""

    magic: bytes
    header_bytes: int
    records: Callable[[bytes, str, int], Records]


FORMATS = (
    *(
        Format(magic.to_bytes(4, order), pcap.HEADER_BYTES, pcap.PcapRecords)
        for magic in pcap.VARIANTS
        for order in ("little", "big")
    ),
    Format(pcapng.SECTION_TYPE, pcapng.SMALLEST_SECTION_HEADER, pcapng.PcapngRecords),
)

# Formats that are known and not read, so that the user is told what the file is.
FOREIGN = {
    b"snoop\0\0\0": "a Sun snoop capture",
    b"\x1c\x00\x01\xac": "an IXIA capture",
    b"\xac\x01\x00\x1c": "an IXIA capture",
    b"\x1c\x00\x01\xab": "an IXIA capture",
    b"\xab\x01\x00\x1c": "an IXIA capture",
    b"\xa1\xb2\x34\xcd": "a capture of a modified tcpdump",
    b"\xcd\x34\xb2\xa1": "a capture of a modified tcpdump",
}
LONGEST_MAGIC = max(map(len, (*FOREIGN, *(form.magic for form in FORMATS))))
LONGEST_HEADER = max(form.header_bytes for form in FORMATS)


def recognise(begun: bytes) -> Format | None:
    """The format of an input that begins so."""
    return next((form for form in FORMATS if begun.startswith(form.magic)), None)


def refusal(begun: bytes, fault: str | None) -> str:
    """What the user is told of an input that begins so and has no format that is read."""
    if fault is not None:
        return f"is not a capture: {fault}"
    if not begun:
        return "has no bytes: not even the file header of a capture"
    for magic, kind in FOREIGN.items():
        if begun.startswith(magic):
            return f"is {kind}, which is not read: convert it with `editcap -F pcapng FILE NEW`"
    first = begun[:4].hex(" ")
    return f"is not a capture: it begins with the bytes {first}, neither pcap nor pcapng does"
