"""What a capture uses while sockets are open by the thousand and no packet comes."""

from __future__ import annotations

import resource
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.capturing import capturing, processor_seconds

SOCKETS, SECONDS = 10_000, 15.0
# What was begun before has ended after so long; ends that nobody has used yet are looked for in
# turn, which takes longer.
SETTLING_SECONDS, SETTLING_OF_NEW_SECONDS = 2.0, 30.0
BUSY = ("sh", "-c", "while :; do /bin/true; done")


@dataclass(frozen=True)
class Shares:
    """Shares of a core."""

    before: float  # the sockets were there before the capture
    busy: float  # likewise, and a shell starts one process after the other
    during: float  # their connections were made while it captured, and all were looked up


def shares(words: Sequence[str], seconds: float) -> Shares:
    """What the program uses in each case."""
    with _sockets(), capturing(words) as process:
        before = _share(process.pid, seconds, SETTLING_SECONDS)
        with subprocess.Popen(BUSY) as shell:
            try:
                busy = _share(process.pid, seconds, SETTLING_SECONDS)
            finally:
                shell.kill()
    with capturing(words) as process, _sockets():
        during = _share(process.pid, seconds, SETTLING_OF_NEW_SECONDS)
    return Shares(before, busy, during)


@contextmanager
def _sockets() -> Iterator[None]:
    """Open connections, both ends of each here."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        place = server.getsockname()
        for _ in range(SOCKETS // 2):
            stack.enter_context(socket.create_connection(place))
            stack.enter_context(server.accept()[0])
        yield


def _share(pid: int, seconds: float, settling: float) -> float:
    time.sleep(settling)
    before, began = processor_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (processor_seconds(pid) - before) / (time.monotonic() - began)
