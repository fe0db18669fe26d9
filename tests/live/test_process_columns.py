"""Every report that names processes names the right ones, in the text and in JSON.

A server and a client, which say themselves who they are: connections, one that is refused, one that
nobody answers. All reports watch at once.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live.networks import veth_pair
from tests.live.programs import running, tcpsnoop
from tests.live.scenes import watched

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.program("ip")]

COUNT = 20
REQUEST, ANSWER = 300, 2000
# An address of the link that nobody has: SYNs go there, and nothing comes back.
NOBODY, ITS_DEVICE = "10.77.0.99", "02:00:00:00:00:99"
USER = 1000

SERVER = """
import json, os, socket, sys
open("/proc/self/comm", "w").write("waiter")
os.setuid(int(sys.argv[1]))
server = socket.create_server(("127.0.0.1", 0))
print(json.dumps([os.getpid(), server.getsockname()[1]]), flush=True)
while True:
    guest = server.accept()[0]
    while guest.recv(65536):
        guest.sendall(bytes(int(sys.argv[2])))
    guest.close()
"""
CLIENT = """
import json, os, socket, sys
open("/proc/self/comm", "w").write("guest")
port, count, size, answer = map(int, sys.argv[1:5])
for _ in range(count):
    with socket.create_connection(("127.0.0.1", port)) as made:
        made.sendall(bytes(size))
        left = answer
        while left:
            left -= len(made.recv(left))
with socket.socket() as unused:  # bound, so nobody else listens there
    unused.bind(("127.0.0.1", 0))
    with socket.socket() as refused:
        assert refused.connect_ex(unused.getsockname()) != 0
with socket.socket() as alone:
    alone.settimeout(1.6)  # the SYN is sent again after a second
    assert alone.connect_ex((sys.argv[5], 9)) != 0
