"""Packet blocks of pcapng: the three kinds, their options, and what is passed over."""

from __future__ import annotations

import struct

import pytest

from tcpsnoop.batches.packets import DIRECTION_INBOUND, DIRECTION_OUTBOUND, DIRECTION_UNKNOWN
from tests.sources.blocks import block, enhanced, interface, old, option, section, simple
from tests.sources.reading import Packet, packets_of, source_of

ORDERS = pytest.mark.parametrize("order", ["<", ">"])


@ORDERS
def test_every_packet_block(order: str) -> None:
    content = section(order) + interface(order) + interface(order, 101)
    content += enhanced(b"abcde", 0x2_0000_0001, order=order, original=70, number=1)
    content += old(b"fg", 0x2_0000_0003, order=order, number=1)
    content += simple(b"hijk", order=order)
    assert packets_of(source_of(content)) == [
        Packet(1, 0x2_0000_0001 * 1000, b"abcde", 70, 1, 0),
        Packet(2, 0x2_0000_0003 * 1000, b"fg", 2, 1, 0),
        Packet(3, 0x2_0000_0003 * 1000, b"hijk", 4, 0, 0),  # no time: the clock's
    ]


@ORDERS
@pytest.mark.parametrize(
    ("flags", "direction"),
    [
        (0, DIRECTION_UNKNOWN),
        (1, DIRECTION_INBOUND),
        (2, DIRECTION_OUTBOUND),
        (3, DIRECTION_UNKNOWN),
        (0xFFFF_0000 | 0x1C | 2, DIRECTION_OUTBOUND),  # other bits mean other things
    ],
)
def test_direction_by_the_flags_option(order: str, flags: int, direction: int) -> None:
    value = option(order, 2, struct.pack(f"{order}I", flags))
    end = option(order, 0, b"")
    content = section(order) + interface(order)
    for options in (value, value + end, option(order, 1, b"a comment") + value + end):
        content += enhanced(b"abc", order=order, options=options)
    content += old(b"", 0, order=order, options=value)
    content += enhanced(b"abc", order=order, options=end + value)  # after the end: none
    found = [packet.direction for packet in packets_of(source_of(content))]
    assert found == [direction] * 4 + [DIRECTION_UNKNOWN]


@ORDERS
def test_malformed_packet_options_say_nothing(order: str) -> None:
    too_long = struct.pack(f"{order}HH", 1, 0xFFFF) + bytes(4)
    wrong_size = option(order, 2, b"\1\0")
    content = section(order) + interface(order)
    content += enhanced(b"abc", order=order, options=too_long)
    content += enhanced(b"abc", order=order, options=wrong_size + bytes(8))
    assert [packet.direction for packet in packets_of(source_of(content))] == [0, 0]


def test_simple_packets_are_cut_by_the_snap_length_of_the_first_interface() -> None:
    content = section() + interface(snaplen=6) + interface(snaplen=4)
    content += simple(b"abcdef", 6000) + simple(b"abc", 3)
    packets = packets_of(source_of(content))
    assert [(packet.data, packet.original) for packet in packets] == [
        (b"abcdef", 6000),
        (b"abc", 3),
    ]


def test_simple_packets_without_a_snap_length_have_what_the_block_has() -> None:
    packets = packets_of(source_of(section() + interface() + simple(b"abcdefgh", 900)))
    assert [(packet.data, packet.original) for packet in packets] == [(b"abcdefgh", 900)]


def test_simple_packets_before_any_time_are_at_zero_and_start_no_clock() -> None:
    day = 86_400_000_000
    content = section() + interface() + simple(b"a") + enhanced(b"b", 3 * day) + simple(b"c")
    source = source_of(content)
    assert [packet.time_ns for packet in packets_of(source)] == [0, 3000 * day, 3000 * day]
    assert source.anomalies == []


def test_simple_packets_have_the_largest_time_so_far() -> None:
    content = section() + interface() + enhanced(b"a", 500) + enhanced(b"b", 400) + simple(b"c")
    assert [p.time_ns for p in packets_of(source_of(content))] == [500_000, 400_000, 500_000]


def test_other_blocks_are_passed_over_by_their_length() -> None:
    others = (
        block("<", 4, bytes(100))  # names
        + block("<", 5, bytes(12))  # statistics
        + block("<", 0x0BAD, struct.pack("<I", 32473) + b"own")
        + block("<", 0x8000_0001, bytes(4))
        + block("<", 77, b"")
        + block("<", 10, bytes(100_000))  # larger than the buffer
    )
    content = section() + others + interface() + others + enhanced(b"x") + others + simple(b"y")
    assert [packet.data for packet in packets_of(source_of(content))] == [b"x", b"y"]


def test_more_captured_than_on_the_wire_is_corrected_and_told() -> None:
    source = source_of(section() + interface() + enhanced(b"abcd", original=2))
    assert packets_of(source)[0].original == 4
    assert len(source.anomalies) == 1
