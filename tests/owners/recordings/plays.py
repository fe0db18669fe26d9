"""What processes do while they are recorded: `python3 -S plays.py NAME`; each tells what is true.

All talk on loopback, in a network namespace and a PID namespace of their own. A play that has
something before the recording begins says "ready" and waits for a line.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

HERE = "127.0.0.1"
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection

Place = tuple[str, int]
pause = threading.Event().wait


def told(**words: object) -> None:
    """A line of what is true."""
    say(json.dumps(words))


def say(line: str) -> None:
    """A line for whoever records."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def listening(port: int = 0, *, reuse_port: bool = False) -> socket.socket:
    """A server on loopback."""
    return socket.create_server((HERE, port), reuse_port=reuse_port)


def place_of(server: socket.socket) -> Place:
    """Where it listens."""
    address, port = server.getsockname()[:2]
    return address, port


def ask(to: Place) -> int:
    """Call, send a byte, be answered with one; our port."""
    with socket.create_connection(to) as calling:
        calling.sendall(b"x")
        calling.recv(1)
        return int(calling.getsockname()[1])


def answer(server: socket.socket) -> int:
    """Accept, receive a byte, answer with one, wait for the end; the other's port."""
    accepted, peer = server.accept()
    with accepted:
        accepted.recv(1)
        accepted.sendall(b"y")
        accepted.recv(1)
    return int(peer[1])


def bound(port: int) -> socket.socket:
    """A socket of that port, which resets its connection when it is closed."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    made.bind((HERE, port))
    return made


def child(do: Callable[..., object], *given: object) -> int:
    """A process that does that and ends; its PID."""
    pid = os.fork()
    if pid == 0:
        do(*given)
        os._exit(0)
    return pid


def wait_all() -> None:
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def until_told() -> None:
    say("ready")
    sys.stdin.readline()


def fork_without_exec() -> None:
    server = listening()
    caller = child(ask, place_of(server))
    port = answer(server)
    wait_all()
    told(server=place_of(server)[1], pid=os.getpid(), callers={port: caller})


def exec_after_fork() -> None:
    """A caller that has become another program: `sleep` has its name, and its arguments."""
    server = listening()
    script = (
        f"exec 3<>/dev/tcp/{HERE}/{place_of(server)[1]}; printf x >&3; sleep 0.3; exec sleep 1 <&3"
    )
    calling = subprocess.Popen(["bash", "-c", script])
    accepted, peer = server.accept()
    accepted.recv(1)
    pause(0.6)
    accepted.sendall(b"y")
    calling.wait()
    accepted.close()
    told(server=place_of(server)[1], pid=os.getpid(), callers={peer[1]: calling.pid})


def shared_after_fork() -> None:
    """A socket of two processes, which use it in turn: 1 byte, 22, 333."""
    server = listening()
    calling = socket.create_connection(place_of(server))
    accepted, peer = server.accept()
    calling.sendall(b"1")
    accepted.recv(1)
    pause(0.02)
    other = child(calling.sendall, b"22")
    accepted.recv(2)
    wait_all()
    pause(0.02)
    calling.sendall(b"333")
    accepted.recv(3)
    told(server=place_of(server)[1], pid=os.getpid(), port=peer[1], child=other)


def passed_socket() -> None:
    """Who accepts passes the socket on before it was used."""
    server = listening()
    ours, theirs = socket.socketpair(socket.AF_UNIX)

    def serve() -> None:
        _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
        with socket.socket(fileno=descriptors[0]) as accepted:
            accepted.recv(1)
            accepted.sendall(b"y")

    other = child(serve)
    calling = socket.create_connection(place_of(server))
    accepted, peer = server.accept()
    socket.send_fds(ours, [b"x"], [accepted.fileno()])
    accepted.close()
    calling.sendall(b"x")
    calling.recv(1)
    wait_all()
    told(server=place_of(server)[1], pid=other, callers={peer[1]: os.getpid()})


def workers_on_one_port() -> None:
    """Four processes with a listening socket each, SO_REUSEPORT, and who served which caller."""
    first = listening(reuse_port=True)
    reading, writing = os.pipe()

    def work(own: socket.socket) -> None:
        while True:
            accepted, peer = own.accept()
            accepted.recv(1)
            os.write(writing, struct.pack("ii", os.getpid(), peer[1]))
            accepted.sendall(b"y")
            accepted.close()

    workers = [
        child(work, first if number == 0 else listening(place_of(first)[1], reuse_port=True))
        for number in range(4)
    ]
    ports = [ask(place_of(first)) for _ in range(12)]
    served = [struct.unpack("ii", os.read(reading, 8)) for _ in ports]
    for pid in workers:
        os.kill(pid, 9)
    wait_all()
    told(server=place_of(first)[1], pid=os.getpid(), served={peer: pid for pid, peer in served})


def threads() -> None:
    server = listening()
    ports: list[int] = []
    both = [
        threading.Thread(target=lambda: ports.append(ask(place_of(server)))),
        threading.Thread(target=answer, args=(server,)),
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    told(server=place_of(server)[1], pid=os.getpid(), callers={ports[0]: os.getpid()})


def from_before() -> None:
    """A connection from before the recording, which goes on and stays."""
    server = listening()

    def call() -> None:
        calling = socket.create_connection(place_of(server))
        server.close()
        calling.recv(1)
        calling.sendall(b"yy")
        pause(2)

    caller = child(call)
    accepted, peer = server.accept()
    until_told()
    pause(0.6)
    accepted.sendall(b"x")
    accepted.recv(2)
    told(server=place_of(server)[1], pid=os.getpid(), callers={peer[1]: caller})
    wait_all()


def accepted_and_left_alone() -> None:
    """Who accepts does nothing with it: no call tells, but who holds it can be seen."""
    server = listening()

    def call() -> None:
        calling = socket.create_connection(place_of(server))
        server.close()
        calling.sendall(b"x")
        pause(2)

    caller = child(call)
    _, peer = server.accept()
    pause(1.5)
    told(server=place_of(server)[1], pid=os.getpid(), callers={peer[1]: caller})
    os._exit(0)


def time_wait() -> None:
    """The last segment of who closed first goes out when process and socket are gone."""
    server = listening()

    def call() -> None:
        socket.create_connection(place_of(server)).close()

    caller = child(call)
    accepted, peer = server.accept()
    wait_all()
    accepted.recv(1)
    pause(0.2)
    accepted.close()
    told(server=place_of(server)[1], pid=os.getpid(), callers={peer[1]: caller})


def reset_without_payload() -> None:
    """The server's first call is after the reset."""
    server = listening()

    def call() -> None:
        calling = socket.create_connection(place_of(server))
        calling.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        calling.close()

    caller = child(call)
    accepted, peer = server.accept()
    wait_all()
    with suppress(ConnectionResetError):
        accepted.recv(1)
    told(server=place_of(server)[1], pid=os.getpid(), callers={peer[1]: caller})


