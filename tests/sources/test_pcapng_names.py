"""Name resolution blocks, from bytes made by hand."""

from __future__ import annotations

import struct

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.sources.merge import MergedSource
from tcpsnoop.sources.recorded import MOST_NAMES
from tests.sources.blocks import block, enhanced, interface, names, section
from tests.sources.reading import packets_of, source_of

ONE, SIX = halves("192.0.2.1"), halves("2001:db8::1")


@pytest.mark.parametrize("order", ["<", ">"])
def test_first_names_of_both_kinds_of_address(order: str) -> None:
    content = section(order) + names(
        order, ("192.0.2.1", "one.example", "other.example"), ("2001:db8::1", "six.example")
    )
    source = source_of(content + interface(order) + enhanced(b"x", order=order))
    assert len(packets_of(source)) == 1
    assert source.hosts == {ONE: "one.example", SIX: "six.example"}
    assert source.damage is None


def test_the_first_block_counts_and_those_after_the_packets_too() -> None:
    content = section() + names("<", ("192.0.2.1", "first")) + interface() + enhanced(b"x")
    content += names("<", ("192.0.2.1", "second"), ("2001:db8::1", "late"))
    source = source_of(content)
    packets_of(source)
    assert source.hosts == {ONE: "first", SIX: "late"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        struct.pack("<HH", 1, 4) + b"\xc0\x00\x02\x01",  # an address without a name
        struct.pack("<HH", 1, 2) + b"\xc0\x00\0\0",  # half an address
        struct.pack("<HH", 1, 200) + b"\xc0\x00\x02\x01name\0",  # longer than the block
        struct.pack("<HH", 3, 9) + b"\1\2\3\4\5\6ab\0\0\0\0",  # of a MAC address
        struct.pack("<HH", 1, 304) + b"\xc0\x00\x02\x01" + b"n" * 299 + b"\0",  # no host's name
        struct.pack("<HH", 0, 0) + struct.pack("<HH", 1, 6) + b"\xc0\x00\x02\x01n\0\0\0",
    ],
)
def test_records_without_a_name_say_nothing_and_lose_nothing(body: bytes) -> None:
    source = source_of(section() + block("<", 4, body) + interface() + enhanced(b"x"))
    assert len(packets_of(source)) == 1
    assert source.hosts == {}
    assert source.damage is None


def test_names_are_bounded() -> None:
    content = section()
    for start in range(0, MOST_NAMES + 2000, 1000):
        rows = [(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "n") for n in range(start, start + 1000)]
        content += names("<", *rows)
    source = source_of(content, capacity=1 << 20)
    packets_of(source)
    assert len(source.hosts) == MOST_NAMES


def test_of_several_files_the_one_that_tells_first_counts() -> None:
    one = section() + interface() + enhanced(b"x") + names("<", ("192.0.2.1", "of the first"))
    two = section() + names("<", ("192.0.2.1", "of the second"), ("2001:db8::1", "six"))
    two += interface() + enhanced(b"x", 5_000_000)
    source = MergedSource([lambda: source_of(one), lambda: source_of(two)])
    packets_of(source)
    assert source.hosts == {ONE: "of the first", SIX: "six"}
