"""PPP in all its link types, PPPoE, C-HDLC."""

from __future__ import annotations

import pytest

from captures.make.link_headers import (
    HDLC,
    HDLC_WITH_DIRECTION,
    PPP_BARE,
    PPP_ETHERNET,
    PPP_PPPD,
    PPP_SERIAL,
    PPP_WITH_DIRECTION,
    ethernet,
)
from captures.make.wire_headers import FRAMING, PPP_MPLS, PPPOE_SESSION, hdlc, mpls, ppp, pppoe
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne
from tests.dissect.packets import FOUR, SIX, gives, is_cut_short, reads_both

INBOUND, OUTBOUND = 1, 2


@pytest.mark.parametrize("framing", [FRAMING, b""])
@pytest.mark.parametrize("compressed", [False, True])
def test_ppp(dissect: DissectOne, framing: bytes, compressed: bool) -> None:
    """RFC 1661, RFC 1662: address and control may be left out, and half of the protocol."""
    four, six = (ppp(each, framing=framing, compressed=compressed) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=PPP_BARE)
    is_cut_short(dissect, four, FOUR, PPP_BARE)


def test_ppp_carries_labels(dissect: DissectOne) -> None:
    four, six = (ppp(mpls(each, 9), protocol=PPP_MPLS) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=PPP_BARE)


@pytest.mark.parametrize("protocol", [0xC021, 0x8021, 0x00FD, 0x002D, 0x0023])
def test_other_protocols_are_no_ip(dissect: DissectOne, protocol: int) -> None:
    """Link control, IP control, compressed data, compressed TCP, OSI."""
    frame = ppp(FOUR, protocol=protocol)
    gives(dissect, Verdict.NOT_IP, frame, frame[2:], link_type=PPP_BARE)


def test_other_addresses_are_no_framing(dissect: DissectOne) -> None:
    gives(dissect, Verdict.NOT_IP, b"\xff\x13" + ppp(FOUR)[2:], link_type=PPP_BARE)


def test_serial_is_ppp_or_hdlc(dissect: DissectOne) -> None:
    reads_both(dissect, ppp(FOUR), ppp(SIX, framing=b""), link_type=PPP_SERIAL)
    reads_both(dissect, hdlc(FOUR), hdlc(SIX, address=0x8F), link_type=PPP_SERIAL)


def test_hdlc(dissect: DissectOne) -> None:
    reads_both(dissect, hdlc(FOUR), hdlc(SIX, address=0x8F), link_type=HDLC)
    is_cut_short(dissect, hdlc(SIX), SIX, HDLC)
    keep_alive = hdlc(bytes(14), protocol=0x8035)
    gives(dissect, Verdict.NOT_IP, keep_alive, link_type=HDLC)


@pytest.mark.parametrize(("direction", "side"), [(0, INBOUND), (1, OUTBOUND), (0x80, OUTBOUND)])
def test_direction(dissect: DissectOne, direction: int, side: int) -> None:
    """A byte in front, or in place of the address: zero is received, any other sent."""
    head = bytes([direction])
    for frame, link_type in (
        (head + ppp(FOUR), PPP_WITH_DIRECTION),
        (head + ppp(FOUR, framing=b""), PPP_WITH_DIRECTION),
        (head + ppp(FOUR)[1:], PPP_PPPD),
        (head + ppp(FOUR), PPP_PPPD),
        (head + hdlc(FOUR), HDLC_WITH_DIRECTION),
    ):
        outcome = dissect(frame, link_type)
        assert (outcome["payload"], outcome["side"]) == (4, side)
    assert dissect(ppp(FOUR), PPP_BARE)["side"] == 0


def test_pppoe(dissect: DissectOne) -> None:
    four, six = (ethernet(pppoe(each), protocol=PPPOE_SESSION) for each in (FOUR, SIX))
    reads_both(dissect, four, six)
    reads_both(dissect, pppoe(FOUR), pppoe(SIX), link_type=PPP_ETHERNET)
    is_cut_short(dissect, four, FOUR)


def test_pppoe_length_ends_what_it_carries(dissect: DissectOne) -> None:
    """A sum in a packet is not believed beyond the length of what is around; 0 says nothing."""
    for length, payload, clipped in ((46, 4, 0), (45, 3, 1), (42, 0, 1), (0, 4, 0), (99, 4, 0)):
        outcome = dissect(ethernet(pppoe(FOUR, length=length), protocol=PPPOE_SESSION))
        assert (outcome["payload"], outcome.clipped) == (payload, clipped)


def test_other_pppoe_is_no_ip(dissect: DissectOne) -> None:
    """RFC 2516: discovery codes, and versions that are none."""
    for head in (b"\x11\x07", b"\x21\0", b"\x12\0"):
        gives(dissect, Verdict.NOT_IP, head + pppoe(FOUR)[2:], link_type=PPP_ETHERNET)
