"""Classic pcap: every variant of the file header and of the records, from bytes made by hand."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.errors import UsageError
from tests.sources.reading import Packet, packets_of, source_of
from tests.sources.records import KUZNETZOV, MICROSECONDS, NANOSECONDS, header, record

# A whole file by its bytes: big-endian, microseconds, raw IP (101), snap length 65535, one packet
# of 3 bytes out of 5 at 1.000002 s.
BIG_ENDIAN_FILE = bytes.fromhex(
    "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065"
    "00000001 00000002 00000003 00000005 aabbcc"
)


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


def test_kuznetzov_records_have_eight_bytes_more() -> None:
    first, second = record(b"abc", 1, 2), record(b"defg", 3, 4)
    extra = bytes(8)
    content = header(magic=KUZNETZOV)
    content += first[:16] + extra + first[16:] + second[:16] + extra + second[16:]
    assert packets_of(source_of(content)) == [
        Packet(1, 1_000_002_000, b"abc", 3, 0, 0),
        Packet(2, 3_000_004_000, b"defg", 4, 0, 0),
    ]


@pytest.mark.parametrize("held", [*range(1, 24), 26])
def test_a_kuznetzov_record_cut_anywhere_is_no_packet(held: int) -> None:
    """Also behind what other variants have as the whole header."""
    whole = record(b"abc", 1, 2)
    content = header(magic=KUZNETZOV) + (whole[:16] + bytes(8) + whole[16:])[:held]
    source = source_of(content)
    assert packets_of(source) == []
    where = "within the record that begins at byte 24"
    assert source.damage == f"input is cut off at byte {len(content)}, {where}"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit_ns"), [(0x1C0001AC, 1), (0x1C0001AB, 1000)])
def test_ixia_file_headers_have_four_bytes_more(order: str, magic: int, unit_ns: int) -> None:
    records = record(b"abc", 1, 2, order=order) + record(b"defg", 3, 4, order=order)
    content = header(order, magic=magic) + struct.pack(f"{order}I", len(records)) + records
    assert packets_of(source_of(content)) == [
        Packet(1, 10**9 + 2 * unit_ns, b"abc", 3, 0, 0),
        Packet(2, 3 * 10**9 + 4 * unit_ns, b"defg", 4, 0, 0),
    ]


# RFC 1573's ifType, which AIX has in place of LINKTYPE_: Ethernet 6, FDDI 15, loopback 24.
@pytest.mark.parametrize(("if_type", "link_type"), [(6, 1), (15, 10), (24, 0)])
def test_aix_has_nanoseconds_and_its_own_link_types(if_type: int, link_type: int) -> None:
    content = header(">", version=(2, 2), link=if_type)
    content += struct.pack(">IIII", 1, 999_999_999, 5, 4) + b"abcd"
    source = source_of(content)
    assert packets_of(source) == [Packet(1, 1_999_999_999, b"abcd", 5, 0, 0)]
    assert [(one.link_type, one.digits) for one in source.interfaces] == [(link_type, 9)]


@pytest.mark.program("tshark")
def test_aix_as_tshark_reads_it(tmp_path: Path) -> None:
    content = header(">", version=(2, 2), link=6)
    content += struct.pack(">IIII", 1, 999_999_999, 70, 60) + bytes(60)
    path = tmp_path / "aix.pcap"
    path.write_bytes(content)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields"]
    for field in ("frame.time_epoch", "frame.len", "frame.cap_len"):
        command += ["-e", field]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    (packet,) = packets_of(source_of(content))
    assert told == [f"{packet.time_ns / 1e9:.9f}", str(packet.original), str(len(packet.data))]


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


def test_header_only_is_a_capture_without_packets() -> None:
    source = source_of(header())
    assert packets_of(source) == []
    assert source.damage is None
    assert len(source.interfaces) == 1
