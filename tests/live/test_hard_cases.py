"""Real processes in hard cases: who each packet is of, as the processes themselves tell."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack

import pytest

from tests.live.networks import host
from tests.live.programs import running, tcpsnoop
from tests.live.stages import COMMON, Stage

pytestmark = [pytest.mark.live, pytest.mark.program("ip", "unshare")]


def test_fork_without_exec(stage: Stage) -> None:
    told = stage.play("""
server = listening()
child = os.fork()
if child == 0:
    c = socket.create_connection(server.getsockname()); c.sendall(b"x"); c.recv(1)
    name = open("/proc/self/comm").read().rstrip()
    server = server.getsockname()[1]
    told(port=c.getsockname()[1], pid=os.getpid(), server=server, parent=os.getppid(), name=name)
    os._exit(0)
a = server.accept()[0]; a.recv(1); a.sendall(b"y"); a.recv(1)
wait_all()
""")
    assert stage.pids(told["port"]) == {told["pid"]}
    assert stage.pids(told["server"]) == {told["parent"]}
    assert {row["command"] for row in stage.rows} == {told["name"]}
    assert {row["attribution"] for row in stage.rows} == {"exact"}


def test_a_socket_shared_after_fork_is_of_its_last_user(stage: Stage) -> None:
    told = stage.play("""
server = listening()
c = socket.create_connection(server.getsockname()); a = server.accept()[0]
c.sendall(b"1"); a.recv(1)
child = os.fork()
if child == 0:
    c.sendall(b"22"); a.recv(2); os._exit(0)
wait_all()
c.sendall(b"333"); a.recv(3)
told(port=c.getsockname()[1], parent=os.getpid(), child=child)
""")
    by_size = {row["bytes"]: row for row in stage.of(told["port"]) if row["bytes"]}
    assert by_size[1]["pid"] == told["parent"]
    for size, right in ((2, told["child"]), (3, told["parent"])):
        row = by_size[size]
        if row["attribution"] == "shared":  # a call is told as it returns
            assert {pid for pid, _ in row["holders"]} == {told["parent"], told["child"]}
        else:
            assert row["pid"] == right


def test_a_socket_passed_to_another_process(stage: Stage) -> None:
    told = stage.play("""
server = listening()
ours, theirs = socket.socketpair(socket.AF_UNIX)
child = os.fork()
if child == 0:
    _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
    a = socket.socket(fileno=fds[0]); a.recv(1); a.sendall(b"yy"); os._exit(0)
c = socket.create_connection(server.getsockname()); a = server.accept()[0]
socket.send_fds(ours, [b"x"], [a.fileno()]); a.close()
c.sendall(b"x"); c.recv(2)
wait_all()
told(port=c.getsockname()[1], server=server.getsockname()[1], parent=os.getpid(), child=child)
""")
    assert stage.pids(told["server"]) == {told["child"]}
    assert stage.pids(told["port"]) == {told["parent"]}


def test_workers_that_share_a_port(stage: Stage) -> None:
    told = stage.play("""
first = listening(reuse_port=True); port = first.getsockname()[1]
right = {}
reading, writing = os.pipe()
pids = []
for number in range(4):
    own = first if number == 0 else listening(port=port, reuse_port=True)
    pid = os.fork()
    if pid == 0:
        while True:
            a, peer = own.accept(); a.recv(1)
            os.write(writing, struct.pack("ii", os.getpid(), peer[1])); a.sendall(b"y"); a.close()
    own.close(); pids.append(pid)
for _ in range(100):
    with socket.create_connection(("127.0.0.1", port)) as c:
        c.sendall(b"x"); c.recv(1); c.recv(1)
for _ in range(100):
    pid, peer = struct.unpack("ii", os.read(reading, 8)); right.setdefault(peer, []).append(pid)
for pid in pids: os.kill(pid, signal.SIGKILL)
wait_all()
told(server=port, right=right)
""")
    for port, pids in told["right"].items():
        if len(pids) == 1:
            rows = [row for row in stage.of(told["server"]) if row["rport"] == int(port)]
            assert rows
            assert {row["pid"] for row in rows} == set(pids)


def test_threads_are_their_process(stage: Stage) -> None:
    told = stage.play("""
server = listening()
def call():
    c = socket.create_connection(server.getsockname()); c.sendall(b"x"); c.recv(1)
def answer():
    a = server.accept()[0]; a.recv(1); a.sendall(b"y"); a.recv(1)
threads = [threading.Thread(target=each) for each in (call, answer)]
for each in threads: each.start()
for each in threads: each.join()
told(pid=os.getpid())
""")
    assert {row["pid"] for row in stage.rows} == {told["pid"]}


def test_a_connection_from_before_the_capture(stage: Stage) -> None:
    told = stage.play("", before="""
server = listening()
child = os.fork()
if child == 0:
    c = socket.create_connection(server.getsockname())
    print("ready", flush=True)
    c.recv(1); time.sleep(1.0); c.sendall(b"yy"); c.recv(1); os._exit(0)
