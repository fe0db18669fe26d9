"""Which reports are watched, and when a screen is right."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.watching import wants_screen, with_intervals
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.top import Top


def settings(*reporters: Any, **others: Any) -> Settings:
    return Settings(tuple(("x", each) for each in reporters), Text, **others)


@pytest.mark.parametrize(
    ("reporters", "others", "seconds"),
    [
        ([Top()], {}, 1.0),
        ([Top(), Top(by_process=True)], {}, 1.0),
        ([Top()], {"interval": 5.0}, 5.0),
        ([Top()], {"files": ("a.pcap",)}, None),
        ([Accept()], {}, None),
        ([Top(), Accept()], {}, None),
    ],
)
def test_live_reports_that_are_watched_have_intervals(
    reporters: list[Any], others: dict[str, Any], seconds: float | None
) -> None:
    assert with_intervals(settings(*reporters, **others)).interval == seconds


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal, and we are in its foreground."""
    monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor == 1)
    monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: os.getpgrp())
    monkeypatch.setenv("TERM", "xterm")


LIVE = {"interval": 1.0}


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("reporters", "others", "wanted"),
    [
        ([Top()], LIVE, True),
        ([Top(no_clear=True)], LIVE, False),
        ([Accept()], LIVE, False),
        ([Top(), Top()], LIVE, False),
        ([Top()], {}, False),
        ([Top()], LIVE | {"machine": True}, False),
        ([Top()], LIVE | {"output": "file"}, False),
        ([Top()], LIVE | {"files": ("a.pcap",)}, False),
        ([Top()], LIVE | {"run": ("curl",)}, False),
    ],
)
def test_a_screen_is_for_one_report_that_is_watched_live(
    reporters: list[Any], others: dict[str, Any], wanted: bool
) -> None:
    assert wants_screen(settings(*reporters, **others)) is wanted


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("kind", ["dumb", "unknown", ""])
def test_terminals_without_a_cursor_have_none(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("TERM", kind)
    assert not wants_screen(settings(Top(), **LIVE))
    monkeypatch.delenv("TERM")
    assert not wants_screen(settings(Top(), **LIVE))


@pytest.mark.usefixtures("terminal")
def test_whoever_runs_in_the_background_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: os.getpgrp() + 1)
    assert not wants_screen(settings(Top(), **LIVE))


@pytest.mark.usefixtures("terminal")
def test_a_terminal_that_is_not_ours_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> int:
        raise OSError

    monkeypatch.setattr(os, "tcgetpgrp", refuse)
    assert not wants_screen(settings(Top(), **LIVE))
