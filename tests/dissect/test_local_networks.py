"""FDDI, ARCNET, InfiniBand, mPackets."""

from __future__ import annotations

import pytest

from captures.make.link_headers import ARCNET_BSD, ARCNET_LINUX, FDDI, IPOIB, MPACKET
from captures.make.wire_headers import arcnet, arcnet_exception, fddi, ipoib, mpacket
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne
from tests.dissect.packets import FOUR, SIX, gives, is_cut_short, reads_both


@pytest.mark.parametrize("control", [0x50, 0x57, 0xD0])
def test_fddi(dissect: DissectOne, control: int) -> None:
    """ISO 9314-2: frames of LLC, synchronous or not, of any priority."""
    reads_both(dissect, fddi(FOUR, control=control), fddi(SIX, control=control), link_type=FDDI)


@pytest.mark.parametrize("control", [0x41, 0xC1, 0x80, 0x00])
def test_other_fddi_frames_are_no_ip(dissect: DissectOne, control: int) -> None:
    """Station management, MAC frames, tokens, void frames."""
    gives(dissect, Verdict.NOT_IP, fddi(FOUR, control=control), link_type=FDDI)


@pytest.mark.parametrize("linux", [False, True])
def test_arcnet(dissect: DissectOne, linux: bool) -> None:
    """RFC 1201 has IPv4 and IPv6, RFC 1051 IPv4, without a split flag."""
    link_type = ARCNET_LINUX if linux else ARCNET_BSD
    four, six = (arcnet(each, linux=linux) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=link_type)
    reads_both(dissect, arcnet(FOUR, linux=linux, old=True), six, link_type=link_type)
    is_cut_short(dissect, four, FOUR, link_type)
    gives(dissect, Verdict.NOT_IP, four.replace(b"\xd4", b"\xd5", 1), link_type=link_type)


def test_arcnet_in_parts(dissect: DissectOne) -> None:
    """RFC 1201 section 2.2: a first part has an odd flag, a later one an even one."""
    for framed in (arcnet_exception, lambda each, split: arcnet(each, linux=False, split=split)):
        reads_both(dissect, framed(FOUR, split=1), framed(SIX, split=5), link_type=ARCNET_BSD)
        later = framed(FOUR, split=2), framed(SIX, split=4)
        gives(dissect, Verdict.FRAGMENT, *later, link_type=ARCNET_BSD)


def test_exception_frames(dissect: DissectOne) -> None:
    reads_both(dissect, arcnet_exception(FOUR), arcnet_exception(SIX), link_type=ARCNET_BSD)
    is_cut_short(dissect, arcnet_exception(FOUR), FOUR, ARCNET_BSD)


def test_infiniband(dissect: DissectOne) -> None:
    reads_both(dissect, ipoib(FOUR), ipoib(SIX), link_type=IPOIB)
    is_cut_short(dissect, ipoib(FOUR), FOUR, IPOIB)


@pytest.mark.parametrize("delimiter", [0xD5, 0xE6, 0x4C, 0x7F, 0xB3])
def test_mpacket(dissect: DissectOne, delimiter: int) -> None:
    """IEEE 802.3 table 99-1: express, and the first parts 0 to 3 of preemptable frames."""
    four, six = (mpacket(each, delimiter=delimiter) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=MPACKET)


@pytest.mark.parametrize("continued", [0x61, 0x52, 0x9E, 0x2A])
def test_later_parts_of_mpackets(dissect: DissectOne, continued: int) -> None:
    gives(dissect, Verdict.FRAGMENT, mpacket(FOUR, continued=continued), link_type=MPACKET)


def test_verification_is_no_ip(dissect: DissectOne) -> None:
    for delimiter in (0x07, 0x19, 0x55):
        gives(dissect, Verdict.NOT_IP, mpacket(FOUR, delimiter=delimiter), link_type=MPACKET)
