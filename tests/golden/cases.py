"""Which runs have a golden file, what that file is called, and how they are run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.golden.forking import forking

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "captures"
FOLDER = Path(__file__).resolve().parent

_HANDSHAKES = ("accepts.pcap", "handshake-*", "reuse-*", "midstream.pcap")
_SIDES = ("duplicates.pcap", "cooked-loopback.pcap", "directions.pcapng")
_SEGMENTS = (
    "finger.pcap",
    "handshake-fast-open.pcap",
    "duplicates-routed.pcap",
    "fragments.pcap",
    "ipv6-extensions.pcap",
    "qinq.pcap",
    "snaplen-54.pcap",
    "verdicts.pcap",
    "cut-block.pcapng",
    "unsupported-link-type.pcap",
    "session.snoop",
    "damaged-length.pcapng",
)
_FORMS = ("finger.pcap", "nanoseconds.pcap", "interfaces.pcapng", "ip-length-0.pcap", "empty.pcap")
_LIVES = ("idle-reset.pcap", "churn.pcap", "close-wait.pcap")
_WRITES = ("finger.pcap", "writes.pcap", "loss.pcap", "ip-length-0.pcap")
_TIMES = ("service.pcap", "finger.pcap", "accepts.pcap", "loss.pcap")
_SUMS = ("service.pcap", "accepts.pcap", "loss.pcap", "ip-length-0.pcap")

# Reporter, options, format, captures by pattern. Each is a whole run: some for each thing to see.
_RUNS = (
    ("io", "", "text", (*_SEGMENTS, *_SIDES)),
    ("io", "-t", "text", ("finger.pcap", "interfaces.pcapng")),
    ("io", "-T", "text", ("finger.pcap", "nanoseconds.pcap")),
    ("io", "", "jsonl", _FORMS),
    ("io", "", "csv", ("finger.pcap", "empty.pcap")),
    ("snoop", "", "text", ("finger.pcap", "snaplen-54.pcap", *_SIDES, "empty.pcap")),
    ("snoop", "-t", "text", ("interfaces.pcapng",)),
    ("snoop", "", "jsonl", ("finger.pcap", "ip-length-0.pcap")),
    ("snoop", "", "csv", ("finger.pcap", "empty.pcap")),
    ("top", "", "text", (*_SUMS, *_SIDES, "empty.pcap")),
    ("top", "--by-process", "text", ("service.pcap", "empty.pcap")),
    ("top", "--interval 0.5 --top 3", "text", ("service.pcap",)),
    ("top", "--no-summary --sort tx_payload -L 443,8080", "text", ("service.pcap",)),
    ("top", "", "jsonl", ("service.pcap", "cooked-loopback.pcap")),
    ("top", "--max-keys 2", "csv", ("service.pcap",)),
    ("accept", "-n", "text", (*_HANDSHAKES, *_SIDES, "empty.pcap")),
    ("accept", "--hosts captures/accepts.hosts", "text", ("accepts.pcap",)),
    ("accept", "--hosts captures/accepts.hosts", "jsonl", ("accepts.pcap",)),
    ("accept", "", "text", ("names.pcapng",)),
    ("accept", "-n --max-keys 2", "jsonl", ("accepts.pcap",)),
    ("accept", "-n --interval 0.003", "text", ("accepts.pcap",)),
    ("accept", "-n", "csv", ("accepts.pcap", "empty.pcap")),
    ("accept", "-n --by-process", "text", ("accepts.pcap",)),
    ("accept", "-n --by-process", "jsonl", ("accepts.pcap",)),
    ("connections", "-t", "text", (*_LIVES, "accepts.pcap", "handshake-*", *_SIDES, "empty.pcap")),
    ("connections", "-6", "jsonl", ("accepts.pcap",)),
    ("connections", "", "csv", ("accepts.pcap", "empty.pcap")),
    ("connect", "-n --by-process", "text", ("accepts.pcap",)),
    ("connect", "-n", "text", ("accepts.pcap", "handshake-[!s]*", "reuse-after-fin.pcap", *_SIDES)),
    ("connect", "-n", "jsonl", ("accepts.pcap",)),
    ("connect", "-n", "csv", ("accepts.pcap",)),
    ("wdist", "-n", "text", (*_WRITES, *_SIDES, "empty.pcap")),
    ("wdist", "-n", "jsonl", (*_WRITES, "cooked-loopback.pcap")),
    ("wdist", "-n", "csv", ("writes.pcap", "empty.pcap")),
    ("life", "", "text", (*_LIVES, *_SIDES, "handshake-*", "loss.pcap", "midstream.pcap")),
    ("life", "-t -w -6", "text", ("accepts.pcap", "names.pcapng")),
    ("life", "", "jsonl", (*_LIVES, "loss.pcap", "cooked-loopback.pcap")),
    ("life", "", "csv", ("idle-reset.pcap", "empty.pcap")),
    ("watch", "-t", "text", (*_LIVES, *_SIDES, "handshake-*", "reuse-*", "empty.pcap")),
    ("watch", "-L 79", "jsonl", ("accepts.pcap",)),
    ("states", "-t", "text", (*_LIVES, *_SIDES, "handshake-*", "reuse-*", "empty.pcap")),
    ("states", "-w", "text", ("handshake-ack-lost.pcap",)),
    ("states", "", "csv", ("close-wait.pcap",)),
    ("retrans", "-t", "text", ("loss.pcap", "handshake-*", "writes.pcap", "empty.pcap")),
    ("retrans", "", "jsonl", ("loss.pcap",)),
    ("retrans", "--count-by flow", "text", ("loss.pcap", "empty.pcap")),
    ("retrans", "--count-by host", "csv", ("loss.pcap",)),
    ("retrans", "--count-by port --max-keys 1", "jsonl", ("loss.pcap",)),
    ("retrans", "--count-by state", "text", ("loss.pcap",)),
    ("connlat", "-t", "text", ("slow-connect.pcap", "failures.pcap", "handshake-s*", "empty.pcap")),
    ("connlat", "--min-ms 80", "jsonl", ("slow-connect.pcap",)),
    ("connlat", "-n --by remote", "text", ("slow-connect.pcap", "failures.pcap", "empty.pcap")),
    ("connlat", "-n --by all", "csv", ("slow-connect.pcap",)),
    ("connlat", "-n --histogram", "text", ("slow-connect.pcap",)),
    ("refused", "-t", "text", ("failures.pcap", "handshake-re*", "icmp-error.pcap", "empty.pcap")),
    ("refused", "", "jsonl", ("failures.pcap", "icmp-error.pcap")),
    ("bytes", "-n", "text", (*_SUMS, *_SIDES, "empty.pcap")),
    ("bytes", "-n --remote-only", "text", ("accepts.pcap",)),
    ("bytes", "-n", "jsonl", ("service.pcap",)),
    ("bytes", "-n", "csv", ("accepts.pcap", "empty.pcap")),
    ("rtt", "-n", "text", (*_TIMES, "handshake-*", *_SIDES, "empty.pcap")),
    ("rtt", "-n --by remote", "jsonl", _TIMES),
    ("rtt", "-n --by subnet --prefix 16", "text", ("service.pcap",)),
    ("rtt", "-n --by subnet --prefix 16", "csv", ("service.pcap",)),
    ("rtt", "-n --histogram", "text", ("service.pcap",)),
    ("firstbyte", "-n", "text", (*_TIMES, *_SIDES, "midstream.pcap", "empty.pcap")),
    ("firstbyte", "-n", "jsonl", _TIMES),
    ("firstbyte", "-n", "csv", ("service.pcap",)),
    ("firstbyte", "-n --histogram", "text", ("service.pcap",)),
    ("stat", "-n", "text", (*_SUMS, "handshake-re*", "reuse-after-reset.pcap", *_SIDES)),
    ("stat", "-n", "text", ("empty.pcap",)),
    ("stat", "-n --interval 0.5", "text", ("service.pcap",)),
    ("stat", "-n --by-port", "text", ("service.pcap", "accepts.pcap")),
    ("stat", "-n --local 192.0.2.10", "jsonl", ("loss.pcap",)),
    ("stat", "-n", "csv", ("loss.pcap", "empty.pcap")),
    ("size", "-n", "text", (*_SUMS, *_SIDES, "empty.pcap")),
    ("size", "-n", "jsonl", ("service.pcap",)),
    ("size", "-n", "csv", ("accepts.pcap", "empty.pcap")),
)


@dataclass(frozen=True)
class Case:
    """One run: `tcpsnoop REPORTER OPTIONS --format FORMAT -r captures/CAPTURE`."""

    reporter: str
    options: str
    format: str
    capture: str

    @property
    def name(self) -> str:
        """The path of its golden file."""
        options = self.options.replace("captures/", "").replace(" ", "_")
        parts = [self.capture, *([options] if options else []), self.format]
        return f"{self.reporter}/{'.'.join(parts)}"

    @property
    def words(self) -> list[str]:
        """The words of its command line."""
        options = [*self.options.split(), "--format", self.format, "--quiet"]
        return [self.reporter, *options, "-r", f"captures/{self.capture}"]


def cases() -> Iterator[Case]:
    """All runs that have a golden file."""
    captures = sorted(path.name for end in ("pcap*", "snoop") for path in CAPTURES.glob(f"*.{end}"))
    for reporter, options, form, patterns in _RUNS:
        for capture in captures:
            if any(fnmatch(capture, pattern) for pattern in patterns):
                yield Case(reporter, options, form, capture)


def outcomes(chosen: Iterable[Case]) -> Iterator[tuple[Case, tuple[int, bytes]]]:
    """Of each of these cases the exit status and standard output, in UTC and the C locale.

    As many at once as there are cores. RuntimeError when a run was not started or broke down: that
    is nothing to keep.
    """
    listed = list(chosen)
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        parts = pool.map(_outcomes, (listed[core::cores] for core in range(cores)))
        found = {case: outcome for part in parts for case, outcome in part}
    yield from ((case, found[case]) for case in listed)


def _outcomes(chosen: Iterable[Case]) -> list[tuple[Case, tuple[int, bytes]]]:
    found = []
    with forking(ROOT, {"TZ": "UTC", "LC_ALL": "C", "COLUMNS": "80"}) as process:
        for case in chosen:
            status, output, errors = process.run(case.words)
            if status not in (0, 1) or "error" in errors:
                raise RuntimeError(f"{case.name}: {errors}")
            found.append((case, (status, output)))
    return found
