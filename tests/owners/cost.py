"""What looking for owners costs on this machine: `python -m tests.owners.cost`.

Prints the tables of docs/owners.md. Takes half a minute; starts 1,000 processes that sleep and
opens 10,000 sockets.
"""

from __future__ import annotations

import resource
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import ORIGINATOR
from tcpsnoop.owners import Procfs
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.diag.access import Access, open_access
from tcpsnoop.owners.diag.asking import Diag
from tcpsnoop.owners.namespaces import Namespaces
from tcpsnoop.owners.procfs import seconds_since_boot
from tcpsnoop.owners.sockets import place
from tests.owners.proc_tree import seen, system_time_ns

Pair = tuple[socket.socket, socket.socket]


def milliseconds(work: Callable[[], object], times: int = 11) -> float:
    """The median processor time of a call."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return 1000 * statistics.median(taken)


def connected(server: socket.socket) -> Pair:
    """Both ends of a connection over lo."""
    client = socket.create_connection(server.getsockname())
    return client, server.accept()[0]


@contextmanager
def sockets(count: int) -> Iterator[list[Pair]]:
    """So many connected sockets, all of this process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as server:
        pairs = [connected(server) for _ in range(count // 2)]
        for pair in pairs:
            for each in pair:
                stack.enter_context(each)
        yield pairs


@contextmanager
def processes(count: int) -> Iterator[None]:
    """So many processes that sleep."""
    started = [subprocess.Popen(["sleep", "600"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


def looking(name: str) -> str:
    """A row: what one look takes, for one end and for 100, that are not there, and for holders."""
    scanned = Descriptors(Path("/proc"), seconds_since_boot)
    scan = milliseconds(lambda: scanned.scan(scanned.tick, float("inf")))
    nobody = [place(0, 0xFFFF_0000_0000, port) for port in range(100)]
    asking = Namespaces(Path("/proc"), seconds_since_boot, Diag())
    reading = Namespaces(Path("/proc"), seconds_since_boot)

    def look(namespaces: Namespaces, ends: int) -> None:
        sockets = namespaces.own_sockets()
        for end in nobody[:ends]:
            sockets.find(end, end)

    taken = [
        milliseconds(partial(look, namespaces, ends))
        for namespaces in (reading, asking)
        for ends in (1, 100)
    ]
    cells = " | ".join(f"{each:.2f}" for each in taken)
    return f"| {name} | {cells} | {scan:.1f} |\n"


def rows_of(pairs: list[Pair]) -> list[ProbeBatch]:
    """A row for each connection, seen from its client."""
    return [
        ProbeBatch(seen(number, ORIGINATOR, client.getsockname(), client.getpeername()))
        for number, (client, _) in enumerate(pairs)
    ]


def labelling(pairs: list[Pair]) -> str:
    """Rows: what labelling takes when nothing is new."""
    procfs = Procfs(system_time_ns)
    batches = rows_of(pairs[:100])
    many = ProbeBatch(np.tile(np.concatenate([batch.rows for batch in batches]), 100))
    while "unknown" in procfs.summary()[0] or not procfs.label(many).index.all():
        select.select([], [], [], 0.05)
        procfs.poll()
    one = 1000 * milliseconds(lambda: procfs.label(batches[0]), 1001)
    all_of_them = 1000 * milliseconds(lambda: procfs.label(many), 101)
    return f"| 1 row | {one:.0f} |\n| 10,000 rows of 100 connections | {all_of_them:.0f} |\n"


def share(name: str, a_second: int, pairs: list[Pair], access: Access) -> str:
    """A row: processor time over 5 s in which so many connections a second are new."""
    procfs = Procfs(system_time_ns, access=access)
    batches = iter(rows_of(pairs))
    procfs.label(next(batches))
    unknown: list[tuple[float, ProbeBatch]] = []
    delays = []
    began, worked = time.perf_counter(), time.process_time()
    for step in range(500):
        now = time.perf_counter()
        if a_second and step % (100 // a_second) == 0:
            unknown.append((now, next(batches)))
        if unknown:
            columns = procfs.label(ProbeBatch(np.concatenate([batch.rows for _, batch in unknown])))
            known = [columns.pool[index].process is not None for index in columns.index]
            done = time.perf_counter()
            delays += [
                done - first for (first, _), is_it in zip(unknown, known, strict=True) if is_it
            ]
            unknown = [each for each, is_it in zip(unknown, known, strict=True) if not is_it]
        if step % 10 == 0:
            procfs.poll()
        rest = began + (step + 1) / 100 - time.perf_counter()
        select.select([], [], [], max(rest, 0))
    used = 100 * (time.process_time() - worked) / (time.perf_counter() - began)
    procfs.close()
    told = f"{1000 * statistics.median(delays):.0f} ms" if delays else "–"
    return f"| {name} | {used:.0f} % | {told} |\n"


def idle(name: str, followed: int, pairs: list[Pair], access: Access) -> str:
    """A row: processor time over 20 s without packets, when so many connections are known."""
    procfs = Procfs(system_time_ns, access=access)
    if followed:
        known = ProbeBatch(np.concatenate([batch.rows for batch in rows_of(pairs[:followed])]))
        while "unknown" in procfs.summary()[0] or not procfs.label(known).index.all():
            select.select([], [], [], 0.05)
            procfs.poll()
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(200):
        select.select([], [], [], 0.1)
        procfs.poll()
    used = 100 * (time.process_time() - worked) / (time.perf_counter() - began)
    procfs.close()
    return f"| {name} | {used:.2f} % |\n"


def main() -> None:
    """Measure and print."""
    write = sys.stdout.write
    write("| one look, ms | tables, 1 end | 100 | sock_diag, 1 end | 100 | processes |\n")
    write("| --- | --- | --- | --- | --- | --- |\n")
    write(looking("this machine as it is"))
    with processes(1000):
        write(looking("and 1,000 processes"))
    with sockets(10_000) as pairs:
        write(looking("and 10,000 sockets of one process"))
        write("\n| nothing new | µs |\n| --- | --- |\n")
        write(labelling(pairs))
        write("\n| 10,000 sockets, no packets, 20 s | of a core |\n| --- | --- |\n")
        for way, opened in (("tables", Access), ("sock_diag", open_access)):
            write(idle(f"no connection known, {way}", 0, pairs, opened()))
            write(idle(f"100 connections known, {way}", 100, pairs, opened()))
    with sockets(1200) as pairs:
        write("\n| live, 5 s | of a core | known after, median |\n| --- | --- | --- |\n")
        for way, opened in (("tables", Access), ("sock_diag", open_access)):
            write(share(f"no new connection, {way}", 0, pairs, opened()))
            write(share(f"10 new a second, {way}", 10, pairs, opened()))
            write(share(f"100 new a second, {way}", 100, pairs, opened()))


if __name__ == "__main__":
    main()
