"""pcapng files: sections and interfaces as they come (draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

import struct
import sys

import numpy as np

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.errors import UsageError
from tcpsnoop.sources.hopping import (
    BAD_LENGTH,
    BAD_SECTION,
    DESCRIPTION,
    LARGEST_RECORD,
    LENGTH,
    MORE,
    POSITION,
    TOO_LONG,
    TOO_MANY_INTERFACES,
    UNEQUAL_LENGTHS,
    Progress,
)
from tcpsnoop.sources.pcapng_interface import interface_of
from tcpsnoop.sources.pcapng_kernel import NAME_RESOLUTION, hop_pcapng
from tcpsnoop.sources.pcapng_names import names_of
from tcpsnoop.sources.pcapng_resume import find_section
from tcpsnoop.sources.pcapng_section import (
    SECTION_TYPE,
    SMALLEST_SECTION_HEADER,
    SUPPORTED_MAJOR,
    byte_order,
)
from tcpsnoop.sources.read_buffer import ReadBuffer
from tcpsnoop.sources.recorded import Recorded
from tcpsnoop.sources.timestamps_kernel import COLUMNS

# Type, length, link type, reserved, snap length, length again.
SMALLEST_INTERFACE = 20

# A capture of Wireshark on all interfaces has some dozens. The limit bounds memory for a file of
# interface blocks only.
MOST_INTERFACES = 65_536


class PcapngRecords:
    """The blocks of a file, from its first section header on."""

    begins_at = 0
    resume = staticmethod(find_section)

    def __init__(self, header: bytes, name: str, recorded: Recorded) -> None:
        order = byte_order(header)
        if order is None:
            raise UsageError(f"{name} is not a capture: it begins like pcapng, with no byte order")
        major, minor = struct.unpack(f"{order}HH", header[12:16])
        if major != SUPPORTED_MAJOR:
            raise UsageError(
                f"{name}: pcapng version {major}.{minor} is not supported; "
                f"only version {SUPPORTED_MAJOR} is"
            )
        self._recorded = recorded
        self._order = order
        self._table = np.zeros((16, COLUMNS), np.int64)
        self._count = 0  # interfaces of this section

    def hop(self, buffer: ReadBuffer, columns: PacketBatch, progress: Progress) -> int:
        """Fill the columns; why it stopped (see hopping)."""
        outcome = DESCRIPTION
        while outcome == DESCRIPTION:
            outcome = hop_pcapng(
                buffer.end,
                columns,
                progress,
                self._table,
                self._count,
                (self._order == "<") != (sys.byteorder == "little"),
            )
            if outcome == DESCRIPTION:
                buffer.position = int(progress[POSITION])
                outcome = self._describe(buffer, progress)
                progress[POSITION] = buffer.position
        return outcome

    def _describe(self, buffer: ReadBuffer, progress: Progress) -> int:
        """Take in a block that describes something; DESCRIPTION when it is done."""
        kind = buffer.unread(4)
        if kind == SECTION_TYPE:
            return self._begin_section(buffer, progress)
        if kind == struct.pack(f"{self._order}I", NAME_RESOLUTION):
            return self._take_names(buffer, progress)
        return self._add_interface(buffer, progress)

    def _begin_section(self, buffer: ReadBuffer, progress: Progress) -> int:
        header = buffer.unread(SMALLEST_SECTION_HEADER)
        if len(header) < SMALLEST_SECTION_HEADER:
            return MORE
        order = byte_order(header)
        if order is None or struct.unpack(f"{order}H", header[12:14])[0] != SUPPORTED_MAJOR:
            return BAD_SECTION
        (length,) = struct.unpack(f"{order}I", header[4:8])
        progress[LENGTH] = length
        if length < SMALLEST_SECTION_HEADER or length % 4 != 0 or length > LARGEST_RECORD:
            return TOO_LONG if length > LARGEST_RECORD else BAD_LENGTH
        block = buffer.unread(length)
        if len(block) < length:
            return MORE
        if block[-4:] != header[4:8]:
            return UNEQUAL_LENGTHS
        self._order, self._count = order, 0
        buffer.position += length
        return DESCRIPTION

    def _add_interface(self, buffer: ReadBuffer, progress: Progress) -> int:
        length = int(progress[LENGTH])
        interfaces = self._recorded.interfaces
        if len(interfaces) == MOST_INTERFACES:
            return TOO_MANY_INTERFACES
        if length < SMALLEST_INTERFACE:
            return BAD_LENGTH
        if self._count == len(self._table):
            self._table = np.concatenate((self._table, np.zeros_like(self._table)))
        index, file = len(interfaces), self._recorded.file
        interface, row = interface_of(buffer.unread(length), self._order, index, file)
        self._table[self._count] = row
        self._count += 1
        interfaces.append(interface)
        buffer.position += length
        return DESCRIPTION

    def _take_names(self, buffer: ReadBuffer, progress: Progress) -> int:
        length = int(progress[LENGTH])
        for address, name in names_of(buffer.unread(length), self._order):
            self._recorded.name_host(address, name)
        buffer.position += length
        return DESCRIPTION
