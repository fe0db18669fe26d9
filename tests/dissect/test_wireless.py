"""802.11 data frames, and radiotap before them."""

from __future__ import annotations

import struct

import pytest

from captures.make.link_headers import COOKED_V1, RADIOTAP, WIRELESS, cooked_v1
from captures.make.wire_headers import PADDED, aggregate, radiotap, wlan
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne
from tests.dissect.packets import FOUR, SIX, gives, is_cut_short, reads_both

QUALITY, OF_AGGREGATE = b"\x05\0", b"\x80\0"
PROTECTED, WITH_HT_CONTROL = 0x40, 0x80
RADIOTAP_HARDWARE = 803


@pytest.mark.parametrize("systems", [0, 1, 2, 3])
@pytest.mark.parametrize("quality", [b"", QUALITY])
def test_data(dissect: DissectOne, systems: int, quality: bytes) -> None:
    """IEEE 802.11 table 9-60: a fourth address between systems; QoS adds two bytes."""
    four, six = (wlan(each, flags=systems, quality=quality) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=WIRELESS)
    is_cut_short(dissect, four, FOUR, WIRELESS)


def test_ht_control(dissect: DissectOne) -> None:
    """Four bytes with QoS; without it the flag is that of a service class of old."""
    four, six = (wlan(each, flags=1 | WITH_HT_CONTROL, quality=QUALITY) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=WIRELESS)
    four, six = (wlan(each, flags=1 | WITH_HT_CONTROL) for each in (FOUR, SIX))
    reads_both(dissect, four, six, link_type=WIRELESS)


def test_first_of_an_aggregate(dissect: DissectOne) -> None:
    four = wlan(FOUR, quality=OF_AGGREGATE, body=aggregate(FOUR, SIX))
    six = wlan(SIX, quality=OF_AGGREGATE, body=aggregate(SIX, FOUR))
    reads_both(dissect, four, six, link_type=WIRELESS)


@pytest.mark.parametrize("kind", [0x80, 0x00, 0xB4, 0xD4, 0x48, 0xC8, 0x09, 0x0C])
def test_other_frames_are_no_ip(dissect: DissectOne, kind: int) -> None:
    """Beacon, association, RTS, ACK, no data (also with QoS), other version, extension."""
    frame = bytes([kind]) + wlan(FOUR)[1:]
    gives(dissect, Verdict.NOT_IP, frame, link_type=WIRELESS)


def test_encrypted(dissect: DissectOne) -> None:
    frame = wlan(FOUR, flags=1 | PROTECTED)
    gives(dissect, Verdict.ENCRYPTED, frame, link_type=WIRELESS)
    gives(dissect, Verdict.ENCRYPTED, radiotap(frame), link_type=RADIOTAP)


def test_later_fragments(dissect: DissectOne) -> None:
    gives(dissect, Verdict.FRAGMENT, wlan(FOUR, fragment=1), link_type=WIRELESS)


@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("words", [1, 2, 4])
def test_radiotap(dissect: DissectOne, time: bool, words: int) -> None:
    """radiotap.org: flags stand behind the time, if there is one, which is aligned."""
    for flags, padded in ((None, False), (0x10, False), (PADDED, True)):
        frames = (
            radiotap(
                wlan(each, quality=QUALITY, padded=padded), flags=flags, time=time, words=words
            )
            for each in (FOUR, SIX)
        )
        reads_both(dissect, *frames, link_type=RADIOTAP)


def test_cut_within_radiotap(dissect: DissectOne) -> None:
    frame = radiotap(wlan(FOUR, quality=QUALITY, padded=True), flags=PADDED, time=True)
    is_cut_short(dissect, frame, FOUR, RADIOTAP)


def test_bad_radiotap(dissect: DissectOne) -> None:
    """Version 1; a length shorter than a header; words of presence beyond the length."""
    frame = radiotap(wlan(FOUR))
    gives(dissect, Verdict.NOT_IP, b"\1" + frame[1:], link_type=RADIOTAP)
    short = frame[:2] + struct.pack("<H", 7) + frame[4:]
    gives(dissect, Verdict.BAD_LENGTH, short, link_type=RADIOTAP)
    endless = frame[:4] + b"\xff" * 4 + frame[8:]
    gives(dissect, Verdict.TCP, endless, link_type=RADIOTAP)


def test_radiotap_in_a_cooked_capture(dissect: DissectOne) -> None:
    four, six = (
        cooked_v1(radiotap(wlan(each)), packet_type=0, hardware_type=RADIOTAP_HARDWARE, protocol=4)
        for each in (FOUR, SIX)
    )
    reads_both(dissect, four, six, link_type=COOKED_V1)
