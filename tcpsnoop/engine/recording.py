"""`owners --journal`: the events of attribution are written until somebody says stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tcpsnoop.engine.output import ClosedPipeError, Output
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.errors import CaptureError
from tcpsnoop.owners import Recorder

# How often what was told is written: a process may be gone soon, and who kills us loses no more.
PAUSE = 0.02

DONE, INCOMPLETE = 0, 1


@dataclass(frozen=True)
class Recording:
    """What the user chose; `output` of None is standard output."""

    output: str | None
    force: bool
    duration: float | None
    tracing: bool
    tracepoints: str | None
    program: str
    note: Callable[[str], None]
    fault: Callable[[str], None]


def record(chosen: Recording, stop: StopRequest) -> int:
    """Write a journal; the exit status. UsageError: nothing was started."""
    output = Output(chosen.output, force=chosen.force)
    output.open()
    given = None if chosen.tracepoints is None else Path(chosen.tracepoints)
    recorder = Recorder(
        output.write, time.time_ns, chosen.program, tracing=chosen.tracing, tracepoints=given
    )
    try:
        recorder.begin()
        chosen.note("Recording... Hit Ctrl-C to end.")
        end = None if chosen.duration is None else time.monotonic() + chosen.duration
        while not stop.asked and (end is None or time.monotonic() < end):
            time.sleep(PAUSE)
            recorder.poll()
        recorder.end()
        output.close()
    except ClosedPipeError:
        return DONE
    except CaptureError as error:
        chosen.fault(str(error))
        return INCOMPLETE
    finally:
        recorder.close()
    for line in recorder.summary():
        chosen.note(line)
    return DONE