a, peer = server.accept()
sys.stdin.readline(); a.sendall(b"x"); a.recv(2); a.close(); wait_all()
told(port=peer[1], server=server.getsockname()[1], parent=os.getpid(), child=child)
""")  # fmt: skip
    named = {told["port"]: told["child"], told["server"]: told["parent"]}
    known = [row for row in stage.rows if row["pid"] is not None]
    assert all(row["pid"] == named[row["lport"]] for row in known)
    assert any(row["bytes"] == 2 and row["pid"] == told["child"] for row in known)


def test_time_wait_is_of_who_closed(stage: Stage) -> None:
    """The last acknowledgment of who closed first goes out when its socket is gone."""
    told = stage.play("""
server = listening()
child = os.fork()
if child == 0:
    c = socket.create_connection(server.getsockname()); c.close(); os._exit(0)
a, peer = server.accept(); wait_all(); a.recv(1); time.sleep(0.2); a.close()
told(port=peer[1], server=server.getsockname()[1], parent=os.getpid(), child=child)
""")
    last = stage.rows[-1]
    assert (last["lport"], last["flags"], last["pid"]) == (told["port"], "ACK", told["child"])
    assert stage.pids(told["server"]) == {told["parent"]}


def test_a_refusal_is_the_kernel_s(stage: Stage) -> None:
    told = stage.play("""
with listening() as server: port = server.getsockname()[1]
c = socket.socket()
try: c.connect(("127.0.0.1", port))
except ConnectionRefusedError: pass
told(server=port, pid=os.getpid())
""")
    call, refusal = stage.rows
    assert (call["flags"], call["pid"]) == ("SYN", told["pid"])
    assert refusal["flags"] == "RST|ACK"
    assert (refusal["pid"], refusal["attribution"]) == (None, "kernel")
    assert refusal["reason"] == "no socket"


def test_the_same_ends_in_another_namespace(stage: Stage) -> None:
    """Both at once, with the same addresses and ports; only ours is captured."""
    play = """
server = listening(port=7777)
right = []
for number in range(50):
    pid = os.fork()
    if pid == 0:
        c = socket.socket(); c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.bind(("127.0.0.1", 7000 + number)); c.connect(("127.0.0.1", 7777))
        c.sendall(b"x"); c.recv(1); os._exit(0)
    a = server.accept()[0]; a.recv(1); a.sendall(b"y"); os.waitpid(pid, 0); a.close()
    right.append(pid)
told(right=right, server=os.getpid())
"""
    with host() as other, ExitStack() as stack:
        beside = stack.enter_context(
            running(
                *other.words(
                    sys.executable, "-S", "-c", COMMON + f"while True:\n exec('''{play}''')"
                )
            )
        )
        beside.output.wait("{")
        told = stage.play(play)
        beside.process.kill()
    for number, pid in enumerate(told["right"]):
        assert stage.pids(7000 + number) == {pid}
    assert stage.pids(7777) == {told["server"]}


def test_a_pid_used_again(stage: Stage) -> None:
    """In a PID namespace with few numbers, which we see by their numbers outside."""
    told = stage.play("""
server = listening()
right = {}
for number in range(400):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file: file.write(str(20 + number % 3))
    pid = os.fork()
    if pid == 0:
        ours = ("127.0.0.1", 10_000 + number)
        c = socket.create_connection(server.getsockname(), source_address=ours)
        c.sendall(b"x"); c.recv(1); os._exit(0)
    a, peer = server.accept(); a.recv(1); a.sendall(b"y"); a.recv(1); a.close()
    os.waitpid(pid, 0)
    right.setdefault(pid, 0); right[pid] += 1
told(right=right)
""", "unshare", "--pid", "--fork", "--mount-proc")  # fmt: skip
    assert max(told["right"].values()) > 10
    assert all(row["attribution"] == "exact" for row in stage.rows)
    # Ports of their own: of those the kernel gives, some come again within a test that takes long.
    assert all(len(stage.pids(10_000 + number)) == 1 for number in range(400))


def test_hidepid_hides_nothing_from_tracing(stage: Stage) -> None:
    """Tcpsnoop in a mount namespace whose /proc shows others' processes to root's group alone."""
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
    # Another instance of it: options of the one that all see would be changed for all.
    script = 'mount -t proc -o hidepid=2 proc /proc && exec "$@"'
    inside = ("unshare", "--mount", "sh", "-c", script, "sh")
    words = tcpsnoop("io", "-i", "lo", "-n", "--format", "jsonl")
    with ExitStack() as stack:
        capturing = stack.enter_context(running(*stage.place.words(*inside, *words)))
        capturing.tracing()
        acting = stack.enter_context(running(*stage.place.words(sys.executable, "-S", "-c", play)))
        told = json.loads(acting.output.wait("{").text)
        capturing.end(signal.SIGINT)
        stage.rows = capturing.rows()
    assert stage.pids(told["port"]) == {told["pid"]}
    assert {row["pid"] for row in stage.rows} == {told["pid"], told["server"]}
