"""tcpsnoop capturing beside something else, and what it uses meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.measure import FailedProgramError


@contextmanager
def capturing(words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The program, once it captures; FailedProgramError when it has lost packets or events."""
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        while "Tracing" not in said:
            said = process.stderr.readline()
            if not said:
                raise FailedProgramError("tcpsnoop captured nothing")
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            notes = process.communicate(timeout=60)[1]
    if has_lost(notes):
        raise FailedProgramError(f"tcpsnoop has lost something:\n{notes}")


def has_lost(notes: str) -> bool:
    """Whether the notes tell of lost packets or events."""
    lines = notes.splitlines()
    events = any(" events lost" in line for line in lines)
    return events or not any(line == "0 packets dropped by kernel" for line in lines)


def processor_seconds(pid: int) -> float:
    """What all threads of a process have used so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
