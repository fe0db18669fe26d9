"""A screen in place, on a pseudo-terminal: what is drawn, how it fits, and what is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import pytest

from tcpsnoop.engine.keys import Keys
from tcpsnoop.engine.output import ClosedPipeError
from tcpsnoop.engine.screen import Frame, Screen
from tests.engine.pseudo_terminal import ALTERNATE, NORMAL, Terminal, plain, terminal


class Kept:
    """A sink."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, pieces: Iterable[bytes]) -> None:
        self.content += b"".join(pieces)


class Pressed(Keys):
    """Keys that a test presses."""

    keys = b""

    def open(self) -> None:
        pass

    def pressed(self) -> bytes:
        keys, self.keys = self.keys, b""
        return keys


@pytest.fixture
def tty() -> Iterator[Terminal]:
    with terminal(30, 5) as made:
        yield made


@pytest.fixture
def after() -> Kept:
    return Kept()


@pytest.fixture
def keys() -> Pressed:
    return Pressed()


@pytest.fixture
def screen(tty: Terminal, after: Kept, keys: Pressed) -> Iterator[Screen]:
    """Open, with a message."""
    made = Screen(after, tty.ours, keys)
    made.open("wait for it")
    yield made
    made.close()


def block(*lines: str) -> list[bytes]:
    return [f"{line}\n".encode() for line in lines]


def test_each_report_takes_the_place_of_the_one_before(tty: Terminal, screen: Screen) -> None:
    text = tty.read()
    assert text.startswith(ALTERNATE)
    assert plain(text) == ["wait for it", "", "", "", ""]
    screen.write([b"\n", *block("first [bold]x[/] block", "row")])
    assert plain(tty.read()) == ["first [bold]x[/] block", "row", "", "", ""]
    screen.write(block("second"))
    assert plain(tty.read()) == ["second", "", "", "", ""]
    assert NORMAL not in tty.written


def test_what_does_not_fit_is_told_and_lines_do_not_wrap(tty: Terminal, screen: Screen) -> None:
    tty.read()
    screen.write(block("x" * 31, *"abcde"))
    assert plain(tty.read()) == ["x" * 30, "a", "b", "c", "... 2 more lines"]


@pytest.mark.parametrize(
    ("columns", "lines", "expected"),
    [
        (40, 8, ["0", "1", "2", "3", "4", "5", "", ""]),
        (9, 3, ["0", "1", "... 4 mor"]),
        (80, 1, ["... 6 more lines"]),
        (1, 1, ["."]),
        (2, 3, ["0", "1", ".."]),
    ],
)
def test_it_follows_the_size_of_the_terminal(
    tty: Terminal, screen: Screen, columns: int, lines: int, expected: list[str]
) -> None:
    screen.write(block(*"012345"))
    tty.read()
    assert not screen.asked_to_end()
    assert tty.read() == "", "nothing is drawn again without need"
    tty.resize(columns, lines)
    assert not screen.asked_to_end()
    assert plain(tty.read()) == expected


def test_a_terminal_that_says_no_size_is_no_error(tty: Terminal, screen: Screen) -> None:
    tty.resize(0, 0)
    screen.write(block("row"))
    assert plain(tty.read())[-1] in ("r", "... 1 more lines")


@pytest.mark.parametrize(
    ("pressed", "ends"), [(b"", False), (b"x", False), (b"q", True), (b"xQ", True)]
)
def test_q_ends_it(screen: Screen, keys: Pressed, pressed: bytes, ends: bool) -> None:
    keys.keys = pressed
    assert screen.asked_to_end() is ends


def test_the_last_report_is_left_behind_as_it_was_seen(
    tty: Terminal, screen: Screen, after: Kept
) -> None:
    screen.write(block("x" * 40, *"abcde"))
    assert after.content == b""
    screen.close()
    assert NORMAL in tty.read()
    assert after.content.decode().split("\n") == ["x" * 40, "a", "b", "c", "... 2 more lines", ""]
    screen.close()
    screen.write(block("nobody sees this"))
    assert after.content.count(b"\n") == 5
    assert tty.read() == ""


def test_a_message_is_no_report(tty: Terminal, screen: Screen, after: Kept) -> None:
    screen.close()
    assert NORMAL in tty.read()
    assert after.content == b""


def test_a_terminal_that_has_gone_ends_it_quietly(after: Kept, keys: Pressed) -> None:
    with terminal() as tty:
        copy = os.dup(tty.ours)
        screen = Screen(after, copy, keys)
        screen.open("wait")
    with pytest.raises(ClosedPipeError):
        screen.write(block("row"))
    screen.close()
    os.close(copy)


def test_a_frame_has_the_first_lines_and_says_how_many_others_there_are() -> None:
    frame = Frame([str(number) for number in range(10)])
    assert len(frame.fitting(10)) == 10
    assert frame.fitting(4) == ["0", "1", "2", "... 7 more lines"]
    assert frame.fitting(1) == ["... 10 more lines"]
    assert Frame(()).fitting(5) == ()
