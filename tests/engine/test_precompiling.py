"""The second process of a first run: when it is started, that it is waited for, what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.engine import precompiling
from tcpsnoop.engine.precompiling import await_precompiling, begin_precompiling
from tcpsnoop.provider import tracker


class Child:
    """Stands for the process that would be started."""

    started: list[Child]

    def __init__(self, command: list[str], **how: Any) -> None:
        self.command, self.how, self.waited = command, how, False
        Child.started.append(self)

    def wait(self) -> int:
        self.waited = True
        return 0


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    Child.started = []
    monkeypatch.setattr(subprocess, "Popen", Child)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(precompiling, "is_interpreted", lambda: False)


def set_cache(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    monkeypatch.setattr(precompiling, "cache_folder", lambda: folder)


def test_an_empty_cache_is_filled_by_two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_cache(monkeypatch, tmp_path)
    begin_precompiling()
    (child,) = Child.started
    assert child.command == [sys.executable, "-m", "tcpsnoop.engine.precompiling"]
    assert child.how["start_new_session"], "Ctrl-C would end it with a traceback"
    before = child.waited
    await_precompiling()
    assert (before, child.waited) == (False, True)
    await_precompiling()


@pytest.mark.parametrize("reason", ["compiled before", "no cache", "one core", "interpreted"])
def test_otherwise_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reason: str
) -> None:
    set_cache(monkeypatch, None if reason == "no cache" else tmp_path)
    if reason == "compiled before":
        (tmp_path / "kernel.nbi").touch()
    elif reason == "one core":
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    elif reason == "interpreted":
        monkeypatch.setattr(precompiling, "is_interpreted", lambda: True)
    begin_precompiling()
    assert Child.started == []


def test_a_process_that_cannot_be_started_is_done_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise BlockingIOError("too many processes")

    set_cache(monkeypatch, tmp_path)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    begin_precompiling()
    await_precompiling()


def test_each_kernel_of_a_tracker_is_called_in_one_of_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[str] = []
    for name in ("track", "drop", "give_up_all"):
        kernel = getattr(tracker, name)

        def spy(*arguments: Any, name: str = name, kernel: Any = kernel) -> Any:
            called.append(name)
            return kernel(*arguments)

        monkeypatch.setattr(tracker, name, spy)
    precompiling.compile_tracking()
    there = set(called)
    called.clear()
    set_cache(monkeypatch, tmp_path)
    begin_precompiling()
    await_precompiling()
    assert (there, set(called)) == ({"track"}, {"drop", "give_up_all"})


def test_the_user_is_told_why_the_first_run_takes_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder, expected in ((tmp_path, "first run on this machine"), (None, "at every start")):
        told: list[str] = []
        monkeypatch.setattr(precompiling, "cache_folder", lambda folder=folder: folder)
        precompiling.tell_of_compiling(told.append)
        assert len(told) == 1
        assert told[0].startswith("compiling")
        assert expected in told[0]
