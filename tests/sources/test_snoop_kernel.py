"""Records of Sun snoop: times, lengths, padding, drops, and where reading stops."""

from __future__ import annotations

import pytest

from tests.sources.reading import packets_of, source_of
from tests.sources.snoop_records import header, record


def test_seconds_are_unsigned() -> None:
    source = source_of(header() + record(b"x", 0xFFFFFFFF, 1))
    assert packets_of(source)[0].time_ns == 4_294_967_295_000_001_000


@pytest.mark.parametrize("padding", [0, 1, 3, 16, 2000])
def test_any_padding_is_passed_over(padding: int) -> None:
    content = header() + record(b"abcde", padding=padding) + record(b"fg", padding=0)
    assert [packet.data for packet in packets_of(source_of(content))] == [b"abcde", b"fg"]


def test_more_captured_than_on_the_wire_is_corrected_and_told() -> None:
    source = source_of(header() + record(b"abcdef", original=4) + record(b"abc"))
    assert [packet.original for packet in packets_of(source)] == [6, 3]
    assert source.anomalies == [
        "input: 1 packets say that more was captured than was on the wire: taken as captured"
    ]


def test_drops_are_cumulative() -> None:
    source = source_of(header() + record(b"a", drops=2) + record(b"b", drops=5))
    assert len(packets_of(source)) == 2
    assert source.anomalies == ["input: 5 packets were dropped while it was captured"]


def test_jumps_of_the_clock_are_counted() -> None:
    day = 86_400
    content = header() + b"".join(record(b"x", s) for s in (10, 10 + day, 20 + 2 * day, 20 + day))
    source = source_of(content)
    assert len(packets_of(source)) == 4
    # Only the third is more than a day after the clock; the fourth is a day behind it, no more.
    assert source.anomalies == ["input: time jumps by more than a day: 1 times"]


@pytest.mark.parametrize("length", [0, 23, 24, 27])
def test_a_record_shorter_than_its_packet_is_damage(length: int) -> None:
    content = header() + record(b"before") + record(b"abcd", length=length) + record(b"after")
    source = source_of(content)
    assert [packet.data for packet in packets_of(source)] == [b"before"]
    # 16 bytes of header; 24 of the first record's header, its 6 bytes padded to 8.
    assert source.damage == "input is damaged at byte 48: its packet is longer than the whole of it"


def test_largest_record_and_one_byte_more() -> None:
    largest = 16 * 1024 * 1024
    data = bytes(largest - 24)
    assert len(packets_of(source_of(header() + record(data)))[0].data) == len(data)
    source = source_of(header() + record(data + b"x", padding=0))
    assert packets_of(source) == []
    assert source.damage == (
        f"input is damaged at byte 16: its length, {largest + 1}, is above the limit of {largest}"
    )


def test_cut_anywhere_every_packet_before_is_delivered() -> None:
    records = [record(bytes(size), size) for size in (5, 0, 60)]
    content = header() + b"".join(records)
    ends = [16, 16 + 32, 16 + 32 + 24, len(content)]  # of the header and of each padded record
    for cut in range(16, len(content) + 1):
        source = source_of(content[:cut])
        whole = [end for end in ends if end <= cut]
        assert len(packets_of(source)) == len(whole) - 1
        if cut in ends:
            assert source.damage is None
        else:
            where = f"within the record that begins at byte {whole[-1]}"
            assert source.damage == f"input is cut off at byte {cut}, {where}"
