"""Bursts of connections by `swarm`, with programs that capture beside it."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.capturing import capturing, processor_seconds

WORKERS = 4


@dataclass(frozen=True)
class Workload:
    """How `swarm` calls: `call` or `repeat`, by so many at once, so many a second (0: no limit)."""

    verb: str
    at_once: int
    per_second: int
    count: int


@dataclass(frozen=True)
class Burst:
    """One run of the workload; seconds that it took, and seconds of the processor."""

    seconds: float
    captured: float  # by the program beside it, 0 without
    worked: float  # by the workload


def alternated(
    generator: Path, workload: Workload, beside: Mapping[str, Sequence[str]], rounds: int
) -> dict[str, list[Burst]]:
    """Runs beside A, B, C, A, B, C, …, so that a slow minute of the machine is shared by all.

    A program without words is none.
    """
    bursts: dict[str, list[Burst]] = {name: [] for name in beside}
    for _ in range(rounds):
        for name, words in beside.items():
            bursts[name].append(burst(generator, workload, words))
    return bursts


def burst(generator: Path, workload: Workload, words: Sequence[str]) -> Burst:
    """Let the swarm run once."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        process = stack.enter_context(capturing(words)) if words else None
        worked = _of_children()
        serving = subprocess.Popen(
            [generator, "serve", "127.0.0.1", str(WORKERS), f"{folder}/served"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.enter_context(serving)
        assert serving.stdout is not None
        port = serving.stdout.readline().strip()
        before = 0.0 if process is None else processor_seconds(process.pid)
        how = [workload.verb, "127.0.0.1", port, str(workload.count), str(workload.at_once)]
        calls = [str(generator), *how, str(workload.per_second), f"{folder}/calls"]
        done = subprocess.run(calls, capture_output=True, text=True, check=True)
        after = 0.0 if process is None else processor_seconds(process.pid)
        serving.communicate()
        worked = _of_children() - worked
    return Burst(float(done.stdout), after - before, worked)


def _of_children() -> float:
    """Processor seconds of the children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
