"""Only what some processes do: a command and what it begins, and those of a user."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.fixture_types import RunTcpsnoop
from tests.live.programs import running, tcpsnoop
from tests.live.stages import COMMON, Stage

pytestmark = [pytest.mark.live, pytest.mark.program("ip", "unshare")]


def test_a_command_and_what_it_begins_until_it_ends(
    stage: Stage, run_tcpsnoop: RunTcpsnoop
) -> None:
    play = (
        COMMON
        + """
server = listening()
if os.fork() == 0:
    c = socket.create_connection(server.getsockname()); c.sendall(b"x"); c.recv(1); os._exit(0)
a, peer = server.accept(); a.recv(1); a.sendall(b"y"); a.recv(1); a.close()
pid = os.wait()[0]
told(port=peer[1], pid=pid, server=os.getpid())
"""
    )
    words = tcpsnoop(
        "io", "-i", "lo", "-n", "--format", "jsonl", "--", sys.executable, "-S", "-c", play
    )
    with running(*stage.place.words(sys.executable, "-S", "-c", COMMON + """
server = listening()
print("ready", flush=True)
while True:
    c = socket.create_connection(server.getsockname()); a = server.accept()[0]
    c.close(); a.close()
""")) as others:  # fmt: skip
        others.output.wait("ready")
        done = subprocess.run(
            stage.place.words(*words), capture_output=True, text=True, timeout=60,
            cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))), check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (told,) = (line for line in lines if "server" in line)
    rows = [line for line in lines if "packet" in line]
    assert {row["pid"] for row in rows} == {told["pid"], told["server"]}
    assert sum(row["bytes"] for row in rows) == 2
    refused = run_tcpsnoop("io", "--", "/no/such/command")
    assert refused.returncode == 2
    assert "no such command" in refused.stderr


def test_only_a_user_s(stage: Stage) -> None:
    told = stage.play("""
server = listening()
child = os.fork()
if child == 0:
    os.setuid(65534)
    c = socket.socket(); c.connect(server.getsockname()); c.sendall(b"x")
    time.sleep(0.5); c.recv(1)
    os._exit(0)
a, peer = server.accept(); a.recv(1); a.sendall(b"y"); a.recv(1); a.close(); wait_all()
told(port=peer[1], child=child)
""", options=("--uid", "nobody"))  # fmt: skip
    assert {row["pid"] for row in stage.rows} == {told["child"]}
    assert {row["bytes"] for row in stage.rows} == {0, 1}
