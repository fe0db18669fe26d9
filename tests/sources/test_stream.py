"""Bytes from files and pipes: `read` returns in time, and what is refused says what to do."""

from __future__ import annotations

import os
import pty
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.savefile import SavefileSource, open_savefile
from tests.sources.reading import packets_of, read_once, source_of
from tests.sources.records import header, record

HEADER = header()

# What `read` may take beyond its timeout on a loaded machine.
GRACE = 0.2


class Opener:
    """Opens sources, and closes them when the test is over."""

    def __init__(self, *, ahead: bool) -> None:
        self.sources: list[SavefileSource] = []
        self._ahead = ahead

    def __call__(self, name: str, standard_input: int = 0) -> SavefileSource:
        source = open_savefile(name, standard_input, ahead=self._ahead)
        self.sources.append(source)
        return source


@pytest.fixture(params=[False, True], ids=["as asked", "ahead"])
def opened(request: pytest.FixtureRequest) -> Iterator[Opener]:
    opener = Opener(ahead=request.param)
    yield opener
    for source in opener.sources:
        source.close()


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Compile what reads, which takes longer than any time measured here."""
    packets_of(source_of(HEADER + record(b"abc")))


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            assert descriptor == writing  # a test may have closed its end


@pytest.fixture
def fifo(tmp_path: Path) -> str:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return str(path)


def test_a_silent_pipe_returns_in_time(pipe: tuple[int, int], opened: Opener) -> None:
    source = opened("-", pipe[0])
    assert source.waits
    for content in (b"", HEADER[:2], HEADER[2:], record(b"abc")[:10]):
        os.write(pipe[1], content)
        started = time.monotonic()
        assert source.read(0.05) is None
        assert 0.05 <= time.monotonic() - started < 0.05 + GRACE
        assert not source.ended


def test_packets_come_as_soon_as_they_are_whole(pipe: tuple[int, int], opened: Opener) -> None:
    source = opened("-", pipe[0])
    whole = record(b"first") + record(b"second")
    os.write(pipe[1], HEADER + whole + record(b"third")[:-1])
    started = time.monotonic()
    assert [packet.data for packet in read_once(source)] == [b"first", b"second"]
    os.write(pipe[1], b"d")
    assert [packet.data for packet in read_once(source)] == [b"third"]
    assert time.monotonic() - started < GRACE
    os.close(pipe[1])
    assert packets_of(source) == []
    assert source.damage is None


def test_a_packet_wakes_a_reader_that_waits(pipe: tuple[int, int], opened: Opener) -> None:
    source = opened("-", pipe[0])
    os.write(pipe[1], HEADER)
    assert source.read(0) is None
    writer = threading.Timer(0.1, os.write, (pipe[1], record(b"abc")))
    writer.start()
    started = time.monotonic()
    assert [packet.data for packet in read_once(source)] == [b"abc"]
    assert time.monotonic() - started < 0.1 + GRACE
    writer.join()


def test_a_pipe_that_ends_within_a_record(pipe: tuple[int, int], opened: Opener) -> None:
    source = opened("-", pipe[0])
    os.write(pipe[1], HEADER + record(b"first") + record(b"second")[:-2])
    os.close(pipe[1])
    assert [packet.data for packet in packets_of(source)] == [b"first"]
    assert source.damage == (
        "standard input is cut off at byte 65, within the record that begins at byte 45"
    )


def test_a_pipe_without_a_byte_is_refused_when_read(pipe: tuple[int, int], opened: Opener) -> None:
    source = opened("-", pipe[0])
    os.close(pipe[1])
    with pytest.raises(UsageError, match=r"^standard input has no bytes"):
        source.read(1)


def test_a_pipe_that_is_no_capture_is_refused_when_read(
    pipe: tuple[int, int], opened: Opener
) -> None:
    source = opened("-", pipe[0])
    os.write(pipe[1], b"GET / HTTP/1.1\r\n")
    with pytest.raises(UsageError, match=r"^standard input is not a capture: .* 47 45 54 20"):
        source.read(1)


def test_a_passed_descriptor_keeps_its_mode_and_stays_open(
    pipe: tuple[int, int], opened: Opener
) -> None:
    source = opened("-", pipe[0])
    os.write(pipe[1], HEADER + record(b"abc"))
    read_once(source)
    assert os.get_blocking(pipe[0])
    source.close()
    source.close()
    os.fstat(pipe[0])


def test_more_than_a_pipe_holds(pipe: tuple[int, int], opened: Opener) -> None:
    records = b"".join(record(bytes(1000), second) for second in range(2000))

    def write() -> None:
        with os.fdopen(pipe[1], "wb") as file:
            file.write(HEADER + records)

    writer = threading.Thread(target=write)
    writer.start()
    packets = packets_of(opened("-", pipe[0]))
    writer.join()
    assert [packet.time_ns for packet in packets] == [s * 10**9 for s in range(2000)]


def test_a_named_pipe_waits_for_its_writer(fifo: str, opened: Opener) -> None:
    started = time.monotonic()
    source = opened(fifo)
    assert source.read(0.05) is None
    assert time.monotonic() - started < 0.05 + GRACE
    with open(fifo, "wb", buffering=0) as writer:
        assert source.read(0.05) is None
        writer.write(HEADER + record(b"abc"))
        assert [packet.data for packet in read_once(source)] == [b"abc"]
    assert packets_of(source) == []
    assert source.damage is None
    source.close()


def test_a_named_pipe_whose_writer_says_nothing(fifo: str, opened: Opener) -> None:
    source = opened(fifo)
    with open(fifo, "wb", buffering=0):
        assert source.read(0) is None
    with pytest.raises(UsageError, match="has no bytes"):
        source.read(1)
    source.close()


def test_a_process_substitution_that_has_ended(pipe: tuple[int, int], opened: Opener) -> None:
    os.write(pipe[1], HEADER + record(b"abc"))
    os.close(pipe[1])
    source = opened(f"/dev/fd/{pipe[0]}")
    assert [packet.data for packet in packets_of(source, timeout=1)] == [b"abc"]
    source.close()


def test_a_socket_as_standard_input(opened: Opener) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        source = opened("-", theirs.detach())
        ours.sendall(HEADER + record(b"abc"))
        assert [packet.data for packet in read_once(source)] == [b"abc"]
        ours.shutdown(socket.SHUT_WR)
        assert packets_of(source) == []


def test_a_file_as_standard_input_is_read_from_where_it_stands(
    tmp_path: Path, opened: Opener
) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(b"skipped" + HEADER + record(b"abc"))
    with path.open("rb", buffering=0) as file:
        file.seek(7)
        source = opened("-", file.fileno())
        assert not source.waits
        assert [packet.data for packet in packets_of(source, timeout=0)] == [b"abc"]


def test_an_empty_device_is_refused() -> None:
    source = open_savefile("/dev/null")
    with pytest.raises(UsageError, match=r"^/dev/null has no bytes"):
        source.read(0)
    source.close()


def test_a_terminal_is_refused(opened: Opener) -> None:
    ours, theirs = pty.openpty()
    with pytest.raises(UsageError, match=r"^standard input is a terminal: read from"):
        opened("-", theirs)
    os.close(ours)
    os.close(theirs)


def test_standard_input_that_is_closed_is_refused(pipe: tuple[int, int], opened: Opener) -> None:
    duplicate = os.dup(pipe[0])
    os.close(duplicate)
    with pytest.raises(UsageError, match=r"^standard input cannot be opened: Bad file"):
        opened("-", duplicate)


def test_names_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"^{tmp_path}/none does not exist: check the path$"):
        open_savefile(f"{tmp_path}/none")
    with pytest.raises(UsageError, match=rf"^{tmp_path} is a directory: name the capture files"):
        open_savefile(str(tmp_path))
    (tmp_path / "file").write_bytes(HEADER)
    with pytest.raises(UsageError, match="does not exist"):
        open_savefile(f"{tmp_path}/file/below")
    with pytest.raises(UsageError, match="no file can have the name"):
        open_savefile("a\0b")
    with pytest.raises(UsageError, match="cannot be opened: File name too long"):
        open_savefile("x" * 5000)


@pytest.mark.root
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "secret.pcap"
    path.write_bytes(HEADER)
    path.chmod(0o600)
    os.seteuid(65534)
    try:
        with pytest.raises(UsageError, match=f"{path} may not be read by this user: change its"):
            open_savefile(str(path))
    finally:
        os.seteuid(0)


def test_reading_that_is_interrupted_is_damage(tmp_path: Path) -> None:
    # /proc/self/mem may be opened, but reading at address 0 is an I/O error: no byte is known.
    with pytest.raises(UsageError, match="is not a capture: reading failed: Input/output error"):
        open_savefile("/proc/self/mem").read(0)
