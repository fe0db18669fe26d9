"""How fast reports are that need all the knowledge of TCP: life, many connections, five at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench.captures import KINDS, Captures, warm
from bench.measure import Command, Rate, alternated, run
from bench.memory import MILLION
from bench.native import compiled
from bench.programs import FIRST, LAST, LOOP, Program, tcpsnoop_reading
from bench.speed import ROUNDS, rate_table, rates_of
from bench.targets import Section, Target, paragraph

ONE, OTHERS = "life", ("rtt", "firstbyte", "stat", "bytes")
FIVE = ",".join((ONE, *OTHERS))
ONE_THREAD, TWO_THREADS = "tcpsnoop life, one thread", "tcpsnoop life"
SEVERAL = f"tcpsnoop {FIVE}"
TCPTRACE = "tcptrace -n -l"

# A faster program's time for 4 million packets is not much more than what its start varies by; of
# full-size packets more do not fit into memory.
MORE = {"small": 4 * LAST, "full": LAST, "snap96": 4 * LAST}

PACKETS_EACH = 5  # of each of the million connections: a handshake, a request, its answer
FEWER_CONNECTIONS = MILLION // 5
LIMIT_MB = 1000

METHOD = """\
Rates are taken as in *Speed*, from the first {fewer:,} and all packets of captures of some 5 000
connections at a time; so that what a start takes matters less, these are {most:,}, but {more:,}
of full-size packets and for `tcptrace`. `life` follows every byte of every connection and
writes a line when it has ended; the others of the five measure times and count, the dearest of them
for every segment. *One pass* is the time for each further packet of the five together over that of
the one which takes longest alone, and over that of `life`."""

MILLION_METHOD = """\
The million: connections from as many addresses, {each} packets each, none of which closes, so that
all are in memory at the end and all lines are written then; {few:,} of them against {many:,}. The
small packets of 5 000 connections are read in turn with them."""


def measure(captures: Captures, quick: bool) -> Section:
    """Rates of `life` and of five reports, and `life` on a million connections."""
    rounds = 1 if quick else ROUNDS
    counts = {name: captures.count(most) for name, most in _COUNTS.items()}
    parts = [paragraph(METHOD, **counts)]
    targets: list[Target] = []
    for kind, title in KINDS.items():
        rates = rates_of(captures, _programs(captures.folder, kind), kind, rounds)
        parts += [f"**{title[0].upper()}{title[1:]}**", rate_table(rates)]
        targets += _targets(kind, rates)
    many, its_targets = _million(captures, rounds)
    return Section("reports", "\n\n".join([*parts, many]), [*targets, *its_targets])


_COUNTS = {"fewer": FIRST, "more": LAST, "most": max(MORE.values())}


def _programs(folder: Path, kind: str) -> list[Program]:
    """Those of the comparison that are there."""
    readings: dict[str, Callable[[Path], Command]] = {
        ONE_THREAD: lambda path: tcpsnoop_reading(ONE, path, TCPSNOOP_THREADS="1"),
        TWO_THREADS: partial(tcpsnoop_reading, ONE),
        **{_alone(name): partial(tcpsnoop_reading, name) for name in OTHERS},
        SEVERAL: partial(tcpsnoop_reading, FIVE),
    }
    loop = compiled("pcap_loop", folder)
    if loop is not None:
        readings = {LOOP: lambda path: Command((str(loop), str(path))), **readings}
    programs = [Program(name, each, more=MORE[kind]) for name, each in readings.items()]
    if shutil.which("tcptrace"):
        programs.append(Program(TCPTRACE, lambda path: Command((*TCPTRACE.split(), str(path)))))
    return programs


def _targets(kind: str, rates: Mapping[str, Rate]) -> list[Target]:
    """What was asked for, of those programs that are there."""
    speed = {name: rate.packets_per_second for name, rate in rates.items()}

    def factor(program: str, other: str, at_least: float) -> list[Target]:
        if other not in speed:
            return []
        what = f"{KINDS[kind]}: `{program}` to {other}"
        return [Target(what, speed[program] / speed[other], at_least=at_least)]

    both = factor(TWO_THREADS, LOOP, 0.8) if kind in ("full", "snap96") else []
    dearest = min(speed[name] for name in (TWO_THREADS, *map(_alone, OTHERS)))
    together = f"{KINDS[kind]}: five reports in one pass"
    return [
        *factor(ONE_THREAD, LOOP, 0.4),
        *both,
        *factor(TWO_THREADS, TCPTRACE, 4),
        Target(f"{together} to the dearest of them", dearest / speed[SEVERAL], at_most=2),
        Target(f"{together} to `life`", speed[TWO_THREADS] / speed[SEVERAL], at_most=2),
    ]


def _alone(report: str) -> str:
    return f"tcpsnoop {report}"


def _million(captures: Captures, rounds: int) -> tuple[str, list[Target]]:
    """Rate and memory of `life` with a million connections, and beside it with 5 000."""
    connections = (FEWER_CONNECTIONS, MILLION)
    paths = [captures.held_open("inbound", each, PACKETS_EACH) for each in connections]
    most = MORE["small"]
    usual = captures.conversations("small", most, (FIRST, most))
    for path in (*paths, *usual):
        warm(path)
    run(tcpsnoop_reading(ONE, paths[0]))  # compiles
    commands = {str(path): tcpsnoop_reading(ONE, path) for path in (*paths, *usual)}
    runs = alternated(commands, rounds)
    fewer, more = (captures.count(each) * PACKETS_EACH for each in connections)
    rates = {
        f"{TWO_THREADS}, a million": Rate.of(fewer, runs[str(paths[0])], more, runs[str(paths[1])]),
        f"{TWO_THREADS}, 5 000": Rate.of(
            captures.count(FIRST), runs[str(usual[0])], captures.count(most), runs[str(usual[1])]
        ),
    }
    peak_mb = max(each.peak_bytes for each in runs[str(paths[1])]) / 1e6
    told = paragraph(
        MILLION_METHOD,
        each=PACKETS_EACH,
        few=captures.count(FEWER_CONNECTIONS),
        many=captures.count(MILLION),
    )
    what = f"a million connections: `{TWO_THREADS}`"
    share, whole = (each.packets_per_second for each in rates.values())
    targets = [
        Target(f"{what} to itself with 5 000, small packets", share / whole, at_least=0.25),
        Target(what, peak_mb, at_most=LIMIT_MB, unit="MB"),
    ]
    text = "\n\n".join((told, rate_table(rates), f"Peak memory of `life`: {peak_mb:.0f} MB."))
    return text, targets
