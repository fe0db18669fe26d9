"""The real rings: what this process does comes out of them."""

from __future__ import annotations

import os
import socket

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.owners.tracing.events import BELIEVED, EVENT, EXITED, FORKED, LOST, RECEIVED, SENT
from tcpsnoop.owners.tracing.formats import TracingUnavailableError, read_tracepoints
from tcpsnoop.owners.tracing.perf import PerfRings
from tests.fixture_types import WaitUntil
from tests.owners.tracing.records import TRACEPOINTS

BYTES = 31337


@pytest.fixture
def rings() -> PerfRings:
    try:
        return PerfRings(read_tracepoints(), pages=(64,))
    except TracingUnavailableError as error:
        pytest.skip(f"needs perf events: {error}")


@pytest.mark.root
def test_what_this_process_does_is_told(rings: PerfRings, wait_until: WaitUntil) -> None:
    told = [np.empty(0, EVENT)]

    def mine(kind: int) -> NDArray[np.void]:
        told.append(rings.read().copy())
        rows = np.concatenate(told)
        chosen: NDArray[np.void] = rows[(rows["kind"] == kind) & (rows["pid"] == os.getpid())]
        return chosen

    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            calling = socket.create_connection(server.getsockname())
            called = server.accept()[0]
            with calling, called:
                calling.sendall(bytes(BYTES))
                while called.recv(1 << 20, socket.MSG_PEEK) != bytes(BYTES):
                    pass
                called.recv(1 << 20)
        wait_until(lambda: mine(SENT)["length"].sum() == BYTES)
        assert mine(RECEIVED)["length"].sum() == BYTES
        assert (mine(SENT)["flags"] == BELIEVED).all()
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        told.append(rings.read().copy())
        rows = np.concatenate(told)
        (forked,) = rows[(rows["kind"] == FORKED) & (rows["pid"] == child)]
        assert forked["length"] == os.getpid()
        (exited,) = rows[(rows["kind"] == EXITED) & (rows["pid"] == child)]
        assert exited["time_ns"] > forked["time_ns"]
    finally:
        rings.close()
        rings.close()


@pytest.mark.root
def test_what_does_not_fit_into_a_ring_is_counted() -> None:
    try:
        rings = PerfRings(read_tracepoints(), pages=(1,))
    except TracingUnavailableError as error:
        pytest.skip(f"needs perf events: {error}")
    try:
        with rings._lock:  # nobody empties them meanwhile
            for _ in range(2000):
                with socket.socket() as listening:
                    listening.listen()
        rows = rings.read()
        lost = rows[rows["kind"] == LOST]
        if len(lost) == 0:  # it is told with the next that fits
            with socket.socket() as listening:
                listening.listen()
            rows = rings.read()
            lost = rows[rows["kind"] == LOST]
        assert lost["length"].sum() > 0
    finally:
        rings.close()


@pytest.mark.root
def test_closing_gives_everything_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    try:
        rings = PerfRings(read_tracepoints(), pages=(3, 64))  # no power of two: refused
    except TracingUnavailableError as error:
        pytest.skip(f"needs perf events: {error}")
    assert len(os.listdir("/proc/self/fd")) > before
    rings.close()
    del rings
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.root
def test_without_the_right_the_reason_is_told() -> None:
    user = os.geteuid()
    os.seteuid(65534)
    try:
        with pytest.raises(TracingUnavailableError, match=r"perf_event_open: .*CAP_PERFMON"):
            PerfRings(TRACEPOINTS)
    finally:
        os.seteuid(user)
