"""How many packets a second each program reads from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.captures import KINDS, Captures, warm
from bench.measure import Command, Rate, alternated, run
from bench.programs import (
    FIRST,
    IO,
    LAST,
    LOOP,
    ONE_THREAD,
    SLOW_FIRST,
    SLOW_LAST,
    TCPDUMP,
    TCPTRACE,
    TSHARK,
    TWO_THREADS,
    Program,
    for_speed,
)
from bench.targets import Section, Target, paragraph, table

ROUNDS = 5

METHOD = """\
A program's rate is the packets by which two files differ over the difference of the two
whole-process times, so that starting cancels: the first {fewer:,} and all {more:,} packets of one
capture, for `tshark`, which is too slow for these, the first {slow_fewer:,} and {slow_more:,}. Both
times are medians of {rounds} runs, alternated: each program reads both files, then the next program
does, then all over again. Files are in the page cache, output goes to /dev/null. `tcptrace` keeps
every connection of the file and slows down as they become more."""


def measure(captures: Captures, quick: bool) -> Section:
    """Every program on every kind of capture, and the factors between them."""
    rounds = 1 if quick else ROUNDS
    programs = for_speed(captures.folder)
    method = paragraph(
        METHOD,
        fewer=captures.count(FIRST),
        more=captures.count(LAST),
        slow_fewer=captures.count(SLOW_FIRST),
        slow_more=captures.count(SLOW_LAST),
        rounds=rounds,
    )
    parts, targets = [method], []
    for kind, title in KINDS.items():
        rates = rates_of(captures, programs, kind, rounds)
        parts += [f"**{title[0].upper()}{title[1:]}**", rate_table(rates)]
        targets += _targets(kind, {name: rate.packets_per_second for name, rate in rates.items()})
    return Section("speed", "\n\n".join(parts), targets)


def rates_of(
    captures: Captures, programs: Sequence[Program], kind: str, rounds: int
) -> dict[str, Rate]:
    """The rate of each program on a kind of capture, by its name."""
    counts = sorted({count for each in programs for count in (each.fewer, each.more)})
    paths = dict(zip(counts, captures.conversations(kind, counts[-1], counts), strict=True))
    for path in paths.values():
        warm(path)
    _compile_first(programs, paths[counts[0]])
    runs = alternated(_commands(programs, paths), rounds)
    return {
        each.name: Rate.of(
            captures.count(each.fewer),
            runs[f"{each.name}: {each.fewer}"],
            captures.count(each.more),
            runs[f"{each.name}: {each.more}"],
        )
        for each in programs
    }


def _compile_first(programs: Sequence[Program], smallest: Path) -> None:
    for each in programs:
        run(each.reading(smallest))


def _commands(programs: Sequence[Program], paths: Mapping[int, Path]) -> dict[str, Command]:
    return {
        f"{each.name}: {count}": each.reading(paths[count])
        for each in programs
        for count in (each.fewer, each.more)
    }


def rate_table(rates: Mapping[str, Rate]) -> str:
    """Rates as a table, beside that of the loop when it is there."""
    head = (
        "program",
        "million packets/s",
        "× loop",
        "CPU ns each",
        "fewer packets",
        "s",
        "more packets",
        "s",
    )
    loop = rates[LOOP].packets_per_second if LOOP in rates else float("nan")
    rows = [
        (
            name if name == LOOP else f"`{name}`",
            f"{rate.packets_per_second / 1e6:.2f}",
            f"{rate.packets_per_second / loop:.3f}" if LOOP in rates else "–",
            f"{rate.cpu_ns_per_packet:,.0f}",
            f"{rate.fewer_packets:,}",
            f"{rate.fewer_seconds:.2f}",
            f"{rate.more_packets:,}",
            f"{rate.more_seconds:.2f}",
        )
        for name, rate in rates.items()
    ]
    return table(head, rows)


def _targets(kind: str, rate: Mapping[str, float]) -> list[Target]:
    """The factors asked for, of those programs that are there."""

    def factor(program: str, other: str, at_least: float, *, aim: bool = False) -> list[Target]:
        if program not in rate or other not in rate:
            return []
        what = f"{KINDS[kind]}: `{program}` to {other}"
        return [Target(what, rate[program] / rate[other], at_least=at_least, aim=aim)]

    if kind == "small":
        threads = factor(TWO_THREADS, ONE_THREAD, 1) + factor(TWO_THREADS, LOOP, 0.7, aim=True)
    else:
        threads = factor(TWO_THREADS, LOOP, 0.9)
    return [
        *factor(ONE_THREAD, LOOP, 0.5),
        *threads,
        *factor(IO, TCPDUMP, 6),
        *factor(TWO_THREADS, TCPTRACE, 4),
        *factor(TWO_THREADS, TSHARK, 40),
    ]
