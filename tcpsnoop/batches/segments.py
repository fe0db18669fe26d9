"""TCP segments: what dissecting leaves of a packet."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

# Flag bits of the TCP header (RFC 9293 section 3.1; AE: RFC 9768), in the order they are written.
FIN = 0x001
SYN = 0x002
RST = 0x004
PUSH = 0x008
ACK = 0x010
URG = 0x020
ECE = 0x040
CWR = 0x080
AE = 0x100
FLAG_NAMES = ("FIN", "SYN", "RST", "PUSH", "ACK", "URG", "ECE", "CWR", "AE")

# What the frame itself says of the side it was captured on (SEMANTICS 4, rules 0 and 3).
SIDE_UNKNOWN = 0
SIDE_INBOUND = 1  # the destination is here
SIDE_OUTBOUND = 2  # the source is here
SIDE_LOOPBACK = 3  # both are


# Bits of SEGMENT["options"], where options were asked for.
OPTION_TIMESTAMPS = 0x01  # `tsval` and `tsecr` are known (RFC 7323 section 3)
OPTION_SACK = 0x02  # it says that bytes above its acknowledgment have come (RFC 2018)
# This is no segment, but one that an ICMP error quotes. Its ends are the quoted ones. Who sent the
# error is in `fingerprint` (high) and `tsval`, `tsecr` (low); its type and code are `payload`, its
# version `window`. Only where asked for.
QUOTE = 0x80

# A segment, a row of a SegmentBatch. Rows, not one array for each field: a kernel hands a row to
# another as one pointer (each array would be seven words), and fields come with one cache miss. A
# column is `segments["payload"]`, as with any structured array.
SEGMENT = np.dtype(
    [
        ("packet", "i8"),  # number of the packet in its input, from 1
        ("time_ns", "i8"),  # nanoseconds since the epoch, UTC
        ("clock_ns", "i8"),  # capture time: the largest time_ns so far (SEMANTICS 1), by the engine
        ("source_high", "i8"),  # addresses as in batches.addresses, of the innermost IP layer
        ("source_low", "i8"),
        ("destination_high", "i8"),
        ("destination_low", "i8"),
        ("flow", "i8"),  # hash of both ends, and which of them sent it (batches.flows)
        ("fingerprint", "i8"),  # hash of window, checksum and options, to know a copy by
        ("sequence", "u4"),
        ("acknowledgment", "u4"),
        ("payload", "i4"),  # bytes of data by the declared lengths; -1 unknown
        ("frame_bytes", "i4"),  # original length of the frame; -1 unknown
        ("ip_id", "i4"),  # IPv4 identification; 0 for IPv6
        ("path", "i4"),  # the way the frame came: interface, cooked packet type, tunnel
        ("interface", "i4"),  # as in PacketBatch
        ("frame", "i4"),  # index of the packet in its PacketBatch
        ("tsval", "u4"),  # see OPTION_TIMESTAMPS
        ("tsecr", "u4"),
        ("header", "u2"),  # where the TCP header is in its frame, 65535 at most
        ("source_port", "u2"),
        ("destination_port", "u2"),
        ("flags", "u2"),  # bits of this module
        ("window", "u2"),  # as sent, unscaled; 65535 when it was cut off, which is not "closed"
        ("ttl", "u1"),  # TTL or hop limit
        ("side", "u1"),  # SIDE_ of this module
        ("options", "u1"),  # OPTION_ bits of this module; 0 where they were not asked for
        ("digits", "u1"),  # decimal digits of a second in time_ns
    ],
    align=True,
)

SegmentBatch: TypeAlias = NDArray[np.void]  # dtype SEGMENT, shape (n,)


def flags_text(flags: int) -> str:
    """The flags' names joined by `|`, `null` for none (SEMANTICS 3)."""
    return "|".join(name for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1) or "null"
