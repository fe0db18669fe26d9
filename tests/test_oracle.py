"""The oracle itself, against tshark: on our captures, and on the corpus with its truth tables.

What tshark reads otherwise is listed with the reason; SEMANTICS decides.
"""

from __future__ import annotations

import csv
import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from captures.make.catalogue import HOME
from captures.make.conversation import CLIENT, SERVER
from captures.make.frames import ACK, ipv4, tcp
from captures.make.link_headers import ethernet
from tests.oracle import Observation, dissect, observe

Row = dict[str, str]

# tshark ends where a pcapng is damaged; what is behind is compared with the generators alone.
CAPTURES = sorted(path.name for path in HOME.glob("*.pcap*") if "damaged" not in path.name)
PREFERENCES = (
    "tcp.desegment_tcp_streams:FALSE",
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "ip.tso_support:TRUE",
)
ENDS = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport")
NUMBERS = ("tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.window_size_value", "tcp.len")
FIELDS = ("frame.number", "frame.time_epoch", "frame.protocols", *ENDS, *NUMBERS)

# Packets of our captures that tshark 4.0 reads otherwise than SEMANTICS 3.
NUMBERS_LEFT_OUT = {  # it wants 20 bytes of TCP where 14 are a segment
    "snaplen-68.pcap": range(2, 23, 2),
    "verdicts.pcap": [2],
}
LENGTH_LEFT_OUT = {"fragments.pcap": [7, 10, 15]}  # of first fragments
PORTS_OF_NO_SEGMENT = {  # it shows ports of headers that are cut, of bad length, or quoted
    "fragments.pcap": [17],
    "failures.pcap": [4],
    "icmp-error.pcap": [2, 4],
    "verdicts.pcap": [12, 13, 17, 18, 19],
}
NOT_READ = {
    "ipv6-length-0.pcap": [6, 8],  # it knows offload in IPv4 only
    "fddi.pcap": range(2, 23, 2),  # synchronous frames
    "mpls.pcap": range(2, 23, 2),  # pseudowires, unless told by hand
    "nflog.pcap": range(2, 23, 2),  # the other byte order than its own
    "tunnel-erspan.pcap": [*range(6, 43, 4), 44],  # type III with IP
    "tunnel-vxlan.pcap": [*range(4, 41, 4), 43],  # Linux's port
}
# Link types that it does not know. tcpdump reads that of pppd.
LINK_TYPES_NOT_READ = {"unsupported-link-type.pcap", "hdlc-direction.pcap", "ppp-pppd.pcap"}
BLOCK_AS_PACKET = {"sections.pcapng": 2}  # it counts a custom block as a packet

# In the corpus: what SEMANTICS gives `bad length`, as its data offset is below 5.
BAD_LENGTH = {("gopacket__linux_sll_oversized_addr.pcapng", 95)}
# IPComp is not read (SEMANTICS 2).
COMPRESSED = {("libpcap__AH-IPcomp-IPv4.pcap", number) for number in (3, 4, 5, 7)}


def tshark(path: Path) -> list[Row]:
    options = [word for each in PREFERENCES for word in ("-o", each)]
    fields = [word for each in FIELDS for word in ("-e", each)]
    done = subprocess.run(
        ["tshark", "-n", *options, "-r", path, "-T", "fields", "-E", "occurrence=l", *fields],
        capture_output=True,
        text=True,
        check=False,  # it fails on cut files, after reading what there is
    )
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return [dict(zip(FIELDS, line, strict=True)) for line in lines]


def nanoseconds(text: str) -> int:
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def values(found: Observation) -> tuple[str, ...]:
    """The segment in the columns of a table of tshark's, with empty text for unknown."""
    assert found.segment is not None
    segment = found.segment
    numbers = (
        segment.source_port,
        segment.destination_port,
        segment.sequence,
        segment.acknowledgment,
        segment.flags,
        segment.window,
        segment.payload,
    )
    texts = ("" if number is None else str(number) for number in numbers)
    return (segment.source, segment.destination, *texts)


def expected(row: Row, source: str, destination: str) -> tuple[str, ...]:
    numbers = [row[field] for field in (*ENDS[4:], *NUMBERS)]
    if row["tcp.flags"]:
        numbers[4] = str(int(row["tcp.flags"], 16) & 0x1FF)
    return (source, destination, *numbers)


