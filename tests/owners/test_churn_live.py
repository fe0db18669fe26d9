"""Short connections on few ports, captured: what cannot be known is unknown, nothing is wrong."""

from __future__ import annotations

import json
import select
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tcpsnoop.batches.owners import Owner
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.batches.segments import ACK, SYN
from tcpsnoop.owners import Procfs
from tcpsnoop.owners.diag.access import Access, open_access
from tests.fixture_types import Notice
from tests.owners.proc_tree import Place, Rows, seen, system_time_ns

SO_TIMESTAMPNS = 35  # include/uapi/asm-generic/socket.h, where time_t has 64 bits
ETHERTYPE_IPV4 = 0x0800
BATCH_SECONDS = 0.02
# How sockets are found.
WAYS: dict[str, Callable[[], Access]] = {"sock_diag": open_access, "tables": Access}


@dataclass
class Connection:
    """A connection as its packets show it."""

    number: int
    initial: int  # sequence number of its SYN
    first_ns: int
    port: int  # the originator's


@dataclass
class Watch:
    """Packets of the server's port on lo, told apart by connection, labelled in batches."""

    server_port: int
    procfs: Procfs
    connections: list[Connection] = field(default_factory=list)
    newest: dict[int, Connection] = field(default_factory=dict)  # by the originator's port
    answers: list[tuple[int, int, Owner]] = field(default_factory=list)

    def segment(self, frame: bytes, time_ns: int) -> list[Rows]:
        """The rows of a segment, for both ends; none for other packets."""
        at = 4 * (frame[0] & 15)
        if frame[9] != socket.IPPROTO_TCP:
            return []
        source, target, sequence, _, flags = struct.unpack_from(">HHIIH", frame, at)
        if self.server_port not in (source, target):
            return []
        flags &= 0x1FF
        from_client = target == self.server_port
        port = source if from_client else target
        if from_client and flags & (SYN | ACK) == SYN:
            before = self.newest.get(port)
            if before is None or before.initial != sequence:
                connection = Connection(len(self.connections), sequence, time_ns, port)
                self.connections.append(connection)
                self.newest[port] = connection
        if port not in self.newest:
            return []
        number = self.newest[port].number
        client: Place = ("127.0.0.1", port)
        server: Place = ("127.0.0.1", self.server_port)
        return [
            seen(
                number,
                ORIGINATOR,
                client,
                server,
                flags=flags,
                outgoing=from_client,
                time_ns=time_ns,
            ),
            seen(
                number,
                RESPONDER,
                server,
                client,
                flags=flags,
                outgoing=not from_client,
                time_ns=time_ns,
            ),
        ]

    def label(self, rows: list[Rows]) -> None:
        """Label rows as one batch and keep every answer."""
        if rows:
            batch = ProbeBatch(np.concatenate(rows))
            columns = self.procfs.label(batch)
            owners = [columns.pool[index] for index in columns.index]
            numbers, ends = batch.rows["connection"].tolist(), batch.rows["end"].tolist()
            self.answers += list(zip(numbers, ends, owners, strict=True))
        self.procfs.poll()


def capture(watch: Watch, sniffer: socket.socket, stop: threading.Event) -> None:
    """Label what is captured every 20 ms, until told to stop and nothing comes."""
    pause = threading.Event()
    while True:
        stopping = stop.is_set()
        rows = []
        while select.select([sniffer], [], [], 0)[0]:
            frame, ancillary, _, address = sniffer.recvmsg(128, 64)
            if address[2] != socket.PACKET_OUTGOING:
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                rows += watch.segment(frame, seconds * 10**9 + nanoseconds)
        watch.label(rows)
        if stopping and not rows:
            return
        pause.wait(BATCH_SECONDS)


def run(count: int, milliseconds: float, access: Access) -> tuple[Watch, int, dict[int, int]]:
    """The watch of a churn, the server's PID, and the right PID for each connection."""
    stop = threading.Event()
    script = Path(__file__).parent / "churn.py"
    command = [sys.executable, "-S", str(script), str(count), str(milliseconds)]
    kind = socket.SOCK_DGRAM
    with (
        socket.socket(socket.AF_PACKET, kind, socket.htons(ETHERTYPE_IPV4)) as sniffer,  # noqa: TID251 - one number
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as churn,
    ):
        sniffer.bind(("lo", ETHERTYPE_IPV4))
        sniffer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        assert churn.stdout is not None
        server, port = map(int, churn.stdout.readline().split())
        watch = Watch(port, Procfs(system_time_ns, access=access))
        capturing = threading.Thread(target=capture, args=(watch, sniffer, stop))
        capturing.start()
        told = churn.communicate("go\n")[0]
        stop.set()
        capturing.join()
        watch.procfs.close()
    truths = [json.loads(line) for line in told.splitlines()]
    assert len(truths) == count
    right = {}
    for connection in watch.connections:
        mine = [
            truth["pid"]
            for truth in truths
            if truth["port"] == connection.port
            and truth["began"] <= connection.first_ns <= truth["ended"]
        ]
        assert len(mine) == 1
        right[connection.number] = mine[0]
    return watch, server, right


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("milliseconds", [0, 1, 10, 100])
def test_no_answer_is_wrong_where_ports_are_used_again_at_once(
    milliseconds: float, way: str, notice: Notice
) -> None:
    count = 1000
    watch, server, right = run(count, milliseconds, WAYS[way]())
    assert len(right) == count
    wrong = []
    last: dict[tuple[int, int], str] = {}
    for number, end, owner in watch.answers:
        pids = {process.pid for process in owner.processes}
        if pids and (right[number] if end == ORIGINATOR else server) not in pids:
            wrong.append((number, end, owner))
        last[number, end] = owner.quality
    assert wrong == []
    for name, side in (("callers", ORIGINATOR), ("called", RESPONDER)):
        shares = Counter(quality for (_, end), quality in last.items() if end == side)
        told = ", ".join(f"{quality} {number}" for quality, number in shares.most_common())
        notice(f"{count} held {milliseconds} ms, {way}: {name}: {told}")
