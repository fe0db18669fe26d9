"""Classic pcap: every variant of the file header and of the records, from bytes made by hand."""

from __future__ import annotations

import struct

import pytest

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.errors import UsageError
from tests.sources.reading import Packet, packets_of, source_of

MICROSECONDS, NANOSECONDS, KUZNETZOV = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
ETHERNET = 1

# A whole file by its bytes: big-endian, microseconds, raw IP (101), snap length 65535, one packet
# of 3 bytes out of 5 at 1.000002 s.
BIG_ENDIAN_FILE = bytes.fromhex(
    "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065"
    "00000001 00000002 00000003 00000005 aabbcc"
)


def header(
    order: str = "<",
    *,
    magic: int = MICROSECONDS,
    version: tuple[int, int] = (2, 4),
    snaplen: int = 262144,
    link: int = ETHERNET,
) -> bytes:
    return struct.pack(f"{order}IHHiIII", magic, *version, 0, 0, snaplen, link)


def record(
    data: bytes,
    seconds: int = 0,
    fraction: int = 0,
    original: int | None = None,
    order: str = "<",
) -> bytes:
    length = len(data) if original is None else original
    return struct.pack(f"{order}IIII", seconds, fraction, len(data), length) + data


def test_a_file_by_its_bytes() -> None:
    source = source_of(BIG_ENDIAN_FILE)
    assert packets_of(source) == [Packet(1, 1_000_002_000, b"\xaa\xbb\xcc", 5, 0, 0)]
    assert list(source.interfaces) == [CaptureInterface(link_type=101, digits=6, snaplen=65535)]
    assert source.damage is None
    assert source.anomalies == []


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "unit_ns", "digits"), [(MICROSECONDS, 1000, 6), (NANOSECONDS, 1, 9)]
)
def test_orders_and_resolutions(order: str, magic: int, unit_ns: int, digits: int) -> None:
    content = header(order, magic=magic)
    content += record(b"abc", 7, 999_999, order=order) + record(b"", 8, 0, 60, order=order)
    source = source_of(content)
    assert packets_of(source) == [
        Packet(1, 7_000_000_000 + 999_999 * unit_ns, b"abc", 3, 0, 0),
        Packet(2, 8_000_000_000, b"", 60, 0, 0),
    ]
    assert source.interfaces[0].digits == digits


@pytest.mark.parametrize("order", ["<", ">"])
def test_seconds_are_unsigned(order: str) -> None:
    content = header(order) + record(b"x", 0xFFFFFFFF, 1, order=order)
    assert packets_of(source_of(content))[0].time_ns == 4_294_967_295_000_001_000


def test_kuznetzov_records_have_eight_bytes_more() -> None:
    first, second = record(b"abc", 1, 2), record(b"defg", 3, 4)
    extra = bytes(8)
    content = header(magic=KUZNETZOV)
    content += first[:16] + extra + first[16:] + second[:16] + extra + second[16:]
    assert packets_of(source_of(content)) == [
        Packet(1, 1_000_002_000, b"abc", 3, 0, 0),
        Packet(2, 3_000_004_000, b"defg", 4, 0, 0),
    ]


@pytest.mark.parametrize(
    ("version", "first", "second", "captured", "original"),
    [
        ((2, 4), 4, 9, 4, 9),
        ((2, 3), 4, 9, 4, 9),
        ((2, 3), 9, 4, 4, 9),  # writers of 2.3 had either order
        ((2, 2), 9, 4, 4, 9),
        ((2, 0), 9, 4, 4, 9),
        ((543, 0), 9, 4, 4, 9),
    ],
)
def test_order_of_the_lengths_by_version(
    version: tuple[int, int], first: int, second: int, captured: int, original: int
) -> None:
    content = header(version=version) + struct.pack("<IIII", 0, 0, first, second) + b"abcd"
    packet = packets_of(source_of(content))[0]
    assert (len(packet.data), packet.original) == (captured, original)


@pytest.mark.parametrize("version", [(1, 4), (3, 0), (543, 1)])
def test_other_versions_are_refused(version: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match=rf"input: pcap version {version[0]}.{version[1]} "):
        source_of(header(version=version))


def test_check_sequence_bits_are_no_link_type() -> None:
    # f0 in the highest byte: a check sequence of 2 bytes follows each frame, and says so.
    assert source_of(header(link=0x2400_0000 | 113)).interfaces[0].link_type == 113


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


def test_header_only_is_a_capture_without_packets() -> None:
    source = source_of(header())
    assert packets_of(source) == []
    assert source.damage is None
    assert len(source.interfaces) == 1


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