def innermost_ends(row: Row) -> tuple[str, str]:
    """The addresses of the IP layer that carries TCP."""
    layers = [each for each in row["frame.protocols"].split(":") if each in ("ip", "ipv6")]
    return row[f"{layers[-1]}.src"], row[f"{layers[-1]}.dst"]


@pytest.mark.slow
@pytest.mark.program("tshark")
@pytest.mark.parametrize("name", CAPTURES)
def test_reads_our_captures_as_tshark_does(name: str) -> None:
    rows = tshark(HOME / name)
    if name in BLOCK_AS_PACKET:
        del rows[BLOCK_AS_PACKET[name] - 1]
    found = list(observe((HOME / name).read_bytes()))
    if name not in LINK_TYPES_NOT_READ:
        assert len(rows) == len(found)
    for each, row in zip(found, rows, strict=False):
        if row["frame.time_epoch"]:
            assert each.time_ns == nanoseconds(row["frame.time_epoch"])
        number = each.packet
        if number in PORTS_OF_NO_SEGMENT.get(name, ()):
            assert each.segment is None
        elif number in NOT_READ.get(name, ()):
            assert each.segment is not None
        else:
            assert (each.segment is not None) == bool(row["tcp.srcport"]), (number, each.verdict)
            if each.segment is not None:
                check(name, each, row)


def check(name: str, found: Observation, row: Row) -> None:
    ours = values(found)
    theirs = expected(row, *innermost_ends(row))
    if found.packet in NUMBERS_LEFT_OUT.get(name, ()):
        ours, theirs = ours[:4], theirs[:4]
    if found.packet in LENGTH_LEFT_OUT.get(name, ()):
        ours, theirs = ours[:-1], theirs[:-1]
    assert ours == theirs, found.packet


def truths(corpus: Path) -> Iterator[tuple[str, list[Row]]]:
    """The name of each pcap and pcapng in corpus/dev, and the rows of its innermost headers."""
    for path in sorted((corpus / "dev").iterdir()):
        if path.suffix == ".snoop" or "modified-format" in path.name:
            continue
        stem = corpus / "truth" / "dev" / path.name
        last, first = (stem.with_name(f"{stem.name}.{which}.tsv.gz") for which in ("last", "first"))
        with gzip.open(last if last.exists() else first, "rt") as table:
            yield path.name, list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_reads_the_corpus_as_its_truth_tables_do(corpus: Path) -> None:
    segments = 0
    for name, rows in truths(corpus):
        by_number = {int(row["frame.number"]): row for row in rows}
        for found in observe((corpus / "dev" / name).read_bytes()):
            row = by_number[found.packet]
            if (name, found.packet) in BAD_LENGTH:
                assert found.verdict == "bad length"
            elif (name, found.packet) in COMPRESSED:
                assert found.verdict == "not tcp"
            elif row["tcp_at"].partition("+")[0] in ("outer", "tunnel"):
                ends = row["carrier_src"].rstrip("?"), row["carrier_dst"].rstrip("?")
                ours, theirs = values(found), expected(row, *ends)
                told = slice(None) if row["tcp.len"] else slice(-1)  # none where a header is cut
                assert ours[told] == theirs[told], (name, found.packet)
                segments += 1
            elif row["tcp_at"] != "unparsed":
                assert found.segment is None, (name, found.packet)
    assert segments > 20_000


def frame(total_length: int | None = None) -> bytes:
    segment = tcp(CLIENT, SERVER, flags=ACK, payload=b"data")
    return ethernet(ipv4(CLIENT, SERVER, segment, total_length=total_length))


def test_without_a_frame_length_declared_lengths_stand() -> None:
    _, segment = dissect(1, frame(), None)
    assert segment is not None
    assert segment.payload == 4


def test_without_any_length_payload_is_unknown() -> None:
    verdict, segment = dissect(1, frame(total_length=0), None)
    assert verdict == "tcp"
    assert segment is not None
    assert segment.payload is None


@pytest.mark.parametrize("length", range(14 + 20 + 14))
def test_every_cut_before_14_bytes_of_tcp_is_cut_short(length: int) -> None:
    assert dissect(1, frame()[:length], len(frame())) == ("cut short", None)
