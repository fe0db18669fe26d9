"""Where nothing passes the filter: every way to end is quick, and each interval is printed."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.live.networks import host
from tests.live.programs import TRACING, Program, at_once, running, tcpsnoop
from tests.live.scenes import converse

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]

WITHIN_SECONDS = 0.3
# Where processes are named: the kernel takes 50 ms for each of four tracepoints to give it back.
TRACING_ENDS_SECONDS = 0.7
HEADER = f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}\n"
BLOCK = re.compile(r"(\S+Z)( partial)?\n" + re.escape(f"{HEADER.rstrip()}\n"))
NOBODY = ("-i", "lo", "tcp", "port", "1")

WAYS: dict[str, tuple[str, ...]] = {
    "interrupt": (),
    "terminate": (),
    "duration": ("-d", "1"),
    "interval": ("--interval", "1"),
    "log": (),
}


@pytest.fixture(scope="module")
def programs() -> Iterator[dict[str, Program]]:
    """A program for each way to end, begun together."""
    with ExitStack() as stack:
        quiet = stack.enter_context(host())
        started = {}
        for way, options in WAYS.items():
            report = "io" if way == "log" else "accept"
            words = quiet.words(*at_once(tcpsnoop(report, *options, *NOBODY)))
            started[way] = stack.enter_context(running(*words))
        for program in started.values():
            program.tracing()
        yield started


def test_the_duration_ends_it(programs: dict[str, Program]) -> None:
    program = programs["duration"]
    began = program.notes.wait(TRACING).at
    program.end(None)
    ended = program.notes.all[-1].at
    assert abs(ended - began - 1) <= WITHIN_SECONDS
    assert (program.process.returncode, program.output.text) == (0, HEADER)


@pytest.mark.parametrize(
    ("way", "number"), [("interrupt", signal.SIGINT), ("terminate", signal.SIGTERM)]
)
def test_a_signal_ends_it(programs: dict[str, Program], way: str, number: signal.Signals) -> None:
    took = programs[way].end(number)
    assert took <= WITHIN_SECONDS
    assert (programs[way].process.returncode, programs[way].output.text) == (0, HEADER)
    assert "0 packets read" in programs[way].notes.text


def test_a_log_has_its_header_before_anything_comes(programs: dict[str, Program]) -> None:
    program = programs["log"]
    header = program.output.wait("RADDR:PORT")
    assert abs(header.at - program.notes.wait(TRACING).at) <= WITHIN_SECONDS
    assert program.end() <= TRACING_ENDS_SECONDS
    assert (program.process.returncode, len(program.output.all)) == (0, 1)


def test_each_interval_is_printed_as_it_ends(programs: dict[str, Program]) -> None:
    program = programs["interval"]
    headers = [program.output.wait("HOSTNAME", count) for count in (1, 2, 3)]
    began = program.notes.wait(TRACING).at
    for number, header in enumerate(headers, 1):
        assert abs(header.at - began - number) <= WITHIN_SECONDS
    assert program.end() <= WITHIN_SECONDS
    blocks = program.output.text.split("\n\n")
    starts = [BLOCK.fullmatch(f"{block.rstrip()}\n") for block in blocks]
    assert all(starts), program.output.text
    assert [start[2] for start in starts if start] == [None] * (len(blocks) - 1) + [" partial"]


def test_what_was_captured_before_is_reported_however_late() -> None:
    """The program has no time to read while many segments pass, and is ended right after them."""
    with host() as place:
        # To look for the sockets of a connection takes longer than to capture it.
        form = ("--no-tracing", "-n", "--format", "jsonl", "-B", "65536")
        with running(*place.words(*tcpsnoop("wdist", *form, "-i", "lo"))) as program:
            program.tracing()
            program.process.send_signal(signal.SIGSTOP)
            made = converse(place, place, *[("127.0.0.1", "127.0.0.1")] * 6)
            program.process.send_signal(signal.SIGINT)
            program.process.send_signal(signal.SIGCONT)
            program.end(None)
    written = sum(sum(each.sent) + sum(each.answered) for each in made)
    assert sum(row["sum"] for row in program.rows()) == written
    assert "0 packets dropped by kernel" in program.notes.text
