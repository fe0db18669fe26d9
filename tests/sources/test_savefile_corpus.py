"""Foreign captures against what tshark read of them: packets, times, lengths."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.savefile import open_savefile
from tests.sources.reading import packets_of

LATEST = 2**62 - 1  # one capture has a time of the year 586524, which no int64 holds in nanoseconds

# tshark shows the three custom blocks of this capture as packets, which they are not.
CUSTOM_BLOCKS = {"pcapng-test-generator__output_be__test202.pcapng": (1, 7, 10)}


class Row(NamedTuple):
    """A packet in the truth table; no time where tshark has none."""

    time_ns: int | None
    original: int
    captured: int


def truth(corpus: Path, folder: str, name: str) -> list[Row]:
    table = gzip.decompress((corpus / "truth" / folder / f"{name}.first.tsv.gz").read_bytes())
    head, *lines = (line.split("\t") for line in table.decode().splitlines())
    rows = []
    for line in lines:
        fields = dict(zip(head, line, strict=True))
        time = fields["frame.time_epoch"]
        time_ns = min(int(Decimal(time) * 10**9), LATEST) if time else None
        row = Row(time_ns, int(fields["frame.len"]), int(fields["frame.cap_len"]))
        if int(fields["frame.number"]) not in CUSTOM_BLOCKS.get(name, ()):
            rows.append(row)
    return rows


def test_every_capture_of_the_corpus(corpus: Path) -> None:
    count = 0
    for path in sorted((corpus / "dev").iterdir()):
        source = open_savefile(str(path))
        packets = packets_of(source, timeout=0)
        rows = truth(corpus, "dev", path.name)
        assert source.damage is None, path.name
        assert [packet.number for packet in packets] == list(range(1, len(rows) + 1)), path.name
        assert [(packet.original, len(packet.data)) for packet in packets] == [
            (row.original, row.captured) for row in rows
        ], path.name
        timed = [(p.time_ns, r.time_ns) for p, r in zip(packets, rows, strict=True) if r.time_ns]
        assert [ours for ours, _ in timed] == [theirs for _, theirs in timed], path.name
        count += 1
    assert count > 100


# tshark reads less of these: it refuses a file of a link type that it does not know, takes a record
# for cut that libpcap reads, and does not decompress xz.
TSHARK_STOPS_EARLIER = {
    "PcapPlusPlus__cf-5685520970809344",
    "PcapPlusPlus__crash-exception-cast-constructed-record",
    "dnscap__dns.pcap.xz",
    "libpcap__brcm-tag-stp.pcap",
    "libpcap__brcm-tag.pcap",
    "tcpdump__juniper_es_oobr.pcap",
    "tcpdump__juniper_monitor_invalid_cookie_length.pcap",
    "tcpdump__kday6.pcap",
    "tcpdump__vtp_asan-2.pcap",
    "tcpdump__vtp_asan-3.pcap",
    "tcpdump__vtp_asan.pcap",
}


def test_hostile_captures_as_far_as_tshark_reads_them(corpus: Path) -> None:
    for path in sorted((corpus / "hostile").iterdir()):
        rows = truth(corpus, "hostile", path.name)
        try:
            source = open_savefile(str(path))
        except UsageError:
            assert rows == [], path.name
            continue
        packets = packets_of(source, timeout=0)
        if path.name in TSHARK_STOPS_EARLIER:
            assert len(packets) > len(rows), path.name
        else:
            found = [len(packet.data) for packet in packets]
            assert found == [row.captured for row in rows], path.name
