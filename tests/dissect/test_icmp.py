"""ICMP errors that quote a segment."""

from __future__ import annotations

import pytest

from captures.make.frames import SYN, Endpoint, icmp, ipv4, ipv6, tcp, udp
from captures.make.link_headers import ethernet
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
ENDS_6 = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::2", 443)
ROUTER, ROUTER_6 = Endpoint("203.0.113.1", 0), Endpoint("2001:db8::ffff", 0)
QUOTED = ipv4(*ENDS, tcp(*ENDS, flags=SYN))
QUOTED_6 = ipv6(*ENDS_6, tcp(*ENDS_6, flags=SYN))
ICMP, ICMP_6, UDP = 1, 58, 17


def error(quoted: bytes, kind: int = 3, protocol: int = ICMP) -> bytes:
    message = icmp(ROUTER, ENDS[0], kind, 0, bytes(4) + quoted)
    return ethernet(ipv4(ROUTER, ENDS[0], message, protocol=protocol))


def error_6(quoted: bytes, kind: int = 1, protocol: int = ICMP_6) -> bytes:
    message = icmp(ROUTER_6, ENDS_6[0], kind, 0, bytes(4) + quoted)
    return ethernet(ipv6(ROUTER_6, ENDS_6[0], message, protocol=protocol))


@pytest.mark.parametrize("kind", range(20))
def test_types_of_icmp(dissect: DissectOne, kind: int) -> None:
    """RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem."""
    expected = Verdict.ICMP_ERROR if kind in {3, 4, 5, 11, 12} else Verdict.NOT_TCP
    assert dissect(error(QUOTED, kind)).verdict is expected


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 127, 128, 129, 137, 255])
def test_types_of_icmpv6(dissect: DissectOne, kind: int) -> None:
    """RFC 4443 section 2.1: errors are below 128."""
    expected = Verdict.ICMP_ERROR if kind < 128 else Verdict.NOT_TCP
    assert dissect(error_6(QUOTED_6, kind)).verdict is expected


def test_each_version_has_its_own_icmp(dissect: DissectOne) -> None:
    assert dissect(error(QUOTED, 3, ICMP_6)).verdict is Verdict.NOT_TCP
    assert dissect(error_6(QUOTED_6, 3, ICMP)).verdict is Verdict.NOT_TCP


def test_the_quote_may_end_behind_the_ports(dissect: DissectOne) -> None:
    """RFC 792 quotes eight bytes behind the IP header; four have the ports."""
    for whole, header in ((error(QUOTED), 14 + 20 + 8 + 20), (error_6(QUOTED_6), 14 + 40 + 8 + 40)):
        for kept in range(header, header + 9):
            expected = Verdict.ICMP_ERROR if kept >= header + 4 else Verdict.NOT_TCP
            assert dissect(whole[:kept], original=len(whole)).verdict is expected


def test_a_quoted_length_says_nothing(dissect: DissectOne) -> None:
    """The quote is shorter than it declares, as it must be; nothing is clipped."""
    quoted = ipv4(*ENDS, tcp(*ENDS, flags=SYN, payload=bytes(500)))[:28]
    outcome = dissect(error(quoted))
    assert (outcome.verdict, outcome.clipped) == (Verdict.ICMP_ERROR, 0)


def test_errors_that_quote_something_else(dissect: DissectOne) -> None:
    datagram = ipv4(*ENDS, udp(*ENDS, b"data"), protocol=UDP)
    later = ipv4(*ENDS, tcp(*ENDS, flags=SYN), fragment_offset=8)
    for quoted in (datagram, later, QUOTED_6, b"", b"\x45"):
        assert dissect(error(quoted)).verdict is Verdict.NOT_TCP


def test_cut_before_the_type(dissect: DissectOne) -> None:
    assert dissect(error(QUOTED)[: 14 + 20], original=90).verdict is Verdict.CUT_SHORT
