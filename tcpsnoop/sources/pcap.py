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
from tcpsnoop.sources.recorded import Recorded

HEADER_BYTES = 24

# The field of the link type has the length of the frame check sequence in its upper bits.
LINK_TYPE_BITS = 0xFFFF


class Variant(NamedTuple):
    """What a magic number says of the records."""

    unit_ns: int
    digits: int
    header_bytes: int
    file_header_bytes: int = HEADER_BYTES


MICROSECONDS = 0xA1B2C3D4
NANOSECONDS = 0xA1B23C4D
KUZNETZOV = 0xA1B2CD34  # of an old patch to libpcap: interface, protocol and packet type at the end
# Of Ixia's devices, in hardware and in software: the file header ends with the length of the rest.
IXIA_NANOSECONDS = 0x1C0001AC
IXIA_MICROSECONDS = 0x1C0001AB

VARIANTS = {
    MICROSECONDS: Variant(unit_ns=1000, digits=6, header_bytes=16),
    NANOSECONDS: Variant(unit_ns=1, digits=9, header_bytes=16),
    KUZNETZOV: Variant(unit_ns=1000, digits=6, header_bytes=24),
    IXIA_NANOSECONDS: Variant(unit_ns=1, digits=9, header_bytes=16, file_header_bytes=28),
    IXIA_MICROSECONDS: Variant(unit_ns=1000, digits=6, header_bytes=16, file_header_bytes=28),
}

# AIX writes version 2.2 with nanoseconds, and numbers links by RFC 1573's ifType. Four of them are
# no links that others wrote in the days of version 2.2; here with the LINKTYPE_ of each.
AIX_VERSION = (2, 2)
AIX_VARIANT = Variant(unit_ns=1, digits=9, header_bytes=16)
AIX_LINK_TYPES = {6: 1, 9: 6, 15: 10, 24: 0}


class PcapRecords:
    """The records after a file header; all are of one interface."""

    resume = None  # nothing marks where a record begins

    def __init__(self, header: bytes, name: str, recorded: Recorded) -> None:
        order = next(o for o in "<>" if struct.unpack(f"{o}I", header[:4])[0] in VARIANTS)
        magic, major, minor, _zone, _accuracy, snaplen, link_type = struct.unpack(
            f"{order}IHHiIII", header[:HEADER_BYTES]
        )
        self._variant = VARIANTS[magic]
        link_type &= LINK_TYPE_BITS
        if magic == MICROSECONDS and (major, minor) == AIX_VERSION and link_type in AIX_LINK_TYPES:
            self._variant, link_type = AIX_VARIANT, AIX_LINK_TYPES[link_type]
        self.begins_at = self._variant.file_header_bytes
        self._swapped = (order == "<") != (sys.byteorder == "little")
        self._captured_length = _captured_length(major, minor, name)
        recorded.interfaces.append(
            CaptureInterface(
                link_type=link_type,
                digits=self._variant.digits,
                snaplen=snaplen,
                file=recorded.file,
            )
        )

    def hop(self, buffer: ReadBuffer, columns: PacketBatch, progress: Progress) -> int:
        """Fill the columns; why it stopped (see hopping)."""
        outcome: int = hop_pcap(
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
