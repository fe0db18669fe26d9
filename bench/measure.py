"""Running programs: wall time, processor time and peak memory of whole processes, and medians."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


class FailedProgramError(RuntimeError):
    """A measured program ended with another status than 0; the text has its last words."""


@dataclass(frozen=True)
class Command:
    """What to run: the words, and what is added to the environment."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One whole process, from before it was started until it was reaped."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    """Largest resident memory of it, or of a child it waited for."""
    stderr: str = ""


def run(command: Command, stdin: int = subprocess.DEVNULL) -> Run:
    """Run to the end, output to /dev/null; raise `FailedProgramError` for a status but 0.

    `stdin` is a descriptor to read from, else there is nothing.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, **command.environment},
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    if process.returncode != 0:
        name = " ".join(os.path.basename(word) for word in command.words)
        raise FailedProgramError(f"{name}: status {process.returncode}: {said[-500:].strip()}")
    peak_bytes = usage.ru_maxrss * 1024  # Linux counts in KiB
    return Run(wall_seconds, usage.ru_utime + usage.ru_stime, peak_bytes, said)


def alternated(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Run]]:
    """Run A, B, C, A, B, C, …, so that a slow minute of the machine is shared by all."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command))
            if sys.stderr.isatty():
                print(f"\r\033[Kround {number + 1} of {rounds}: {name}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return runs


def median_seconds(runs: Sequence[Run]) -> float:
    """The median wall time."""
    return median(each.wall_seconds for each in runs)


@dataclass(frozen=True)
class Rate:
    """A program's median times for the first packets of a capture, and for more of them."""

    fewer_packets: int
    more_packets: int
    fewer_seconds: float
    more_seconds: float
    fewer_cpu_seconds: float = 0.0
    more_cpu_seconds: float = 0.0

    @classmethod
    def of(cls, fewer: int, fewer_runs: Sequence[Run], more: int, more_runs: Sequence[Run]) -> Rate:
        """The rate from alternated runs on so many packets."""
        return cls(
            fewer,
            more,
            median_seconds(fewer_runs),
            median_seconds(more_runs),
            median(each.cpu_seconds for each in fewer_runs),
            median(each.cpu_seconds for each in more_runs),
        )

    @property
    def cpu_ns_per_packet(self) -> float:
        """Processor time of all threads for each further packet."""
        further_packets = self.more_packets - self.fewer_packets
        return (self.more_cpu_seconds - self.fewer_cpu_seconds) * 1e9 / further_packets

    @property
    def packets_per_second(self) -> float:
        """The further packets over the further time: what starting costs cancels."""
        further_seconds = self.more_seconds - self.fewer_seconds
        if further_seconds <= 0:
            return float("nan")  # drowned in noise: no rate, and no target met
        return (self.more_packets - self.fewer_packets) / further_seconds
