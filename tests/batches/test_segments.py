"""TCP flags as words, in the order and spelling of the specification."""

from __future__ import annotations

import pytest

from tcpsnoop.batches import segments
from tcpsnoop.batches.segments import FLAG_NAMES, flags_text


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0x000, "null"),
        (0x002, "SYN"),
        (0x012, "SYN|ACK"),
        (0x018, "PUSH|ACK"),
        (0x011, "FIN|ACK"),
        (0x1FF, "FIN|SYN|RST|PUSH|ACK|URG|ECE|CWR|AE"),
    ],
)
def test_flags_are_joined_in_the_order_of_the_header(bits: int, text: str) -> None:
    assert flags_text(bits) == text


def test_each_name_has_its_bit() -> None:
    """RFC 9293 section 3.1: FIN is the lowest bit; RFC 9768: AE stands above CWR."""
    for place, name in enumerate(FLAG_NAMES):
        assert getattr(segments, name) == 1 << place
        assert flags_text(1 << place) == name


def test_bits_beyond_the_header_say_nothing() -> None:
    assert flags_text(0x1202) == "SYN"
