"""Small journals for tests: lines as docs/formats.md has them, and the records of a time."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import Context, Process
from tcpsnoop.owners.journal.lines import LineMaker, header_line
from tcpsnoop.owners.journal.reader import JournalReader
from tcpsnoop.owners.journal.records import Header, Record
from tcpsnoop.owners.tracing.events import BELIEVED, EVENT

SECOND = 1_000_000_000
NOON = 1_700_000_000_000_000_000
HEADER = Header(
    NOON, "boot", NOON - 3600 * SECOND, "perf", "", True, False, 4026531840, 32769, 100, "a test"
)
WEB = Process(
    812,
    805,
    "nginx",
    "nginx: worker",
    33,
    "/system.slice/nginx.service",
    Context("www-data", "/usr/sbin/nginx", 811, "nginx", 4026531840),
)
BARE = Process(7, 0, "x", "[x]")


def event(at_ns: int, kind: int, pid: int = 0, **fields: int) -> NDArray[np.void]:
    """An event so long after noon."""
    row = np.zeros(1, EVENT)
    row["time_ns"], row["kind"], row["pid"], row["tid"] = NOON + at_ns, kind, pid, pid
    row["flags"] = BELIEVED
    for name, value in fields.items():
        row[name] = value
    return row


def written(records: Sequence[Record], header: Header = HEADER) -> bytes:
    """A journal with these records."""
    maker = LineMaker()
    return header_line(header) + b"".join(line for each in records for line in maker.lines(each))


def reader_of(content: bytes, name: str = "j") -> JournalReader:
    """A reader of what a file would hold."""
    return JournalReader(name, io.BytesIO(content))


def line(told: object) -> bytes:
    """A line as it would stand in a file."""
    return json.dumps(told).encode() + b"\n"
