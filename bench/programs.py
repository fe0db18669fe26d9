"""The programs that are compared, and how each is called to read a file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Command
from bench.native import compiled

FIRST, LAST = 1_000_000, 5_000_000
SLOW_FIRST, SLOW_LAST = 100_000, 500_000


@dataclass(frozen=True)
class Program:
    """A program of the comparison; `fewer` and `more` packets are what its rate is taken from."""

    name: str
    reading: Callable[[Path], Command]
    fewer: int = FIRST
    more: int = LAST


def tcpsnoop(*words: str, **environment: str) -> Command:
    """The program under test, by the interpreter that runs the benchmark."""
    return Command((sys.executable, "-m", "tcpsnoop", *words), environment)


def tcpsnoop_reading(report: str, path: Path, **environment: str) -> Command:
    """A report without names on one file."""
    return tcpsnoop(report, "-n", "-r", str(path), **environment)


def tcpsnoop_works() -> str | None:
    """None, or why the benchmark has to do without it."""
    command = tcpsnoop("list", "reports")
    done = subprocess.run(command.words, capture_output=True, text=True)
    last_words = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return None if done.returncode == 0 else last_words


LOOP = "bare libpcap loop in C"
ONE_THREAD = "tcpsnoop accept, one thread"
TWO_THREADS = "tcpsnoop accept"
IO = "tcpsnoop io -n"
TCPDUMP = "tcpdump -nn -q"
TCPTRACE = "tcptrace -n"
TSHARK = "tshark -n -q -z conv,tcp"


def for_speed(folder: Path) -> list[Program]:
    """All programs that are there, in the order of the comparison."""
    programs = []
    loop = compiled("pcap_loop", folder)
    if loop is not None:
        programs.append(Program(LOOP, lambda path: Command((str(loop), str(path)))))
    if tcpsnoop_works() is None:
        programs += [
            Program(ONE_THREAD, lambda p: tcpsnoop_reading("accept", p, TCPSNOOP_THREADS="1")),
            Program(TWO_THREADS, lambda path: tcpsnoop_reading("accept", path)),
            Program(IO, lambda path: tcpsnoop_reading("io", path)),
        ]
    if shutil.which("tcpdump"):
        programs.append(Program(TCPDUMP, _words("tcpdump -nn -q -r")))
    if shutil.which("tcptrace"):
        programs.append(Program(TCPTRACE, _words("tcptrace -n")))
    if shutil.which("tshark"):
        words = _words("tshark -n -q -z conv,tcp -r")
        programs.append(Program(TSHARK, words, SLOW_FIRST, SLOW_LAST))
    return programs


def _words(words: str) -> Callable[[Path], Command]:
    return lambda path: Command((*words.split(), str(path)))
