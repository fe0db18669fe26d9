"""Many short processes with a connection each, the truth they tell, and what rows say of them."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.live.networks import Host

RECORD = np.dtype(
    [("number", "i8"), ("pid", "i8"), ("port", "i8"), ("began_ns", "i8"), ("ended_ns", "i8")]
)
"""As bench/swarm.c writes them."""


@dataclass
class Swarm:
    """What bench/swarm.c did: a record for each call, and one for each that was served."""

    port: int = 0
    calls: NDArray[np.void] = field(default_factory=lambda: np.empty(0, RECORD))
    served: NDArray[np.void] = field(default_factory=lambda: np.empty(0, RECORD))
    seconds: float = 0.0

    @property
    def ports_used_again(self) -> int:
        """Calls from a port that had been used before."""
        return len(self.calls) - len(np.unique(self.calls["port"]))


@contextmanager
def serving(
    swarm: Path, host: Host, address: str, folder: Path, workers: int = 4
) -> Iterator[Swarm]:
    """A server in a host while the block runs; `served` is there after it."""
    truth, told = folder / "served", Swarm()
    words = host.words(swarm, "serve", address, workers, truth)
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        told.port = int(server.stdout.readline())
        try:
            yield told
        finally:
            server.communicate(timeout=60)
    told.served = np.fromfile(truth, RECORD)


def call(
    swarm: Path,
    host: Host,
    address: str,
    told: Swarm,
    folder: Path,
    count: int,
    *,
    at_once: int = 8,
    per_second: int = 0,
) -> None:
    """Let `count` processes call, and wait for their end."""
    truth = folder / "calls"
    words = host.words(swarm, "call", address, told.port, count, at_once, per_second, truth)
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    told.seconds = float(done.stdout)
    told.calls = np.fromfile(truth, RECORD)


@dataclass
class Verdict:
    """How many ends of connections were named right, wrong, or not at all; and why not."""

    right: int = 0
    wrong: int = 0
    unknown: int = 0
    ends: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.ends} ends: {self.right} right, {self.wrong} wrong, {self.unknown} unknown"


def nanoseconds(text: str) -> int:
    """The time of a row, nanoseconds since the epoch."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6) * 1000


def judge(told: Swarm, rows: Iterable[dict[str, Any]]) -> Verdict:
    """Compare rows of `io` with the truth; an end is right when all its rows are."""
    truth = {(int(each["number"]), "caller"): int(each["pid"]) for each in told.calls}
    truth |= {(int(each["number"]), "called"): int(each["pid"]) for each in told.served}
    assert len(truth) == 2 * len(told.calls), "the server's truth is not whole"
    verdict = Verdict()
    named: dict[tuple[int, str], set[Any]] = {}
    for number, side, row in _of_calls(told, rows):
        named.setdefault((number, side), set()).add(row["pid"])
        if row["pid"] is None:
            verdict.reasons[f"{side}: {row['attribution']} {row['reason']}"] += 1
    for end, pids in named.items():
        verdict.ends += 1
        if pids == {truth[end]}:
            verdict.right += 1
        elif pids - {truth[end], None}:
            verdict.wrong += 1
        else:
            verdict.unknown += 1
    return verdict


def _of_calls(
    told: Swarm, rows: Iterable[dict[str, Any]]
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Each row with the number of its call, told by port and time of the SYN, and its side."""
    current: dict[int, int] = {}  # port of who called → number of the call
    for row in rows:
        calling = row["rport"] == told.port
        if not calling and row["lport"] != told.port:
            continue
        port = row["lport"] if calling else row["rport"]
        if row["flags"] == "SYN" and calling == (row["direction"] == "->"):
            time, calls = nanoseconds(row["time"]), told.calls
            inside = calls[
                (calls["port"] == port)
                & (calls["began_ns"] - 1000 <= time)
                & (time <= calls["ended_ns"])
            ]
            assert len(inside) == 1, row
            current[port] = int(inside["number"][0])
        if port in current:
            yield current[port], "caller" if calling else "called", row


def rows_in(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    with path.open() as file:
        for line in file:
            yield json.loads(line)
