"""What EtherTypes, or a length in the place of one, announce in front of IP: LLC and MPLS.

Readers answer as link.py says.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import CUT_SHORT, NOT_IP
from tcpsnoop.dissect.fields import (
    ETHERNET_SIZE,
    ETHERNET_TYPE,
    SNAP_HEAD,
    SNAP_ORGANISATION,
    SNAP_SIZE,
    SNAP_TYPE,
    Bytes,
    holds,
    u8,
    u16,
    u32,
)
from tcpsnoop.dissect.numbers import CUSTOMER_TAG, IPV4, IPV6, SERVICE_TAG, TRANSPARENT_ETHERNET
from tcpsnoop.kernel import Integer, Truth, inlined, kernel

# LLC of a SNAP header: both service access points 170, unnumbered information (RFC 1042).
SNAP_LLC = 0xAAAA03

# MPLS label (RFC 3032): its third byte ends with the bottom-of-stack bit. Real stacks are short.
LABEL_BOTTOM = 2
LABEL_SIZE = 4
MAX_LABELS = 16
CONTROL_WORD_SIZE = 4  # may stand before the frame of a pseudowire (RFC 4448)


@kernel
def by_version(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """IP that nothing announces: its version says which."""
    if not holds(frame, at, 1):
        return ~CUT_SHORT, at
    version = u8(frame, at, 0) >> 4
    if version == 4:
        return IPV4, at
    if version == 6:
        return IPV6, at
    return ~NOT_IP, at


@inlined
def open_snap(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LLC with SNAP, in the place of which an EtherType would have announced the next header."""
    if not holds(frame, at, SNAP_SIZE):
        return ~CUT_SHORT, at
    organisation = u32(frame, at, SNAP_ORGANISATION) >> 8
    if u32(frame, at, SNAP_HEAD) >> 8 != SNAP_LLC or organisation != 0:
        return ~NOT_IP, at
    return u16(frame, at, SNAP_TYPE), at + SNAP_SIZE


@inlined
def below_labels(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """What MPLS labels carry, which they do not say: IP by its version, or a pseudowire's frame."""
    bottom = 0
    for _ in range(MAX_LABELS):
        if not holds(frame, at, LABEL_SIZE):
            return ~CUT_SHORT, at
        bottom = u8(frame, at, LABEL_BOTTOM) & 1
        at += LABEL_SIZE
        if bottom:
            break
    if not bottom:
        return ~NOT_IP, at
    kind, start = by_version(frame, at)
    if kind == ~NOT_IP:
        if _is_frame(frame, at + CONTROL_WORD_SIZE):
            return TRANSPARENT_ETHERNET, at + CONTROL_WORD_SIZE
        if _is_frame(frame, at):
            return TRANSPARENT_ETHERNET, at
    return kind, start


@inlined
def _is_frame(frame: Bytes, at: Integer) -> Truth:
    """Whether an Ethernet header stands at `at` that leads to IP, with or without a tag."""
    if not holds(frame, at, ETHERNET_SIZE):
        return False
    ether_type = u16(frame, at, ETHERNET_TYPE)
    return ether_type in (IPV4, IPV6, CUSTOMER_TAG, SERVICE_TAG)
