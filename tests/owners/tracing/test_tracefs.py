"""The raw ring of an instance: what processes do comes out of it, each by its own number."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.tracing import formats
from tcpsnoop.owners.tracing.formats import (
    TracingUnavailableError,
    find_tracefs,
    read_tracepoints,
)
from tcpsnoop.owners.tracing.tables import CALLED, CALLER
from tcpsnoop.owners.tracing.traced import Traced
from tcpsnoop.owners.tracing.tracefs import InstanceRings
from tests.owners.proc_tree import system_time_ns
from tests.owners.tracing.records import TRACEPOINTS
from tests.owners.tracing.story import EverywhereLocal

pytestmark = pytest.mark.root


@pytest.fixture
def rings() -> Iterator[InstanceRings]:
    try:
        made = InstanceRings(read_tracepoints())
    except TracingUnavailableError as error:
        pytest.skip(f"needs tracefs: {error}")
    yield made
    made.close()
    made.close()


def answer(server: socket.socket) -> None:
    """Accept a connection and read from it."""
    with server.accept()[0] as called:
        called.recv(1)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has: chosen one by one, the same could come again."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def test_sockets_of_forked_processes_and_of_threads(rings: InstanceRings) -> None:
    traced = Traced(rings, system_time_ns, OwnerPool(), EverywhereLocal())
    traced.begin()  # the self-test has passed
    right = {}
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        for port in free_ports(50):
            child = os.fork()
            if child == 0:
                calling = socket.socket()
                calling.bind(("127.0.0.1", port))
                calling.connect(place)
                calling.sendall(b"x")
                os._exit(0)
            answering = threading.Thread(target=answer, args=(server,))
            answering.start()
            answering.join()
            right[port], _ = os.waitpid(child, 0)
    traced.finish()
    sockets = traced._tables.sockets
    for port, pid in right.items():
        for name, role, owner in (("lport", CALLER, pid), ("rport", CALLED, os.getpid())):
            (place_of,) = np.flatnonzero((sockets[name] == port) & (sockets["role"] == role))
            process = traced._naming.process(int(traced._tables.run_process[place_of, 0]))
            assert process is not None
            assert process.pid == owner
    assert traced.lost == 0


def test_the_instance_is_gone_afterwards(rings: InstanceRings) -> None:
    folder = find_tracefs()
    assert folder is not None
    mine = f"tcpsnoop-{os.getpid()}-"
    assert any(each.name.startswith(mine) for each in (folder / "instances").iterdir())
    rings.close()
    assert not any(each.name.startswith(mine) for each in (folder / "instances").iterdir())


def test_without_tracefs_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(formats, "TRACEFS", (tmp_path,))
    with pytest.raises(TracingUnavailableError, match="for root alone"):
        InstanceRings(TRACEPOINTS)
