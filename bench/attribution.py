"""What naming processes costs: `python -m bench.attribution` prints what docs/owners.md tells."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.native import compiled
from bench.private_network import private_network
from bench.programs import tcpsnoop
from bench.targets import Section, Target, paragraph, table

ROUNDS = 5
COUNT, PER_SECOND = 20_000, 5_000
IDLE_SOCKETS, IDLE_SECONDS = 10_000, 20.0

METHOD = """\
`swarm` starts {count:,} processes, {rate:,} a second, each with a connection over the loopback
device to four prefork workers, in a network namespace of their own; `tcpsnoop {report}` captures
and names the processes of both ends. Processor time is that of tcpsnoop alone, from the first
connection to the last; the workload's is of `swarm` as fast as it can, with and without, in turn.
Medians of {rounds}."""


@dataclass(frozen=True)
class Burst:
    """One run of the workload."""

    seconds: float  # it took
    captured: float  # processor seconds of tcpsnoop meanwhile, 0 without


def measure(folder: Path, quick: bool, report: str = "wdist") -> Section:
    """Processor time for a connection, the slowdown of the workload, and the cost of idling."""
    generator = compiled("swarm", folder)
    if generator is None or os.geteuid() != 0:
        return Section("attribution", "Not measured: it needs root and a C compiler.", [])
    rounds, count = (1, 2000) if quick else (ROUNDS, COUNT)
    with private_network():
        paced = [_burst(generator, count, PER_SECOND, report) for _ in range(rounds)]
        alternated = [
            (_burst(generator, count, 0, None), _burst(generator, count, 0, report))
            for _ in range(rounds)
        ]
        idle = _idle(report, 2.0 if quick else IDLE_SECONDS)
    microseconds = median(each.captured for each in paced) / count * 1e6
    rate = count / median(each.seconds for each in paced)
    bare = median(one.seconds for one, _ in alternated)
    slowdown = median(other.seconds for _, other in alternated) / bare - 1
    rows = [
        ["processor time for a connection, µs", f"{microseconds:.0f}", f"at {rate:,.0f} a second"],
        ["slowdown of the workload", f"{slowdown:.1%}", f"{count / bare:,.0f} a second without"],
        [f"{IDLE_SOCKETS:,} idle sockets, of a core", f"{idle:.2%}", "no traffic"],
    ]
    targets = [
        Target("processor time for a connection, µs", microseconds, at_most=60),
        Target("slowdown of the workload by naming processes", slowdown, at_most=0.10),
        Target("idle with 10,000 sockets, of a core", idle, at_most=0.01),
    ]
    method = paragraph(METHOD, count=count, rate=PER_SECOND, report=report, rounds=rounds)
    return Section("attribution", f"{method}\n\n{table(['', 'median', ''], rows)}", targets)


@contextmanager
def _capturing(report: str | None) -> Iterator[subprocess.Popen[str] | None]:
    """tcpsnoop, once it captures; nothing without a report."""
    if report is None:
        yield None
        return
    words = [*tcpsnoop(report, "-n", "-i", "lo", "-B", "65536").words]
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "Tracing" not in (line := process.stderr.readline()):
            if not line:
                raise RuntimeError("tcpsnoop captured nothing")
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            notes = process.communicate(timeout=60)[1]
            if "no event lost" not in notes:
                print(notes, file=sys.stderr)


def _burst(generator: Path, count: int, per_second: int, report: str | None) -> Burst:
    """Let the swarm run once."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        process = stack.enter_context(_capturing(report))
        serving = subprocess.Popen(
            [generator, "serve", "127.0.0.1", "4", f"{folder}/served"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.enter_context(serving)
        assert serving.stdout is not None
        port = serving.stdout.readline().strip()
        before = 0.0 if process is None else _processor_seconds(process.pid)
        calls = ["call", "127.0.0.1", port, str(count), "8", str(per_second), f"{folder}/calls"]
        done = subprocess.run([generator, *calls], capture_output=True, text=True, check=True)
        after = 0.0 if process is None else _processor_seconds(process.pid)
        serving.communicate()
    return Burst(float(done.stdout), after - before)


def _idle(report: str, seconds: float) -> float:
    """The share of a core that tcpsnoop uses while many sockets are open and nothing happens."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        place = server.getsockname()
        for _ in range(IDLE_SOCKETS // 2):
            stack.enter_context(socket.create_connection(place))
            stack.enter_context(server.accept()[0])
        with _capturing(report) as process:
            assert process is not None
            time.sleep(1.0)  # what was begun before has ended
            before = _processor_seconds(process.pid)
            time.sleep(seconds)
            return (_processor_seconds(process.pid) - before) / seconds


def _processor_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        print(measure(Path(home), "--quick" in sys.argv).markdown())
