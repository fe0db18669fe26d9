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
from pathlib import Path

import numpy as np

from tcpsnoop.batches.probes import ORIGINATOR, ProbeBatch
from tcpsnoop.owners import Procfs
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.procfs import seconds_since_boot
from tcpsnoop.owners.socket_table import SocketTable, spelling
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
    """A row: what one look at all tables and processes takes."""
    scanned = Descriptors(Path("/proc"), seconds_since_boot)
    scan = milliseconds(lambda: scanned.scan(scanned.tick, float("inf")))
    nobody = spelling(0, 0xFFFF_0000_0000, 0)
    table = milliseconds(lambda: SocketTable(Path("/proc/net")).find(nobody, nobody))
    return f"| {name} | {table:.1f} | {scan:.1f} |\n"


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


def share(name: str, a_second: int, pairs: list[Pair]) -> str:
    """A row: processor time over 5 s in which so many connections a second are new."""
    procfs = Procfs(system_time_ns)
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
    told = f"{1000 * statistics.median(delays):.0f} ms" if delays else "–"
    return f"| {name} | {used:.0f} % | {told} |\n"


def main() -> None:
    """Measure and print."""
    write = sys.stdout.write
    write("| one look | socket tables, ms | processes, ms |\n| --- | --- | --- |\n")
    write(looking("this machine as it is"))
    with processes(1000):
        write(looking("and 1,000 processes"))
    with sockets(10_000) as pairs:
        write(looking("and 10,000 sockets of one process"))
        write("\n| nothing new | µs |\n| --- | --- |\n")
        write(labelling(pairs))
    with sockets(1200) as pairs:
        write("\n| live, 5 s | of a core | known after, median |\n| --- | --- | --- |\n")
        write(share("no new connection", 0, pairs))
        write(share("10 new a second", 10, pairs))
        write(share("100 new a second", 100, pairs))


if __name__ == "__main__":
    main()
