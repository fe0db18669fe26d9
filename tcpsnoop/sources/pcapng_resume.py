"""Where reading a damaged pcapng goes on: at the next section header that can be believed.

The bytes of a section's type may stand in any packet. So that what is found is a section, its
header must be whole and consistent, and a block that can follow it must begin after it. It may
stand at any byte: of two files joined, the first may have been cut off anywhere.
"""

from __future__ import annotations

import struct

from tcpsnoop.sources.hopping import LARGEST_RECORD
from tcpsnoop.sources.pcapng_section import (
    SECTION_TYPE,
    SMALLEST_SECTION_HEADER,
    SUPPORTED_MAJOR,
    byte_order,
)
from tcpsnoop.sources.read_buffer import ReadBuffer

# With its options: hardware, system, program, comments. What claims to be longer is no section
# header, and need not be waited for.
_LONGEST_SECTION_HEADER = 65_536

# What can come before the first packet: another section, interfaces, names, statistics, secrets,
# custom blocks.
_FIRST_BLOCKS = frozenset({0x0A0D0D0A, 1, 4, 5, 9, 10, 0x0BAD, 0x40000BAD})
_BLOCK_START = 8  # type and length
_SMALLEST_BLOCK = 12


def find_section(buffer: ReadBuffer) -> bool:
    """Move to the next section header; False when it needs more bytes, or there is none."""
    while True:
        found = buffer.find(SECTION_TYPE)
        if found < 0:
            # The type may begin in the last bytes.
            buffer.position = max(buffer.position, buffer.end - len(SECTION_TYPE) + 1)
            return False
        buffer.position = found
        believable = _is_section(buffer)
        if believable is not False:
            return believable is True
        buffer.position += 1


def _is_section(buffer: ReadBuffer) -> bool | None:
    """Whether a section begins here; None when that cannot be known yet."""
    header = buffer.unread(SMALLEST_SECTION_HEADER)
    if len(header) < SMALLEST_SECTION_HEADER:
        return _not_yet(buffer)
    order = byte_order(header)
    if order is None:
        return False
    (length,) = struct.unpack_from(f"{order}I", header, 4)
    (major,) = struct.unpack_from(f"{order}H", header, 12)
    if major != SUPPORTED_MAJOR or length % 4 != 0:
        return False
    if not SMALLEST_SECTION_HEADER <= length <= _LONGEST_SECTION_HEADER:
        return False
    block = buffer.unread(length + _BLOCK_START)
    if len(block) < length:
        return _not_yet(buffer)
    if block[length - 4 : length] != header[4:8]:
        return False
    if len(block) < length + _BLOCK_START:
        return True if buffer.exhausted else None
    return _can_follow(*struct.unpack_from(f"{order}II", block, length))


def _can_follow(kind: int, length: int) -> bool:
    """Whether a block of this type and length can be the first of a section."""
    # The length of a section header is in its own byte order.
    plausible = _SMALLEST_BLOCK <= length <= LARGEST_RECORD and length % 4 == 0
    return kind in _FIRST_BLOCKS and (plausible or kind == 0x0A0D0D0A)


def _not_yet(buffer: ReadBuffer) -> bool | None:
    """The answer where bytes are missing: at the end of the stream they will not come."""
    return False if buffer.exhausted else None
