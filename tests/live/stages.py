"""A host on whose loopback plays are captured: programs that tell themselves who they are."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.live.networks import Host
from tests.live.programs import running, tcpsnoop

# What every play begins with; each prints one line of JSON, and talks on loopback alone.
COMMON = """
import json, os, signal, socket, struct, subprocess, sys, threading, time
def listening(host="127.0.0.1", port=0, **options):
    return socket.create_server((host, port), **options)
def wait_all():
    while True:
        try: os.wait()
        except ChildProcessError: return
def told(**words):
    print(json.dumps(words), flush=True)
"""


@dataclass
class Stage:
    """A host whose loopback is captured while plays are run on it."""

    place: Host
    rows: list[dict[str, Any]]

    def play(
        self, program: str, *prefix: object, before: str = "", options: Sequence[str] = ()
    ) -> Any:
        """Run a program while tcpsnoop captures; what it told. `before` runs before the capture."""
        words = tcpsnoop("io", "-i", "lo", "-n", "--format", "jsonl", *options)
        command = (*prefix, sys.executable, "-S", "-c", COMMON + before)
        with ExitStack() as stack:
            if before:
                acting = stack.enter_context(running(*self.place.words(*command)))
                acting.output.wait("ready")
            capturing = stack.enter_context(running(*self.place.words(*words)))
            capturing.tracing()
            if before:
                acting.tell()
            else:
                whole = (*prefix, sys.executable, "-S", "-c", COMMON + program)
                acting = stack.enter_context(running(*self.place.words(*whole)))
            told = json.loads(acting.output.wait("{", timeout=30).text)
            acting.process.wait(30)
            capturing.end(signal.SIGINT)
            self.rows = capturing.rows()
        return told

    def of(self, *ports: int) -> list[dict[str, Any]]:
        """Rows sent from one of these ports."""
        return [row for row in self.rows if row["lport"] in ports and row["direction"] == "->"]

    def pids(self, *ports: int) -> set[int | None]:
        """Processes of the rows sent from one of these ports."""
        found = self.of(*ports)
        assert found
        return {row["pid"] for row in found}