def refused() -> None:
    with listening() as server:
        port = place_of(server)[1]
    with suppress(ConnectionRefusedError):
        socket.create_connection((HERE, port))
    told(server=port, pid=os.getpid())


def ports_used_again() -> None:
    """One port after the other, by another process each time, with a reset in between."""
    server = listening()

    def call() -> None:
        calling = bound(7001)
        calling.connect(place_of(server))
        calling.sendall(b"x")
        calling.recv(1)
        calling.close()

    callers = []
    for _ in range(10):
        callers.append(child(call))
        accepted, _ = server.accept()
        with accepted:
            accepted.recv(1)
            accepted.sendall(b"y")
            wait_all()
    told(server=place_of(server)[1], pid=os.getpid(), port=7001, callers=callers)


def pids_used_again() -> None:
    """The same three numbers, again and again."""
    server = listening()

    def call_as(name: str) -> None:
        with open("/proc/self/comm", "w") as file:
            file.write(name)
        ask(place_of(server))

    callers = {}
    for number in range(12):
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(300 + number % 3))
        name = f"caller {number}"
        pid = child(call_as, name)
        callers[answer(server)] = [pid, name]
        wait_all()
    told(server=place_of(server)[1], pid=os.getpid(), callers=callers)


def two_namespaces() -> None:
    """The same ends in another network namespace, at the same time."""

    def call_from(port: int) -> None:
        calling = bound(port)
        calling.connect((HERE, 7777))
        calling.sendall(b"x")
        calling.recv(1)

    def serve_ten() -> dict[int, int]:
        server = listening(7777)
        callers = {}
        for port in range(7000, 7010):
            callers[port] = child(call_from, port)
            accepted, _ = server.accept()
            with accepted:
                accepted.recv(1)
                accepted.sendall(b"y")
                os.waitpid(callers[port], 0)
        return callers

    def elsewhere() -> None:
        ctypes.CDLL(None).unshare(0x40000000)  # CLONE_NEWNET
        with socket.socket() as any_socket:  # netdevice(7): loopback up
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", 1))
        serve_ten()

    beside = child(elsewhere)
    callers = serve_ten()
    os.waitpid(beside, 0)
    told(server=7777, pid=os.getpid(), callers=callers)


def ipv6_and_mapped() -> None:
    """IPv6, and IPv4 to a socket that serves both."""
    server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    port = place_of(server)[1]
    callers = {}
    for address in ("::1", HERE):
        caller = child(ask, (address, port))
        callers[answer(server)] = caller
        wait_all()
    told(server=port, pid=os.getpid(), callers=callers)


PLAYS = {
    play.__name__: play
    for play in (
        fork_without_exec,
        exec_after_fork,
        shared_after_fork,
        passed_socket,
        workers_on_one_port,
        threads,
        from_before,
        accepted_and_left_alone,
        time_wait,
        reset_without_payload,
        refused,
        ports_used_again,
        pids_used_again,
        two_namespaces,
        ipv6_and_mapped,
    )
}
BEGUN_BEFORE = {"from_before"}
"""Plays that begin before the recording does."""

if __name__ == "__main__":
    PLAYS[sys.argv[1]]()
    pause(0.1)  # whoever records reads what it still can of this process
