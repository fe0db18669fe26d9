"""A journal recorded beside tcpdump, then replayed: whose packets they are, as a live run knew.

The truth is what the processes themselves wrote down, and what a live tcpsnoop said of them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.native import compiled
from tests.fixture_types import Notice
from tests.live.networks import Host, host, veth_pair
from tests.live.programs import ROOT, Program, running, tcpsnoop
from tests.live.scenes import dumped
from tests.live.swarms import call, judge, rows_in, serving

pytestmark = [
    pytest.mark.live,
    pytest.mark.program("ip", "tcpdump", "setpriv", "unshare", "sysctl"),
]

COUNT = 2000
FEW_PORTS = "net.ipv4.ip_local_port_range=20000 20999"
RECORDING = "Recording... Hit Ctrl-C to end."
NOBODY = 65534
AS_NOBODY = (
    "unshare", "--net",
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all",
)  # fmt: skip


@dataclass
class Watch:
    """What recorded a device of a host: a capture, a journal, and live runs of tcpsnoop."""

    folder: Path
    recorder: Program
    lives: Sequence[Program] = field(default_factory=list)

    @property
    def files(self) -> tuple[object, ...]:
        """Words of a command line that replays them."""
        return "-r", self.folder / "capture", "--owners", self.folder / "journal"

    def replayed(self, report: str, *words: str, status: int = 0) -> list[dict[str, Any]]:
        """The rows of a report, read again."""
        command = map(str, tcpsnoop(report, "-n", "--format", "jsonl", *self.files, *words))
        done = subprocess.run(
            list(command), cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == status, done.stderr
        self.notes = done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def kill(self) -> None:
        """End the recorder in the middle of whatever it does."""
        self.recorder.process.send_signal(signal.SIGKILL)
        self.recorder.process.wait()


@contextmanager
def watched(
    folder: Path, place: Host, device: str, *live: str, options: Sequence[str] = ()
) -> Iterator[Watch]:
    """While the block runs, record a device of a host; `live` are reports that run beside."""
    with ExitStack() as stack:
        words = tcpsnoop("owners", "--journal", folder / "journal", *options)
        recorder = stack.enter_context(running(*place.words(*words)))
        watch = Watch(folder, recorder)
        form = ("-i", device, "-n", "-B", "65536", "--format", "jsonl")
        watch.lives = [
            stack.enter_context(
                running(*place.words(*tcpsnoop(each, *form, "-o", folder / f"{each}.live")))
            )
            for each in live
        ]
        recorder.notes.wait(RECORDING, timeout=120)
        for program in watch.lives:
            program.tracing()
        with dumped(place, device, folder / "capture"):
            yield watch
        for program in watch.lives:
            program.end()
        if recorder.process.poll() is None:
            recorder.end()
            assert recorder.process.returncode == 0, recorder.notes.text


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = compiled("swarm", tmp_path_factory.mktemp("native"))
    if path is None:
        pytest.skip("needs the program gcc")
    return path


def known(row: dict[str, Any]) -> tuple[Any, ...]:
    """What is known of a packet and its process."""
    names = ("laddr", "lport", "direction", "raddr", "rport", "bytes", "flags")
    return tuple(row[name] for name in (*names, "pid", "command", "attribution", "reason"))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
def test_rows_are_those_of_a_live_run(
    swarm: Path, tmp_path: Path, family: str, notice: Notice
) -> None:
    """2,000 processes with a connection each, on 1,000 ports, with a live run beside."""
    with host() as place:
        subprocess.run(place.words("sysctl", "-qw", FEW_PORTS), check=True)
        with (
            watched(tmp_path, place, "lo", "io") as watch,
            serving(swarm, place, family, tmp_path) as told,
        ):
            call(swarm, place, family, told, tmp_path, COUNT)
    assert told.ports_used_again > 0
    rows = watch.replayed("io")
    verdict = judge(told, rows)
    assert (verdict.right, verdict.wrong, verdict.unknown) == (2 * COUNT, 0, 0), verdict.reasons
    assert "owners: no event lost" in watch.notes
    # Packets of two processors at once come to two captures in either order.
    assert Counter(map(known, rows)) == Counter(map(known, rows_in(tmp_path / "io.live")))
    size = (tmp_path / "journal").stat().st_size
    notice(f"replayed, {family}: {verdict}; journal of {size / COUNT:.0f} bytes a connection")


@pytest.mark.slow
def test_between_two_namespaces_from_either(swarm: Path, tmp_path: Path) -> None:
    with veth_pair() as (one, other):
        places = {"calling": one, "called": other}
        for name in places:
            (tmp_path / name).mkdir()
        with (
            watched(tmp_path / "calling", one, "eth0") as calling,
            watched(tmp_path / "called", other, "eth0") as called,
            serving(swarm, other, other.addresses[4], tmp_path) as told,
        ):
            call(swarm, one, other.addresses[4], told, tmp_path, COUNT // 4)
    for watch in (calling, called):
        verdict = judge(told, watch.replayed("io"))
        assert (verdict.right, verdict.wrong, verdict.unknown) == (COUNT // 4, 0, 0), verdict
        assert "local side by the addresses of interfaces" in watch.notes


@pytest.mark.slow
def test_by_nobody_without_network(swarm: Path, tmp_path: Path) -> None:
    """The journal is all that is needed: no rights, no interface, no /proc of the processes."""
    program = [*AS_NOBODY, sys.executable, "-c", "import tcpsnoop.engine.run"]
    if subprocess.run(program, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("others may not read this checkout or this Python")
    with (
        host() as place,
        watched(tmp_path, place, "lo") as watch,
        serving(swarm, place, "127.0.0.1", tmp_path) as told,
    ):
        call(swarm, place, "127.0.0.1", told, tmp_path, 100)
    folder = Path(tempfile.mkdtemp(prefix="tcpsnoop-test-"))
    try:
        for name in ("capture", "journal"):
            (folder / name).write_bytes((tmp_path / name).read_bytes())
        folder.chmod(0o755)
        os.chown(folder, NOBODY, NOBODY)
        words = tcpsnoop("io", "-n", "--format", "jsonl", *Watch(folder, watch.recorder).files)
        done = subprocess.run(
            [*AS_NOBODY, *map(str, words)],
            cwd=ROOT,
            env={**os.environ, "TCPSNOOP_CACHE": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        verdict = judge(told, map(json.loads, done.stdout.splitlines()))
        assert (verdict.right, verdict.wrong, verdict.unknown) == (200, 0, 0), verdict.reasons
    finally:
        subprocess.run(["rm", "-r", folder], check=True)


WRITER = """
import os, socket
server = socket.create_server(("127.0.0.1", 0))
writing = socket.create_connection(server.getsockname()); reading = server.accept()[0]
for size in (100, 1, 4096, 100, 2):
    assert writing.send(bytes(size)) == size
    got = 0
    while got < size: got += len(reading.recv(65536))
