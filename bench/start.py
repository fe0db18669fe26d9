"""How long starting takes: help, a small capture, and the very first run."""

from __future__ import annotations

import sys
import tempfile

from bench.captures import Captures
from bench.measure import Command, alternated, median_seconds, run
from bench.programs import tcpsnoop, tcpsnoop_reading
from bench.targets import Section, Target, paragraph, table

ROUNDS = 11
FIRST_RUNS = 3
HELP, SMALL = "`tcpsnoop --help`", "`tcpsnoop accept` on 1 000 packets"
PASS, NUMBA = "`python -c pass`", '`python -c "import numba"`'

METHOD = """\
Medians of {rounds} alternated runs of whole processes; the first run ever, with an empty cache of
compiled code, is the slowest of {first_runs}."""


def measure(captures: Captures, quick: bool) -> Section:
    """Whole-process times, alternated, and the first run with nothing compiled."""
    rounds, first_runs = (3, 1) if quick else (ROUNDS, FIRST_RUNS)
    small = tcpsnoop_reading("accept", Captures(captures.folder).held_open("inbound", 100, 10))
    run(small)
    commands = {
        PASS: Command((sys.executable, "-c", "pass")),
        HELP: tcpsnoop("--help"),
        NUMBA: Command((sys.executable, "-c", "import numba")),
        SMALL: small,
    }
    runs = alternated(commands, rounds)
    seconds = {name: median_seconds(each) for name, each in runs.items()}
    first = [_first_run(small) for _ in range(first_runs)]
    slowest = max(took for took, _ in first)
    told = all(said for _, said in first)
    rows = [(name, f"{value * 1000:.0f}") for name, value in seconds.items()]
    rows.append(("first run ever", f"{slowest * 1000:.0f}"))
    method = paragraph(METHOD, rounds=rounds, first_runs=first_runs)
    targets = [
        Target(f"{HELP} to {PASS}", seconds[HELP] / seconds[PASS], at_most=12),
        Target(f"{SMALL} to {NUMBA}", seconds[SMALL] / seconds[NUMBA], at_most=1.7),
        Target("first run ever", slowest, at_most=20, unit="s"),
        Target("a line on stderr while compiling", float(told), at_least=1, unit="of 1"),
    ]
    return Section("start", f"{method}\n\n{table(('command', 'ms'), rows)}", targets)


def _first_run(command: Command) -> tuple[float, bool]:
    """Seconds with an empty cache, and whether the user was told what takes so long."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {**command.environment, "TCPSNOOP_CACHE": empty}
        done = run(Command(command.words, environment))
    return done.wall_seconds, "compil" in done.stderr.lower()
