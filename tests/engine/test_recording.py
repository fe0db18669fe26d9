"""A journal is recorded: where it goes, how it ends, and what is said of it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.engine.recording import DONE, INCOMPLETE, Recording, record
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.errors import UsageError


class Chosen:
    """What a user chose, without tracing, and what was told."""

    def __init__(self, output: Path | str | None, **chosen: Any) -> None:
        self.notes: list[str] = []
        self.faults: list[str] = []
        defaults = {"force": False, "duration": 0.1, "tracing": False, "tracepoints": None}
        self.recording = Recording(
            output=None if output is None else str(output),
            program="a test",
            note=self.notes.append,
            fault=self.faults.append,
            **(defaults | chosen),
        )

    def record(self, *, asked: bool = False) -> int:
        """The exit status."""
        stop = StopRequest()
        stop.asked = asked
        return record(self.recording, stop)


def kinds(content: bytes) -> list[str]:
    assert content.endswith(b"\n")
    return [next(iter(json.loads(line))) for line in content.splitlines()]


def test_a_journal_that_ends_by_itself(tmp_path: Path) -> None:
    chosen = Chosen(tmp_path / "j")
    assert chosen.record() == DONE
    found = kinds((tmp_path / "j").read_bytes())
    assert found[:4] == ["tcpsnoop_journal", "clock", "addresses", "sockets"]
    assert found[-1] == "end"
    assert chosen.notes[:2] == [
        "Recording... Hit Ctrl-C to end.",
        "owners: no kernel tracing: --no-tracing",
    ]
    assert chosen.faults == []


def test_one_that_is_asked_to_stop(tmp_path: Path) -> None:
    chosen = Chosen(tmp_path / "j", duration=None)
    assert chosen.record(asked=True) == DONE
    assert kinds((tmp_path / "j").read_bytes())[-1] == "end"


def test_a_file_is_not_overwritten_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("precious")
    with pytest.raises(UsageError, match="exists: --force overwrites it"):
        Chosen(tmp_path / "j").record()
    assert (tmp_path / "j").read_text() == "precious"
    assert Chosen(tmp_path / "j", force=True).record() == DONE
    assert kinds((tmp_path / "j").read_bytes())[-1] == "end"


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        Chosen(tmp_path / "no" / "j").record()


def test_a_full_disk_is_told() -> None:
    chosen = Chosen("/dev/full", force=True)
    assert chosen.record() == INCOMPLETE
    assert chosen.faults == ["/dev/full was not written whole: No space left on device"]


def test_whoever_read_it_has_gone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def read_a_little() -> None:
        with pipe.open("rb", buffering=0) as file:
            file.read(10)

    reader = threading.Thread(target=read_a_little)
    reader.start()
    chosen = Chosen(pipe, force=True, duration=30.0)
    assert chosen.record() == DONE
    reader.join()
    assert chosen.faults == []
