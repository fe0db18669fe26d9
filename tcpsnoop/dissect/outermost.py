"""What a filter cannot see, as it looks at the outermost frame only: tags and tunnels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.dissect.fields import (
    IPV4_PROTOCOL,
    IPV4_SIZE,
    IPV6_NEXT_HEADER,
    IPV6_SIZE,
    Bytes,
    holds,
    u8,
    u16,
)
from tcpsnoop.dissect.numbers import (
    AUTHENTICATION,
    AYIYA_PORT,
    COOKED_V1,
    CUSTOMER_TAG,
    ETHERNET,
    GENEVE_PORT,
    GRE,
    GTP_PORT,
    INSTANCE_TAG,
    IPV4,
    IPV4_IN_IP,
    IPV6,
    IPV6_IN_IP,
    L2TP_PORT,
    MPLS,
    MPLS_MULTICAST,
    OLD_INNER_TAG,
    OLD_TAG,
    PPPOE_SESSION,
    RAW,
    SERVICE_TAG,
    TEREDO_PORT,
    UDP,
    VXLAN_GPE_PORT,
    VXLAN_LINUX_PORT,
    VXLAN_PORT,
)
from tcpsnoop.kernel import Integer, Truth, inlined, kernel

COVERS = (
    *(CUSTOMER_TAG, SERVICE_TAG, OLD_TAG, OLD_INNER_TAG),
    *(INSTANCE_TAG, MPLS, MPLS_MULTICAST, PPPOE_SESSION),
)
CARRIERS = (IPV4_IN_IP, IPV6_IN_IP, GRE, AUTHENTICATION)
PORTS = (
    *(L2TP_PORT, GTP_PORT, TEREDO_PORT, VXLAN_PORT),
    *(VXLAN_GPE_PORT, AYIYA_PORT, GENEVE_PORT, VXLAN_LINUX_PORT),
)


def carries_more(
    packets: PacketBatch, link_types: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> bool:
    """Whether any chosen packet has a tag, labels, PPPoE or a tunnel.

    Looked for on Ethernet, raw IP and cooked v1, for a note: a port is enough to be a tunnel here.
    `link_types` are those of the interfaces, shape (k,); `chosen` has shape (n,).
    """
    return bool(_carries_more(*packets[:1], *packets[4:6], packets.interface, link_types, chosen))


@kernel
def _carries_more(
    data: Bytes,
    offset: NDArray[np.int64],
    captured: NDArray[np.int64],
    interface: NDArray[np.int32],
    link_types: NDArray[np.int64],
    chosen: NDArray[np.bool_],
) -> Truth:
    for number in range(len(chosen)):
        if chosen[number]:
            frame = data[offset[number] : offset[number] + captured[number]]
            if _is_cover(frame, link_types[interface[number]]):
                return True
    return False


@inlined
def _is_cover(frame: Bytes, link_type: Integer) -> Truth:
    at = 14 if link_type == ETHERNET else 16 if link_type == COOKED_V1 else 0
    if (at == 0 and link_type != RAW) or not holds(frame, at, IPV4_SIZE):
        return False
    kind = u16(frame, at - 2, 0) if at > 0 else IPV6 if u8(frame, 0, 0) >> 4 == 6 else IPV4
    if kind in COVERS:
        return True
    if kind == IPV4:
        protocol, ports = u8(frame, at, IPV4_PROTOCOL), at + (u8(frame, at, 0) & 0x0F) * 4
    elif kind == IPV6:
        protocol, ports = u8(frame, at, IPV6_NEXT_HEADER), at + IPV6_SIZE
    else:
        return False
    if protocol != UDP or not holds(frame, ports, 4):
        return protocol in CARRIERS
    return u16(frame, ports, 0) in PORTS or u16(frame, ports, 2) in PORTS