print(os.getpid(), flush=True)
"""

LOGS = ("life", "watch", "connlat", "retrans", "refused", "snoop", "connections")
FORM = ("-i", "any", "-n")


@dataclass(frozen=True)
class Scene:
    """Who was there, and what each report said."""

    waiter: int
    guest: int
    port: int
    rows: Sequence[dict[str, Any]]  # of LOGS and top
    texts: Mapping[str, Sequence[str]]  # the lines of each, by its name
    counts: Mapping[str, Sequence[dict[str, Any]]]  # of accept and connect, with processes

    def of(self, report: str) -> list[dict[str, Any]]:
        """The rows of a report."""
        return [row for row in self.rows if row["report"] == report]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """All of it, once."""
    with ExitStack() as stack:
        place, _ = stack.enter_context(veth_pair())
        place.ip("neigh", "add", NOBODY, "lladdr", ITS_DEVICE, "dev", "eth0")
        several = ",".join((*LOGS, "top"))
        words = [
            tcpsnoop(several, *FORM, "--format", "jsonl"),
            tcpsnoop(several, *FORM),
            *(
                tcpsnoop(name, "--by-process", *FORM, "--format", "jsonl")
                for name in ("accept", "connect")
            ),
        ]
        server = (sys.executable, "-S", "-c", SERVER, USER, ANSWER)
        with watched(*(place.words(*each) for each in words)) as programs:
            serving = stack.enter_context(running(*place.words(*server)))
            waiter, port = json.loads(serving.output.wait().text)
            client = (sys.executable, "-S", "-c", CLIENT, port, COUNT, REQUEST, ANSWER, NOBODY)
            with running(*place.words(*client)) as calling:
                guest = int(calling.output.wait(timeout=20).text)
            threading.Event().wait(0.3)
        rows, text, *counts = programs
        blocks = text.output.text.split("\n\n")
        # The sums of `top` stand before its rows, with a blank line.
        texts = [*blocks[: len(LOGS)], blocks[-1]]
        yield Scene(
            waiter,
            guest,
            port,
            rows.rows(),
            {name: block.splitlines() for name, block in zip((*LOGS, "top"), texts, strict=True)},
            {
                name: program.rows()
                for name, program in zip(("accept", "connect"), counts, strict=True)
            },
        )


def whose(row: Mapping[str, Any], scene: Scene) -> tuple[int, str]:
    """The process of the end at the left."""
    return (scene.waiter, "waiter") if row["lport"] == scene.port else (scene.guest, "guest")


@pytest.mark.parametrize("report", [*LOGS, "top"])
def test_the_processes_of_rows_are_those_that_say_so_themselves(scene: Scene, report: str) -> None:
    rows = scene.of(report)
    assert rows
    for row in rows:
        if row["attribution"] == "exact":
            assert (row["pid"], row["command"]) == whose(row, scene), row
        else:
            # The port that refuses is nobody's: no socket was asked.
            assert (row["pid"], row["command"]) == (None, None), row
            assert row["raddr"] == "127.0.0.1"
            assert row["lport"] != scene.port
            assert row["reason"] or row["attribution"] == "kernel"
    assert any(row["attribution"] == "exact" for row in rows)


@pytest.mark.parametrize("report", [*LOGS, "top"])
def test_text_has_the_processes_of_the_rows(scene: Scene, report: str) -> None:
    header, *lines = scene.texts[report]
    titles = header.split()
    command = next(titles.index(name) for name in ("COMM", "CMD", "NAME") if name in titles)
    pid = titles.index("PID")
    known = {(row["pid"], row["command"]) for row in scene.of(report)} - {(None, None)}
    found = {(line.split()[pid], line.split()[command]) for line in lines}
    assert known <= {(int(number), name) for number, name in found if number != "-"}
    assert known
    assert {number for number, _ in found} <= {*(str(number) for number, _ in known), "-"}


def test_each_report_has_what_happened(scene: Scene) -> None:
    guest, waiter = (scene.guest, "guest"), (scene.waiter, "waiter")

    def count(report: str, who: tuple[int, str], **fields: object) -> int:
        return sum(
            (row["pid"], row["command"]) == who
            and all(row[name] == value for name, value in fields.items())
            for row in scene.of(report)
        )

    assert count("life", waiter, rx_bytes=REQUEST) == count("life", guest, state="SF") == COUNT
    assert count("watch", guest, event="connect") == count("watch", waiter, event="accept") == COUNT
    assert count("connlat", guest, result="ok") == COUNT
    assert count("connlat", guest, result="refused") == 1
    assert count("refused", guest, cause="refused") == 1
    assert count("retrans", guest, kind="handshake", raddr=NOBODY) >= 1
    assert count("connections", waiter, raddr="127.0.0.1", uid=USER) == COUNT
    assert len(scene.of("connections")) == COUNT


def test_snoop_has_the_frames_and_the_users(scene: Scene) -> None:
    rows = scene.of("snoop")
    for row in rows:
        if row["pid"] is not None:
            assert row["uid"] == (USER if row["pid"] == scene.waiter else 0)
        # On `any` a cooked header of 16 bytes stands before IP and TCP, of 20 each at least.
        assert row["frame_bytes"] >= row["bytes"] + 56
    asked = [row for row in rows if row["bytes"] == REQUEST and row["lport"] != scene.port]
    assert len(asked) == COUNT
    assert len({row["frame_bytes"] for row in asked}) == 1


def test_top_has_what_each_end_moved(scene: Scene) -> None:
    rows = [row for row in scene.of("top") if row["bytes"]]
    assert len(rows) == 2 * COUNT
    for row in rows:
        there, back = (row["rx_payload"], row["tx_payload"])
        if row["pid"] == scene.guest:
            there, back = back, there
        assert (there, back) == (REQUEST, ANSWER)
        assert row["uid"] == (USER if row["pid"] == scene.waiter else 0)


@pytest.mark.parametrize(("report", "port"), [("accept", "lport"), ("connect", "rport")])
def test_connections_are_counted_by_process(scene: Scene, report: str, port: str) -> None:
    pid, name = (scene.waiter, "waiter") if report == "accept" else (scene.guest, "guest")
    (row,) = scene.counts[report]
    assert row == {
        "pid": pid,
        "command": name,
        "raddr": "127.0.0.1",
        "hostname": None,
        port: scene.port,
        "service": None,
        "count": COUNT,
        "attribution": "exact",
        "reason": None,
        "holders": None,
    }
