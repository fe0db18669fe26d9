"""`top` live: a screen on a real terminal, blocks elsewhere, and the terminal whole afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.engine.pseudo_terminal import ALTERNATE, NORMAL, Terminal, plain, terminal
from tests.live.networks import Host, host
from tests.live.programs import BEGIN_SECONDS, TRACING, running, tcpsnoop

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.program("ip", "setsid")]

# Talks to itself without end, under a name that would clear a terminal.
TALK = """
import socket, time
open("/proc/self/comm", "w").write("evil\\x1b[2J")
server = socket.create_server(("127.0.0.1", 0))
one = socket.create_connection(server.getsockname())
other = server.accept()[0]
print(server.getsockname()[1], flush=True)
while True:
    one.sendall(bytes(2048))
    other.recv(65536)
    time.sleep(0.02)
"""
START = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
SUMS = re.compile(START + r"( partial)?,  load: \d+\.\d\d,  TCPin: +[\d.]+ KB,  TCPout: +[\d.]+ KB")
HEADER = "   PID LADDR           LPORT RADDR           RPORT    RX_KB    TX_KB NAME"
NAME = r"evil\x1b[2J"


@pytest.fixture(scope="module")
def place() -> Iterator[Host]:
    """A host on which one process talks."""
    with host() as made, running(*made.words(sys.executable, "-S", "-c", TALK)) as talking:
        talking.output.wait()
        yield made


@contextmanager
def on_terminal(place: Host, tty: Terminal, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    """Tcpsnoop top with the terminal as its own, standard error too."""
    command = place.words("setsid", "--ctty", *tcpsnoop("top", "-i", "lo", *words))
    with subprocess.Popen(command, stdin=tty.ours, stdout=tty.ours, stderr=tty.ours) as program:
        try:
            yield program
        finally:
            program.kill()


def until(tty: Terminal, holds: Callable[[str], object], seconds: float = 10) -> str:
    """What came until something holds of it; fails when it does not in time."""
    text, end = "", time.monotonic() + seconds
    while not holds(text):
        assert time.monotonic() < end, text
        text += tty.read()
    return text


def in_place(tty: Terminal) -> None:
    """Wait until the screen is there."""
    until(tty, lambda text: ALTERNATE in text, BEGIN_SECONDS)


def report(tty: Terminal) -> list[str]:
    """The next whole frame with rows."""
    return plain(until(tty, lambda text: "NAME" in text and NAME[:4] in text and not tty.read()))


def test_a_screen_in_place_that_q_ends(place: Host) -> None:
    with terminal(80, 24) as tty, on_terminal(place, tty) as program:
        in_place(tty)
        lines = report(tty)
        assert SUMS.fullmatch(lines[0]), lines
        assert lines[1:3] == ["", HEADER]
        assert [line.split()[-1] for line in lines[3:5]] == [NAME, NAME]
        assert len(lines) == 24
        assert max(map(len, lines)) <= 80
        tty.press(b"q")
        assert program.wait(10) == 0
        left = tty.read()
        frame, notes = left.split(NORMAL)
        assert "\x1b[2J" not in tty.written, "a name has cleared the terminal"
        assert "packets read" not in frame, "notes spoil the screen"
        assert re.search(START + " partial", notes)
        assert notes.index("NAME") < notes.index("packets read") < notes.index("owners: ")
        assert not tty.is_raw()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_whole(place: Host, number: signal.Signals) -> None:
    with terminal(80, 24) as tty, on_terminal(place, tty) as program:
        in_place(tty)
        assert tty.is_raw()
        if number is signal.SIGINT:
            tty.press(b"\x03")  # Ctrl-C, as the terminal makes it a signal
        else:
            program.send_signal(number)
        assert program.wait(10) == 0
        assert NORMAL in tty.read()
        assert not tty.is_raw()


def test_ctrl_z_gives_the_terminal_back_meanwhile(place: Host) -> None:
    with terminal(80, 24) as tty, on_terminal(place, tty) as program:
        in_place(tty)
        tty.press(b"\x1a")
        os.waitid(os.P_PID, program.pid, os.WSTOPPED)
        assert NORMAL in tty.read()
        assert not tty.is_raw()
        program.send_signal(signal.SIGCONT)
        in_place(tty)
        assert tty.is_raw()
        assert SUMS.fullmatch(report(tty)[0])
        tty.press(b"q")
        assert program.wait(10) == 0


def test_it_fits_any_size(place: Host) -> None:
    with terminal(40, 6) as tty, on_terminal(place, tty) as program:
        in_place(tty)
        lines = plain(until(tty, lambda text: "LADDR" in text))
        assert len(lines) == 6
        assert max(map(len, lines)) <= 40
        for columns, height in ((1, 1), (10, 2), (200, 50)):
            tty.resize(columns, height)
            text = until(tty, lambda text: "\x1b[H" in text)
            lines = plain(text + tty.read())
            assert len(lines) == height
            assert max(map(len, lines)) <= columns
        tty.press(b"q")
        assert program.wait(10) == 0


def test_blocks_where_the_output_is_no_terminal(place: Host) -> None:
    words = tcpsnoop("top", "-i", "lo", "--interval", "0.5", "--intervals", "3", "--by-process")
    with running(*place.words(*words)) as program:
        program.tracing()
        program.end(None)
        assert program.process.returncode == 0
        blocks = program.output.text.split("\n\n")
        # A block is its sums, and its rows behind a blank line.
        assert len(blocks) == 6
        for sums, rows in zip(blocks[::2], blocks[1::2], strict=True):
            assert SUMS.fullmatch(sums), sums
            assert " partial" not in sums
            header, row = rows.strip("\n").splitlines()
            assert header == "  UID    PID      RX_KB      TX_KB         SIZE NAME"
            assert row.endswith(f" {NAME}")
        assert "\x1b" not in program.output.text


def test_blocks_on_a_terminal_when_asked_for(place: Host) -> None:
    with terminal() as tty, on_terminal(place, tty, "-C", "--intervals", "2") as program:
        until(tty, lambda text: TRACING in text, BEGIN_SECONDS)
        assert program.wait(20) == 0
        tty.read()
        assert "\x1b" not in tty.written
        assert tty.written.count("NAME") == 2


def test_rows_for_machines_have_the_interval(place: Host) -> None:
    words = tcpsnoop("top", "-i", "lo", "--intervals", "2", "--format", "jsonl")
    with running(*place.words(*words)) as program:
        program.tracing()
        program.end(None)
        rows = program.rows()
    assert len({row["interval"] for row in rows}) == 2
    for row in rows:
        assert row["command"] == "evil\x1b[2J"
        assert (row["tx_payload"] == 0) != (row["rx_payload"] == 0)
