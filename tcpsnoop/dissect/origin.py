"""How a frame came: the side and the path of a packet, from its cooked header and its interface."""

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
    Bytes,
    holds,
    u8,
    u16,
    u32,
)
from tcpsnoop.dissect.link import COOKED_V1, COOKED_V2
from tcpsnoop.kernel import Integer, inlined

# Linux's hardware type of loopback devices (ARPHRD_LOOPBACK).
LOOPBACK_HARDWARE = 772

# Packet types of cooked captures; 1, 2 and 3 say nothing of the side.
TO_US = 0
FROM_US = 4
NO_PACKET_TYPE = 15  # of frames that are not cooked

# A path is the interface times 16 plus the packet type; above, in the 15 highest bits of a positive
# int32, the index of the device that cooked version 2 names.
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
) -> tuple[Integer, Integer]:
    """The side (SIDE_ of batches.segments) and the path of a frame whose link header is whole.

    Paths are equal when a packet came the same way twice, and differ when a copy came another way.
    """
    packet_type, hardware, device = NO_PACKET_TYPE, 0, 0
    if link_type == COOKED_V1 and holds(frame, 0, COOKED_V1_SIZE):
        packet_type = min(u16(frame, COOKED_V1_PACKET_TYPE), NO_PACKET_TYPE - 1)
        hardware = u16(frame, COOKED_V1_HARDWARE)
    elif link_type == COOKED_V2 and holds(frame, 0, COOKED_V2_SIZE):
        packet_type = min(u8(frame, COOKED_V2_PACKET_TYPE), NO_PACKET_TYPE - 1)
        hardware = u16(frame, COOKED_V2_HARDWARE)
        device = u32(frame, COOKED_V2_INTERFACE) & DEVICE_MASK
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
