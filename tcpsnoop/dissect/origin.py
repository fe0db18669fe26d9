"""How a frame came: the side and the path of a packet, from its link header and its interface."""

from __future__ import annotations

from tcpsnoop.batches.packets import DIRECTION_INBOUND, DIRECTION_OUTBOUND
from tcpsnoop.batches.segments import SIDE_INBOUND, SIDE_LOOPBACK, SIDE_OUTBOUND, SIDE_UNKNOWN
from tcpsnoop.dissect.fields import (
    COOKED_V1_HARDWARE,
    COOKED_V1_PACKET_TYPE,
    COOKED_V1_SIZE,
    COOKED_V2_HARDWARE,
    COOKED_V2_INTERFACE,
    COOKED_V2_PACKET_TYPE,
    COOKED_V2_SIZE,
    PKTAP_FLAGS,
    PKTAP_SIZE,
    Bytes,
    holds,
    little32,
    u8,
    u16,
    u32,
)
from tcpsnoop.dissect.numbers import (
    COOKED_V1,
    COOKED_V2,
    ETHERNET,
    HDLC_WITH_DIRECTION,
    PKTAP,
    PPP_PPPD,
    PPP_WITH_DIRECTION,
)
from tcpsnoop.kernel import Integer, inlined, kernel

# Linux's hardware type of loopback devices (ARPHRD_LOOPBACK).
LOOPBACK_HARDWARE = 772

# Link types whose first byte is 0 when the packet was received, another when it was sent.
WITH_DIRECTION = (PPP_PPPD, PPP_WITH_DIRECTION, HDLC_WITH_DIRECTION)

# Packet types of cooked captures; 1, 2 and 3 say nothing of the side.
TO_US = 0
FROM_US = 4
NO_PACKET_TYPE = 15  # of frames that have none

# Flags of a PKTAP header that tell a direction.
PKTAP_INBOUND = 0x1
PKTAP_OUTBOUND = 0x2
PKTAP_DIRECTION = 0x3

# A path is the interface times 16 plus the packet type; above, in the 15 highest bits of a positive
# int32, the index of the device that cooked version 2 names, plus the number of the tunnel.
PACKET_TYPES = 16
DEVICE_SHIFT = 16
DEVICE_MASK = 0x7FFF
PATH_MASK = 0x7FFF_FFFF


@inlined
def origin(
    frame: Bytes,
    link_type: Integer,
    interface: Integer,
    from_loopback: Integer,
    direction: Integer,
    tunnel: Integer,
) -> tuple[Integer, Integer]:
    """The side (SIDE_ of batches.segments) and the path of a frame whose link header is whole.

    Paths are equal when a packet came the same way twice, and differ when a copy came another way.
    """
    packet_type, hardware, device = NO_PACKET_TYPE, 0, tunnel
    if link_type != ETHERNET:
        packet_type, hardware, device = _recorded(frame, link_type)
        device = device + tunnel & DEVICE_MASK
    path = (interface * PACKET_TYPES + packet_type + (device << DEVICE_SHIFT)) & PATH_MASK
    if from_loopback or hardware == LOOPBACK_HARDWARE:
        return SIDE_LOOPBACK, path
    if packet_type == FROM_US:
        return SIDE_OUTBOUND, path
    if packet_type == TO_US:
        return SIDE_INBOUND, path
    if direction == DIRECTION_OUTBOUND:
        return SIDE_OUTBOUND, path
    if direction == DIRECTION_INBOUND:
        return SIDE_INBOUND, path
    return SIDE_UNKNOWN, path


@kernel
def _recorded(frame: Bytes, link_type: Integer) -> tuple[Integer, Integer, Integer]:
    """Packet type, hardware type and device, as far as the link header tells them."""
    if link_type == COOKED_V1 and holds(frame, 0, COOKED_V1_SIZE):
        packet_type = min(u16(frame, 0, COOKED_V1_PACKET_TYPE), NO_PACKET_TYPE - 1)
        return packet_type, u16(frame, 0, COOKED_V1_HARDWARE), 0
    if link_type == COOKED_V2 and holds(frame, 0, COOKED_V2_SIZE):
        packet_type = min(u8(frame, 0, COOKED_V2_PACKET_TYPE), NO_PACKET_TYPE - 1)
        return packet_type, u16(frame, 0, COOKED_V2_HARDWARE), u32(frame, 0, COOKED_V2_INTERFACE)
    if link_type in WITH_DIRECTION and holds(frame, 0, 1):
        return (FROM_US if u8(frame, 0, 0) else TO_US), 0, 0
    if link_type == PKTAP and holds(frame, 0, PKTAP_SIZE):
        direction = little32(frame, 0, PKTAP_FLAGS) & PKTAP_DIRECTION
        if direction == PKTAP_OUTBOUND:
            return FROM_US, 0, 0
        if direction == PKTAP_INBOUND:
            return TO_US, 0, 0
    return NO_PACKET_TYPE, 0, 0
