"""Batches: columns carried over, room, interfaces, any split; captures and the corpus."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from captures.make.catalogue import HOME
from captures.make.frames import ACK, Endpoint, ip, tcp
from captures.make.link_headers import COOKED_V1, cooked_v1, ethernet
from tcpsnoop.batches.packets import CaptureInterface, take_packets
from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.batches.verdicts import Verdict
from tcpsnoop.dissect import Dissector
from tests.dissect.agreement import Observed, batch_and_interfaces, expectation, observations
from tests.dissect.one_frame import batch_of
from tests.oracle_files import Packet, read

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
ENDS_6 = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::2", 443)
ETHERNET = [CaptureInterface(1, digits=9)]

# The columns of a truth table in the order of an observation.
TABLE_FIELDS = (
    "carrier_src",
    "tcp.srcport",
    "carrier_dst",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.flags",
    "tcp.window_size_value",
    "tcp.len",
)
# IPComp is not read (SEMANTICS 2); in the other one the data offset is below 5.
NO_SEGMENTS = {("libpcap__AH-IPcomp-IPv4.pcap", number) for number in (3, 4, 5, 7)} | {
    ("gopacket__linux_sll_oversized_addr.pcapng", 95)
}


def numbered(count: int) -> list[bytes]:
    """Frames of both versions, with ports from 1; every third is none of IP."""
    frames = []
    for port in range(1, count + 1):
        ends = ENDS if port % 2 else ENDS_6
        source = ends[0]._replace(port=port)
        packet = ip(source, ends[1], tcp(source, ends[1], flags=ACK, payload=bytes(port)))
        frames.append(ethernet(packet, protocol=None if port % 3 else 0x0806))
    return frames


def test_columns_of_the_batch_are_carried_over() -> None:
    batch = batch_of(numbered(9))._replace(
        packet=np.arange(100, 109, dtype=np.int64),
        clock_ns=np.arange(9, dtype=np.int64) + 5 * 10**9,
    )
    segments, verdicts = Dissector(9).dissect(batch, ETHERNET)
    kept = [0, 1, 3, 4, 6, 7]
    assert segments["frame"].tolist() == kept
    assert segments["packet"].tolist() == [100 + index for index in kept]
    assert segments["time_ns"].tolist() == [index * 10**9 for index in kept]
    assert segments["clock_ns"].tolist() == [5 * 10**9 + index for index in kept]
    assert segments["frame_bytes"].tolist() == batch.original[kept].tolist()
    assert set(segments["digits"]) == {9}
    expected = [Verdict.NOT_IP if index % 3 == 2 else Verdict.TCP for index in range(9)]
    assert verdicts.tolist() == expected


def test_any_split_gives_the_same() -> None:
    batch = batch_of(numbered(60))
    dissector = Dissector(60)
    segments, verdicts = (result.copy() for result in dissector.dissect(batch, ETHERNET))
    for size in (1, 7, 59):
        rows, parts = [], []
        for start in range(0, 60, size):
            part = take_packets(batch, np.arange(start, min(start + size, 60)))
            some, theirs = dissector.dissect(part, ETHERNET)
            rows.append(some.copy())
            rows[-1]["frame"] += start
            parts.append(theirs.copy())
        assert np.array_equal(np.concatenate(rows), segments)
        assert np.array_equal(np.concatenate(parts), verdicts)


def test_results_are_views_that_the_next_call_overwrites() -> None:
    dissector = Dissector(4)
    segments, _ = dissector.dissect(batch_of(numbered(2)), ETHERNET)
    again, _ = dissector.dissect(batch_of(numbered(2)[::-1]), ETHERNET)
    assert np.shares_memory(segments, again)
    assert segments["source_port"].tolist() == [2, 1]


def test_room_grows_to_the_largest_batch() -> None:
    dissector = Dissector(1)
    for count in (0, 1, 50, 3):
        segments, verdicts = dissector.dissect(batch_of(numbered(count)), ETHERNET)
        assert len(verdicts) == count
        assert len(segments) == count - count // 3
        assert segments.dtype == SEGMENT


def test_interfaces_come_later_and_may_be_others() -> None:
    """A list grows while it is read; another source has another list."""
    frames = [ethernet(numbered(1)[0][14:]), cooked_v1(numbered(1)[0][14:], packet_type=0)]
    dissector = Dissector(2)
    interfaces = [CaptureInterface(1, digits=3)]
    _, verdicts = dissector.dissect(batch_of(frames, interfaces=[0, 1]), interfaces)
    assert verdicts.tolist() == [Verdict.TCP, Verdict.UNSUPPORTED_LINK_TYPE]
    interfaces.append(CaptureInterface(COOKED_V1, digits=9))
    segments, verdicts = dissector.dissect(batch_of(frames, interfaces=[0, 1]), interfaces)
    assert verdicts.tolist() == [Verdict.TCP] * 2
    assert segments["digits"].tolist() == [3, 9]
    other = [CaptureInterface(COOKED_V1), CaptureInterface(1)]
    _, verdicts = dissector.dissect(batch_of(frames, interfaces=[1, 0]), other)
    assert verdicts.tolist() == [Verdict.TCP] * 2


def test_places_outside_of_the_data_are_cut_short() -> None:
    """A source must not say so; if it does, nothing is read there."""
    batch = batch_of(numbered(1) * 5)
    size = len(batch.data)
    batch = batch._replace(
        offset=np.array([-1, size, size + 10**6, size - 10, 0]),
        captured=np.array([10, 60, 60, 60, -5]),
    )
    _, verdicts = Dissector(5).dissect(batch, ETHERNET)
    assert verdicts.tolist() == [Verdict.CUT_SHORT] * 5


def test_interfaces_outside_of_the_list_are_unsupported() -> None:
    batch = batch_of(numbered(1) * 3, interfaces=[-1, 1, 2**31 - 1])
    _, verdicts = Dissector(3).dissect(batch, ETHERNET)
    assert verdicts.tolist() == [Verdict.UNSUPPORTED_LINK_TYPE] * 3


def test_clipped_adds_up() -> None:
    frame = numbered(2)[0] + bytes(60)
    short = frame[:54]
    dissector = Dissector(3)
    for expected in (2, 4):
        dissector.dissect(batch_of([short, frame, short]), ETHERNET)
        assert dissector.clipped == expected


def compare(packets: list[Packet]) -> tuple[list[Observed], SegmentBatch]:
    """Every packet of a file against the oracle; what was observed, and the segments."""
    batch, interfaces = batch_and_interfaces(packets)
    segments, verdicts = Dissector(1).dissect(batch, interfaces)
    found = observations(len(packets), segments, verdicts)
    for number, (packet, each) in enumerate(zip(packets, found, strict=True), 1):
        assert each == expectation(packet.link_type, packet.data, packet.original), number
    return found, segments


def stored(path: Path) -> list[Packet]:
    """The packets of a capture; none when it is of another format."""
    try:
        return read(path.read_bytes()).packets
    except ValueError:
        return []


@pytest.mark.parametrize("name", sorted(path.name for path in HOME.glob("*.pcap*")))
def test_our_captures(name: str) -> None:
    found, _ = compare(stored(HOME / name))
    truth = json.loads((HOME / "MANIFEST.json").read_text())[name]
    assert Counter(str(each[0]) for each in found) == truth["verdicts"]


@pytest.mark.parametrize("folder", ["dev", "hostile"])
def test_the_corpus_as_the_oracle_reads_it(corpus: Path, folder: str) -> None:
    found = [compare(stored(path))[0] for path in sorted((corpus / folder).iterdir())]
    assert sum(map(len, found)) > 1000


def truth_table(corpus: Path, name: str) -> dict[int, dict[str, str]]:
    """Rows of tshark's table of innermost headers, by the number of the packet."""
    beside = corpus / "truth" / "dev"
    names = (beside / f"{name}.{which}.tsv.gz" for which in ("last", "first"))
    with gzip.open(next(path for path in names if path.exists()), "rt") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {int(row["frame.number"]): row for row in rows}


def agrees(found: Observed, row: dict[str, str]) -> bool:
    """Whether a segment is that of the table, as far as the table tells."""
    theirs = [row[field] for field in TABLE_FIELDS]
    theirs[6] = theirs[6] and str(int(theirs[6], 16) & 0x1FF)
    return all(
        not text or str(value) == text for value, text in zip(found[1:], theirs, strict=True)
    )


def test_the_corpus_as_its_truth_tables_have_it(corpus: Path) -> None:
    """Every segment but those named above, and no segment more."""
    compared = 0
    for path in sorted((corpus / "dev").iterdir()):
        found, segments = compare(stored(path))
        rows = truth_table(corpus, path.name) if found else {}
        for number in segments["packet"].tolist():
            row = rows[number]
            assert row["tcp_at"].partition("+")[0] in {"outer", "tunnel", "unparsed"}, (
                path.name,
                number,
            )
            assert agrees(found[number - 1], row), (path.name, number)
        expected = [
            number
            for number, row in rows.items()
            if row["tcp_at"].partition("+")[0] in {"outer", "tunnel"}
            and (path.name, number) not in NO_SEGMENTS
        ]
        assert set(expected) <= set(segments["packet"].tolist()), path.name
        compared += len(expected)
    assert compared > 20_000
