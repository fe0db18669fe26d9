"""What a live capture loses at the highest rate of small packets that one core can send."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.captures import Captures
from bench.measure import FailedProgramError, run
from bench.native import compiled
from bench.private_network import private_network
from bench.programs import tcpsnoop, tcpsnoop_reading, tcpsnoop_works
from bench.targets import Section, Target, paragraph, table

ROUNDS = 5
SECONDS = 5.0
PORT = 4747
SNAP_LENGTH = 96
BUFFER_KIB = 16_384
SMALL_BUFFER_KIB = 1024

METHOD = """\
`small_writes` sends as many {payload}-byte segments over the loopback device as one core can,
both ends in one process, pinned to the first core; the capture is pinned to the last one and has
`-B {buffer} -s {snap}`. Medians of {rounds} runs of {seconds:g} s, alternated, in a network
namespace of their own. Drops are those the kernel counts, as the program itself reports them, the
share is of what it handed over: `tcpdump` has it put each packet into the buffer twice (going out
and coming in), `tcpsnoop` once. Then once more, with the capture stopped while `small_writes` runs
and `-B {small_buffer}`: now there must be drops, and they must be told."""

# How often the kernel hands each packet over.
COPIES = {"tcpdump": 2, "tcpsnoop": 1}


@dataclass(frozen=True)
class Load:
    """One run: what the generator sent, what the capture says it lost (None: says nothing)."""

    packets: int
    seconds: float
    dropped: int | None
    copies: int = 1

    @property
    def packets_per_second(self) -> float:
        """Packets the generator put on the device."""
        return self.packets / self.seconds

    @property
    def drop_share(self) -> float:
        """Of what the kernel tried to hand over; not a number when nothing was said."""
        return float("nan") if self.dropped is None else self.dropped / (self.copies * self.packets)


def measure(captures: Captures, quick: bool) -> Section:
    """Capture with tcpsnoop and tcpdump in turn under the same load."""
    rounds, seconds = (1, 1.0) if quick else (ROUNDS, SECONDS)
    generator = compiled("small_writes", captures.folder)
    if generator is None or os.geteuid() != 0:
        return Section("live", "Not measured: it needs root and a C compiler.", [])
    programs = capture_programs(BUFFER_KIB)
    starved_programs = capture_programs(SMALL_BUFFER_KIB)
    loads: dict[str, list[Load]] = {name: [] for name in programs}
    if "tcpsnoop" in programs:
        run(tcpsnoop_reading("accept", captures.held_open("inbound", 5000, 100)))  # compiled before
    with private_network():
        alone = median(_generate(generator, seconds).packets_per_second for _ in range(rounds))
        for _ in range(rounds):
            for name, words in programs.items():
                loads[name].append(under_load(words, generator, seconds))
        starved = {
            name: under_load(words, generator, seconds, stopped=True)
            for name, words in starved_programs.items()
        }
    method = paragraph(
        METHOD,
        payload=16,
        buffer=BUFFER_KIB,
        small_buffer=SMALL_BUFFER_KIB,
        snap=SNAP_LENGTH,
        rounds=rounds,
        seconds=seconds,
    )
    return Section("live", f"{method}\n\n{_table(alone, loads, starved)}", _targets(loads, starved))


def capture_programs(buffer_kib: int) -> dict[str, Sequence[str]]:
    """The capturing programs that are there, with the same buffer and snap length."""
    same = ("-i", "lo", "-B", str(buffer_kib), "-s", str(SNAP_LENGTH))
    programs: dict[str, Sequence[str]] = {"tcpdump": ("tcpdump", *same, "-w", "/dev/null")}
    if tcpsnoop_works() is None:
        programs["tcpsnoop"] = tcpsnoop("accept", "-n", *same).words
    return programs


def under_load(
    words: Sequence[str], generator: Path, seconds: float, *, stopped: bool = False
) -> Load:
    """Capture while the generator runs; `stopped` holds the capture still meanwhile."""
    process = subprocess.Popen(
        [*_pinned(-1), *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        said = ""
        while not re.search("listening on|Tracing", said):
            line = process.stderr.readline()
            if not line:
                raise FailedProgramError(f"{words[0]} captured nothing: {said}")
            said += line
        if stopped:
            process.send_signal(signal.SIGSTOP)
        sent = _generate(generator, seconds)
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.wait()
    copies = COPIES.get(words[0], COPIES["tcpsnoop"])
    return Load(sent.packets, sent.seconds, dropped_by_kernel(said), copies)


def dropped_by_kernel(stderr: str) -> int | None:
    """The number in `N packets dropped by kernel`, as both programs write it."""
    found = re.search(r"([\d,]+) (?:packets? )?dropped by (?:the )?kernel", stderr)
    return int(found[1].replace(",", "")) if found else None


def _generate(generator: Path, seconds: float) -> Load:
    words = [*_pinned(0), str(generator), str(PORT), str(seconds)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = re.search(r"packets (\d+) seconds ([\d.]+)", done.stdout)
    if found is None:
        raise FailedProgramError(f"small_writes said {done.stdout!r}")
    return Load(int(found[1]), float(found[2]), None)


def _pinned(core: int) -> list[str]:
    """Words that pin what follows to the first (0) or the last (-1) core we may use."""
    return ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[core])]


def _table(alone: float, loads: dict[str, list[Load]], starved: dict[str, Load]) -> str:
    head = ("capture", "packets/s sent", "dropped by kernel", "share", "when stopped: dropped")
    rows = [("none", f"{alone:,.0f}", "–", "–", "–")]
    for name, runs in loads.items():
        sent = median(load.packets_per_second for load in runs)
        dropped = [load.dropped for load in runs if load.dropped is not None]
        told = f"{median(dropped):,.0f}" if dropped else "not told"
        stopped = starved[name].dropped
        rows.append(
            (
                f"`{name}`",
                f"{sent:,.0f}",
                told,
                f"{median(load.drop_share for load in runs):.4%}",
                "not told" if stopped is None else f"{stopped:,}",
            )
        )
    return table(head, rows)


def _targets(loads: dict[str, list[Load]], starved: dict[str, Load]) -> list[Target]:
    if "tcpsnoop" not in loads:
        return []
    share = {name: 100 * median(load.drop_share for load in runs) for name, runs in loads.items()}
    told = starved["tcpsnoop"].dropped or 0
    return [
        Target(
            "share dropped by kernel, at or below tcpdump's",
            share["tcpsnoop"],
            at_most=share["tcpdump"],
            unit="%",
        ),
        Target("drops told when the capture is stopped", told, at_least=1, unit="packets"),
    ]
