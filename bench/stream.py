"""A capture of 10 GB through standard input: memory, and speed beside that of a file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.captures import Captures, warm
from bench.measure import Command, FailedProgramError, Rate, Run, run
from bench.memory import compile_first
from bench.native import compiled
from bench.programs import tcpsnoop, tcpsnoop_reading
from bench.targets import Section, Target, paragraph, table

GIGABYTE = 10**9
SHORT, LONG = 1 * GIGABYTE, 10 * GIGABYTE
PACKETS = (
    1_000  # so few that the caches have them, as they would those of a program that makes them
)
ROUNDS = 5
GROWTH_MB = 10
LEAST_SHARE = 0.9

METHOD = """\
A generator (`bench/repeat.c`) writes full-size packets into a pipe, {short:.1f} GB and
{long:.1f} GB of them, and `tcpsnoop accept -n -r -` reads them; then the same bytes come from a
file in the page cache, and from `cat` of that file. The rate is the further packets over the
further time, of medians; CPU is the processor time of the reading process for each of them; the
memory is the largest peak of the reading process alone (`ru_maxrss`); {rounds} alternated runs
each. The generator shares the two cores with the program; the last line is the generator with
`cat` to /dev/null at the other end, so it is what the pipe gives at most."""

FILE, GENERATED = "a file", "the generator"
CAT, ALONE = "`cat` of the file", "the generator, and no program"


def measure(captures: Captures, quick: bool) -> Section:
    """Time and memory of both lengths, from a file and through a pipe."""
    compile_first(captures)
    packets_each = int(PACKETS / captures.scale)
    source = captures.conversations("full", packets_each, [packets_each])[0]
    generator = compiled("repeat", captures.folder)
    if generator is None:
        raise FailedProgramError("repeat: bench/repeat.c was not compiled")
    rounds = 1 if quick else ROUNDS
    lengths = {name: int(length * captures.scale) for name, length in _LENGTHS.items()}
    files = {name: captures.folder / f"stream-{name}.pcap" for name in lengths}
    repeats = {name: (str(generator), str(source), str(lengths[name])) for name in lengths}
    packets = {name: _make(repeats[name], files[name]) for name in lengths}
    runs: dict[tuple[str, str], list[Run]] = {}
    try:
        for name, path in files.items():
            warm(path)
            for _ in range(rounds):
                for way in (FILE, GENERATED, CAT, ALONE):
                    done = _run(way, repeats[name], path)
                    runs.setdefault((way, name), []).append(done)
        sizes = {name: path.stat().st_size for name, path in files.items()}
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
    text = paragraph(
        METHOD,
        short=sizes["short"] / GIGABYTE,
        long=sizes["long"] / GIGABYTE,
        rounds=rounds,
    )
    rates = {way: _rate(way, packets, runs) for way in (FILE, GENERATED, CAT, ALONE)}
    return Section("stream", f"{text}\n\n{_table(rates, runs)}", _targets(rates, runs))


_LENGTHS = {"short": SHORT, "long": LONG}


def _make(generator: Sequence[str], path: Path) -> int:
    """Write the file; the number of its packets."""
    with path.open("wb") as file:
        done = subprocess.run(generator, stdout=file, stderr=subprocess.PIPE, check=True)
    return int(done.stderr)


def _run(way: str, generator: Sequence[str], path: Path) -> Run:
    if way == FILE:
        return run(tcpsnoop_reading("accept", path))
    feeder = ["cat", str(path)] if way == CAT else generator
    reader = tcpsnoop("accept", "-n", "-r", "-")
    if way == ALONE:
        reader = Command(("cat",))
    reading, writing = os.pipe()
    with subprocess.Popen(feeder, stdout=writing, stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        try:
            return run(reader, stdin=reading)
        finally:
            os.close(reading)
            process.wait()


def _rate(way: str, packets: dict[str, int], runs: dict[tuple[str, str], list[Run]]) -> Rate:
    return Rate.of(packets["short"], runs[way, "short"], packets["long"], runs[way, "long"])


def _peak_mb(measured: Sequence[Run]) -> float:
    return max(each.peak_bytes for each in measured) / 1e6


def _table(rates: dict[str, Rate], runs: dict[tuple[str, str], list[Run]]) -> str:
    head = ("from", "million packets/s", "CPU ns each", "longer, s", "peak MB", "longer, peak MB")
    rows = []
    for way, rate in rates.items():
        peaks = [f"{_peak_mb(runs[way, name]):.1f}" for name in _LENGTHS]
        if way == ALONE:
            peaks = ["–", "–"]
        speed = f"{rate.packets_per_second / 1e6:.2f}"
        cpu = f"{rate.cpu_ns_per_packet:,.0f}"
        rows.append((way, speed, cpu, f"{rate.more_seconds:.1f}", *peaks))
    return table(head, rows)


def _targets(rates: dict[str, Rate], runs: dict[tuple[str, str], list[Run]]) -> list[Target]:
    growth = _peak_mb(runs[GENERATED, "long"]) - _peak_mb(runs[GENERATED, "short"])
    file = rates[GENERATED].packets_per_second / rates[FILE].packets_per_second
    most = min(rates[FILE].packets_per_second, rates[ALONE].packets_per_second)
    share = rates[GENERATED].packets_per_second / most
    return [
        Target("memory added by ten times the stream", growth, at_most=GROWTH_MB, unit="MB"),
        Target(
            "speed through the pipe to that of the file, or of the pipe",
            share,
            at_least=LEAST_SHARE,
        ),
        Target("the same, to that of the file alone", file, at_least=LEAST_SHARE, aim=True),
    ]