print(os.getpid(), flush=True)
"""


def test_writes_are_exactly_those_of_a_live_run(tmp_path: Path) -> None:
    with (
        host() as place,
        watched(tmp_path, place, "lo", "wdist") as watch,
        running(*place.words("python3", "-S", "-c", WRITER)) as writer,
    ):
        pid = int(writer.output.wait(timeout=30).text)
        writer.process.wait(10)
    (row,) = watch.replayed("wdist")
    assert (row["pid"], row["method"], row["attribution"]) == (pid, "exact", "exact")
    assert (row["count"], row["sum"]) == (5, 4299)
    assert row["buckets"] == [[1, 1], [2, 1], [64, 2], [4096, 1]]
    (live,) = rows_in(tmp_path / "wdist.live")
    assert {name: row[name] for name in live if name != "command_line"} == {
        name: value for name, value in live.items() if name != "command_line"
    }


HELD = """
import json, os, socket, sys, time
server = socket.create_server(("127.0.0.1", 0), backlog=64)
told = []
children = []
for number in range(20):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        for a in children: a.close()
        c = socket.create_connection(server.getsockname()); server.close()
        os.write(writing, b"%d" % c.getsockname()[1])
        time.sleep(float(sys.argv[1]))
        c.sendall(b"x"); c.close(); os._exit(0)
    a = server.accept()[0]
    told.append([int(os.read(reading, 10)), child]); children.append(a)
for a in children: a.recv(1)
print(json.dumps({"server": server.getsockname()[1], "pid": os.getpid(), "callers": told}),
      flush=True)
