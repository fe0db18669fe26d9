"""Sun snoop files: what the file header says of the records (RFC 1761, RFC 3827)."""

from __future__ import annotations

import struct

from tcpsnoop.batches.packets import SNOOP_DATALINKS, CaptureInterface, PacketBatch
from tcpsnoop.errors import UsageError
from tcpsnoop.sources.hopping import Progress
from tcpsnoop.sources.read_buffer import ReadBuffer
from tcpsnoop.sources.recorded import Recorded
from tcpsnoop.sources.snoop_kernel import hop_snoop

MAGIC = b"snoop\0\0\0"

# The magic, the version, the datalink type.
HEADER_BYTES = 16

# LINKTYPE_ numbers of datalink types: RFC 1761 section 3, RFC 3827, and those of Solaris's dlpi.h
# that have no number there, as libpcap takes them (0x80000000 marks Sun's private ones).
LINK_TYPES = {
    0: 1,  # IEEE 802.3, which is Ethernet with LLC
    2: 6,  # IEEE 802.5
    4: 1,  # Ethernet
    8: 10,  # FDDI
    14: 0,  # software loopback
    18: 123,  # ATM Classical IP, with SunATM's header
    0x80000001: 228,  # IPv4 tunnel
    0x80000002: 229,  # IPv6 tunnel
    0x80000005: 226,  # ipnet
    0x80000007: 101,  # 6to4 tunnel
}

# Surveyor's hardware wrote versions 3 to 5, with numbers of its own for faster networks.
SURVEYOR_LINK_TYPES = {**LINK_TYPES, 10: 1, 11: 6, 12: 1, 13: 6, 14: 6, 19: 1}

SUN_VERSION = 2
SURVEYOR_VERSIONS = (3, 4, 5)


class SnoopRecords:
    """The records after a file header; all are of one interface."""

    begins_at = HEADER_BYTES
    resume = None  # nothing marks where a record begins

    def __init__(self, header: bytes, name: str, recorded: Recorded) -> None:
        version, datalink = struct.unpack(">II", header[len(MAGIC) :])
        if version not in (SUN_VERSION, *SURVEYOR_VERSIONS):
            raise UsageError(
                f"{name}: snoop version {version} is not supported; "
                f"only versions {SUN_VERSION} to {SURVEYOR_VERSIONS[-1]} are"
            )
        known = LINK_TYPES if version == SUN_VERSION else SURVEYOR_LINK_TYPES
        link_type = known.get(datalink, SNOOP_DATALINKS + datalink)
        recorded.interfaces.append(
            CaptureInterface(link_type=link_type, digits=6, file=recorded.file)
        )

    def hop(self, buffer: ReadBuffer, columns: PacketBatch, progress: Progress) -> int:
        """Fill the columns; why it stopped (see hopping)."""
        outcome: int = hop_snoop(buffer.end, columns, progress)
        return outcome
