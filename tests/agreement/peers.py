"""What tshark and tcptrace say of a capture."""

from __future__ import annotations

import csv
import io
import ipaddress
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.agreement.observed import End
from tests.corpus_tables import has_segment, innermost, read_table

# The options that the corpus was read with, see its README.
_OPTIONS = (
    "tcp.desegment_tcp_streams:FALSE",
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "tcp.check_checksum:FALSE",
    "ip.check_checksum:FALSE",
    "udp.check_checksum:FALSE",
    "tcp.reassemble_out_of_order:FALSE",
    "ip.tso_support:TRUE",
)
_MARKS = (
    "retransmission",
    "fast_retransmission",
    "spurious_retransmission",
    "out_of_order",
    "duplicate_ack",
    "keep_alive",
    "zero_window",
    "zero_window_probe",
)


@dataclass(frozen=True)
class Marked:
    """A segment as tshark sees it."""

    stream: int
    source_port: int
    destination_port: int
    payload: int | None  # None: tshark does not say
    marks: frozenset[str]


@dataclass
class Stream:
    """One direction of a stream in the tables `streams`."""

    segments: int = 0
    payload: int = 0


@dataclass(frozen=True)
class Tshark:
    """A capture by packet number, and its streams: by number and sender."""

    segments: dict[int, Marked]
    streams: dict[tuple[int, End], Stream] = field(default_factory=dict)


def of_corpus(corpus: Path, name: str) -> Tshark:
    """What the truth tables say of a capture of the corpus."""
    segments = {}
    for packet, row in innermost(corpus, "dev", name).items():
        if has_segment(row) and row["tcp.stream"]:
            segments[packet] = Marked(
                int(row["tcp.stream"]),
                int(row["tcp.srcport"]),
                int(row["tcp.dstport"]),
                int(row["tcp.len"]) if row["tcp.len"] else None,
                frozenset(row["analysis"].split(",")) & frozenset(_MARKS),
            )
    streams: dict[tuple[int, End], Stream] = {}
    table = corpus / "truth" / "dev" / f"{name}.streams.tsv.gz"
    for row in read_table(table) if table.exists() else ():  # a capture without TCP has none
        ends = [(row[f"addr_{side}"], int(row[f"port_{side}"])) for side in "ab"]
        for end, way in zip(ends, ("ab", "ba"), strict=True):
            sent = streams.setdefault((int(row["stream"]), end), Stream())
            sent.segments += int(row[f"packets_{way}"])
            sent.payload += int(row[f"tcp_payload_{way}"])
    return Tshark(segments, streams)


def run_tshark(path: Path) -> Tshark:
    """What the tshark of this machine says."""
    fields = ("frame.number", "tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.len")
    marks = [f"tcp.analysis.{mark}" for mark in _MARKS]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=l"]
    for option in _OPTIONS:
        command += ["-o", option]
    for name in (*fields, "icmp.type", "icmpv6.type", *marks):
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    segments = {}
    for line in done.stdout.splitlines():
        number, stream, source, destination, length, *more = line.split("\t")
        if not stream or more[0] or more[1]:
            continue  # no TCP, or TCP that an ICMP error quotes
        found = {mark for mark, value in zip(_MARKS, more[2:], strict=True) if value}
        segments[int(number)] = Marked(
            int(stream),
            int(source),
            int(destination),
            int(length) if length else None,
            frozenset(found),
        )
    return Tshark(segments)


@dataclass(frozen=True)
class Traced:
    """One direction of a connection, by tcptrace."""

    segments: int
    payload: int
    unique: int
    retransmitted: int
    out_of_order: int


def run_tcptrace(path: Path) -> dict[frozenset[End], list[dict[End, Traced]]]:
    """Connections by their ends, those of the same ends in the order they began."""
    command = ["tcptrace", "-n", "-l", "--csv", str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, errors="replace", timeout=20
        )
    except subprocess.TimeoutExpired:
        return {}  # it goes round for ever in some extension headers
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("#")]
    found: dict[frozenset[End], list[dict[End, Traced]]] = defaultdict(list)
    # What tcptrace cannot read it says in prose.
    table = [line for line in lines if line.startswith("conn_#") or line.split(",")[0].isdigit()]
    for row in csv.DictReader(io.StringIO("\n".join(table)), skipinitialspace=True):
        ends = [(_address(row[f"host_{side}"]), int(row[f"port_{side}"])) for side in "ab"]
        connection = {}
        for end, way in zip(ends, ("a2b", "b2a"), strict=True):
            connection[end] = Traced(
                int(row[f"total_packets_{way}"]),
                int(row[f"actual_data_bytes_{way}"]),
                int(row[f"unique_bytes_sent_{way}"]),
                int(row[f"rexmt_data_bytes_{way}"]),
                int(row[f"outoforder_pkts_{way}"]),
            )
        found[frozenset(ends)].append(connection)
    return found


def _address(text: str) -> str:
    """An address in the one way to write it; tcptrace writes `:0001` for ::1."""
    if text.startswith(":") and not text.startswith("::"):
        text = f":{text}"
    return str(ipaddress.ip_address(text))
