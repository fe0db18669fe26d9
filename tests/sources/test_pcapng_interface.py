"""Interface blocks of pcapng: every field and option that is used, and malformed ones."""

from __future__ import annotations

import struct

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.packets import CaptureInterface
from tests.sources.blocks import enhanced, interface, option, resolution, section
from tests.sources.reading import packets_of, source_of

ORDERS = pytest.mark.parametrize("order", ["<", ">"])


@ORDERS
def test_what_an_interface_says(order: str) -> None:
    options = option(order, 1, b"a comment") + option(order, 2, b"eth0")
    options += option(order, 4, bytes([192, 0, 2, 1, 255, 255, 255, 0]))
    options += option(order, 4, bytes([192, 0, 2, 9, 255, 255, 255, 0]))
    options += option(order, 5, bytes.fromhex("20010db8000000000000000000000001") + b"\x40")
    options += resolution(order, 3) + option(order, 0, b"") + option(order, 2, b"after the end")
    source = source_of(section(order) + interface(order, 276, 1500, options))
    assert packets_of(source) == []
    assert list(source.interfaces) == [
        CaptureInterface(
            link_type=276,
            digits=3,
            name="eth0",
            snaplen=1500,
            addresses=(halves("192.0.2.1"), halves("192.0.2.9"), halves("2001:db8::1")),
        )
    ]


@ORDERS
@pytest.mark.parametrize(
    "options",
    [
        struct.pack("<HH", 2, 400) + b"eth0",  # longer than the block
        option("<", 9, b""),
        option("<", 4, b"\1"),
        option("<", 14, b"\1\2"),
        b"\1",
    ],
)
def test_malformed_options_are_passed_over(order: str, options: bytes) -> None:
    source = source_of(
        section(order) + interface(order, 1, 0, options) + enhanced(b"x", order=order)
    )
    assert len(packets_of(source)) == 1
    assert source.interfaces[0] == CaptureInterface(link_type=1, digits=6)
