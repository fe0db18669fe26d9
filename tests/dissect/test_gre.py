"""GRE in both versions, and ERSPAN."""

from __future__ import annotations

import itertools
import struct

import pytest

from captures.make.frames import Endpoint, ipv4, ipv6
from captures.make.link_headers import ethernet
from captures.make.tunnel_headers import (
    ERSPAN,
    GRE,
    PPP,
    TRANSPARENT_ETHERNET,
    enhanced_gre,
    erspan_ii,
    erspan_iii,
    gre,
)
from captures.make.wire_headers import MPLS, mpls, ppp, tagged_ethernet
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne
from tests.dissect.packets import FOUR, SIX, gives, is_cut_short, reads_both

NEAR, FAR = Endpoint("203.0.113.1", 0), Endpoint("203.0.113.2", 0)
NEAR_6, FAR_6 = Endpoint("2001:db8:a::1", 0), Endpoint("2001:db8:b::1", 0)


def over(payload: bytes) -> bytes:
    return ethernet(ipv4(NEAR, FAR, payload, protocol=GRE))


@pytest.mark.parametrize(
    ("checksum", "key", "sequence"), [*itertools.product([False, True], [None, 7], [None, 8])]
)
def test_words(dissect: DissectOne, checksum: bool, key: int | None, sequence: int | None) -> None:
    """RFC 2784 and RFC 2890: a word for each of checksum, key and sequence number."""
    four, six = (gre(each, checksum=checksum, key=key, sequence=sequence) for each in (FOUR, SIX))
    reads_both(dissect, over(four), over(six))
    reads_both(
        dissect,
        *(ethernet(ipv6(NEAR_6, FAR_6, each, protocol=GRE)) for each in (four, six)),
    )
    is_cut_short(dissect, over(four), FOUR)


def test_what_it_carries(dissect: DissectOne) -> None:
    for framed, kind in (
        (ethernet, TRANSPARENT_ETHERNET),
        (tagged_ethernet, TRANSPARENT_ETHERNET),
        (lambda each: mpls(each, 5), MPLS),
        (ppp, PPP),
    ):
        reads_both(dissect, *(over(gre(framed(each), protocol=kind)) for each in (FOUR, SIX)))


def test_what_is_not_read(dissect: DissectOne) -> None:
    """Keep-alives, ARP, other EtherTypes and lengths; routed packets; other versions."""
    packets = [gre(FOUR, protocol=kind) for kind in (0, 0x0806, 0x883E, 0x0001, 1500)]
    packets += [struct.pack(">H", flags) + gre(FOUR)[2:] for flags in (0x4000, 0x0002, 0x0007)]
    packets += [gre(b"\x60" + FOUR[1:])]
    gives(dissect, Verdict.NOT_TCP, *(over(each) for each in packets))


@pytest.mark.parametrize("acknowledgment", [None, 5])
def test_enhanced(dissect: DissectOne, acknowledgment: int | None) -> None:
    """RFC 2637: a key always, a number with a payload, perhaps an acknowledgment; PPP."""
    four, six = (
        over(enhanced_gre(ppp(each), sequence=1, acknowledgment=acknowledgment))
        for each in (FOUR, SIX)
    )
    reads_both(dissect, four, six)
    is_cut_short(dissect, four, FOUR)
    only_acknowledges = over(enhanced_gre(b"", sequence=None, acknowledgment=5))
    gives(dissect, Verdict.NOT_TCP, only_acknowledges)


def test_erspan(dissect: DissectOne) -> None:
    """draft-foschiano-erspan-03: types I, II and III, tagged frames, a platform's header."""
    for framed in (ethernet, tagged_ethernet):
        reads_both(dissect, *(over(gre(framed(each), protocol=ERSPAN)) for each in (FOUR, SIX)))
        reads_both(dissect, *(over(erspan_ii(framed(each))) for each in (FOUR, SIX)))
        for platform in (False, True):
            four, six = (over(erspan_iii(framed(each), platform=platform)) for each in (FOUR, SIX))
            reads_both(dissect, four, six)
    reads_both(dissect, *(over(erspan_iii(each, kind=2)) for each in (FOUR, SIX)))
    is_cut_short(dissect, over(erspan_ii(ethernet(FOUR))), FOUR)
    is_cut_short(dissect, over(erspan_iii(ethernet(FOUR), platform=True)), FOUR)


def test_other_erspan(dissect: DissectOne) -> None:
    frame = ethernet(FOUR)
    others = erspan_ii(frame, version=3), erspan_iii(frame, kind=1), erspan_iii(frame, kind=31)
    gives(dissect, Verdict.NOT_TCP, *(over(each) for each in others))
