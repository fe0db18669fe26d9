"""A journal is recorded here: what it tells of this process is true, and it can be read back."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from tcpsnoop.owners.journal.recorder import Recorder
from tcpsnoop.owners.journal.records import (
    Clocks,
    End,
    Events,
    Holders,
    LocalNetworks,
    ProcessRead,
    Record,
    Sockets,
)
from tcpsnoop.owners.networks import Networks
from tcpsnoop.owners.tracing.events import SEEDED, SENT, STATE
from tests.fixture_types import WaitUntil
from tests.owners.journal.journals import reader_of
from tests.owners.proc_tree import system_time_ns

LOCALHOST = (0, 0xFFFF_7F00_0001)


def talk() -> int:
    """Connect to ourselves and send 7 bytes; the server's port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as calling:
            called, _ = server.accept()
            with called:
                calling.sendall(b"seven b")
                called.recv(7)
    return port


def recorded(*, tracing: bool) -> tuple[Recorder, list[Record], int]:
    pieces: list[bytes] = []
    recorder = Recorder(pieces.extend, system_time_ns, "a test", tracing=tracing)
    try:
        recorder.begin()
        port = talk()
        recorder.poll()
        recorder.end()
    finally:
        recorder.close()
        recorder.close()
    reader = reader_of(b"".join(pieces))
    records = list(reader)
    assert reader.damage is None
    header = reader.header
    assert header.program == "a test"
    assert header.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert header.network_namespace == os.stat("/proc/self/ns/net").st_ino
    assert 0 <= system_time_ns() - header.began_ns < 60e9
    assert abs(system_time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) - header.boot_ns) < 1e9
    assert header.why_not == ("" if header.method else recorder._why_not)
    return recorder, records, port


def test_without_tracing_sockets_as_seen() -> None:
    recorder, records, _ = recorded(tracing=False)
    assert [type(each) for each in records[:3]] == [Clocks, LocalNetworks, Sockets]
    assert isinstance(records[1], LocalNetworks)
    assert Networks.parsed(records[1].networks).has(*LOCALHOST)
    assert isinstance(records[-1], End)
    assert not any(isinstance(each, Events) for each in records)
    assert recorder.summary()[0] == "owners: no kernel tracing: --no-tracing"


def test_a_socket_that_stays_is_seen_with_this_process(wait_until: WaitUntil) -> None:
    pieces: list[bytes] = []
    recorder = Recorder(pieces.extend, system_time_ns, "a test", tracing=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        inode = os.fstat(server.fileno()).st_ino
        recorder.begin()

        def read_again() -> bool:
            recorder.poll()
            return sum(piece.startswith(b'{"sockets"') for piece in pieces) > 1

        wait_until(read_again)
        recorder.end()
    recorder.close()
    records = list(reader_of(b"".join(pieces)))
    holders = [each for each in records if isinstance(each, Holders)]
    assert os.getpid() in {pid for pid, _ in holders[0].holders[inode]}
    processes = [each.process for each in records if isinstance(each, ProcessRead)]
    (me,) = [each for each in processes if each.pid == os.getpid()]
    assert me.context.executable == os.readlink("/proc/self/exe")


@pytest.mark.root
def test_with_tracing_events_of_this_process() -> None:
    recorder, records, port = recorded(tracing=True)
    if not any(isinstance(each, Events) for each in records):
        pytest.skip(f"no tracing here: {recorder.summary()}")
    events = [each.rows for each in records if isinstance(each, Events)]
    mine = [row for rows in events for row in rows if row["pid"] == os.getpid()]
    assert any(row["kind"] == SEEDED for row in mine)
    assert any(row["kind"] == SENT and row["length"] == 7 for row in mine)
    states = [row for rows in events for row in rows if row["kind"] == STATE]
    assert any(row["lport"] == port and row["laddr_low"] == LOCALHOST[1] for row in states)
    read = [each.process.pid for each in records if isinstance(each, ProcessRead)]
    assert os.getpid() in read
    assert recorder.summary()[0].startswith("owners: ")
    assert "no event lost" in recorder.summary()[0]
