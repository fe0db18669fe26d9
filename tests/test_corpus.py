"""Foreign captures against what tshark found in them: every segment, and not one more.

`io --format jsonl -n` of each capture in the corpus, compared with its truth table row by row: the
packet's number, both ends, flags and payload length. Only packets whose link type and encapsulation
are read so far count; the others are neither asked for nor forbidden.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.batches.segments import flags_text
from tests.fixture_types import Compared, RunTcpsnoop

# Layers by tshark's names, in the order of `frame.protocols`, up to TCP.
LAYERS = frozenset(("eth", "ethertype", "vlan", "sll", "null", "raw", "ip", "ipv6", "tcp")) | {
    f"ipv6.{header}" for header in ("hopopts", "routing", "dstopts", "fraghdr")
}
FORMATS = frozenset({"pcap", "pcapng"})

# Captures whose tables count other packets than the file has: tshark takes pcapng's custom blocks
# for packets.
CUSTOM_BLOCKS = frozenset({"pcapng-test-generator__output_be__test202.pcapng"})

Segment = tuple[str, int, str, int, str, int | None]


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a gzipped truth table."""
    with gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def innermost(corpus: Path, name: str) -> list[dict[str, str]]:
    """The table of the innermost layers; it is stored only where it differs from the outermost."""
    last = corpus / "truth" / "dev" / f"{name}.last.tsv.gz"
    first = corpus / "truth" / "dev" / f"{name}.first.tsv.gz"
    return read_table(last if last.exists() else first)


def where(row: dict[str, str]) -> str:
    """Where the packet's TCP header is: `outer`, `tunnel`, or a word for none."""
    return row["tcp_at"].partition("+")[0]


def is_in_scope(row: dict[str, str]) -> bool:
    """Whether we must agree: on no TCP at all, and where all layers up to TCP are read.

    Where tshark names TCP but reads no ports or no flags, the table leaves open what is there.
    """
    if where(row) not in ("outer", "tunnel"):
        return where(row) != "unparsed"
    if not row["tcp.flags"]:
        return False
    layers = row["frame.protocols"].split(":")
    layers = layers[: layers.index("tcp") + 1]
    networks = sum(layer in ("ip", "ipv6") for layer in layers)
    return LAYERS.issuperset(layers) and networks <= 1


def truth_of(row: dict[str, str]) -> Segment:
    """A row of the table in our words."""
    return (
        row["carrier_src"].rstrip("?"),
        int(row["tcp.srcport"]),
        row["carrier_dst"].rstrip("?"),
        int(row["tcp.dstport"]),
        flags_text(int(row["tcp.flags"], 16) & 0x1FF),
        int(row["tcp.len"]) if row["tcp.len"] else None,
    )


def segment_of(line: dict[str, Any]) -> Segment:
    """A line of `io` in the words of the table."""
    ends = [(line["laddr"], line["lport"]), (line["raddr"], line["rport"])]
    source, destination = ends if line["direction"] == "->" else ends[::-1]
    return (*source, *destination, line["flags"] or "null", line["bytes"])


@pytest.fixture(scope="module")
def lines_of(corpus: Path, run_tcpsnoop: RunTcpsnoop) -> dict[str, list[dict[str, Any]]]:
    """What `io` says of each capture that it can read, by name; two programs at a time."""
    names = sorted(path.name for path in (corpus / "dev").iterdir())

    def run(name: str) -> list[dict[str, Any]]:
        done = run_tcpsnoop("io", "--format", "jsonl", "-n", "-r", corpus / "dev" / name)
        assert done.returncode in (0, 1, 2), done.stderr
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(run, names), strict=True))


def captures_in_scope(corpus: Path) -> Iterator[str]:
    """Names of the captures in a format that is read."""
    with (corpus / "manifest.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            folder, _, name = row["file"].partition("/")
            words = row["format"].split()
            if folder == "dev" and words and words[0] in FORMATS and name not in CUSTOM_BLOCKS:
                yield name


@pytest.mark.slow
def test_every_segment_and_no_more(
    corpus: Path, lines_of: dict[str, list[dict[str, Any]]], compared: Compared
) -> None:
    """Packet number, ends, flags and payload of every segment in scope."""
    wrong: list[str] = []
    segments = 0
    for name in captures_in_scope(corpus):
        table = innermost(corpus, name)
        in_scope = {int(row["frame.number"]) for row in table if is_in_scope(row)}
        expected = {
            int(row["frame.number"]): truth_of(row)
            for row in table
            if where(row) in ("outer", "tunnel") and is_in_scope(row)
        }
        found = {
            line["packet"]: segment_of(line)
            for line in lines_of[name]
            if line["packet"] in in_scope
        }
        for packet in sorted(expected.keys() | found.keys()):
            want, have = expected.get(packet), found.get(packet)
            # tshark gives no length to first fragments, nor where a frame is cut in the header.
            if want is not None and have is not None and want[-1] is None:
                have = (*have[:-1], None)
            if want != have:
                wrong.append(f"{name} packet {packet}: {have}, tshark {want}")
        segments += len(expected)
        if in_scope:
            compared(name)
    assert segments > 20_000
    assert not wrong, "\n".join(wrong[:50])
