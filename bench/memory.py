"""Peak resident memory of whole processes: many connections at once, and many packets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.captures import Captures
from bench.measure import Run, run
from bench.programs import tcpsnoop_reading
from bench.targets import Section, Target, paragraph, table

REPORTS = ("io", "accept", "connect", "wdist")
LIMIT_MB = 400
GROWTH_MB = 10
MILLION = 1_000_000
CONNECTIONS_REMEMBERED = 2**20
"""The program's own limit unless told otherwise (`--max-connections`)."""

METHOD = """\
Peak resident memory of the whole process as the kernel counts it (`ru_maxrss`), in units of 10^6
bytes; every report has been compiled before. The connections are all open at once, each with
another remote address; those of the first two captures are handshakes alone, three packets each;
those of the third send one request as well, so that each is also a writer. The flood is five
million SYNs of different tuples. The last table reads the same {same} open connections with {few}
and with {many} packets."""


def measure(captures: Captures, quick: bool) -> Section:
    """All reports on a million connections and on a SYN flood, and their growth."""
    flood = captures.held_open("inbound", 5 * MILLION, 1)
    cases = {
        "a million connections from outside": captures.held_open("inbound", MILLION, 3),
        "a million connections to outside": captures.held_open("outbound", MILLION, 3),
        "a million connections, each writing": captures.held_open("inbound", MILLION, 4),
        "SYN flood": flood,
    }
    compile_first(captures)
    rows: list[Sequence[str]] = []
    targets: list[Target] = []
    for title, path in cases.items():
        for report in REPORTS:
            measured = run(tcpsnoop_reading(report, path))
            rows.append(_row(title, report, measured))
            targets.append(_limit(title, report, measured))
            if path == flood and captures.count(5 * MILLION) > CONNECTIONS_REMEMBERED:
                told = float(bool(eviction_note(measured.stderr)))
                what = f"`{report}`, {title}: tells what was evicted"
                targets.append(Target(what, told, at_least=1, unit="of 1"))
    head = ("capture", "report", "peak MB", "seconds", "forgotten, says the program")
    growth_rows, growth_targets = _growth(captures, rounds=1 if quick else 3)
    method = paragraph(
        METHOD,
        same=f"{captures.count(5000):,}",
        few=f"{captures.count(5000) * 100:,}",
        many=f"{captures.count(5000) * 1000:,}",
    )
    growth_head = ("report", "fewer packets, MB", "ten times as many, MB", "more, MB")
    text = "\n\n".join((method, table(head, rows), table(growth_head, growth_rows)))
    return Section("memory", text, targets + growth_targets)


def compile_first(captures: Captures) -> None:
    """Run every report once, so that what is measured is not the compiler."""
    for report in REPORTS:
        run(tcpsnoop_reading(report, captures.held_open("inbound", 5000, 100)))


def _row(title: str, report: str, measured: Run) -> tuple[str, ...]:
    return (
        title,
        f"`{report}`",
        f"{measured.peak_bytes / 1e6:.0f}",
        f"{measured.wall_seconds:.1f}",
        eviction_note(measured.stderr) or "–",
    )


def eviction_note(stderr: str) -> str:
    """The lines about connections or keys that had to go."""
    lines = [line.strip() for line in stderr.splitlines()]
    return "; ".join(line for line in lines if re.search(r"evict|forgot|\(other\)", line))


def _limit(title: str, report: str, measured: Run) -> Target:
    return Target(f"`{report}`, {title}", measured.peak_bytes / 1e6, at_most=LIMIT_MB, unit="MB")


def _growth(captures: Captures, rounds: int) -> tuple[list[Sequence[str]], list[Target]]:
    few, many = (captures.held_open("inbound", 5000, each) for each in (100, 1000))
    rows: list[Sequence[str]] = []
    targets: list[Target] = []
    for report in REPORTS:
        smaller, larger = _peak_mb(report, few, rounds), _peak_mb(report, many, rounds)
        rows.append((f"`{report}`", f"{smaller:.1f}", f"{larger:.1f}", f"{larger - smaller:.1f}"))
        what = f"`{report}`, added by ten times the packets"
        targets.append(Target(what, larger - smaller, at_most=GROWTH_MB, unit="MB"))
    return rows, targets


def _peak_mb(report: str, path: Path, rounds: int) -> float:
    return median(run(tcpsnoop_reading(report, path)).peak_bytes for _ in range(rounds)) / 1e6
