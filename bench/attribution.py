"""What naming processes costs: processor time, the slowdown of others, and of idling."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from bench import idling
from bench.captures import Captures
from bench.native import compiled
from bench.private_network import private_network
from bench.programs import tcpsnoop
from bench.swarms import WORKERS, Burst, Workload, alternated, burst
from bench.targets import Section, Target, paragraph, table

ROUNDS = 7
COUNT, QUICK_COUNT, PER_SECOND, AT_ONCE = 10_000, 2_000, 5_000, 8

METHOD = """\
`swarm` makes {count:,} connections over the loopback device, {rate:,} a second if the machine lets
it, to {workers} prefork workers: each by a process of its own, or all by {workers} processes. They
send 8 bytes, receive 8 and close, every second one with a reset. Processor time is that of the
whole of tcpsnoop, all its threads, from the first connection to the last. The slowdown is that of
`swarm`, compared with the run with nothing beside it in the same round: at {rate:,} a second, each
by a process of its own, and then as fast as it goes, when it leaves nothing of the processors to
others; in its own processor time is also what the kernel does in it for tcpsnoop. Idle means
{sockets:,} open sockets without a packet for {seconds:g} s; the busy program is a shell that starts
one process after the other. Medians of {rounds} rounds, in a network namespace of their own."""

NOTHING, UNNAMED, LIFE = "nothing", "`life`, if it named nobody", "`life`"
_CAPTURE = ("-n", "-i", "lo", "-B", "65536")

Bursts = Mapping[str, Sequence[Burst]]


def measure(captures: Captures, quick: bool) -> Section:
    """Processor time for a connection, the slowdown of the workload, and the cost of idling."""
    generator = compiled("swarm", captures.folder)
    if generator is None or os.geteuid() != 0:
        return Section("attribution", "Not measured: it needs root and a C compiler.", [])
    rounds = 1 if quick else ROUNDS
    seconds = 2.0 if quick else idling.SECONDS
    each = Workload("call", AT_ONCE, PER_SECOND, QUICK_COUNT if quick else COUNT)
    few = replace(each, verb="repeat", at_once=WORKERS)
    programs = _programs()
    beside = {NOTHING: (), **programs}
    some = {NOTHING: (), UNNAMED: programs[UNNAMED], LIFE: programs[LIFE]}
    with private_network():
        for words in programs.values():
            burst(generator, replace(each, count=100), words)  # compiled before
        costs, by_few = (alternated(generator, load, beside, rounds) for load in (each, few))
        flat_out = alternated(generator, replace(each, per_second=0), some, rounds)
        idle = idling.shares(programs[LIFE], seconds)
    method = paragraph(
        METHOD, count=each.count, rate=PER_SECOND, workers=WORKERS, rounds=rounds,
        sockets=idling.SOCKETS, seconds=seconds,
    )  # fmt: skip
    parts = (
        method,
        _costs(costs, by_few, each.count),
        _slowdowns(flat_out, each.count),
        _idle(idle),
    )
    targets = [
        Target("`life`, a connection", _cost(costs[LIFE], each.count), at_most=60, unit="µs"),
        Target("slowdown by `life`", 100 * _slowdown(costs, LIFE), at_most=10, unit="%"),
        Target(
            "the same, as fast as `swarm` goes",
            100 * _slowdown(flat_out, LIFE),
            at_most=10,
            unit="%",
            aim=True,
        ),
        Target("idle, of a core", 100 * idle.before, at_most=1, unit="%"),
    ]
    return Section("attribution", "\n\n".join(parts), targets)


def _programs() -> dict[str, tuple[str, ...]]:
    """What is compared, by the name in the table."""
    life = ("life", *_CAPTURE)
    return {
        UNNAMED: (sys.executable, "-m", "bench.unnamed", *life),
        "`life --no-tracing`": tcpsnoop(*life, "--no-tracing").words,
        LIFE: tcpsnoop(*life).words,
        "`life --format jsonl`": tcpsnoop(*life, "--format", "jsonl").words,
        "`wdist`": tcpsnoop("wdist", *_CAPTURE).words,
    }


def _costs(each: Bursts, few: Bursts, count: int) -> str:
    head = (
        "processor time of a connection",
        "a process each, µs",
        "a second",
        "slower",
        f"{WORKERS} processes, µs",
        "a second",
        "slower",
    )
    rows = []
    for name in each:
        row = [name]
        for all_bursts in (each, few):
            bursts = all_bursts[name]
            cost = "–" if name == NOTHING else f"{_cost(bursts, count):.0f}"
            row += [cost, _rate(bursts, count), _slower(all_bursts, name)]
        rows.append(row)
    return table(head, rows)


def _slowdowns(flat_out: Bursts, count: int) -> str:
    head = ("`swarm` as fast as it goes, beside it", "a second", "slower", "its own processor, µs")
    rows = []
    for name, bursts in flat_out.items():
        worked = median(each.worked for each in bursts) / count * 1e6
        rows.append((name, _rate(bursts, count), _slower(flat_out, name), f"{worked:.0f}"))
    return table(head, rows)


def _idle(shares: idling.Shares) -> str:
    settled = idling.SETTLING_OF_NEW_SECONDS
    rows = [
        ("sockets from before", f"{shares.before:.2%}"),
        ("sockets from before, another program busy", f"{shares.busy:.2%}"),
        (f"sockets whose connections it saw begin, {settled:g} s later", f"{shares.during:.2%}"),
    ]
    return table((f"{idling.SOCKETS:,} idle sockets, `life`", "of a core"), rows)


def _rate(bursts: Sequence[Burst], count: int) -> str:
    return f"{count / median(each.seconds for each in bursts):,.0f}"


def _cost(bursts: Sequence[Burst], count: int) -> float:
    """Microseconds of the processor for a connection."""
    return median(each.captured for each in bursts) / count * 1e6


def _slower(bursts: Bursts, name: str) -> str:
    return "–" if name == NOTHING else f"{_slowdown(bursts, name):.1%}"


def _slowdown(bursts: Bursts, name: str) -> float:
    """How much longer it took than with nothing beside it in the same round."""
    pairs = zip(bursts[name], bursts[NOTHING], strict=True)
    return median(one.seconds / bare.seconds for one, bare in pairs) - 1
