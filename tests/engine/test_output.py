"""The report written whole, or said so; files that are made, overwritten, left alone (DESIGN 4)."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tcpsnoop.engine.output import ClosedPipeError, Output, Spool
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.errors import CaptureError, UsageError
from tests.fixture_types import WaitUntil

MIB = 1 << 20


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """A disk that is full: no file grows beyond `size` bytes (Python ignores SIGXFSZ)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report"


def opened(path: Path, *, force: bool = False) -> Output:
    output = Output(str(path), force=force)
    output.open()
    return output


def test_all_pieces_in_order(path: Path) -> None:
    output = opened(path)
    output.write([b"one ", b"", b"two "])
    output.write(iter([b"three"]))
    output.write([])
    output.close()
    output.close()
    assert path.read_bytes() == b"one two three"


def test_nothing_stays_in_a_buffer(path: Path) -> None:
    output = opened(path)
    output.write([b"line\n"])
    assert path.read_bytes() == b"line\n"
    output.close()


def test_an_existing_file_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"old")
    with pytest.raises(UsageError, match="--force"):
        opened(path)
    assert path.read_bytes() == b"old"


def test_force_overwrites_all_of_it(path: Path) -> None:
    path.write_bytes(b"a long old report")
    output = opened(path, force=True)
    output.write([b"new"])
    output.write([b"er"])
    output.close()
    assert path.read_bytes() == b"newer"


def test_force_leaves_an_empty_report_empty(path: Path) -> None:
    path.write_bytes(b"old")
    opened(path, force=True).close()
    assert path.read_bytes() == b""


def test_a_refused_run_has_destroyed_nothing(path: Path) -> None:
    path.write_bytes(b"old")
    opened(path, force=True).withdraw()
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("force", [False, True])
def test_a_refused_run_leaves_no_file_where_there_was_none(path: Path, force: bool) -> None:
    output = opened(path, force=force)
    assert path.exists()
    output.withdraw()
    assert not path.exists()


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["", "missing/report"])
def test_what_cannot_be_made(tmp_path: Path, name: str, force: bool) -> None:
    """A directory, and a file in a directory that is not there."""
    with pytest.raises(UsageError) as refused:
        opened(tmp_path / name, force=force)
    assert str(tmp_path / name) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_full_device_is_said() -> None:
    output = opened(Path("/dev/full"), force=True)
    with pytest.raises(CaptureError, match="/dev/full was not written whole: No space left"):
        output.write([b"x"])
    output.close()


def test_what_fitted_is_there_and_the_rest_is_said(path: Path) -> None:
    output = opened(path)
    with files_at_most(100), pytest.raises(CaptureError, match="not written whole"):
        output.write([b"a" * 60, b"b" * 60])
    output.close()
    assert path.read_bytes() == b"a" * 60 + b"b" * 40


def test_standard_output_is_named() -> None:
    with Path("/dev/full").open("wb") as full:
        output = Output(None, descriptor=full.fileno())
        output.open()
        with pytest.raises(CaptureError, match="standard output was not written whole"):
            output.write([b"x"])
        output.close()
        os.fstat(full.fileno())  # it is not ours to close


def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(ClosedPipeError) as gone:
        Output(None, descriptor=writing).write([b"x"])
    assert not isinstance(gone.value, CaptureError)
    os.close(writing)


def unread(descriptor: int) -> int:
    """How many bytes wait in a pipe."""
    (count,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))
    return int(count)


def test_a_signal_in_the_middle_of_a_write_loses_nothing(wait_until: WaitUntil) -> None:
    """The kernel then takes a part of the piece only."""
    reading, writing = os.pipe()
    capacity = fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)
    main = threading.main_thread().ident
    assert main is not None
    received: list[bytes] = []

    def read_late() -> None:
        wait_until(lambda: unread(reading) == capacity)
        signal.pthread_kill(main, signal.SIGTERM)
        while data := os.read(reading, MIB):
            received.append(data)

    data = os.urandom(16 * capacity + 1)
    with StopRequest() as stop:
        reader = threading.Thread(target=read_late)
        reader.start()
        Output(None, descriptor=writing).write([data])
        os.close(writing)
        reader.join()
        assert stop.asked
    os.close(reading)
    assert b"".join(received) == data


@pytest.mark.parametrize("pieces", [[], [b"one ", b"", b"two"], [b"x" * MIB] * 9])
def test_a_spool_hands_everything_on(path: Path, pieces: list[bytes]) -> None:
    spool, output = Spool(), opened(path)
    for piece in pieces:
        spool.write([piece])
    assert path.read_bytes() == b""
    spool.pour(output)
    output.close()
    assert path.read_bytes() == b"".join(pieces)


def overflow(spool: Spool) -> None:
    """More than a full disk takes at once."""
    spool.write([b"x" * 9 * MIB])


def overflow_at_the_end(spool: Spool) -> None:
    """The disk has room for all but a rest, which is smaller than a file's buffer."""
    spool.write([b"x" * 8 * MIB])
    spool.write([b"y"])
    spool.pour(Output(None, descriptor=-1))


@pytest.mark.parametrize("keep", [overflow, overflow_at_the_end])
def test_a_spool_that_cannot_keep_it_says_so(keep: Callable[[Spool], None]) -> None:
    with (
        files_at_most(8 * MIB),
        pytest.raises(CaptureError, match="could not be kept until its turn: File too large"),
    ):
        keep(Spool())
