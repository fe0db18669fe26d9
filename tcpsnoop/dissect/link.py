"""From a link type to IP, header by header.

What a header announces is a kind (numbers.py), so links, tags, labels and what tunnels carry are
one series of steps: every reader of a header takes a frame and an offset and answers the next kind
and its offset. A new header is a row of FIXED when it has one size and names what follows at one
place; otherwise a function in one of the modules imported here, and a line in `_open_varying`.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.verdicts import CUT_SHORT, NOT_IP, UNSUPPORTED_LINK_TYPE
from tcpsnoop.dissect import numbers as of
from tcpsnoop.dissect.ether_types import below_labels, by_version, open_snap
from tcpsnoop.dissect.fields import ETHERNET_SIZE, ETHERNET_TYPE, Bytes, holds, u16
from tcpsnoop.dissect.local_networks import open_arcnet, open_fddi, open_mpacket
from tcpsnoop.dissect.numbers import ETHERNET, IPV4, IPV6, LARGEST_LENGTH, LINK
from tcpsnoop.dissect.ppp import open_ppp, open_pppd, open_pppoe, open_serial
from tcpsnoop.dissect.recorders import open_bsd_loopback, open_nflog, open_pktap, open_ppi
from tcpsnoop.dissect.wireless import open_radiotap, open_wireless
from tcpsnoop.kernel import Integer, inlined, kernel

# A link header, and as many others as Linux reads VLAN tags (VLAN_MAX_DEPTH): more are noise.
MAX_STEPS = 9

# Hardware types of cooked captures whose protocol field is no EtherType: 802.11 with radiotap;
# frame relay and netlink, of which no IP is read (LINKTYPE_LINUX_SLL).
RADIOTAP_HARDWARE = 803
HARDWARE_WITHOUT_TYPE = (770, 824)

NOWHERE = -1

# Headers of one size. Columns: kind, size, where the next EtherType stands, the next kind where no
# field tells, where Linux's hardware type stands.
KIND, SIZE, NEXT_AT, NEXT, HARDWARE_AT = range(5)
FIXED = np.array(
    [
        (LINK + of.COOKED_V1, 16, 14, 0, 2),
        (LINK + of.COOKED_V2, 20, 0, 0, 8),
        (of.CUSTOMER_TAG, 4, 2, 0, NOWHERE),  # IEEE 802.1Q section 9.3
        (of.SERVICE_TAG, 4, 2, 0, NOWHERE),
        (of.OLD_TAG, 4, 2, 0, NOWHERE),
        (of.OLD_INNER_TAG, 4, 2, 0, NOWHERE),
        (LINK + of.RAW_BSD, 0, NOWHERE, of.BY_VERSION, NOWHERE),
        (LINK + of.RAW_OPENBSD, 0, NOWHERE, of.BY_VERSION, NOWHERE),
        (LINK + of.RAW_IPV4, 0, NOWHERE, IPV4, NOWHERE),
        (LINK + of.RAW_IPV6, 0, NOWHERE, IPV6, NOWHERE),
        (of.TRANSPARENT_ETHERNET, ETHERNET_SIZE, ETHERNET_TYPE, 0, NOWHERE),
        (LINK + ETHERNET, ETHERNET_SIZE, ETHERNET_TYPE, 0, NOWHERE),
        (of.INSTANCE_TAG, 18, 16, 0, NOWHERE),  # IEEE 802.1Q section 9.7: with a whole header
        (LINK + of.PPP_BARE, 0, NOWHERE, of.PPP, NOWHERE),
        (LINK + of.PPP_WITH_DIRECTION, 1, NOWHERE, of.PPP, NOWHERE),
        (LINK + of.PPP_ETHERNET, 0, NOWHERE, of.PPPOE_SESSION, NOWHERE),
        (LINK + of.HDLC, 4, 2, 0, NOWHERE),  # RFC 1547 section 4.3.1
        (LINK + of.HDLC_WITH_DIRECTION, 5, 3, 0, NOWHERE),
        (LINK + of.IPOIB, 44, 40, 0, NOWHERE),
    ],
    np.int64,
)


@inlined
def open_link(frame: Bytes, link_type: Integer) -> tuple[Integer, Integer]:
    """What an Ethernet header announces, and where; of another link type, that itself."""
    if link_type != ETHERNET:
        return (LINK + link_type if link_type >= 0 else ~UNSUPPORTED_LINK_TYPE), 0
    if not holds(frame, 0, ETHERNET_SIZE):
        return ~CUT_SHORT, 0
    return u16(frame, 0, ETHERNET_TYPE), ETHERNET_SIZE


@kernel
def follow(
    frame: Bytes, kind: Integer, at: Integer, limit: Integer
) -> tuple[Integer, Integer, Integer]:
    """The first kind at or behind `at` that leads no further, where it begins, and must end.

    `limit` is where what begins at `at` must end (UNKNOWN_END: not known). A kind that leads
    nowhere is answered as it is; a negative one is the complement of the packet's verdict.
    """
    steps = MAX_STEPS if kind >= LINK else MAX_STEPS - 1
    for _ in range(steps):
        if kind < 0 or kind == IPV4 or kind == IPV6:
            break
        row = 0
        while row < len(FIXED) and FIXED[row, KIND] != kind:
            row += 1
        if row < len(FIXED):
            kind, at = _open_fixed(frame, row, at)
        elif kind >= LINK:
            kind, at = _open_varying_link(frame, kind - LINK, at)
        elif kind <= LARGEST_LENGTH:
            kind, at = open_snap(frame, at)
        elif kind == of.MPLS or kind == of.MPLS_MULTICAST:
            kind, at = below_labels(frame, at)
        elif kind == of.PPPOE_SESSION:
            kind, at, limit = open_pppoe(frame, at, limit)
        elif kind == of.PPP:
            kind, at = open_ppp(frame, at)
        else:
            break
    return kind, at, limit


@inlined
def _open_fixed(frame: Bytes, row: Integer, at: Integer) -> tuple[Integer, Integer]:
    """A header that has a row of FIXED."""
    behind = at + FIXED[row, SIZE]
    if not holds(frame, at, behind - at):
        return ~CUT_SHORT, at
    if FIXED[row, HARDWARE_AT] != NOWHERE:
        hardware = u16(frame, at + FIXED[row, HARDWARE_AT], 0)
        if hardware == RADIOTAP_HARDWARE:
            return LINK + of.RADIOTAP, behind
        if hardware in HARDWARE_WITHOUT_TYPE:
            return ~NOT_IP, behind
    if FIXED[row, NEXT_AT] == NOWHERE:
        return FIXED[row, NEXT], behind
    return u16(frame, at + FIXED[row, NEXT_AT], 0), behind


@inlined
def _open_varying_link(frame: Bytes, link_type: Integer, at: Integer) -> tuple[Integer, Integer]:
    """A link header without a row."""
    if link_type == of.RAW:
        return by_version(frame, at)
    if link_type == of.NULL or link_type == of.LOOP:
        return open_bsd_loopback(frame, at, link_type == of.NULL)
    if link_type == of.WIRELESS:
        return open_wireless(frame, at, False)
    if link_type == of.RADIOTAP:
        return open_radiotap(frame, at)
    if link_type == of.PPP_SERIAL:
        return open_serial(frame, at)
    if link_type == of.PPP_PPPD:
        return open_pppd(frame, at)
    if link_type == of.NFLOG:
        return open_nflog(frame, at)
    if link_type == of.PKTAP:
        return open_pktap(frame, at)
    if link_type == of.PPI:
        return open_ppi(frame, at)
    if link_type == of.FDDI:
        return open_fddi(frame, at)
    if link_type == of.ARCNET_BSD or link_type == of.ARCNET_LINUX:
        return open_arcnet(frame, at, link_type == of.ARCNET_LINUX)
    if link_type == of.MPACKET:
        return open_mpacket(frame, at)
    return ~UNSUPPORTED_LINK_TYPE, at
