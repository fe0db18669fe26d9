"""NFLOG, PKTAP and PPI; BSD loopback is in test_link.py."""

from __future__ import annotations

import struct

import pytest

from captures.make.link_headers import (
    ETHERNET,
    NFLOG,
    NULL,
    PKTAP,
    PPI,
    RADIOTAP,
    RAW_DLT,
    USER0,
    WIRELESS,
    ethernet,
    null,
)
from captures.make.recorder_headers import nflog, pktap, ppi
from captures.make.wire_headers import radiotap, wlan
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne
from tests.dissect.packets import FOUR, SIX, gives, is_cut_short, reads_both


@pytest.mark.parametrize("big_endian", [False, True])
def test_nflog(dissect: DissectOne, big_endian: bool) -> None:
    four, six = (nflog(each, big_endian=big_endian) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=NFLOG)
    is_cut_short(dissect, four, FOUR, NFLOG)


def test_nflog_without_a_payload(dissect: DissectOne) -> None:
    """The kernel was told to keep nothing of packets; the last field is padded or not."""
    field = struct.pack("<HH", 7, 10) + b"abc"
    gives(dissect, Verdict.CUT_SHORT, bytes(4), bytes(4) + field, link_type=NFLOG)
    gives(dissect, Verdict.CUT_SHORT, bytes(4) + field + b"\0", link_type=NFLOG)


def test_nflog_fields_that_cannot_be(dissect: DissectOne) -> None:
    field = struct.pack("<HH", 3, 10)
    gives(dissect, Verdict.BAD_LENGTH, bytes(4) + field + nflog(FOUR)[4:], link_type=NFLOG)


def test_pktap(dissect: DissectOne) -> None:
    for framed, link_type in ((ethernet, ETHERNET), (bytes, RAW_DLT), (null, NULL)):
        four, six = (pktap(framed(each), link_type=link_type) for each in (FOUR, SIX))
        reads_both(dissect, four, six, link_type=PKTAP)
    is_cut_short(dissect, pktap(ethernet(FOUR), link_type=ETHERNET), FOUR, PKTAP)


@pytest.mark.parametrize(("direction", "side"), [(0, 0), (1, 1), (2, 2), (3, 0), (0x12, 2)])
def test_pktap_tells_the_direction(dissect: DissectOne, direction: int, side: int) -> None:
    frame = pktap(ethernet(FOUR), link_type=ETHERNET, direction=direction)
    assert dissect(frame, PKTAP)["side"] == side


def test_pktap_of_other_kinds(dissect: DissectOne) -> None:
    frame = pktap(ethernet(FOUR), link_type=ETHERNET)
    gives(dissect, Verdict.BAD_LENGTH, struct.pack("<I", 107) + frame[4:], link_type=PKTAP)
    nothing = pktap(ethernet(FOUR), link_type=ETHERNET, follows=0)
    gives(dissect, Verdict.NOT_IP, nothing, link_type=PKTAP)


def test_ppi(dissect: DissectOne) -> None:
    for framed, link_type in (
        (ethernet, ETHERNET),
        (wlan, WIRELESS),
        (lambda each: radiotap(wlan(each)), RADIOTAP),
    ):
        four, six = (ppi(framed(each), link_type=link_type) for each in (FOUR, SIX))
        reads_both(dissect, four, six, link_type=PPI)
    is_cut_short(dissect, ppi(wlan(SIX), link_type=WIRELESS), SIX, PPI)


def test_ppi_that_cannot_be(dissect: DissectOne) -> None:
    frame = ppi(ethernet(FOUR), link_type=ETHERNET)
    short = frame[:2] + struct.pack("<H", 7) + frame[4:]
    gives(dissect, Verdict.BAD_LENGTH, short, link_type=PPI)


@pytest.mark.parametrize("link_type", [USER0, 2**32 - 1])
def test_other_link_types_inside(dissect: DissectOne, link_type: int) -> None:
    for outer, header in ((PPI, ppi), (PKTAP, pktap)):
        frame = header(ethernet(FOUR), link_type=link_type)
        gives(dissect, Verdict.UNSUPPORTED_LINK_TYPE, frame, link_type=outer)
