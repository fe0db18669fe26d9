"""A bridge shows the packets of other network namespaces: whose sockets they are, by /proc."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import pytest

from tests.live.networks import Host, bridged
from tests.live.programs import Program, running, tcpsnoop

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]

# Networks that no other test uses: an address of several namespaces is nobody's.
NETWORK = 40 + os.getpid() % 100
PORT = 7777
HELD_SECONDS = 0.6  # longer than it takes to look again

SERVER = f"""
import os, socket, sys
server = socket.create_server(("::", {PORT}), family=socket.AF_INET6, dualstack_ipv6=True)
print(os.getpid(), flush=True)
held = [server.accept()[0] for _ in range(int(sys.argv[1]))]
sys.stdin.readline()
for each in held: each.sendall(b"y")
sys.stdin.read()
"""
CLIENT = f"""
import json, os, socket, sys
made = [socket.create_connection((where, {PORT})) for where in sys.argv[1:]]
print(json.dumps([os.getpid(), [each.getsockname()[1] for each in made]]), flush=True)
sys.stdin.readline()
for each in made: each.sendall(b"x")
sys.stdin.read()
"""
# All that a user needs who is not root: to capture, and to see into the processes of others.
BARE = ("--inh-caps=-all,+net_raw,+sys_ptrace", "--ambient-caps=-all,+net_raw,+sys_ptrace")
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *BARE)


class Cast(NamedTuple):
    """A server and its client, and the client's ports."""

    server: Program
    client: Program
    ports: Sequence[int]

    def speak(self) -> None:
        """Let both send a byte on each connection."""
        self.client.tell()
        self.server.tell()


@contextmanager
def talking(one: Host, other: Host) -> Iterator[Cast]:
    """Connections between two hosts, of IPv4 and IPv6."""
    words = (sys.executable, "-S", "-c")
    with ExitStack() as stack:
        wanted = [other.addresses[family] for family in (4, 6)]
        server = stack.enter_context(running(*other.words(*words, SERVER, len(wanted))))
        server.output.wait()
        client = stack.enter_context(running(*one.words(*words, CLIENT, *wanted)))
        told = json.loads(client.output.wait("[").text)
        yield Cast(server, client, told[1])


def capture(stack: ExitStack, middle: Host, *prefix: str) -> Program:
    """Tcpsnoop on the bridge, with both hosts at the left."""
    local = [f"--local=10.77.{NETWORK}.0/24", f"--local=fd77:{NETWORK}::/64"]
    words = tcpsnoop("io", "-i", "br0", "-n", "--no-tracing", "--format", "jsonl", *local)
    program = stack.enter_context(running(*middle.words(*prefix, *words)))
    program.tracing()
    return program


def rows_of(program: Program, sent: int) -> list[dict[str, Any]]:
    """What it printed when so many bytes were seen."""
    program.output.wait('"bytes":1,', count=sent)
    program.end(signal.SIGINT)
    return program.rows()


def may_run(*prefix: str) -> bool:
    done = subprocess.run([*prefix, sys.executable, "-c", "import tcpsnoop"], check=False)
    return done.returncode == 0


@pytest.mark.program("setpriv")
@pytest.mark.parametrize(
    "prefix",
    [(), pytest.param(NOBODY, marks=pytest.mark.slow)],  # who may not use the cache of kernels
    ids=["root", "nobody with two capabilities"],
)
def test_each_end_is_of_its_process_in_its_namespace(prefix: tuple[str, ...]) -> None:
    """As root by sock_diag in each namespace; as nobody by their tables in /proc, and fdinfo."""
    if prefix and not may_run(*prefix):
        pytest.skip("nobody may not run this Python")
    with bridged(NETWORK) as (middle, (one, other)), ExitStack() as stack:
        program = capture(stack, middle, *prefix)
        with talking(one, other) as cast:
            threading.Event().wait(HELD_SECONDS)
            cast.speak()
            rows = rows_of(program, 4)
    spoken = [row for row in rows if row["bytes"] == 1]
    assert len(spoken) == 4
    for row in rows:
        right = cast.server.pid if row["lport"] == PORT else cast.client.pid
        assert row["pid"] in (right, None), row
    for row in spoken:
        assert row["attribution"] == "holder", row


def test_the_same_ends_in_two_namespaces_are_nobody_s() -> None:
    """Two networks of the same addresses and ports at once; one of them is captured."""
    with (
        bridged(NETWORK) as (middle, (one, other)),
        bridged(NETWORK) as (_, (alike, too)),
        ExitStack() as stack,
    ):
        program = capture(stack, middle)
        with talking(alike, too), talking(one, other) as cast:
            threading.Event().wait(HELD_SECONDS)
            cast.speak()
            rows = rows_of(program, 4)
    assert len(rows) > 4
    told = {(row["pid"], row["attribution"], row["reason"]) for row in rows}
    assert told == {(None, "unknown", "ambiguous")}
