"""IEEE 802.11: data frames that are not encrypted, with or without a radiotap header in front.

Readers answer as link.py says. Of an aggregate (A-MSDU) the first frame is read.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import BAD_LENGTH, CUT_SHORT, ENCRYPTED, FRAGMENT, NOT_IP
from tcpsnoop.dissect.fields import Bytes, holds, little16, little32, u8
from tcpsnoop.dissect.numbers import LLC
from tcpsnoop.kernel import Integer, Truth, inlined, kernel

# Frame control (IEEE 802.11 section 9.2.4.1), two bytes. The first: version and type in its low
# half, then what kinds of data frames have: QoS, and bit 6 where there is no data.
CONTROL_SIZE = 2
KIND_MASK = 0x4F
DATA = 0x08
QOS = 0x80
BOTH_SYSTEMS = 0x03  # second byte: to and from a distribution system, with a fourth address
PROTECTED = 0x40
ORDERED = 0x80  # with QoS: an HT control field

SEQUENCE_CONTROL = 22
FRAGMENT_MASK = 0x0F
HEADER_SIZE = 24
ADDRESS_SIZE = 6
QOS_SIZE = 2
HT_CONTROL_SIZE = 4
AGGREGATE = 0x80  # of the QoS field
AGGREGATE_HEADER_SIZE = 14  # addresses and length of one frame

# Radiotap (radiotap.org), little-endian: version 0, length, words that tell the fields present.
RADIOTAP_LENGTH = 2
RADIOTAP_PRESENT = 4
RADIOTAP_SIZE = 8
MORE_PRESENT = 31  # bits of those words
TIME_PRESENT = 0  # the first field, eight bytes
FLAGS_PRESENT = 1  # the second, one byte
PADDED = 0x20  # of the flags: the 802.11 header is filled up to a multiple of four


@inlined
def open_radiotap(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """A radiotap header at `at`, and the 802.11 frame behind it."""
    if not holds(frame, at, RADIOTAP_SIZE):
        return ~CUT_SHORT, at
    if u8(frame, at, 0) != 0:
        return ~NOT_IP, at
    length = little16(frame, at, RADIOTAP_LENGTH)
    if length < RADIOTAP_SIZE:
        return ~BAD_LENGTH, at
    if not holds(frame, at, length):
        return ~CUT_SHORT, at
    return open_wireless(frame, at + length, _is_padded(frame[at : at + length]))


@inlined
def _is_padded(header: Bytes) -> Truth:
    present = little32(header, 0, RADIOTAP_PRESENT)
    if not present >> FLAGS_PRESENT & 1:
        return False
    field = RADIOTAP_PRESENT
    while little32(header, field, 0) >> MORE_PRESENT:
        field += 4
        if not holds(header, field, 4):
            return False
    field += 4
    if present >> TIME_PRESENT & 1:
        field = (field + 7) // 8 * 8 + 8
    return holds(header, field, 1) and u8(header, field, 0) & PADDED != 0


@kernel
def open_wireless(frame: Bytes, at: Integer, padded: Truth) -> tuple[Integer, Integer]:
    """An 802.11 header at `at`: LLC behind that of a data frame."""
    if not holds(frame, at, CONTROL_SIZE):
        return ~CUT_SHORT, at
    control, flags = u8(frame, at, 0), u8(frame, at, 1)
    if control & KIND_MASK != DATA:
        return ~NOT_IP, at
    size = HEADER_SIZE
    if flags & BOTH_SYSTEMS == BOTH_SYSTEMS:
        size += ADDRESS_SIZE
    quality = at + size
    if control & QOS:
        size += QOS_SIZE
        if flags & ORDERED:
            size += HT_CONTROL_SIZE
    if not holds(frame, at, size):
        return ~CUT_SHORT, at
    if flags & PROTECTED:
        return ~ENCRYPTED, at
    if u8(frame, at, SEQUENCE_CONTROL) & FRAGMENT_MASK:
        return ~FRAGMENT, at
    aggregate = control & QOS and u8(frame, quality, 0) & AGGREGATE
    if padded:
        size = (size + 3) // 4 * 4
    if aggregate:
        size += AGGREGATE_HEADER_SIZE
    return LLC, at + size
