"""The whole table of sockets, by either way to read it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.journal.readings import Readings, open_diag
from tcpsnoop.owners.sockets import place
from tests.owners.proc_tree import ProcTree, Row, listening


def at(address: str, port: int) -> bytes:
    return place(*halves(address), port)


def test_from_proc(tmp_path: Path) -> None:
    proc = ProcTree(tmp_path / "proc")
    here, there = ("192.168.1.5", 80), ("192.168.1.9", 50000)
    proc.table(
        Row(here, there, 500),
        Row(("2001:db8::5", 80), ("2001:db8::9", 50000), 501),
        listening(here, 400),
        Row(here, ("192.168.1.9", 50001), 0, state=6),
    )
    readings = Readings(proc.root / "net", None)
    assert readings.read() == {
        (at(*here), at(*there), 500),
        (at("2001:db8::5", 80), at("2001:db8::9", 50000), 501),
        (at(*here), b"", 400),
    }
    readings.close()


@pytest.fixture
def diag() -> Readings:
    found = open_diag()
    if found is None:
        pytest.skip("the kernel has no sock_diag")
    return Readings(Path("/proc/net"), found)


def test_by_sock_diag_it_is_the_same(diag: Readings) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as calling,
        server.accept()[0] as called,
    ):
        sockets = {os.fstat(each.fileno()).st_ino for each in (server, calling, called)}
        both = [
            {each for each in readings.read() if each[2] in sockets}
            for readings in (diag, Readings(Path("/proc/net"), None))
        ]
        port, caller = server.getsockname()[1], calling.getsockname()[1]
        assert both[0] == both[1]
        ends = {(local, remote) for local, remote, _ in both[0]}
        here, there = at("127.0.0.1", port), at("127.0.0.1", caller)
        assert ends == {(here, b""), (here, there), (there, here)}
    diag.close()
    diag.close()


def test_when_the_kernel_stops_to_answer_it_is_read_from_proc(diag: Readings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        diag.close()
        inode = os.fstat(server.fileno()).st_ino
        assert inode in {each[2] for each in diag.read()}
