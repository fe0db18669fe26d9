"""PPP: bare or framed like HDLC, with a direction, or over Ethernet.

Readers answer as link.py says.
"""

from __future__ import annotations

from tcpsnoop.batches.verdicts import CUT_SHORT, NOT_IP
from tcpsnoop.dissect.fields import Bytes, holds, u8, u16
from tcpsnoop.dissect.numbers import HDLC, IPV4, IPV6, LINK, MPLS, MPLS_MULTICAST, PPP
from tcpsnoop.kernel import Integer, inlined

# Framing (RFC 1662 section 3.1): may be left out.
ADDRESS = 0xFF
CONTROL = 0x03
FRAMING_SIZE = 2

# PPP protocol (RFC 1661 section 2): its last byte is odd, all before it even, so it may be one
# byte. Numbers by IANA, and the EtherType of the same.
PROTOCOLS = ((0x21, IPV4), (0x57, IPV6), (0x281, MPLS), (0x283, MPLS_MULTICAST))

# PPPoE session (RFC 2516 section 4): version and type are 1, code 0.
PPPOE_SESSION_DATA = 0x1100
PPPOE_LENGTH = 4
PPPOE_SIZE = 6

# First byte of C-HDLC (RFC 1547 section 4.3.1), which may stand where PPP does.
HDLC_ADDRESSES = (0x0F, 0x8F)


@inlined
def open_ppp(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """PPP with or without framing, its protocol of two bytes or of one."""
    if not holds(frame, at, 1):
        return ~CUT_SHORT, at
    if u8(frame, at, 0) == ADDRESS:
        if not holds(frame, at, FRAMING_SIZE + 1):
            return ~CUT_SHORT, at
        if u8(frame, at, 1) == CONTROL:
            at += FRAMING_SIZE
    protocol = u8(frame, at, 0)
    at += 1
    if protocol & 1 == 0:
        if not holds(frame, at, 1):
            return ~CUT_SHORT, at
        protocol = protocol << 8 | u8(frame, at, 0)
        at += 1
    for number, ether_type in PROTOCOLS:
        if protocol == number:
            return ether_type, at
    return ~NOT_IP, at


@inlined
def open_serial(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LINKTYPE_PPP_HDLC: PPP, or C-HDLC where its address stands first."""
    if holds(frame, at, 1) and u8(frame, at, 0) in HDLC_ADDRESSES:
        return LINK + HDLC, at
    return PPP, at


@inlined
def open_pppd(frame: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """LINKTYPE_PPP_PPPD: a direction, in place of the framing's address or before everything."""
    replaced = holds(frame, at, FRAMING_SIZE) and u8(frame, at, 1) == CONTROL
    return PPP, at + (FRAMING_SIZE if replaced else 1)


@inlined
def open_pppoe(frame: Bytes, at: Integer, limit: Integer) -> tuple[Integer, Integer, Integer]:
    """A PPPoE session header, and where its length ends what it carries; 0 is no length."""
    if not holds(frame, at, PPPOE_SIZE):
        return ~CUT_SHORT, at, limit
    if u16(frame, at, 0) != PPPOE_SESSION_DATA:
        return ~NOT_IP, at, limit
    length = u16(frame, at, PPPOE_LENGTH)
    at += PPPOE_SIZE
    if length > 0 and (limit < 0 or at + length < limit):
        limit = at + length
    return PPP, at, limit
