"""Programs that run beside a test, and what they say: tcpsnoop, tcpdump, a server, its clients."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.live.networks import Host

ROOT = Path(__file__).resolve().parents[2]
TRAFFIC = Path(__file__).with_name("traffic.py")

TRACING = "Tracing... Hit Ctrl-C to end."
# Kernels may have to be compiled before a capture begins.
BEGIN_SECONDS = 120
END_SECONDS = 20


def now() -> float:
    """Seconds by the system's clock."""
    return time.clock_gettime(time.CLOCK_REALTIME)


@dataclass
class Line:
    """A line, and the moment it came by the system's clock, which packets are stamped by."""

    at: float
    text: str


@dataclass
class Lines:
    """What comes out of a pipe, read by a thread: whoever writes it never waits."""

    pipe: IO[bytes]
    all: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self.pipe:
            with self._changed:
                self.all.append(Line(now(), line.decode()))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, holding: str = "", count: int = 1, timeout: float = 10) -> Line:
        """The `count`-th line that holds a text; fails when it does not come in time."""
        found: list[Line] = []

        def is_there() -> bool:
            found[:] = [line for line in self.all if holding in line.text]
            return len(found) >= count or self._ended

        with self._changed:
            self._changed.wait_for(is_there, timeout)
        assert len(found) >= count, f"no line {holding!r} ({count}) within {timeout} s: {self.text}"
        return found[count - 1]

    def join(self) -> None:
        """Wait for the end of the pipe."""
        self._thread.join(END_SECONDS)
        assert not self._thread.is_alive()

    @property
    def text(self) -> str:
        """All that has come."""
        return "".join(line.text for line in self.all)


@dataclass
class Program:
    """A running program."""

    process: subprocess.Popen[bytes]
    output: Lines
    notes: Lines  # of standard error

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def tell(self, line: str = "") -> None:
        """A line for its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def tracing(self) -> None:
        """Wait until tcpsnoop captures."""
        self.notes.wait(TRACING, timeout=BEGIN_SECONDS)

    def end(self, number: signal.Signals | None = signal.SIGINT) -> float:
        """Send a signal, or none, and wait for the end: how many seconds that took."""
        with os.fdopen(os.pidfd_open(self.pid)) as process:  # waiting for it costs no time
            asked = now()
            if number is not None:
                self.process.send_signal(number)
            select.select([process], [], [], END_SECONDS)
            took = now() - asked
        self.process.wait(1)
        self.output.join()
        self.notes.join()
        return took

    def rows(self) -> list[dict[str, Any]]:
        """Its output as JSON lines."""
        return [json.loads(line.text) for line in self.output.all]


@contextmanager
def running(
    *words: object,
    environment: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.PIPE,
) -> Iterator[Program]:
    """A program with pipes for everything, which is gone in the end."""
    with subprocess.Popen(
        [str(word) for word in words],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        program = Program(process, Lines(process.stdout), Lines(process.stderr))
        try:
            yield program
        finally:
            process.kill()
            process.wait()
            program.output.join()
            program.notes.join()


@contextmanager
def piped(first: Sequence[object], second: Sequence[object]) -> Iterator[Program]:
    """`first | second`: the second one."""
    words = [str(word) for word in first]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writing:
        assert writing.stdout is not None
        try:
            with running(*second, stdin=writing.stdout) as program:
                writing.stdout.close()
                yield program
        finally:
            writing.kill()


def tcpsnoop(*words: object) -> list[object]:
    """The command line of the program under test, from this checkout."""
    return [sys.executable, "-m", "tcpsnoop", *words]


def at_once(words: Sequence[object]) -> list[object]:
    """A command line whose program goes before others: what is timed is it, not what else runs."""
    return ["nice", "-n", "-10", *words]


def traffic(host: Host, *words: object) -> list[str]:
    """The command line of traffic.py on a host."""
    return host.words(sys.executable, "-S", TRAFFIC, *words)
