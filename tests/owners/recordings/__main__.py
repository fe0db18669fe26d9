"""Record plays, as root: `python -m tests.owners.recordings [NAME…]`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.live.networks import Host, host
from tests.live.programs import ROOT, Program, running, tcpsnoop
from tests.live.scenes import dumped
from tests.owners.recordings.plays import BEGUN_BEFORE, PLAYS

FOLDER = Path(__file__).parent
ACTING = ("/usr/bin/python3", "-S", (FOLDER / "plays.py").relative_to(ROOT))
# Whose processes stay out of it.
RECORDING = ("-m tcpsnoop", "-m tests.owners.recordings")
# Where a play is alone: its processes, and a cgroup that has no name.
APART = ("unshare", "--pid", "--fork", "--mount-proc", "--cgroup")


class Here(Host):
    """Where this process is."""

    def words(self, *command: object) -> list[str]:
        """The command line as it is."""
        return [str(word) for word in command]


def inside(name: str, folder: Path) -> None:
    """In the namespaces of a play: record it."""
    with ExitStack() as stack:
        acting: Program | None = None
        if name in BEGUN_BEFORE:
            acting = stack.enter_context(running(*ACTING, name))
            acting.output.wait("ready")
        words = tcpsnoop("owners", "--journal", folder / f"{name}.owners", "--force")
        recorder = stack.enter_context(running(*words))
        recorder.notes.wait("Recording", timeout=120)
        with dumped(Here(""), "lo", folder / f"{name}.pcap"):
            if acting is None:
                acting = stack.enter_context(running(*ACTING, name))
            else:
                acting.tell()
            truth = json.loads(acting.output.wait("{", timeout=60).text)
            acting.process.wait(10)
        recorder.end(signal.SIGINT)
        assert "no event lost" in recorder.notes.text, recorder.notes.text
    truth["kernel"] = os.uname().release.split("-")[0]
    (folder / f"{name}.json").write_text(json.dumps(truth, indent=1) + "\n")


def cut_down(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A journal without what the kernel told of sockets of others, and without who recorded it."""
    events = [line["events"] for line in lines if "events" in line]
    ours = {socket for each in events for _, pid, socket in _rows(each) if pid} - {0}
    for line in lines:
        if any(name in line.get("process", {}).get("command_line", "") for name in RECORDING):
            continue
        if "events" not in line:
            yield line
            continue
        kept = [
            pid != 0 or socket in ours or kind == "lost"
            for kind, pid, socket in _rows(line["events"])
        ]
        if any(kept):
            yield {"events": {name: _chosen(told, kept) for name, told in line["events"].items()}}


def _rows(columns: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Kind, PID and socket of each event."""
    nothing = [0] * len(columns["kind"])
    pids, sockets = columns.get("pid", nothing), columns.get("socket", nothing)
    return zip(columns["kind"], pids, sockets, strict=True)


def _chosen(told: Any, kept: list[bool]) -> Any:
    """A column without the events that are left out."""
    if not isinstance(told, list):
        return told
    return [each for each, its in zip(told, kept, strict=True) if its]


def record(name: str) -> None:
    """Record a play in namespaces of its own."""
    with host() as place:
        words = [*APART, sys.executable, "-m", "tests.owners.recordings", "--inside", name]
        subprocess.run(place.words(*words), check=True, cwd=ROOT)
    path = FOLDER / f"{name}.owners"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [json.dumps(line, separators=(",", ":")) for line in cut_down(lines)]
    path.write_text("\n".join(kept) + "\n")
    sys.stdout.write(f"{name}: {path.stat().st_size} bytes of journal\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], FOLDER)
    else:
        for play in sys.argv[1:] or PLAYS:
            record(play)
