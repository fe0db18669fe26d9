"""Sun snoop: every variant of the file header, from bytes made by hand."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from tcpsnoop.batches.packets import CaptureInterface, link_type_label
from tcpsnoop.errors import UsageError
from tcpsnoop.sources.savefile import SavefileSource
from tests.sources.reading import Packet, Pieces, packets_of, source_of
from tests.sources.snoop_records import header, record


def test_a_packet_with_its_time_and_lengths() -> None:
    source = source_of(header() + record(b"abcdef", 7, 250_001, original=60))
    assert packets_of(source) == [Packet(1, 7_250_001_000, b"abcdef", 60, 0, 0)]
    assert source.interfaces == [CaptureInterface(1, digits=6)]
    assert source.damage is None
    assert source.anomalies == []


@pytest.mark.parametrize(
    ("datalink", "link_type"),
    # RFC 1761: 0 is IEEE 802.3, 4 Ethernet, 8 FDDI; LINKTYPE_ 1, 1, 10.
    [(0, 1), (4, 1), (8, 10), (0x80000001, 228), (0x80000002, 229)],
)
def test_datalink_types(datalink: int, link_type: int) -> None:
    assert source_of(header(datalink=datalink)).interfaces[0].link_type == link_type


@pytest.mark.parametrize("datalink", [5, 26, 27, 0xFFFFFFFF])
def test_a_datalink_type_without_a_number_of_ours_is_named_as_snoop_has_it(datalink: int) -> None:
    source = source_of(header(datalink=datalink) + record(b"abcd"))
    assert [packet.data for packet in packets_of(source)] == [b"abcd"]
    assert link_type_label(source.interfaces[0].link_type) == f"{datalink} of snoop"


@pytest.mark.parametrize(
    ("version", "datalink", "link_type"), [(2, 12, None), (3, 12, 1), (4, 10, 1), (5, 4, 1)]
)
def test_numbers_that_surveyor_hardware_gave(
    version: int, datalink: int, link_type: int | None
) -> None:
    found = source_of(header(version=version, datalink=datalink)).interfaces[0].link_type
    assert link_type_label(found) == (f"{datalink} of snoop" if link_type is None else str(found))
    assert link_type in (None, found)


@pytest.mark.parametrize("version", [0, 1, 6, 0x02000000])
def test_other_versions_are_refused(version: int) -> None:
    with pytest.raises(UsageError, match=rf"input: snoop version {version} is not supported"):
        source_of(header(version=version))


def test_cut_in_its_header() -> None:
    for cut in range(8, 16):
        source = source_of(header()[:cut])
        assert packets_of(source) == []
        assert source.damage == f"input is cut off at byte {cut}, within its file header"


def test_through_a_pipe_byte_by_byte_and_compressed() -> None:
    content = header() + record(b"abc", 1) + record(b"defgh", 2)
    expected = packets_of(source_of(content))
    assert [packet.data for packet in expected] == [b"abc", b"defgh"]
    piped = SavefileSource(Pieces(content, [1] * len(content), waits=True), "input")
    assert packets_of(piped) == expected
    assert packets_of(source_of(gzip.compress(content))) == expected


@pytest.mark.program("editcap")
@pytest.mark.parametrize("name", ["finger.pcap", "snaplen-54.pcap", "midstream.pcap"])
def test_what_editcap_writes(name: str, tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "captures" / name
    written = tmp_path / "written.snoop"
    subprocess.run(["editcap", "-F", "snoop", path, written], check=True)
    assert packets_of(source_of(written.read_bytes())) == packets_of(source_of(path.read_bytes()))
