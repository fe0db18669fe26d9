"""The truth tables of the corpus: what tshark found in each capture, in the words of `io`."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tcpsnoop.batches.segments import flags_text

Row = dict[str, str]

Segment = tuple[str, int, str, int, str, int | None]
"""Source, its port, destination, its port, flags, payload bytes (None: not told)."""

# tshark shows custom blocks of pcapng as packets, which they are not: their numbers.
CUSTOM_BLOCKS = {"pcapng-test-generator__output_be__test202.pcapng": (1, 7, 10)}


def read_table(path: Path) -> list[Row]:
    """The rows of a gzipped truth table."""
    with gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def innermost(corpus: Path, folder: str, name: str) -> dict[int, Row]:
    """The innermost layers of each packet, by its number in the file.

    Such a table is stored only where it differs from that of the outermost layers.
    """
    last = corpus / "truth" / folder / f"{name}.last.tsv.gz"
    first = corpus / "truth" / folder / f"{name}.first.tsv.gz"
    blocks = CUSTOM_BLOCKS.get(name, ())
    rows = {}
    for row in read_table(last if last.exists() else first):
        number = int(row["frame.number"])
        if number not in blocks:
            rows[number - sum(block < number for block in blocks)] = row
    return rows


def manifest(corpus: Path, folder: str) -> Iterator[tuple[str, Row]]:
    """Name and row of every capture of a folder."""
    with (corpus / "manifest.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            where, _, name = row["file"].partition("/")
            if where == folder:
                yield name, row


def where(row: Row) -> str:
    """Where the packet's TCP header is: `outer`, `tunnel`, or a word for none."""
    return row["tcp_at"].partition("+")[0]


def has_segment(row: Row) -> bool:
    """Whether the packet is a TCP segment of the capture, quoted ones being none."""
    return where(row) in ("outer", "tunnel")


def truth_of(row: Row) -> Segment:
    """A row of the table as a segment; the flags are empty where the header is cut before them."""
    return (
        row["carrier_src"].rstrip("?"),
        int(row["tcp.srcport"]),
        row["carrier_dst"].rstrip("?"),
        int(row["tcp.dstport"]),
        flags_text(int(row["tcp.flags"], 16) & 0x1FF) if row["tcp.flags"] else "",
        int(row["tcp.len"]) if row["tcp.len"] else None,
    )


def segment_of(line: dict[str, Any]) -> Segment:
    """A line of `io --format jsonl` as a segment."""
    ends = [(line["laddr"], line["lport"]), (line["raddr"], line["rport"])]
    source, destination = ends if line["direction"] == "->" else ends[::-1]
    return (*source, *destination, line["flags"], line["bytes"])


def differences(table: dict[int, Row], found: dict[int, Segment]) -> dict[int, str]:
    """By packet number: what the table has and we have not, or not so, or the other way round.

    Of rows `unparsed` tshark names TCP but gives no ports: the table leaves open what is there.
    """
    wrong = {}
    for packet in sorted(table.keys() | found.keys()):
        row = table.get(packet)
        if row is not None and where(row) == "unparsed":
            continue
        want = truth_of(row) if row is not None and has_segment(row) else None
        have = found.get(packet)
        # tshark tells no length of first fragments, nor where a header is cut.
        if want is not None and have is not None and want[-1] is None:
            have = (*have[:-1], None)
        if want != have:
            wrong[packet] = f"{have}, tshark {want}"
    return wrong
