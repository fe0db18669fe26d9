"""Keys as they are pressed: on a terminal that is ours, and given back as it was."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpsnoop.engine.keys import Keys
from tests.engine.pseudo_terminal import Terminal, terminal


@pytest.fixture
def screen() -> Iterator[Terminal]:
    with terminal() as made:
        yield made


@pytest.fixture
def foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal is the one that controls us."""
    monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: os.getpgrp())


@pytest.mark.usefixtures("foreground")
def test_keys_come_without_enter_and_the_terminal_is_given_back(screen: Terminal) -> None:
    before = termios.tcgetattr(screen.ours)
    keys = Keys(screen.ours)
    assert keys.pressed() == b"", "nothing before it is open"
    keys.open()
    assert screen.is_raw()
    assert keys.pressed() == b""
    screen.press(b"q\x1a")
    assert keys.pressed() == b"q\x1a", "Ctrl-Z is a key, too"
    assert keys.pressed() == b""
    keys.close()
    keys.close()
    assert termios.tcgetattr(screen.ours) == before
    screen.press(b"q\n")
    assert keys.pressed() == b""


@pytest.mark.usefixtures("foreground")
def test_ctrl_c_stays_a_signal(screen: Terminal) -> None:
    keys = Keys(screen.ours)
    keys.open()
    assert termios.tcgetattr(screen.ours)[3] & termios.ISIG
    keys.close()


def test_a_terminal_that_is_not_ours_is_left_alone(screen: Terminal) -> None:
    """The kernel says whose it is: this one controls no process."""
    keys = Keys(screen.ours)
    keys.open()
    assert not screen.is_raw()
    screen.press(b"q\n")
    assert keys.pressed() == b""


@pytest.mark.usefixtures("foreground")
def test_what_is_no_terminal_has_no_keys() -> None:
    reading, writing = os.pipe()
    keys = Keys(reading)
    keys.open()
    os.write(writing, b"q")
    assert keys.pressed() == b""
    os.close(writing)
    os.close(reading)


@pytest.mark.usefixtures("foreground")
def test_when_the_other_end_has_gone_there_are_no_more_keys(screen: Terminal) -> None:
    keys = Keys(screen.ours)
    keys.open()
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), screen.other)  # closes what it was
    assert keys.pressed() == b""
    assert keys.pressed() == b""
