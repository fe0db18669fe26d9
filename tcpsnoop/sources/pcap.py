"""Classic pcap files: what the file header says of the records (draft-ietf-opsawg-pcap)."""

from __future__ import annotations

import struct
import sys
from typing import NamedTuple

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.errors import UsageError
from tcpsnoop.sources.hopping import Progress
from tcpsnoop.sources.pcap_kernel import FIRST, SECOND, SMALLER, hop_pcap
from tcpsnoop.sources.read_buffer import ReadBuffer

HEADER_BYTES = 24

# The field of the link type has the length of the frame check sequence in its upper bits.
LINK_TYPE_BITS = 0xFFFF


class Variant(NamedTuple):
    """What a magic number says of the records."""

    unit_ns: int
    digits: int
    header_bytes: int


MICROSECONDS = 0xA1B2C3D4
NANOSECONDS = 0xA1B23C4D
KUZNETZOV = 0xA1B2CD34  # of an old patch to libpcap: interface, protocol and packet type at the end

VARIANTS = {
    MICROSECONDS: Variant(unit_ns=1000, digits=6, header_bytes=16),
    NANOSECONDS: Variant(unit_ns=1, digits=9, header_bytes=16),
    KUZNETZOV: Variant(unit_ns=1000, digits=6, header_bytes=24),
}


class PcapRecords:
    """The records after a file header; all are of one interface."""

    begins_at = HEADER_BYTES

    def __init__(self, header: bytes, name: str, file: int) -> None:
        order = next(o for o in "<>" if struct.unpack(f"{o}I", header[:4])[0] in VARIANTS)
        magic, major, minor, _zone, _accuracy, snaplen, link_type = struct.unpack(
            f"{order}IHHiIII", header
        )
        self._variant = VARIANTS[magic]
        self._swapped = (order == "<") != (sys.byteorder == "little")
        self._captured_length = _captured_length(major, minor, name)
        self.interfaces = [
            CaptureInterface(
                link_type=link_type & LINK_TYPE_BITS,
                digits=self._variant.digits,
                snaplen=snaplen,
                file=file,
            )
        ]

    def hop(self, buffer: ReadBuffer, columns: PacketBatch, progress: Progress) -> int:
        """Fill the columns; why it stopped (see hopping)."""
        outcome: int = hop_pcap(
            buffer.words,
            buffer.end,
            columns,
            progress,
            self._swapped,
            self._variant.unit_ns,
            self._variant.header_bytes,
            self._captured_length,
        )
        return outcome


def _captured_length(major: int, minor: int, name: str) -> int:
    """Which of a record's lengths is the captured one, as libpcap decides by version."""
    if (major, minor) == (543, 0):  # written by DG/UX
        return SECOND
    if major != 2:
        raise UsageError(
            f"{name}: pcap version {major}.{minor} is not supported; only version 2 is"
        )
    # Before 2.3 the lengths were the other way round; writers of 2.3 did either.
    return {0: SECOND, 1: SECOND, 2: SECOND, 3: SMALLER}.get(minor, FIRST)
