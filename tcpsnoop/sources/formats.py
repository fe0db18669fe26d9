"""The formats of capture files: how each begins, and what reads its records."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.sources import pcap, pcapng_section, snoop
from tcpsnoop.sources.hopping import Progress
from tcpsnoop.sources.pcapng import PcapngRecords
from tcpsnoop.sources.read_buffer import ReadBuffer
from tcpsnoop.sources.recorded import Recorded


class Records(Protocol):
    """What follows a file's beginning, in one of the formats."""

    @property
    def begins_at(self) -> int:
        """Bytes of the beginning that hold no record."""

    @property
    def resume(self) -> Callable[[ReadBuffer], bool] | None:
        """After damage, moves to where reading can go on; False: that is not in the buffer."""

    def hop(self, buffer: ReadBuffer, columns: PacketBatch, progress: Progress) -> int:
        """Fill the columns from the buffer; why it stopped (see hopping)."""


class Format(NamedTuple):
    """A format of captures: the bytes it begins with, and how many of them tell all about it."""

    magic: bytes
    header_bytes: int
    records: Callable[[bytes, str, Recorded], Records]


FORMATS = (
    *(
        Format(magic.to_bytes(4, order), variant.file_header_bytes, pcap.PcapRecords)
        for magic, variant in pcap.VARIANTS.items()
        for order in ("little", "big")
    ),
    Format(pcapng_section.SECTION_TYPE, pcapng_section.SMALLEST_SECTION_HEADER, PcapngRecords),
    Format(snoop.MAGIC, snoop.HEADER_BYTES, snoop.SnoopRecords),
)

_OWN = "own variant of pcap: ask its writer for a plain pcap"
_CONVERT = "which is not read: convert it with `editcap -F pcapng FILE NEW`"

_AS_TEXT = "a pcapng that was transferred as text, which changed bytes: copy it anew, as binary"

# Formats that are known and not read, so that the user is told what the file is.
FOREIGN = {
    b"\xa1\xb2\x34\xcd": f"a capture in Mesquita's {_OWN}",
    b"\xcd\x34\xb2\xa1": f"a capture in Mesquita's {_OWN}",
    b"\xa1\x2b\x3c\x4d": f"a capture in Navtel's {_OWN}",
    b"\x4d\x3c\x2b\xa1": f"a capture in Navtel's {_OWN}",
    b"\n\n": _AS_TEXT,
    b"\n\r\r\r\n": _AS_TEXT,
    b"\r\n\r\r": _AS_TEXT,
    b"TRSNIFF data    \x1a": f"a capture of NAI Sniffer, {_CONVERT}",
    b"XCP\0": f"a capture of NetXRay or of Sniffer for Windows, {_CONVERT}",
    b"GMBU": f"a capture of Microsoft Network Monitor, {_CONVERT}",
    b"RTSS": f"a capture of Microsoft Network Monitor, {_CONVERT}",
    b"iptrace ": f"a capture of AIX iptrace, {_CONVERT}",
}
LONGEST_HEADER = max(form.header_bytes for form in FORMATS)


def recognise(begun: bytes) -> Format | None:
    """The format of an input that begins so."""
    return next((form for form in FORMATS if begun.startswith(form.magic)), None)


def is_undecided(begun: bytes) -> bool:
    """Whether an input that begins so may become a format that is known."""
    return any(magic.startswith(begun) for magic in (*FOREIGN, *(form.magic for form in FORMATS)))


def refusal(begun: bytes, fault: str | None) -> str:
    """What the user is told of an input that begins so and has no format that is read."""
    if fault is not None:
        return f"is not a capture: {fault}"
    if not begun:
        return "has no bytes: not even the file header of a capture"
    for magic, kind in FOREIGN.items():
        if begun.startswith(magic):
            return f"is {kind}"
    first = begun[:4].hex(" ")
    return (
        f"is not a capture: it begins with the bytes {first}, neither pcap, pcapng nor snoop does"
    )