"""


@pytest.mark.alone
def test_without_tracing_what_is_held_is_known(tmp_path: Path) -> None:
    """Connections held for a second: 20 of 20 processes each; and nobody is named wrong."""
    with (
        host() as place,
        watched(tmp_path, place, "lo", options=["--no-tracing"]) as watch,
        running(*place.words("python3", "-S", "-c", HELD, "1.0")) as holding,
    ):
        told = json.loads(holding.output.wait("{", timeout=30).text)
        holding.process.wait(10)
    rows = watch.replayed("life")
    assert "owners: sockets as seen" in watch.notes
    assert "owners: no kernel tracing: --no-tracing" in watch.notes
    named = {row["lport"]: row["pid"] for row in rows if row["role"] == "originator"}
    assert named == dict(told["callers"])
    assert {row["pid"] for row in rows if row["role"] == "responder"} == {told["pid"]}
    assert (len(rows), {row["attribution"] for row in rows}) == (40, {"holder"})


@pytest.mark.slow
def test_without_tracing_nothing_is_wrong(swarm: Path, tmp_path: Path, notice: Notice) -> None:
    with host() as place:
        subprocess.run(place.words("sysctl", "-qw", FEW_PORTS), check=True)
        with (
            watched(tmp_path, place, "lo", options=["--no-tracing"]) as watch,
            serving(swarm, place, "127.0.0.1", tmp_path) as told,
        ):
            call(swarm, place, "127.0.0.1", told, tmp_path, COUNT)
    verdict = judge(told, watch.replayed("io"))
    assert verdict.wrong == 0
    assert all(not reason.endswith("unknown None") for reason in verdict.reasons)
    notice(f"replayed, without tracing: {verdict}")


TALKER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
for line in sys.stdin:
    c = socket.create_connection(server.getsockname()); a = server.accept()[0]
    c.sendall(b"x"); a.recv(1)
    print(c.getsockname()[1], flush=True)
"""


def test_a_kill_loses_little(tmp_path: Path) -> None:
    """What was said a moment before the recorder was killed is in the journal."""
    with (
        host() as place,
        watched(tmp_path, place, "lo") as watch,
        running(*place.words("python3", "-S", "-c", TALKER)) as talking,
    ):
        ports = []
        for number in range(5):
            talking.tell()
            ports.append(int(talking.output.wait(count=number + 1).text))
        threading.Event().wait(0.2)
        watch.kill()
        pid = talking.pid
    rows = watch.replayed("io", status=1)
    assert "journal is cut off at byte" in watch.notes
    opened = [row for row in rows if row["lport"] in ports and row["flags"] == "SYN"]
    assert {row["lport"]: row["pid"] for row in opened} == dict.fromkeys(ports, pid)


def test_a_connection_from_before(tmp_path: Path) -> None:
    """Nothing was told of it yet: who holds it was seen."""
    with host() as place, running(*place.words("python3", "-S", "-c", BEFORE)) as talking:
        told = json.loads(talking.output.wait("{").text)
        with watched(tmp_path, place, "lo") as watch:
            talking.tell()
            talking.output.wait("done")
            threading.Event().wait(1.2)
    rows = watch.replayed("io")
    named = {row["lport"]: (row["pid"], row["attribution"]) for row in rows}
    assert named == {
        told["port"]: (told["child"], "holder"),
        told["server"]: (told["parent"], "holder"),
    }


BEFORE = """
import json, os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
child = os.fork()
if child == 0:
    c = socket.create_connection(server.getsockname()); server.close()
    c.recv(1); c.sendall(b"yy"); c.recv(1); os._exit(0)
a, peer = server.accept()
print(json.dumps({"port": peer[1], "server": server.getsockname()[1], "parent": os.getpid(),
                  "child": child}), flush=True)
sys.stdin.readline()
a.sendall(b"x"); a.recv(2)
print("done", flush=True)
sys.stdin.readline()
"""


def test_the_program_ends_well(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        path = tmp_path / str(number)
        with running(sys.executable, "-m", "tcpsnoop", "owners", "--journal", path) as recorder:
            recorder.notes.wait(RECORDING, timeout=120)
            recorder.end(number)
        assert recorder.process.returncode == 0
        assert path.read_bytes().splitlines()[-1].startswith(b'{"end":')
        assert "owners: " in recorder.notes.text
