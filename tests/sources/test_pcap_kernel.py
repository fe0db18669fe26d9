"""Records of classic pcap: times, lengths, the clock, and where reading stops."""

from __future__ import annotations

import pytest

from tests.sources.reading import packets_of, source_of
from tests.sources.records import header, record


@pytest.mark.parametrize("order", ["<", ">"])
def test_seconds_are_unsigned(order: str) -> None:
    content = header(order) + record(b"x", 0xFFFFFFFF, 1, order=order)
    assert packets_of(source_of(content))[0].time_ns == 4_294_967_295_000_001_000


def test_more_captured_than_on_the_wire_is_corrected_and_told() -> None:
    content = header() + record(b"abcdef", original=4) + record(b"abc") + record(b"ab", original=0)
    source = source_of(content)
    assert [packet.original for packet in packets_of(source)] == [6, 3, 2]
    assert source.anomalies == [
        "input: 2 packets say that more was captured than was on the wire: taken as captured"
    ]


def test_jumps_of_the_clock_are_counted() -> None:
    day = 86_400
    # A day itself is no jump; neither is going back by one. The last one is a day behind the clock.
    seconds = [10, 10 + day, 10, 20 + 2 * day, 21 + 2 * day, 20 + day]
    source = source_of(header() + b"".join(record(b"x", second) for second in seconds))
    assert [packet.time_ns for packet in packets_of(source)] == [s * 10**9 for s in seconds]
    assert source.anomalies == ["input: time jumps by more than a day: 2 times"]


@pytest.mark.parametrize("order", ["<", ">"])
def test_cut_anywhere_every_packet_before_is_delivered(order: str) -> None:
    records = [record(bytes(size), size, order=order) for size in (5, 0, 60)]
    content = header(order) + b"".join(records)
    ends = [24, 24 + 21, 24 + 21 + 16, len(content)]  # of the header and of each record
    for cut in range(4, len(content) + 1):
        source = source_of(content[:cut])
        whole = [end for end in ends if end <= cut]
        assert len(packets_of(source)) == max(0, len(whole) - 1)
        if cut < 24:
            assert source.damage == f"input is cut off at byte {cut}, within its file header"
        elif cut in ends:
            assert source.damage is None
        else:
            where = f"within the record that begins at byte {whole[-1]}"
            assert source.damage == f"input is cut off at byte {cut}, {where}"


def test_record_of_a_mebibyte_is_a_packet() -> None:
    data = bytes(range(256)) * 4096
    source = source_of(header() + record(b"before") + record(data) + record(b"after"))
    assert [packet.data for packet in packets_of(source)] == [b"before", data, b"after"]


def test_largest_record_and_one_byte_more() -> None:
    largest = bytes(16 * 1024 * 1024)
    assert len(packets_of(source_of(header() + record(largest)))[0].data) == len(largest)
    source = source_of(header() + record(b"before") + record(largest + b"x") + record(b"after"))
    assert [packet.data for packet in packets_of(source)] == [b"before"]
    assert source.damage == (
        "input is damaged at byte 46: its length, 16777217, is above the limit of 16777216"
    )
