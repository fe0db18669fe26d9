"""One scene of traffic, watched by several programs at once; tests look at what they said."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcpsnoop.batches.segments import flags_text
from tests.live.networks import Host
from tests.live.programs import Program, running, traffic
from tests.oracle import observe

# The prime number of connections of the specification.
COUNT = 1009

# When a file has not grown for so long, tcpdump has read what there was.
QUIET_SECONDS = 0.3


@dataclass(frozen=True)
class Conversation:
    """All connections of one family, as client and server tell."""

    client: str
    server: str
    port: int
    client_pid: int
    server_pid: int
    connections: Sequence[tuple[int, int, int]]  # client's port, bytes there, bytes back

    @property
    def sent(self) -> list[int]:
        """The client's writes."""
        return [request for _, request, _ in self.connections]

    @property
    def answered(self) -> list[int]:
        """The server's writes."""
        return [answer for _, _, answer in self.connections]


def converse(
    client: Host,
    server: Host,
    *families: tuple[str, str],
    count: int = COUNT,
    pause: float = 0,
) -> list[Conversation]:
    """Connections for each pair of addresses of client and server; waits for their end."""
    with running(*traffic(server, "serve", *(address for _, address in families))) as serving:
        listening = json.loads(serving.output.wait().text)
        conversations = []
        for (mine, address), port in zip(families, listening["ports"], strict=True):
            with running(*traffic(client, "call", address, port, count, pause)) as calling:
                told = json.loads(calling.output.wait(timeout=60).text)
            made = [(ours, there, back) for ours, there, back in told["connections"]]
            conversations.append(
                Conversation(mine, address, port, told["pid"], listening["pid"], made)
            )
        return conversations


@contextmanager
def watched(
    *programs: Sequence[object], environment: Mapping[str, str] | None = None
) -> Iterator[list[Program]]:
    """Programs started together; each captures when the block begins, and has ended after it."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(running(*words, environment=environment)) for words in programs
        ]
        for program in started:
            program.tracing()
        yield started
        for program in started:
            assert program.process.poll() is None, program.notes.text
            program.process.send_signal(signal.SIGINT)
        for program in started:
            program.end(None)
            assert program.process.returncode == 0, program.notes.text


@contextmanager
def dumped(host: Host, device: str, file: Path) -> Iterator[Program]:
    """A capture beside, by tcpdump, which has read everything after the block."""
    room = ("-B", "32768", "-s", "128")  # with less it drops packets that tcpsnoop does not
    at_once = ("--immediate-mode", "-U")  # otherwise it has up to a second's packets in hand
    words = ("tcpdump", "-i", device, *room, *at_once, "-n", "-Z", "root", "-w", file, "tcp")
    with running(*host.words(*words)) as program:
        program.notes.wait("listening on")
        yield program
        pause, size = threading.Event(), -1
        while size != file.stat().st_size:
            size = file.stat().st_size
            pause.wait(QUIET_SECONDS)
        program.end()


# What tells segments apart: source, its port, destination, its port, flags, payload bytes.
Told = tuple[str, int, str, int, str, int]


def segments_in(file: Path) -> list[Told]:
    """The segments of a capture file, by the oracle."""
    found = (observation.segment for observation in observe(file.read_bytes()))
    return [
        (
            each.source,
            each.source_port,
            each.destination,
            each.destination_port,
            flags_text(each.flags),
            each.payload or 0,
        )
        for each in found
        if each is not None
    ]


def segments_of(rows: Sequence[dict[str, Any]]) -> list[Told]:
    """The segments that rows of `io` tell, from their senders."""
    found = []
    for row in rows:
        ends = (row["laddr"], row["lport"]), (row["raddr"], row["rport"])
        sender, receiver = ends if row["direction"] == "->" else ends[::-1]
        found.append((*sender, *receiver, row["flags"], row["bytes"]))
    return found


def counted(rows: Sequence[dict[str, Any]], *fields: str) -> dict[tuple[Any, ...], int]:
    """The counts of a report by these fields."""
    found = {tuple(row[name] for name in fields): row["count"] for row in rows}
    assert len(found) == len(rows)
    return found


def histogram(sizes: Sequence[int]) -> dict[int, int]:
    """Writes by their bucket of `quantize`: [2^k, 2^(k+1))."""
    return dict(Counter(1 << size.bit_length() - 1 for size in sizes))


def of_report(rows: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The rows of one of several reports."""
    return [row for row in rows if row["report"] == name]
